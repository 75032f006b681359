//! How busy this machine is, from the kernel's files.

use purlin_types::BootTime;
use std::fmt;

/// Reads the load of a node.
pub trait Gauge: Send + Sync + fmt::Debug {
    /// The machine as of now.
    fn machine(&self) -> Machine;

    /// Requests that all services have taken since the start.
    fn requests(&self) -> u64;

    /// What would go to other nodes with this one's slots.
    fn held(&self) -> Held {
        Held::default()
    }

    /// What is short and no further node would help against, in a sentence; only the leader is asked.
    fn shortage(&self) -> Option<String> {
        None
    }
}

/// What a node has that others would get; `None` for what it does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    pub leases: Option<u64>,
    pub sessions: Option<u64>,
}

/// A reading of the machine. Counters, so that any two readings give what was between them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Machine {
    /// Clock ticks of all processors: busy, all.
    pub cpu: (u64, u64),
    /// Percent of memory that cannot be had.
    pub memory: Option<f64>,
}

impl Machine {
    /// The machine that this process runs on; what cannot be read is left out.
    #[must_use]
    pub fn read() -> Self {
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        Self {
            cpu: cpu(&text("/proc/stat")),
            memory: memory(&text("/proc/meminfo")),
        }
    }
}

/// Busy and all ticks from the first line of `/proc/stat` (proc(5)); idle and iowait are not busy.
fn cpu(stat: &str) -> (u64, u64) {
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
fn memory(meminfo: &str) -> Option<f64> {
    let value = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        let number = line.trim_start_matches(':').split_whitespace().next()?;
        number.parse::<u64>().ok()
    };
    let (total, free) = (value("MemTotal")?, value("MemAvailable")?);
    (total > 0).then(|| total.saturating_sub(free) as f64 * 100.0 / total as f64)
}

/// Rates between two readings.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Meter {
    last: Option<(BootTime, (u64, u64), u64)>,
}

impl Meter {
    /// Percent of the processors and requests per second since the last reading; the first one knows nothing.
    pub(super) fn read(
        &mut self,
        now: BootTime,
        cpu: (u64, u64),
        requests: u64,
    ) -> (Option<f64>, Option<f64>) {
        let before = self.last.replace((now, cpu, requests));
        let Some((then, (busy, all), served)) = before else {
            return (None, None);
        };
        let (busy, all) = (cpu.0.saturating_sub(busy), cpu.1.saturating_sub(all));
        let millis = now.millis_since(then);
        let percent = (all > 0).then(|| (busy as f64 * 100.0 / all as f64).min(100.0));
        let rate = (millis > 0).then(|| requests.saturating_sub(served) as f64 * 1000.0 / millis as f64);
        (percent, rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_are_not_busy() {
        let stat = "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3";
        assert_eq!(cpu(stat), (150, 1000));
        assert_eq!(cpu(""), (0, 0));
    }

    #[test]
    fn memory_that_can_be_had_is_not_used() {
        let meminfo = "MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:   300 kB\n";
        assert_eq!(memory(meminfo), Some(70.0));
        assert_eq!(memory(""), None);
    }

    #[test]
    fn rates_are_over_the_time_that_passed() {
        let mut meter = Meter::default();
        let at = |secs: u64| BootTime(0).plus_millis(secs * 1000);
        assert_eq!(meter.read(at(0), (10, 100), 1000), (None, None));
        assert_eq!(meter.read(at(10), (60, 200), 6000), (Some(50.0), Some(500.0)));
        // Counters of services that started anew.
        assert_eq!(meter.read(at(10), (60, 200), 10), (None, None));
    }
}
