//! What one side of a run has cost.

use purlin_load::{CpuTime, Usage};
use serde::Serialize;

/// CPU time and memory of one process over a phase.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    #[serde(flatten)]
    pub cpu: CpuTime,
    /// CPU seconds per 10^9 octets of content; 0 when none were transferred.
    pub seconds_per_gb: f64,
    /// CPU microseconds per finished transfer; 0 when none finished.
    pub micros_per_transfer: f64,
    /// Resident memory before, at its highest (looked at five times a second) and at the end, octets.
    pub resident_bytes_before: u64,
    pub resident_bytes_max: u64,
    pub resident_bytes: u64,
}

/// What was done meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) seconds: f64,
    pub(crate) octets: u64,
    pub(crate) transfers: u64,
}

impl Cost {
    /// Between two readings, with `resident_bytes_max` seen between them.
    pub(crate) fn between(start: Usage, end: Usage, resident_bytes_max: u64, work: &Work) -> Self {
        let cpu = start.until(end, work.seconds);
        Self {
            cpu,
            seconds_per_gb: cpu.seconds_per(work.octets) * 1e9,
            micros_per_transfer: cpu.seconds_per(work.transfers) * 1e6,
            resident_bytes_before: start.resident_bytes(),
            resident_bytes_max: resident_bytes_max
                .max(start.resident_bytes())
                .max(end.resident_bytes()),
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
        let usage = Usage::read(None).unwrap();
        let work = Work {
            seconds: 3.0,
            octets: 0,
            transfers: 0,
        };
        let cost = Cost::between(usage, usage, 0, &work);
        assert_eq!((cost.seconds_per_gb, cost.micros_per_transfer), (0.0, 0.0));
        let value = serde_json::to_value(cost).unwrap();
        let keys: BTreeSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = [
            "cores",
            "micros_per_transfer",
            "resident_bytes",
            "resident_bytes_before",
            "resident_bytes_max",
            "seconds_per_gb",
            "system_seconds",
            "user_seconds",
        ];
        assert_eq!(keys, expected.into());
    }
}
