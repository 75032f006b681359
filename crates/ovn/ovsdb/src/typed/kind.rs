//! What a column may hold, as types.

use crate::types::{AtomicType, BaseType, ColumnType};
use crate::uuid::Uuid;
use crate::value::{Atom, Datum};
use std::fmt;
use std::marker::PhantomData;

/// What a column holds.
pub trait Kind {
    /// What reading it gives.
    type Value<'a>;

    /// Reads it; the default where there is nothing.
    fn read(datum: Option<&Datum>) -> Self::Value<'_>;

    /// The type without its constraints.
    fn column_type() -> ColumnType;
}

/// What one atom holds.
pub trait AtomKind {
    /// What reading it gives.
    type Value<'a>: Default;
    /// Its type.
    const ATOMIC: AtomicType;

    /// Reads it; `None` for an atom of another type.
    fn atom(atom: &Atom) -> Option<Self::Value<'_>>;
}

macro_rules! atoms {
    ($($(#[$doc:meta])* $name:ident = $value:ty, $read:path;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}

        impl AtomKind for $name {
            type Value<'a> = $value;
            const ATOMIC: AtomicType = atomic!($name);

            fn atom(atom: &Atom) -> Option<$value> {
                $read(atom)
            }
        }

        impl Kind for $name {
            type Value<'a> = $value;

            fn read(datum: Option<&Datum>) -> $value {
                datum.and_then(Datum::one).and_then($read).unwrap_or_default()
            }

            fn column_type() -> ColumnType {
                <$name as AtomKind>::ATOMIC.into()
            }
        }
    )*};
}

macro_rules! atomic {
    (Integer) => {
        AtomicType::Integer
    };
    (Real) => {
        AtomicType::Real
    };
    (Boolean) => {
        AtomicType::Boolean
    };
    (Reference) => {
        AtomicType::Uuid
    };
}

atoms! {
    /// One integer; 0 by default.
    Integer = i64, Atom::as_integer;
    /// One real; 0 by default.
    Real = f64, Atom::as_real;
    /// One boolean; false by default.
    Boolean = bool, Atom::as_bool;
    /// One UUID; zero by default.
    Reference = Uuid, Atom::as_uuid;
}

/// One text; empty by default.
#[derive(Debug, Clone, Copy)]
pub enum Text {}

impl AtomKind for Text {
    type Value<'a> = &'a str;
    const ATOMIC: AtomicType = AtomicType::String;

    fn atom(atom: &Atom) -> Option<&str> {
        atom.as_str()
    }
}

impl Kind for Text {
    type Value<'a> = &'a str;

    fn read(datum: Option<&Datum>) -> &str {
        datum
            .and_then(Datum::one)
            .and_then(Atom::as_str)
            .unwrap_or_default()
    }

    fn column_type() -> ColumnType {
        AtomicType::String.into()
    }
}

/// None or one.
#[derive(Debug, Clone, Copy)]
pub struct Optional<K>(PhantomData<K>);

impl<K: AtomKind> Kind for Optional<K> {
    type Value<'a> = Option<K::Value<'a>>;

    fn read(datum: Option<&Datum>) -> Option<K::Value<'_>> {
        datum.and_then(Datum::one).and_then(K::atom)
    }

    fn column_type() -> ColumnType {
        ColumnType {
            min: 0,
            ..K::ATOMIC.into()
        }
    }
}

/// Any number, sorted, none twice.
#[derive(Debug, Clone, Copy)]
pub struct Set<K>(PhantomData<K>);

impl<K: AtomKind> Kind for Set<K> {
    type Value<'a> = Elements<'a, K>;

    fn read(datum: Option<&Datum>) -> Elements<'_, K> {
        Elements(datum.map_or(&[], Datum::atoms), PhantomData)
    }

    fn column_type() -> ColumnType {
        ColumnType {
            min: 0,
            max: ColumnType::UNLIMITED,
            ..K::ATOMIC.into()
        }
    }
}

/// Values by key.
#[derive(Debug, Clone, Copy)]
pub struct Map<K, V>(PhantomData<(K, V)>);

impl<K: AtomKind, V: AtomKind> Kind for Map<K, V> {
    type Value<'a> = Pairs<'a, K, V>;

    fn read(datum: Option<&Datum>) -> Pairs<'_, K, V> {
        Pairs(datum.map_or(&[], Datum::pairs), PhantomData)
    }

    fn column_type() -> ColumnType {
        ColumnType {
            value: Some(BaseType::any(V::ATOMIC)),
            ..Set::<K>::column_type()
        }
    }
}

/// The elements of a set, in order.
pub struct Elements<'a, K>(&'a [Atom], PhantomData<K>);

impl<'a, K: AtomKind> Elements<'a, K> {
    /// The elements, in order.
    pub fn iter(self) -> impl Iterator<Item = K::Value<'a>> + use<'a, K> {
        self.0.iter().filter_map(K::atom)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// The pairs of a map, in the order of their keys.
pub struct Pairs<'a, K, V>(&'a [(Atom, Atom)], PhantomData<(K, V)>);

impl<'a, K: AtomKind, V: AtomKind> Pairs<'a, K, V> {
    /// The pairs, in the order of their keys.
    pub fn iter(self) -> impl Iterator<Item = (K::Value<'a>, V::Value<'a>)> + use<'a, K, V> {
        self.0
            .iter()
            .filter_map(|(key, value)| Some((K::atom(key)?, V::atom(value)?)))
    }

    /// How many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a, V: AtomKind> Pairs<'a, Text, V> {
    /// What this key has. Binary search.
    #[must_use]
    pub fn get(self, key: &str) -> Option<V::Value<'a>> {
        let at = self
            .0
            .binary_search_by(|(k, _)| k.as_str().cmp(&Some(key)))
            .ok()?;
        V::atom(&self.0[at].1)
    }
}

impl<K> Clone for Elements<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Elements<'_, K> {}

impl<K, V> Clone for Pairs<'_, K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for Pairs<'_, K, V> {}

impl<K> fmt::Debug for Elements<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0).finish()
    }
}

impl<K, V> fmt::Debug for Pairs<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(k, v)| (k, v))).finish()
    }
}
