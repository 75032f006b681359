//! Rows by what their columns hold.

use super::relation::Relation;
use super::trie::Trie;
use crate::uuid::Uuid;
use crate::value::Atom;

/// Which rows have a value; whoever asks looks at the rows too, since two values may share a hash.
#[derive(Debug, Clone)]
pub(crate) struct IndexData {
    rows: Relation,
}

impl IndexData {
    pub(crate) const fn new() -> Self {
        Self {
            rows: Relation::new(),
        }
    }

    /// Of all values and their rows, in any order.
    pub(crate) fn of<'a>(values: impl Iterator<Item = (&'a Atom, Uuid)>) -> Self {
        let pairs = values.map(|(atom, row)| (hash(atom), row)).collect();
        Self {
            rows: Relation::of_pairs(pairs),
        }
    }

    pub(crate) fn insert(&mut self, atom: &Atom, row: Uuid) {
        self.rows.insert(hash(atom), row);
    }

    pub(crate) fn remove(&mut self, atom: &Atom, row: Uuid) {
        self.rows.remove(hash(atom), row);
    }

    /// The rows that may have the value: one, or several.
    pub(crate) fn rows_of(&self, atom: &Atom) -> (Option<Uuid>, Option<&Trie<()>>) {
        self.rows.rows_of(hash(atom))
    }

    /// Whether no row can be found by it.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows may have the value.
    pub(crate) fn count(&self, atom: &Atom) -> usize {
        self.rows.count(hash(atom))
    }

    /// Rows that may have the value, sorted; all of them, or those after one.
    pub(crate) fn candidates(&self, atom: &Atom, after: Option<Uuid>) -> impl Iterator<Item = Uuid> {
        let key = hash(atom);
        let all = after.is_none().then(|| self.rows.of(key));
        let later = after.map(|after| self.rows.of_after(key, after));
        all.into_iter().flatten().chain(later.into_iter().flatten())
    }
}

/// FNV-1a of 128 bits, the same in every process. A row's name is its own: whoever refers to rows that lie together is
/// found in places that do, too.
fn hash(atom: &Atom) -> Uuid {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    };
    match atom {
        Atom::Integer(integer) => add(&integer.to_be_bytes()),
        Atom::Real(real) => add(&(real + 0.0).to_bits().to_be_bytes()),
        Atom::Boolean(boolean) => add(&[u8::from(*boolean)]),
        Atom::Text(text) | Atom::Named(text) => add(text.as_bytes()),
        Atom::Uuid(uuid) => return *uuid,
    }
    Uuid::from_bytes(hash.to_be_bytes())
}
