//! What one side of a run has cost.

use purlin_load::{CpuTime, Usage};
use serde::Serialize;

/// CPU time and memory of one process while the load ran: from the first transaction to the last block.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    #[serde(flatten)]
    pub cpu: CpuTime,
    /// CPU microseconds per transaction in a block; 0 when there was none.
    pub micros_per_transaction: f64,
    /// Resident memory before and after, octets.
    pub resident_bytes_before: u64,
    pub resident_bytes: u64,
}

impl Cost {
    pub(crate) fn between(start: Usage, end: Usage, seconds: f64, mined: u64) -> Self {
        let cpu = start.until(end, seconds);
        Self {
            cpu,
            micros_per_transaction: cpu.seconds_per(mined) * 1e6,
            resident_bytes_before: start.resident_bytes(),
            resident_bytes: end.resident_bytes(),
        }
    }
}
