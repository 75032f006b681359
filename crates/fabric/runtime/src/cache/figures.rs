//! What invalidation does, counted since the start.

use purlin_telemetry::metrics::{Histogram, LATENCY_BOUNDS, Unit};

/// Of the bus.
#[derive(Debug, Clone)]
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
    pub latency: Histogram,
}

impl Default for BusFigures {
    fn default() -> Self {
        Self {
            published: 0,
            heard: 0,
            catch_ups: 0,
            flushes: 0,
            latency: Histogram::new(Unit::Nanoseconds, LATENCY_BOUNDS),
        }
    }
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
