//! Plain counts of what a packet thread did; read by its owner and summed outside.

use purlin_telemetry::ReasonCode;

/// Message types 0 (BOOTP) to 18; what is above counts as 0.
pub(crate) const TYPES: usize = 19;

/// Counts since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters {
    /// By message type; index 0 is BOOTP and what could not be read.
    pub received: [u64; TYPES],
    pub sent: [u64; TYPES],
    /// By reason code minus 1000.
    reasons: Vec<u64>,
    /// Journal records made.
    pub records: u64,
    pub template_hits: u64,
    pub template_misses: u64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            received: [0; TYPES],
            sent: [0; TYPES],
            reasons: vec![0; 400],
            records: 0,
            template_hits: 0,
            template_misses: 0,
        }
    }
}

impl Counters {
    pub(crate) fn count(&mut self, code: ReasonCode) {
        if let Some(slot) = self.reasons.get_mut(usize::from(code.0.wrapping_sub(1000))) {
            *slot += 1;
        }
    }

    /// Reasons that occurred, with how often.
    pub fn reasons(&self) -> impl Iterator<Item = (ReasonCode, u64)> + '_ {
        let seen = self.reasons.iter().enumerate().filter(|(_, n)| **n > 0);
        seen.map(|(i, n)| (ReasonCode(i as u16 + 1000), *n))
    }
}
