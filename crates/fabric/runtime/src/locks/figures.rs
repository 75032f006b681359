//! What locks cost.

use purlin_fabric::lock::LockError;
use purlin_telemetry::metrics::{Histogram, LATENCY_BOUNDS, Unit};
use std::time::Duration;

/// Counted since the start.
#[derive(Debug, Clone)]
pub struct LockFigures {
    pub acquired: u64,
    /// Held now.
    pub held: usize,
    /// Given up because others had it.
    pub busy: u64,
    /// Given up because nobody could be asked.
    pub away: u64,
    /// Held and lost: lapsed, taken or held too long.
    pub lost: u64,
    pub released: u64,
    /// How long those that were acquired took.
    pub wait: Histogram,
}

impl Default for LockFigures {
    fn default() -> Self {
        Self {
            acquired: 0,
            held: 0,
            busy: 0,
            away: 0,
            lost: 0,
            released: 0,
            wait: Histogram::new(Unit::Nanoseconds, LATENCY_BOUNDS),
        }
    }
}

impl LockFigures {
    pub(super) fn asked<T>(&mut self, outcome: &Result<T, LockError>, waited: Duration) {
        match outcome {
            Ok(_) => {
                self.acquired += 1;
                self.wait
                    .record(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX));
            }
            Err(LockError::Busy { .. }) => self.busy += 1,
            Err(_) => self.away += 1,
        }
    }
}
