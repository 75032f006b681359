//! Plain counts of what a packet thread did; read by its owner and summed outside.

use purlin_telemetry::ReasonCode;
use purlin_telemetry::metrics::{Histogram, LATENCY_BOUNDS, Unit};

/// Reason codes from 2000 on that are counted.
const CODES: usize = 500;
const FIRST_CODE: u16 = 2000;

/// Counts since the start.
#[derive(Debug, Clone)]
pub struct Counters {
    /// Read and write requests, repeated ones included.
    pub requests: u64,
    /// Octets of files sent, retransmissions not counted.
    pub octets_sent: u64,
    /// Octets of files received, as they are stored.
    pub octets_received: u64,
    /// DATA packets sent, retransmissions included.
    pub blocks_sent: u64,
    /// DATA packets sent again.
    pub blocks_again: u64,
    /// DATA packets received that were new.
    pub blocks_received: u64,
    /// From a request to its first DATA or other answer, in nanoseconds.
    pub first_block_time: Histogram,
    /// From a request to the last acknowledgement of a whole file, in nanoseconds.
    pub transfer_time: Histogram,
    /// By reason code minus [`FIRST_CODE`].
    reasons: Vec<u64>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            requests: 0,
            octets_sent: 0,
            octets_received: 0,
            blocks_sent: 0,
            blocks_again: 0,
            blocks_received: 0,
            first_block_time: Histogram::new(Unit::Nanoseconds, LATENCY_BOUNDS),
            transfer_time: Histogram::new(Unit::Nanoseconds, LATENCY_BOUNDS),
            reasons: vec![0; CODES],
        }
    }
}

impl Counters {
    pub(crate) fn count(&mut self, code: ReasonCode) {
        let at = usize::from(code.0.wrapping_sub(FIRST_CODE));
        if let Some(count) = self.reasons.get_mut(at) {
            *count += 1;
        }
    }

    /// How often that reason occurred.
    #[must_use]
    pub fn reason(&self, code: ReasonCode) -> u64 {
        let at = usize::from(code.0.wrapping_sub(FIRST_CODE));
        self.reasons.get(at).copied().unwrap_or(0)
    }

    /// Reasons that occurred, with how often.
    pub fn reasons(&self) -> impl Iterator<Item = (ReasonCode, u64)> + '_ {
        let seen = self.reasons.iter().enumerate().filter(|(_, count)| **count > 0);
        seen.map(|(at, count)| (ReasonCode(at as u16 + FIRST_CODE), *count))
    }
}
