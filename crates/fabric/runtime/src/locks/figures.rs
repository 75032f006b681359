//! What locks cost.

use crate::recent::Recent;
use purlin_fabric::lock::LockError;
use purlin_types::BootTime;
use std::time::Duration;

/// Counted since the start.
#[derive(Debug, Clone, Default)]
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
    pub wait: Recent,
}

impl LockFigures {
    pub(super) fn asked<T>(&mut self, outcome: &Result<T, LockError>, now: BootTime, waited: Duration) {
        match outcome {
            Ok(_) => {
                self.acquired += 1;
                self.wait.record(now, waited);
            }
            Err(LockError::Busy { .. }) => self.busy += 1,
            Err(_) => self.away += 1,
        }
    }
}
