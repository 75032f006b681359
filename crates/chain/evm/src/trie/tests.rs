//! The trie against a builder over the sorted whole, in random batches.

use std::collections::BTreeMap;

use alloy_primitives::{B256, keccak256};
use alloy_trie::proof::verify_proof;
use alloy_trie::{HashBuilder, Nibbles};
use proptest::prelude::*;

use super::*;

/// Rows in memory.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rows(BTreeMap<Nibbles, Vec<u8>>);

impl NodeSource for Rows {
    fn row(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.0.get(path).cloned())
    }
}

impl Rows {
    fn write(&mut self, rows: Vec<RowChange>) {
        for (path, row) in rows {
            match row {
                Some(row) => self.0.insert(path, row),
                None => self.0.remove(&path),
            };
        }
    }
}

/// An edit is the new value.
struct Plain;

impl Values for Plain {
    type Edit = Option<Vec<u8>>;
    type Beside = ();

    fn value(
        &self,
        edit: &Self::Edit,
        _: Option<&[u8]>,
        _: &mut Vec<()>,
    ) -> Result<Option<Vec<u8>>, StateError> {
        Ok(edit.clone())
    }
}

#[derive(Debug, Default)]
struct Rig {
    model: BTreeMap<Nibbles, Vec<u8>>,
    rows: Rows,
    root: Option<Child>,
    stamp: u64,
}

impl Rig {
    fn apply(&mut self, edits: &BTreeMap<Nibbles, Option<Vec<u8>>>) {
        self.stamp += 1;
        let edits: Vec<_> = edits.iter().map(|(key, value)| (*key, value.clone())).collect();
        let batch = Batch {
            source: &self.rows,
            values: &Plain,
            stamp: self.stamp,
        };
        let outcome = batch.apply(self.root.as_ref(), &edits).unwrap();
        self.root = outcome.root;
        self.rows.write(outcome.rows);
        for (key, value) in edits {
            match value {
                Some(value) => self.model.insert(key, value),
                None => self.model.remove(&key),
            };
        }
    }

    /// Root and rows are those of a trie that is built at once, and every proof holds.
    fn check(&self) {
        let root = root_hash(self.root.as_ref());
        assert_eq!(root, reference_root(&self.model));
        let mut fresh = Self::default();
        fresh.apply(
            &self
                .model
                .iter()
                .map(|(key, value)| (*key, Some(value.clone())))
                .collect(),
        );
        assert_eq!(self.rows, fresh.rows);
    }

    fn check_proof(&self, key: Nibbles) {
        let (nodes, value) = prove(self.root.as_ref(), &self.rows, &key).unwrap();
        assert_eq!(value.as_ref(), self.model.get(&key));
        // The verifier takes no root that is shorter than a hash; with keys of 32 octets there is none.
        if nodes.first().is_some_and(|node| node.len() < 32) {
            return;
        }
        verify_proof(root_hash(self.root.as_ref()), key, value, &nodes).unwrap();
    }

    /// Forgets what is in memory: all of it, what is older than `age` updates, or nothing.
    fn forget(&mut self, age: u64) {
        self.root = match age {
            0 => cold(root_hash(self.root.as_ref())),
            age => self
                .root
                .take()
                .map(|root| trim(&root, self.stamp.saturating_sub(age))),
        };
    }
}

fn reference_root(model: &BTreeMap<Nibbles, Vec<u8>>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in model {
        builder.add_leaf(*key, value);
    }
    builder.root()
}

type Edits = BTreeMap<Nibbles, Option<Vec<u8>>>;

fn edits(keys: impl Strategy<Value = Nibbles>, count: usize) -> impl Strategy<Value = Edits> {
    let value = prop_oneof![
        Just(None),
        proptest::collection::vec(any::<u8>(), 1..4).prop_map(Some),
        proptest::collection::vec(any::<u8>(), 30..90).prop_map(Some),
    ];
    proptest::collection::btree_map(keys, value, 0..count)
}

fn run(batches: Vec<(Edits, u64)>, probes: &[Nibbles]) {
    let mut rig = Rig::default();
    for (edits, age) in batches {
        rig.apply(&edits);
        rig.check();
        let touched = edits.keys().copied();
        touched
            .chain(probes.iter().copied())
            .for_each(|key| rig.check_proof(key));
        rig.forget(age);
    }
    rig.apply(&rig.model.keys().map(|key| (*key, None)).collect());
    rig.check();
    assert!(rig.root.is_none() && rig.rows.0.is_empty());
}

fn hashed() -> impl Strategy<Value = Nibbles> {
    (0_u16..300).prop_map(|number| Nibbles::unpack(keccak256(number.to_be_bytes())))
}

