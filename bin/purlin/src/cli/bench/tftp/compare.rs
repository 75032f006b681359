//! Two reports side by side: what got better, what got worse.

use serde::Serialize;
use serde_json::Value;

/// One figure in both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Change {
    pub(super) phase: String,
    pub(super) figure: &'static str,
    pub(super) before: f64,
    pub(super) after: f64,
    /// Per cent, positive for more; `None` when it was nothing before.
    pub(super) percent: Option<f64>,
    /// Whether more is better.
    #[serde(skip)]
    more_is_better: bool,
}

/// Name, pointer inside a phase, whether more is better.
const FIGURES: [(&str, &str, bool); 9] = [
    ("octets/s", "/octets_per_second", true),
    ("boots/s", "/boots_per_second", true),
    ("boots failed", "/boots_failed", false),
    ("timeouts", "/timeouts", false),
    ("gaps", "/gaps", false),
    ("amplification", "/amplification", false),
    ("server CPU s/GB", "/server/seconds_per_gb", false),
    ("generator CPU s/GB", "/generator/seconds_per_gb", false),
    ("wrong octets", "/violations", false),
];

/// Steps and percentiles of latency that are compared.
const LATENCIES: [(&str, &str, &str); 4] = [
    ("first block p50 us", "first-block", "p50_us"),
    ("first block p99 us", "first-block", "p99_us"),
    ("transfer p50 us", "transfer", "p50_us"),
    ("transfer p99 us", "transfer", "p99_us"),
];

impl Change {
    /// Per cent to the worse, 0 when it stayed or got better; infinite when something bad came from nothing.
    pub(super) fn worse_by(&self) -> f64 {
        let sign = if self.more_is_better { -1.0 } else { 1.0 };
        match self.percent {
            Some(percent) => (percent * sign).max(0.0),
            None if !self.more_is_better && self.after > 0.0 => f64::INFINITY,
            None => 0.0,
        }
    }
}

/// Every figure that both reports have, phase by phase.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let phases = |report: &Value| report["phases"].as_array().cloned().unwrap_or_default();
    let mut all = Vec::new();
    for (old, new) in phases(before).iter().zip(&phases(after)) {
        let name = new["name"].as_str().unwrap_or_default();
        for (figure, pointer, more_is_better) in FIGURES {
            all.extend(change(
                name,
                figure,
                number(old, pointer),
                number(new, pointer),
                more_is_better,
            ));
        }
        for (figure, step, percentile) in LATENCIES {
            let both = (latency(old, step, percentile), latency(new, step, percentile));
            all.extend(change(name, figure, both.0, both.1, false));
        }
    }
    all
}

fn change(
    phase: &str,
    figure: &'static str,
    before: Option<f64>,
    after: Option<f64>,
    more_is_better: bool,
) -> Option<Change> {
    let (before, after) = (before?, after?);
    Some(Change {
        phase: phase.to_owned(),
        figure,
        before,
        after,
        percent: match (before == after, before == 0.0) {
            (true, _) => Some(0.0),
            (false, true) => None,
            (false, false) => Some((after / before - 1.0) * 100.0),
        },
        more_is_better,
    })
}

fn number(phase: &Value, pointer: &str) -> Option<f64> {
    phase.pointer(pointer)?.as_f64()
}

fn latency(phase: &Value, step: &str, percentile: &str) -> Option<f64> {
    let steps = phase["latency"].as_array()?;
    steps.iter().find(|entry| entry["step"] == step)?[percentile].as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(rate: f64, p99: f64, timeouts: u64) -> Value {
        json!({"phases": [{"name": "load", "octets_per_second": rate, "timeouts": timeouts,
            "latency": [{"step": "first-block", "p50_us": 10.0, "p99_us": p99}]}]})
    }

    #[test]
    fn more_octets_are_better_and_more_latency_is_worse() {
        let changes = changes(&report(100.0, 50.0, 0), &report(80.0, 75.0, 2));
        let by = |figure: &str| changes.iter().find(|change| change.figure == figure).unwrap();
        assert!((by("octets/s").worse_by() - 20.0).abs() < 1e-9);
        assert!((by("first block p99 us").worse_by() - 50.0).abs() < 1e-9);
        assert_eq!(by("first block p50 us").worse_by(), 0.0);
        assert_eq!(by("timeouts").worse_by(), f64::INFINITY);
        assert!(
            !changes.iter().any(|change| change.figure == "boots/s"),
            "absent in both"
        );
    }
}
