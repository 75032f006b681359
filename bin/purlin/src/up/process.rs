//! This process in numbers, read from /proc when somebody scrapes.

use purlin_telemetry::metrics::{BuildFacts, Collector, Encoder, ProcessFacts};
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Shows the process and the build.
#[derive(Debug)]
pub(super) struct ProcessCollector {
    started: SystemTime,
}

impl ProcessCollector {
    pub(super) fn new(started: SystemTime) -> Self {
        Self { started }
    }

    fn facts(&self) -> ProcessFacts {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let (user, system) = cpu_times(&fs::read_to_string("/proc/self/stat").unwrap_or_default());
        let ticks = rustix::param::clock_ticks_per_second().max(1) as f64;
        let since = self.started.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        ProcessFacts {
            cpu_seconds: (user + system) as f64 / ticks,
            resident_bytes: kib(&status, "VmRSS:") * 1024,
            virtual_bytes: kib(&status, "VmSize:") * 1024,
            open_fds: fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64),
            max_fds: purlin_netio::Facts::read().open_files_max.unwrap_or(0),
            threads: kib(&status, "Threads:"),
            start_seconds: since.as_secs_f64(),
        }
    }
}

impl Collector for ProcessCollector {
    fn collect(&self, encoder: &mut Encoder) {
        self.facts().collect(encoder);
        BuildFacts {
            version: env!("CARGO_PKG_VERSION"),
            revision: "",
        }
        .collect(encoder);
    }
}

/// Octets of resident memory right now.
pub(super) fn resident_bytes() -> u64 {
    kib(
        &fs::read_to_string("/proc/self/status").unwrap_or_default(),
        "VmRSS:",
    ) * 1024
}

/// Octets of memory that this machine has; `None` where the kernel does not say.
pub(crate) fn machine_bytes() -> Option<u64> {
    let memory = fs::read_to_string("/proc/meminfo").ok()?;
    Some(kib(&memory, "MemTotal:") * 1024).filter(|octets| *octets > 0)
}

/// The number after a name in /proc/self/status or /proc/meminfo.
fn kib(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// User and system time in clock ticks: fields 14 and 15 of proc(5) stat. The name in field 2 may hold blanks.
fn cpu_times(stat: &str) -> (u64, u64) {
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = rest
        .split_whitespace()
        .skip(11)
        .map(|field| field.parse().unwrap_or(0));
    (fields.next().unwrap_or(0), fields.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_blanks() {
        assert_eq!(cpu_times("1 (a ) b) S 1 2 3 4 5 6 7 8 9 10 70 30 0 0"), (70, 30));
    }

    #[test]
    fn this_process_has_memory_and_threads() {
        let facts = ProcessCollector::new(SystemTime::now()).facts();
        assert!(facts.resident_bytes > 0 && facts.threads > 0 && facts.open_fds > 0);
        assert!(resident_bytes() > 0);
    }
}
