//! Values of the language that a column takes.

use super::kind::{AtomKind, Boolean, Integer, Kind, Map, Optional, Real, Reference, Set, Text};
use crate::uuid::Uuid;
use crate::value::{Atom, Datum, Str};

/// A value that a column of this kind takes.
pub trait Encode<K: Kind> {
    /// As OVSDB has it.
    fn encode(self) -> Datum;
}

/// A value that an atom of this kind takes.
pub trait EncodeAtom<K: AtomKind> {
    /// As OVSDB has it.
    fn encode_atom(self) -> Atom;
}

macro_rules! atoms {
    ($($kind:ty: $($value:ty),*;)*) => {$($(
        impl EncodeAtom<$kind> for $value {
            fn encode_atom(self) -> Atom {
                Atom::from(self)
            }
        }
    )*)*};
}

atoms! {
    Integer: i64;
    Real: f64;
    Boolean: bool;
    Text: &str, String, &String, Str;
    // An atom: what `Transaction::insert` gives, the name of a row that is still to come.
    Reference: Uuid, Atom;
}

impl<K: AtomKind + Kind, T: EncodeAtom<K>> Encode<K> for T {
    fn encode(self) -> Datum {
        Datum::One(self.encode_atom())
    }
}

impl<K: AtomKind, T: EncodeAtom<K>> Encode<Optional<K>> for Option<T> {
    fn encode(self) -> Datum {
        self.map_or(Datum::EMPTY, |value| Datum::One(value.encode_atom()))
    }
}

impl<K: AtomKind, T: EncodeAtom<K>, const N: usize> Encode<Set<K>> for [T; N] {
    fn encode(self) -> Datum {
        Datum::set(self.into_iter().map(EncodeAtom::encode_atom))
    }
}

impl<K: AtomKind, T: EncodeAtom<K>> Encode<Set<K>> for Vec<T> {
    fn encode(self) -> Datum {
        Datum::set(self.into_iter().map(EncodeAtom::encode_atom))
    }
}

impl<K: AtomKind, V: AtomKind, A: EncodeAtom<K>, B: EncodeAtom<V>, const N: usize> Encode<Map<K, V>>
    for [(A, B); N]
{
    fn encode(self) -> Datum {
        Datum::map(self.into_iter().map(|(k, v)| (k.encode_atom(), v.encode_atom())))
    }
}

impl<K: AtomKind, V: AtomKind, A: EncodeAtom<K>, B: EncodeAtom<V>> Encode<Map<K, V>> for Vec<(A, B)> {
    fn encode(self) -> Datum {
        Datum::map(self.into_iter().map(|(k, v)| (k.encode_atom(), v.encode_atom())))
    }
}
