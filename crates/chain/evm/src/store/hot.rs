//! What of the tries is in memory, within bounds.

use alloy_primitives::B256;
use alloy_primitives::map::HashMap;

use super::values::TrieUpdate;
use crate::trie::{Child, Weights, cold, trim, weigh};

/// What a storage trie takes beside its branches: its place in the table and, when it is a single leaf, that.
const STORAGE_BYTES: usize = 256;

/// The tries of the head. Storage tries that are not here are read from their rows.
#[derive(Debug)]
pub(super) struct Hot {
    pub(super) accounts: Option<Child>,
    /// With the update that touched it last.
    pub(super) storages: HashMap<B256, (Child, u64)>,
    /// Not less than what is there, and not much more.
    pub(super) estimate: usize,
    limit: usize,
}

impl Hot {
    /// Nothing in memory yet.
    pub(super) fn new(state_root: B256, limit: usize) -> Self {
        Self {
            accounts: cold(state_root),
            storages: HashMap::default(),
            estimate: 0,
            limit,
        }
    }

    /// Takes in what was committed.
    pub(super) fn advance(&mut self, update: TrieUpdate) {
        let stamp = update.base + 1;
        let rows = update.storages.iter().flat_map(|storage| &storage.rows);
        let octets = update.rows.iter().chain(rows);
        // A leaf of 75 octets on disk takes about 200 in memory, a reference of 33 takes 40.
        self.estimate += octets
            .map(|(_, row)| 160 + 3 * row.as_ref().map_or(0, Vec::len))
            .sum::<usize>();
        self.estimate += STORAGE_BYTES * update.storages.len();
        self.accounts = update.accounts;
        for storage in update.storages {
            match storage.root {
                Some(root) => drop(self.storages.insert(storage.owner, (root, stamp))),
                None => drop(self.storages.remove(&storage.owner)),
            }
        }
        if self.estimate > self.limit {
            self.shrink();
        }
    }

    /// Weighs what is there; when it is near the limit, lets go of the half that was not touched for longest, so that
    /// this is not done again at once.
    fn shrink(&mut self) {
        self.estimate = self.weights().total();
        if self.estimate <= self.limit / 4 * 3 {
            return;
        }
        let oldest = self.weights().oldest_within(self.limit / 2);
        self.accounts = self.accounts.take().map(|root| trim(&root, oldest));
        self.storages.retain(|_, (root, stamp)| {
            *root = trim(root, oldest);
            *stamp >= oldest
        });
        self.estimate = self.weights().total();
    }

    fn weights(&self) -> Weights {
        let mut weights = Weights::default();
        self.accounts.iter().for_each(|root| weigh(root, &mut weights));
        for (root, stamp) in self.storages.values() {
            weigh(root, &mut weights);
            weights.add(*stamp, STORAGE_BYTES);
        }
        weights
    }
}
