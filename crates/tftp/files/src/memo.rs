//! What is remembered of names, for packet threads: found without a system call and without waiting for the disk.
//!
//! Shards by hash, each behind a lock that readers share; each shard holds so many entries and no more. When it is full
//! the entry goes that nobody asked for since the clock's hand last passed, so a million different names cost no more
//! memory than the first thousands.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use purlin_tftp_core::plan::Scheme;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

const SHARDS: usize = 64;

/// Under what an answer is remembered. The asker is part of it only for names that mean something else to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyRef<'a> {
    pub(crate) name: &'a str,
    pub(crate) netascii: bool,
    pub(crate) asker: Option<Asker>,
}

/// All that an answer may depend on besides the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Asker {
    pub(crate) client: IpAddr,
    pub(crate) server: Option<IpAddr>,
    pub(crate) scheme: Scheme,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) name: Box<str>,
    pub(crate) netascii: bool,
    pub(crate) asker: Option<Asker>,
}

impl Key {
    pub(crate) fn as_ref(&self) -> KeyRef<'_> {
        KeyRef {
            name: &self.name,
            netascii: self.netascii,
            asker: self.asker,
        }
    }
}

/// A bounded map that forgets.
#[derive(Debug)]
pub(crate) struct Memo<V> {
    shards: Box<[RwLock<Shard<V>>]>,
    hasher: foldhash::fast::RandomState,
    /// Entries per shard.
    room: usize,
}

#[derive(Debug)]
struct Shard<V> {
    /// Indices into `nodes`.
    table: HashTable<u32>,
    nodes: Vec<Node<V>>,
    hand: usize,
}

#[derive(Debug)]
struct Node<V> {
    hash: u64,
    key: Key,
    value: V,
    used: AtomicBool,
}

impl<V> Memo<V> {
    /// At most `entries`, spread over all shards.
    pub(crate) fn new(entries: usize) -> Self {
        let shard = || Shard {
            table: HashTable::new(),
            nodes: Vec::new(),
            hand: 0,
        };
        Self {
            shards: (0..SHARDS).map(|_| RwLock::new(shard())).collect(),
            hasher: foldhash::fast::RandomState::default(),
            room: (entries / SHARDS).max(1),
        }
    }

    /// What `pick` makes of the value, under the shard's lock.
    pub(crate) fn get<T>(&self, key: KeyRef<'_>, pick: impl FnOnce(&V) -> Option<T>) -> Option<T> {
        let hash = self.hasher.hash_one(key);
        let shard = read(self.shard(hash));
        let index = *shard
            .table
            .find(hash, |&at| shard.nodes[at as usize].key.as_ref() == key)?;
        let node = &shard.nodes[index as usize];
        let picked = pick(&node.value)?;
        if !node.used.load(Ordering::Relaxed) {
            node.used.store(true, Ordering::Relaxed);
        }
        Some(picked)
    }

    /// Remembers a value; what had to go for it comes back, so that it is dropped outside of the lock.
    pub(crate) fn put(&self, key: Key, value: V) -> Option<V> {
        let hash = self.hasher.hash_one(key.as_ref());
        let mut shard = write(self.shard(hash));
        let shard = &mut *shard;
        if let Some(&at) = shard.table.find(hash, |&at| shard.nodes[at as usize].key == key) {
            return Some(std::mem::replace(&mut shard.nodes[at as usize].value, value));
        }
        let gone = (shard.nodes.len() >= self.room).then(|| shard.evict());
        let at = u32::try_from(shard.nodes.len()).expect("a shard has far fewer entries");
        shard.nodes.push(Node {
            hash,
            key,
            value,
            used: AtomicBool::new(false),
        });
        shard
            .table
            .insert_unique(hash, at, |&at| shard.nodes[at as usize].hash);
        gone
    }

    pub(crate) fn remove(&self, key: KeyRef<'_>) -> Option<V> {
        let hash = self.hasher.hash_one(key);
        let mut shard = write(self.shard(hash));
        let at = *shard
            .table
            .find(hash, |&at| shard.nodes[at as usize].key.as_ref() == key)?;
        Some(shard.take(at as usize))
    }

