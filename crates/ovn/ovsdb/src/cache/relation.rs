//! Which rows belong to a key, of which an old state costs nothing to keep.

use super::trie::Trie;
use crate::uuid::Uuid;

/// Pairs of a key and a row, found by the key. A copy costs a pointer.
#[derive(Debug, Clone, Default)]
pub struct Relation {
    rows: Trie<Rows>,
}

/// Most keys have one row.
#[derive(Debug, Clone)]
enum Rows {
    One(Uuid),
    Many(Trie<()>),
}

impl Relation {
    /// No pair.
    #[must_use]
    pub const fn new() -> Self {
        Self { rows: Trie::new() }
    }

    /// Of pairs in any order: at once. What comes twice is taken once.
    pub(crate) fn of_pairs(mut pairs: Vec<(Uuid, Uuid)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let keys = pairs.chunk_by(|a, b| a.0 == b.0);
        let rows = keys.map(|own| match own {
            [(key, row)] => (*key, Rows::One(*row)),
            many => {
                let rows = many.iter().map(|(_, row)| (*row, ())).collect();
                (many[0].0, Rows::Many(Trie::from_sorted(rows)))
            }
        });
        Self {
            rows: Trie::from_sorted(rows.collect()),
        }
    }

    /// Puts a pair in, once.
    pub fn insert(&mut self, key: Uuid, row: Uuid) {
        match self.rows.get_or_insert(key, Rows::One(row)) {
            None => {}
            Some(Rows::One(other)) if *other == row => {}
            Some(Rows::Many(rows)) => drop(rows.insert(row, ())),
            Some(one) => {
                let mut rows = Trie::new();
                if let Rows::One(other) = one {
                    rows.insert(*other, ());
                }
                rows.insert(row, ());
                *one = Rows::Many(rows);
            }
        }
    }

    /// Takes a pair out.
    pub fn remove(&mut self, key: Uuid, row: Uuid) {
        let gone = match self.rows.get_mut(&key) {
            Some(Rows::One(only)) => *only == row,
            Some(Rows::Many(rows)) => {
                rows.remove(&row);
                rows.is_empty()
            }
            None => false,
        };
        if gone {
            self.rows.remove(&key);
        }
    }

    /// The rows of a key, sorted.
    pub fn of(&self, key: Uuid) -> impl Iterator<Item = Uuid> + use<'_> {
        let (one, many) = self.rows_of(key);
        one.into_iter()
            .chain(many.into_iter().flat_map(Trie::iter).map(|(row, ())| *row))
    }

    /// The rows of a key that come after this one, sorted.
    pub fn of_after(&self, key: Uuid, after: Uuid) -> impl Iterator<Item = Uuid> + use<'_> {
        let (one, many) = self.rows_of(key);
        let many = many
            .into_iter()
            .flat_map(move |rows| rows.iter_after(&after))
            .map(|(row, ())| *row);
        one.into_iter().filter(move |row| *row > after).chain(many)
    }

    /// Whether it has no pair.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows a key has. Costs nothing.
    #[must_use]
    pub fn count(&self, key: Uuid) -> usize {
        let (one, many) = self.rows_of(key);
        usize::from(one.is_some()) + many.map_or(0, Trie::len)
    }

    pub(crate) fn rows_of(&self, key: Uuid) -> (Option<Uuid>, Option<&Trie<()>>) {
        match self.rows.get(&key) {
            None => (None, None),
            Some(Rows::One(row)) => (Some(*row), None),
            Some(Rows::Many(rows)) => (None, Some(rows)),
        }
    }

    /// All pairs, sorted.
    pub fn pairs(&self) -> impl Iterator<Item = (Uuid, Uuid)> + use<'_> {
        let keys = self.rows.iter().map(|(key, _)| *key);
        keys.flat_map(|key| self.of(key).map(move |row| (key, row)))
    }
}

impl PartialEq for Relation {
    fn eq(&self, other: &Self) -> bool {
        self.rows.is_same(&other.rows) || self.pairs().eq(other.pairs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_a_sorted_set_of_pairs(steps in prop::collection::vec((0u8..6, 0u8..40, any::<bool>()), 0..300)) {
            let id = |n: u8| Uuid::from_bytes([n; 16]);
            let (mut relation, mut set) = (Relation::new(), BTreeSet::new());
            for (key, row, comes) in steps {
                let old = (relation.clone(), set.clone());
                if comes {
                    relation.insert(id(key), id(row));
                    set.insert((id(key), id(row)));
                } else {
                    relation.remove(id(key), id(row));
                    set.remove(&(id(key), id(row)));
                }
                prop_assert!(old.0.pairs().eq(old.1.iter().copied()));
            }
            prop_assert!(relation.pairs().eq(set.iter().copied()));
            prop_assert_eq!(relation.count(id(3)), set.iter().filter(|pair| pair.0 == id(3)).count());
            let pairs: Vec<_> = set.iter().rev().chain(&set).copied().collect();
            prop_assert!(Relation::of_pairs(pairs) == relation, "built at once, or one by one");
            for after in [0, 7, 39] {
                let rows = set.iter().filter(|pair| pair.0 == id(3) && pair.1 > id(after)).map(|pair| pair.1);
                prop_assert!(relation.of_after(id(3), id(after)).eq(rows));
            }
        }
    }
}
