//! The process itself, under the names every Prometheus client uses. Whoever may read `/proc` fills these in.

use super::{Collector, Encoder};

/// What the operating system says about this process.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ProcessFacts {
    /// User and system time in seconds.
    pub cpu_seconds: f64,
    pub resident_bytes: u64,
    pub virtual_bytes: u64,
    pub open_fds: u64,
    /// The limit on open file descriptors.
    pub max_fds: u64,
    pub threads: u64,
    /// Seconds since the Unix epoch.
    pub start_seconds: f64,
}

impl Collector for ProcessFacts {
    fn collect(&self, encoder: &mut Encoder) {
        encoder
            .counter(
                "process_cpu_seconds_total",
                "User and system CPU time of the process.",
            )
            .value(&[], self.cpu_seconds);
        let mut gauge = |name, help, value: f64| encoder.gauge(name, help).value(&[], value);
        gauge(
            "process_resident_memory_bytes",
            "Resident memory of the process.",
            self.resident_bytes as f64,
        );
        gauge(
            "process_virtual_memory_bytes",
            "Virtual memory of the process.",
            self.virtual_bytes as f64,
        );
        gauge(
            "process_open_fds",
            "Open file descriptors of the process.",
            self.open_fds as f64,
        );
        gauge(
            "process_max_fds",
            "Limit on open file descriptors.",
            self.max_fds as f64,
        );
        gauge("process_threads", "Threads of the process.", self.threads as f64);
        gauge(
            "process_start_time_seconds",
            "Start of the process since the Unix epoch.",
            self.start_seconds,
        );
    }
}

/// Which build is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildFacts {
    pub version: &'static str,
    pub revision: &'static str,
}

impl Collector for BuildFacts {
    fn collect(&self, encoder: &mut Encoder) {
        encoder
            .gauge(
                "purlin_build_info",
                "The running build as labels; the value is always 1.",
            )
            .value(&[("version", self.version), ("revision", self.revision)], 1.0);
    }
}
