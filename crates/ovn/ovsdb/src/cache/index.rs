//! Rows by what their columns hold.

use super::trie::Trie;
use crate::uuid::Uuid;
use crate::value::Atom;

/// Which rows have a value; whoever asks looks at the rows too, since two values may share a hash.
#[derive(Debug, Clone)]
pub(crate) struct IndexData {
    postings: Trie<Postings>,
}

#[derive(Debug, Clone)]
enum Postings {
    One(Uuid),
    Many(Trie<()>),
}

impl IndexData {
    pub(crate) const fn new() -> Self {
        Self {
            postings: Trie::new(),
        }
    }

    pub(crate) fn insert(&mut self, atom: &Atom, row: Uuid) {
        let key = hash(atom);
        let postings = match self.postings.get(&key) {
            None => Postings::One(row),
            Some(Postings::One(other)) if *other == row => return,
            Some(Postings::One(other)) => {
                let mut rows = Trie::new();
                rows.insert(*other, ());
                rows.insert(row, ());
                Postings::Many(rows)
            }
            Some(Postings::Many(rows)) => {
                let mut rows = rows.clone();
                rows.insert(row, ());
                Postings::Many(rows)
            }
        };
        self.postings.insert(key, postings);
    }

    pub(crate) fn remove(&mut self, atom: &Atom, row: Uuid) {
        let key = hash(atom);
        match self.postings.get(&key) {
            Some(Postings::One(only)) if *only == row => drop(self.postings.remove(&key)),
            Some(Postings::Many(rows)) => {
                let mut rows = rows.clone();
                rows.remove(&row);
                if rows.len() == 0 {
                    self.postings.remove(&key);
                } else {
                    self.postings.insert(key, Postings::Many(rows));
                }
            }
            _ => {}
        }
    }

    /// Rows that may have the value, sorted.
    pub(crate) fn candidates(&self, atom: &Atom) -> impl Iterator<Item = Uuid> {
        let (one, many) = match self.postings.get(&hash(atom)) {
            None => (None, None),
            Some(Postings::One(row)) => (Some(*row), None),
            Some(Postings::Many(rows)) => (None, Some(rows)),
        };
        one.into_iter()
            .chain(many.into_iter().flat_map(Trie::iter).map(|(row, ())| *row))
    }
}

/// FNV-1a of 128 bits, the same in every process.
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
        Atom::Uuid(uuid) => add(uuid.as_bytes()),
    }
    Uuid::from_bytes(hash.to_be_bytes())
}