    /// Forgets what `keep` does not want. What goes is dropped outside of the locks.
    pub(crate) fn retain(&self, keep: impl Fn(&V) -> bool) {
        for shard in &self.shards {
            let mut gone = Vec::new();
            let mut shard = write(shard);
            let mut at = 0;
            while at < shard.nodes.len() {
                if keep(&shard.nodes[at].value) {
                    at += 1;
                } else {
                    gone.push(shard.take(at));
                }
            }
            drop(shard);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).nodes.len()).sum()
    }

    fn shard(&self, hash: u64) -> &RwLock<Shard<V>> {
        // The table takes the low bits and the seven highest ones.
        &self.shards[(hash >> 48) as usize % SHARDS]
    }
}

impl<V> Shard<V> {
    /// The first entry from the hand on that was not used since the last round.
    fn evict(&mut self) -> V {
        loop {
            self.hand = if self.hand < self.nodes.len() {
                self.hand
            } else {
                0
            };
            if !self.nodes[self.hand].used.swap(false, Ordering::Relaxed) {
                return self.take(self.hand);
            }
            self.hand += 1;
        }
    }

    /// Takes an entry out; the last one moves into its place.
    fn take(&mut self, at: usize) -> V {
        let place = |index: usize| u32::try_from(index).expect("a shard has far fewer entries");
        let last = self.nodes.len() - 1;
        let hash = self.nodes[at].hash;
        if let Ok(entry) = self.table.find_entry(hash, |&index| index == place(at)) {
            entry.remove();
        }
        if at != last {
            let hash = self.nodes[last].hash;
            let nodes = &self.nodes;
            let moved = self.table.entry(
                hash,
                |&index| index == place(last),
                |&index| nodes[index as usize].hash,
            );
            if let Entry::Occupied(mut entry) = moved {
                *entry.get_mut() = place(at);
            }
        }
        self.nodes.swap_remove(at).value
    }
}

fn read<V>(shard: &RwLock<Shard<V>>) -> RwLockReadGuard<'_, Shard<V>> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<V>(shard: &RwLock<Shard<V>>) -> RwLockWriteGuard<'_, Shard<V>> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn key(name: &str) -> Key {
        Key {
            name: name.into(),
            netascii: false,
            asker: None,
        }
    }

    fn get(memo: &Memo<u32>, name: &str) -> Option<u32> {
        memo.get(key(name).as_ref(), |value| Some(*value))
    }

    #[test]
    fn a_million_names_take_the_room_of_a_few() {
        let memo = Memo::new(4_096);
        for i in 0..1_000_000u32 {
            memo.put(key(&i.to_string()), i);
        }
        assert_eq!(memo.len(), 4_096);
    }

    #[test]
    fn what_is_asked_for_outlives_what_is_not() {
        let memo = Memo::new(SHARDS * 8);
        memo.put(key("hot"), 1);
        for i in 0..10_000 {
            assert_eq!(get(&memo, "hot"), Some(1), "after {i} others");
            memo.put(key(&format!("cold{i}")), 0);
        }
    }

    #[test]
    fn askers_and_forms_are_kept_apart() {
        let memo = Memo::new(1_000);
        let asker = |last| Asker {
            client: [10, 0, 0, last].into(),
            server: None,
            scheme: Scheme::Tftp,
        };
        let of = |last| Key {
            name: "a".into(),
            netascii: false,
            asker: Some(asker(last)),
        };
        memo.put(of(1), 1);
        memo.put(of(2), 2);
        memo.put(
            Key {
                netascii: true,
                ..key("a")
            },
            3,
        );
        assert_eq!(memo.get(of(1).as_ref(), |v| Some(*v)), Some(1));
        assert_eq!(memo.get(of(2).as_ref(), |v| Some(*v)), Some(2));
        assert_eq!(get(&memo, "a"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_answers_like_a_map(steps in proptest::collection::vec((0u8..3, 0u32..40, any::<u32>()), 0..200)) {
            let memo = Memo::new(SHARDS * 64);
            let mut map = HashMap::new();
            for (what, name, value) in steps {
                let name = name.to_string();
                match what {
                    0 => prop_assert_eq!(memo.put(key(&name), value), map.insert(name, value)),
                    1 => prop_assert_eq!(memo.remove(key(&name).as_ref()), map.remove(&name)),
                    _ => prop_assert_eq!(get(&memo, &name), map.get(&name).copied()),
                }
                prop_assert_eq!(memo.len(), map.len());
            }
            memo.retain(|value| value % 2 == 0);
            map.retain(|_, value| *value % 2 == 0);
            prop_assert_eq!(memo.len(), map.len());
            for (name, value) in map {
                prop_assert_eq!(get(&memo, &name), Some(value));
            }
        }
    }
}
