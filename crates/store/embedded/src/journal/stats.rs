//! What a journal tells about itself: for metrics, status and doctor.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use purlin_store::{JournalHealth, Position};

/// Buckets of the sync histogram: bucket `n` counts syncs that took less than `2^n` microseconds and not less
/// than half of that; the last one takes all slower ones.
pub const SYNC_BUCKETS: usize = 24;

/// A snapshot of one open journal. Counters run from the opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalStats {
    pub name: String,
    pub health: JournalHealth,
    /// Frames accepted in the journal's whole life.
    pub written: Position,
    pub durable: Position,
    /// Segment files with frames in them; each is `segment_bytes` long.
    pub segments: usize,
    /// Whether the next segment is prepared. False for long means that the disk has no room for it: the
    /// journal becomes full when the present segment is.
    pub next_segment_ready: bool,
    /// Bytes that a start now would replay beside the checkpoint.
    pub log_bytes: u64,
    /// Size of the last checkpoint, 0 without one.
    pub checkpoint_bytes: u64,
    pub checkpoints: u64,
    /// Checkpoints given up for want of space.
    pub checkpoints_given_up: u64,
    pub syncs: u64,
    pub last_sync: Duration,
    /// See [`SYNC_BUCKETS`].
    pub sync_micros: [u64; SYNC_BUCKETS],
    /// Whether the opening cut off a write that power loss or a kill had left half done.
    pub torn_tail: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) syncs: AtomicU64,
    last_sync_nanos: AtomicU64,
    sync_micros: [AtomicU64; SYNC_BUCKETS],
    pub(crate) checkpoints: AtomicU64,
    pub(crate) checkpoints_given_up: AtomicU64,
}

impl Counters {
    pub(crate) fn synced(&self, took: Duration) {
        let bucket = (u64::BITS - (took.as_micros() as u64).leading_zeros()) as usize;
        self.sync_micros[bucket.min(SYNC_BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
        self.last_sync_nanos
            .store(took.as_nanos() as u64, Ordering::Relaxed);
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn last_sync(&self) -> Duration {
        Duration::from_nanos(self.last_sync_nanos.load(Ordering::Relaxed))
    }

    pub(crate) fn sync_micros(&self) -> [u64; SYNC_BUCKETS] {
        std::array::from_fn(|bucket| self.sync_micros[bucket].load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_is_counted_in_the_bucket_of_its_length() {
        let counters = Counters::default();
        for micros in [0, 1, 3, 1_000, u64::from(u32::MAX)] {
            counters.synced(Duration::from_micros(micros));
        }
        let buckets = counters.sync_micros();
        assert_eq!((buckets[0], buckets[1], buckets[2], buckets[10]), (1, 1, 1, 1));
        assert_eq!(buckets[SYNC_BUCKETS - 1], 1);
    }
}
