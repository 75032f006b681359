//! Accounts and slots of the head in memory, within bounds, right for readers of every age.
//!
//! Each commit has a version. An entry says since which version its value holds, and it holds up to the newest;
//! a reader of version V may take it if it holds since V or before, and otherwise reads its own snapshot of the
//! file. So a commit may put its values here before anybody can see its snapshot.
//!
//! ```text
//!   commit 8 changes A:      A since 8          reader of 7: not for me, to the file
//!                            B since 3          reader of 7: mine, and reader of 8 too
//!   reader of 7 brings in A: its shard is at 8: refused, the value may be old
//! ```

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, U256};

use crate::state::Account;

const SHARDS: usize = 16;

/// Octets that an entry takes with its share of the table, about.
const ACCOUNT_BYTES: usize = 176;
const SLOT_BYTES: usize = 176;

/// Values of the head after a commit, to put in the place of older ones.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    pub(super) accounts: Vec<(Address, Option<Account>)>,
    pub(super) slots: Vec<(Address, U256, U256)>,
}

/// The cache of one store.
#[derive(Debug)]
pub(super) struct FlatCache {
    shards: Vec<Mutex<Shard>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Debug)]
struct Shard {
    /// The newest commit that this shard knows of.
    version: u64,
    accounts: Halves<Address, Option<Account>>,
    slots: Halves<(Address, U256), U256>,
}

impl FlatCache {
    /// Holds about `bytes`, half of it accounts.
    pub(super) fn new(bytes: usize, version: u64) -> Self {
        let shard = || Shard {
            version,
            accounts: Halves::new(bytes / 2 / ACCOUNT_BYTES / SHARDS),
            slots: Halves::new(bytes / 2 / SLOT_BYTES / SHARDS),
        };
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    pub(super) fn account(&self, address: Address, version: u64) -> Option<Option<Account>> {
        let found = self.shard(address).accounts.get(&address, version);
        self.count(found)
    }

    pub(super) fn slot(&self, address: Address, slot: U256, version: u64) -> Option<U256> {
        let found = self.shard(address).slots.get(&(address, slot), version);
        self.count(found)
    }

    /// Keeps what a reader of `version` found in the file, if no later commit came in between.
    pub(super) fn keep_account(&self, address: Address, account: Option<Account>, version: u64) {
        let mut shard = self.shard(address);
        if shard.version == version {
            shard.accounts.put(address, account, version);
        }
    }

    /// As [`Self::keep_account`].
    pub(super) fn keep_slot(&self, address: Address, slot: U256, value: U256, version: u64) {
        let mut shard = self.shard(address);
        if shard.version == version {
            shard.slots.put((address, slot), value, version);
        }
    }

    /// Takes in what the commit of `version` changed; before its snapshot is given to anybody.
    pub(super) fn advance(&self, version: u64, fresh: &Fresh) {
        // First of all shards: from here on nobody of before can bring in an old value.
        for shard in &self.shards {
            lock(shard).version = version;
        }
        for (address, account) in &fresh.accounts {
            self.shard(*address).accounts.put(*address, *account, version);
        }
        for (address, slot, value) in &fresh.slots {
            self.shard(*address).slots.put((*address, *slot), *value, version);
        }
    }

    /// Forgets everything: the file is not what it was thought to be.
    pub(super) fn reset(&self, version: u64) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.version = version;
            shard.accounts.clear();
            shard.slots.clear();
        }
    }

    /// Answered from memory, and not.
    pub(super) fn counts(&self) -> (u64, u64) {
        (
            self.hits.load(Ordering::Relaxed),
            self.misses.load(Ordering::Relaxed),
        )
    }

    fn count<T>(&self, found: Option<T>) -> Option<T> {
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    fn shard(&self, address: Address) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(address[19]) % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().expect("no thread panics with the cache locked")
}

/// Least recently used, roughly: what is used moves to the young half; when that is full, the old one is dropped.
#[derive(Debug)]
struct Halves<K, V> {
    young: HashMap<K, (V, u64)>,
    old: HashMap<K, (V, u64)>,
    half: usize,
}

impl<K: Eq + Hash, V: Copy> Halves<K, V> {
    fn new(entries: usize) -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
            half: (entries / 2).max(1),
        }
    }

    fn get(&mut self, key: &K, version: u64) -> Option<V> {
        let (value, since) = match self.young.get(key) {
            Some(found) => *found,
            None => {
                let (key, found) = self.old.remove_entry(key)?;
                self.insert(key, found);
                found
            }
        };
        (since <= version).then_some(value)
    }

    fn put(&mut self, key: K, value: V, since: u64) {
        self.old.remove(&key);
        self.insert(key, (value, since));
    }

    fn insert(&mut self, key: K, entry: (V, u64)) {
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, entry);
    }

    fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Address = Address::repeat_byte(1);

    fn account(nonce: u64) -> Option<Account> {
        Some(Account {
            nonce,
            ..Account::default()
        })
    }

    fn fresh(nonce: u64) -> Fresh {
        Fresh {
            accounts: vec![(A, account(nonce))],
            slots: Vec::new(),
        }
    }

    #[test]
    fn an_older_reader_does_not_see_a_newer_value() {
        let cache = FlatCache::new(1 << 20, 7);
        cache.keep_account(A, account(1), 7);
        assert_eq!(cache.account(A, 7), Some(account(1)));
        cache.advance(8, &fresh(2));
        assert_eq!(cache.account(A, 7), None);
        assert_eq!(cache.account(A, 8), Some(account(2)));
    }

    #[test]
    fn an_older_reader_cannot_bring_in_its_value() {
        let cache = FlatCache::new(1 << 20, 7);
        cache.advance(8, &fresh(2));
        cache.keep_account(A, account(1), 7);
        assert_eq!(cache.account(A, 8), Some(account(2)));
        cache.advance(9, &Fresh::default());
        cache.keep_account(Address::repeat_byte(17), account(1), 8);
        assert_eq!(cache.account(Address::repeat_byte(17), 9), None);
    }

    #[test]
    fn what_did_not_change_serves_readers_of_every_later_version() {
        let cache = FlatCache::new(1 << 20, 7);
        cache.keep_account(A, account(1), 7);
        cache.advance(8, &Fresh::default());
        assert_eq!(cache.account(A, 8), Some(account(1)));
        assert_eq!(cache.account(A, 7), Some(account(1)));
        cache.reset(9);
        assert_eq!(cache.account(A, 9), None);
    }

    #[test]
    fn it_stays_within_its_bounds_and_keeps_what_is_used() {
        let mut halves = Halves::new(100);
        for key in 0..10_000_u32 {
            halves.put(key, key, 0);
            assert_eq!(halves.get(&7, 0), (key >= 7).then_some(7));
            assert!(halves.young.len() + halves.old.len() <= 100);
        }
    }
}
