//! `/api/v1/scaling/metrics`: six numbers for whoever scales nodes. One node always recommends about itself.

use super::Desk;
use crate::{DhcpMetrics, Handle};
use axum::Json;
use axum::extract::State;
use purlin_api::route::{self, Draft};
use purlin_api::{Viewer, schema};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shortest window over which rates are told.
const WINDOW: Duration = Duration::from_secs(5);
/// Utilisation in percent above which another node would help.
const SCALE_UP_ABOVE: u64 = 80;

/// What the machine and the service did lately.
#[derive(Debug)]
pub(crate) struct Load {
    metrics: DhcpMetrics,
    state: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    base: Sample,
    shown: Option<Rates>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    /// Clock ticks of all processors: busy, all.
    cpu: (u64, u64),
    /// DHCP messages received since the start.
    received: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rates {
    cpu_percent: u64,
    per_second: u64,
    /// Whether they are over a whole window: a moment says nothing about the number of nodes.
    whole: bool,
}

impl Load {
    pub(crate) fn new(handle: &Handle) -> Self {
        let metrics = handle.metrics();
        let base = Sample {
            at: Instant::now(),
            cpu: cpu(),
            received: received(&metrics),
        };
        Self {
            metrics,
            state: Mutex::new(Window { base, shown: None }),
        }
    }

    fn rates(&self) -> Rates {
        let now = Sample {
            at: Instant::now(),
            cpu: cpu(),
            received: received(&self.metrics),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = now.at - state.base.at;
        match state.shown {
            Some(shown) if elapsed < WINDOW => shown,
            _ => {
                let rates = rates(&state.base, &now);
                if elapsed >= WINDOW {
                    state.base = now;
                    state.shown = Some(rates);
                }
                rates
            }
        }
    }
}

fn rates(from: &Sample, to: &Sample) -> Rates {
    let (busy, all) = (
        to.cpu.0.saturating_sub(from.cpu.0),
        to.cpu.1.saturating_sub(from.cpu.1),
    );
    let millis = u64::try_from((to.at - from.at).as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    Rates {
        cpu_percent: (busy * 100).checked_div(all).unwrap_or(0),
        per_second: to.received.saturating_sub(from.received) * 1000 / millis,
        whole: to.at - from.at >= WINDOW,
    }
}

fn received(metrics: &DhcpMetrics) -> u64 {
    let of = |report: &Mutex<crate::ThreadReport>| {
        report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .core
            .received
            .iter()
            .sum::<u64>()
    };
    metrics.0.iter().map(of).sum()
}

fn cpu() -> (u64, u64) {
    parse_cpu(&std::fs::read_to_string("/proc/stat").unwrap_or_default())
}

/// Busy and all ticks from the first line of `/proc/stat` (proc(5)); idle and iowait are not busy.
fn parse_cpu(stat: &str) -> (u64, u64) {
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = first
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|n| n.parse().ok())
        .collect();
    let all: u64 = ticks.iter().sum();
    let idle = ticks.get(3).unwrap_or(&0) + ticks.get(4).unwrap_or(&0);
    (all - idle, all)
}

/// Percent of memory that is not available, from `/proc/meminfo`.
fn memory_percent(meminfo: &str) -> u64 {
    let value = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':')
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    };
    match (value("MemTotal"), value("MemAvailable")) {
        (Some(total), Some(free)) => (total.saturating_sub(free) * 100).checked_div(total).unwrap_or(0),
        _ => 0,
    }
}

async fn metrics(_: Viewer, State(desk): State<Desk>) -> Json<Value> {
    let rates = desk.load.rates();
    let memory = memory_percent(&std::fs::read_to_string("/proc/meminfo").unwrap_or_default());
    let busy = (rates.whole && rates.cpu_percent > SCALE_UP_ABOVE) || memory > SCALE_UP_ABOVE;
    Json(json!({
        "nodes": 1,
        "target_nodes": 1,
        "cpu_utilization": rates.cpu_percent,
        "memory_utilization": memory,
        "request_rate": rates.per_second,
        "scaling_recommendation": if busy { "scale_up" } else { "maintain" },
    }))
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/scaling/metrics", metrics)
        .summary("Load of the nodes and what to do about their number")
        .answers(200, schema::reference("ScalingMetrics"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_are_not_busy() {
        let stat = "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3";
        assert_eq!(parse_cpu(stat), (150, 1000));
        assert_eq!(parse_cpu(""), (0, 0));
    }

    #[test]
    fn memory_that_can_be_had_is_not_used() {
        let meminfo = "MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:   300 kB\n";
        assert_eq!(memory_percent(meminfo), 70);
        assert_eq!(memory_percent(""), 0);
    }

    #[test]
    fn rates_are_over_the_time_that_passed() {
        let at = Instant::now();
        let from = Sample {
            at,
            cpu: (10, 100),
            received: 1000,
        };
        let to = Sample {
            at: at + Duration::from_secs(10),
            cpu: (60, 200),
            received: 6000,
        };
        assert_eq!(
            rates(&from, &to),
            Rates {
                cpu_percent: 50,
                per_second: 500,
                whole: true,
            }
        );
    }
}