/// Few keys that differ in few places: prefixes are split, merged and moved all the time, and the deep ends are
/// shorter than 32 octets.
fn crowded() -> impl Strategy<Value = Nibbles> {
    let place = prop_oneof![Just(0_usize), 1_usize..4, 30_usize..34, 58_usize..64];
    proptest::collection::vec((place, 0_u8..3), 0..3).prop_map(|places| {
        let mut nibbles = [5_u8; 64];
        for (place, nibble) in places {
            nibbles[place] = nibble;
        }
        Nibbles::from_nibbles(nibbles)
    })
}

/// Whole tries in a few octets.
fn short() -> impl Strategy<Value = Nibbles> {
    proptest::collection::vec(0_u8..4, 4).prop_map(Nibbles::from_nibbles)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn batches_over_hashed_keys_give_the_root_rows_and_proofs_of_the_whole(
        batches in proptest::collection::vec((edits(hashed(), 60), 0_u64..4), 1..8),
        probes in proptest::collection::vec(hashed(), 4),
    ) {
        run(batches, &probes);
    }

    #[test]
    fn batches_over_crowded_keys_give_the_root_rows_and_proofs_of_the_whole(
        batches in proptest::collection::vec((edits(crowded(), 12), 0_u64..4), 1..12),
        probes in proptest::collection::vec(crowded(), 4),
    ) {
        run(batches, &probes);
    }

    #[test]
    fn nodes_shorter_than_a_hash_lie_inside_their_parents(
        batches in proptest::collection::vec((edits(short(), 8), 0_u64..4), 1..12),
        probes in proptest::collection::vec(short(), 4),
    ) {
        run(batches, &probes);
    }

    #[test]
    fn no_octets_make_a_row_that_panics(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = row::decode(&octets, 0);
    }
}

fn many(count: u32, salt: u8) -> Edits {
    let key = |number: u32| Nibbles::unpack(keccak256(number.to_be_bytes()));
    (0..count)
        .map(|number| (key(number), Some(vec![salt.max(1); 70])))
        .collect()
}

#[test]
fn a_large_batch_in_threads_gives_what_small_ones_give() {
    let mut large = Rig::default();
    large.apply(&many(3_000, 1));
    large.apply(&many(1_000, 2));
    large.check();
    let mut small = Rig::default();
    for (key, value) in many(3_000, 1).into_iter().chain(many(1_000, 2)) {
        small.apply(&BTreeMap::from([(key, value)]));
    }
    assert_eq!(small.rows, large.rows);
    assert_eq!(root_hash(small.root.as_ref()), root_hash(large.root.as_ref()));
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let mut rig = Rig::default();
    rig.apply(&many(500, 1));
    let all: Vec<_> = many(300, 1).into_iter().collect();
    let absent = (Nibbles::unpack(keccak256(b"nobody")), None);
    let mut with_absent: Edits = all.iter().cloned().collect();
    with_absent.insert(absent.0, absent.1);
    let edits: Vec<_> = with_absent.into_iter().collect();
    for root in [rig.root.clone(), cold(root_hash(rig.root.as_ref()))] {
        let batch = Batch {
            source: &rig.rows,
            values: &Plain,
            stamp: 9,
        };
        assert_eq!(batch.apply(root.as_ref(), &edits).unwrap().rows, []);
    }
}

#[test]
fn a_row_that_is_missing_or_another_is_said_to_be_damage() {
    let mut rig = Rig::default();
    rig.apply(&many(500, 1));
    rig.forget(0);
    let path = Nibbles::from_nibbles([3]);
    let kept = rig.rows.0.remove(&path).unwrap();
    let key = (0_u32..)
        .map(|number| Nibbles::unpack(keccak256(number.to_be_bytes())))
        .find(|key| key.starts_with(&path))
        .unwrap();
    let error = prove(rig.root.as_ref(), &rig.rows, &key).unwrap_err();
    assert!(error.to_string().contains("is missing"), "{error}");
    let other = rig.rows.0[&Nibbles::from_nibbles([4])].clone();
    for (row, said) in [
        (other, "parent names"),
        (kept[..kept.len() - 1].to_vec(), "not readable"),
    ] {
        rig.rows.0.insert(path, row);
        let error = prove(rig.root.as_ref(), &rig.rows, &key).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn memory_is_given_back_oldest_first_and_the_trie_stays_the_same() {
    let mut rig = Rig::default();
    rig.apply(&many(2_000, 1));
    rig.apply(&many(20, 2));
    let root = rig.root.clone().unwrap();
    let mut weights = Weights::default();
    weigh(&root, &mut weights);
    assert!(weights.total() > 2_000 * 70);
    assert_eq!(weights.oldest_within(usize::MAX), 1);
    assert_eq!(weights.oldest_within(10), u64::MAX);
    assert!(matches!(trim(&root, u64::MAX), Child::Cold(_)));
    let oldest = weights.oldest_within(weights.total() / 2);
    assert_eq!(oldest, 2);
    let trimmed = trim(&root, oldest);
    let mut after = Weights::default();
    weigh(&trimmed, &mut after);
    assert!(after.total() < weights.total() / 2);
    rig.root = Some(trimmed);
    rig.apply(&many(2_000, 3));
    rig.check();
}
