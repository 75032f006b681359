//! What invalidation does, counted since the start.

use crate::recent::Recent;

/// Of the bus.
#[derive(Debug, Clone, Default)]
pub struct BusFigures {
    /// Announcements made here.
    pub published: u64,
    /// Announcements heard from other nodes.
    pub heard: u64,
    /// Times the outbox was read because something may have been missed.
    pub catch_ups: u64,
    /// Times everything was cleared, because nobody could tell what was missed.
    pub flushes: u64,
    /// From the announcement to its clearing here, by the wall clocks of both nodes.
    pub latency: Recent,
}

/// Of one cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheFigures {
    pub hits: u64,
    pub misses: u64,
    /// Entries that an invalidation took out.
    pub cleared: u64,
    /// Loaded values that were not kept because an invalidation had passed the load.
    pub overtaken: u64,
    /// Entries now.
    pub entries: usize,
}

impl CacheFigures {
    pub(super) fn add(&mut self, other: Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.cleared += other.cleared;
        self.overtaken += other.overtaken;
        self.entries += other.entries;
    }
}
