//! A map whose entries lapse.

use purlin_types::BootTime;
use std::borrow::Borrow;
use std::collections::BTreeMap;

/// Entries with the instant from which they are gone. What has lapsed is swept out now and then.
#[derive(Debug)]
pub(super) struct Lapsing<K, V> {
    entries: BTreeMap<K, (V, BootTime)>,
    /// Sweep when there are so many.
    sweep_at: usize,
}

impl<K, V> Default for Lapsing<K, V> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            sweep_at: 64,
        }
    }
}

impl<K: Ord + Clone, V> Lapsing<K, V> {
    pub(super) fn get<Q: Ord + ?Sized>(&self, now: BootTime, key: &Q) -> Option<(&V, BootTime)>
    where
        K: Borrow<Q>,
    {
        let (value, until) = self.entries.get(key)?;
        (*until > now).then_some((value, *until))
    }

    pub(super) fn put(&mut self, now: BootTime, key: K, value: V, until: BootTime) {
        self.entries.insert(key, (value, until));
        if self.entries.len() >= self.sweep_at {
            self.entries.retain(|_, (_, until)| *until > now);
            self.sweep_at = 64.max(self.entries.len() * 2);
        }
    }

    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key);
    }

    /// Those that have not lapsed, in key order.
    pub(super) fn iter(&self, now: BootTime) -> impl Iterator<Item = (&K, &V, BootTime)> {
        self.entries
            .iter()
            .filter(move |(_, (_, until))| *until > now)
            .map(|(key, (value, until))| (key, value, *until))
    }

    /// Forgets all that `named` names; how many had not lapsed.
    pub(super) fn forget(&mut self, now: BootTime, named: impl Fn(&K) -> bool) -> u64 {
        let mut forgotten = 0;
        self.entries.retain(|key, (_, until)| {
            let keep = *until > now && !named(key);
            forgotten += u64::from(*until > now && !keep);
            keep
        });
        forgotten
    }

    /// Makes room for one more than `most`, at the cost of whatever comes first.
    pub(super) fn bound(&mut self, now: BootTime, most: usize) {
        if self.entries.len() < most {
            return;
        }
        self.entries.retain(|_, (_, until)| *until > now);
        while self.entries.len() >= most {
            self.entries.pop_first();
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}
