//! What one side of a run has cost.

use purlin_load::{CpuTime, Usage};
use serde::Serialize;

/// CPU time and memory of one process over a phase.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    #[serde(flatten)]
    pub cpu: CpuTime,
    /// CPU microseconds per finished operation; 0 when none finished.
    pub micros_per_operation: f64,
    /// Resident memory at the end, octets.
    pub resident_bytes: u64,
}

impl Cost {
    /// Between two readings `seconds` apart, in which so many `operations` finished.
    pub(crate) fn between(start: Usage, end: Usage, seconds: f64, operations: u64) -> Self {
        let cpu = start.until(end, seconds);
        Self {
            cpu,
            micros_per_operation: cpu.seconds_per(operations) * 1e6,
            resident_bytes: end.resident_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_report_has_all_figures_on_one_level() {
        let usage = Usage::read(None).expect("this process can be read");
        let value = serde_json::to_value(Cost::between(usage, usage, 1.0, 0)).expect("a document");
        let keys: BTreeSet<&str> = value
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        let expected = [
            "cores",
            "micros_per_operation",
            "resident_bytes",
            "system_seconds",
            "user_seconds",
        ];
        assert_eq!(keys, expected.into());
    }
}
