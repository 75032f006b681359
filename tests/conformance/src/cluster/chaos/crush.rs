//! How many programs want each processor: on a machine that others use too, everything takes so many times longer.

/// Readings since the last reset.
#[derive(Debug, Default)]
pub(super) struct Crush {
    running: u64,
    looks: u32,
}

impl Crush {
    /// Looks once; called at a steady pace.
    pub(super) fn look(&mut self) {
        let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        if let Some(running) = running(&text) {
            self.running += running;
            self.looks += 1;
        }
    }

    /// By how much things are slower than on a machine of one's own: 1 or more, since the last time it was asked.
    pub(super) fn take(&mut self) -> f64 {
        let processors = std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64);
        let Self { running, looks } = std::mem::take(self);
        if looks == 0 {
            return 1.0;
        }
        (running as f64 / f64::from(looks) / processors).max(1.0)
    }
}

/// Processes that run or wait for a processor.
fn running(stat: &str) -> Option<u64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("procs_running "));
    line?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_want_to_run_are_counted() {
        assert_eq!(running("cpu 1 2\nprocs_running 17\nprocs_blocked 0\n"), Some(17));
        assert_eq!(running("cpu 1 2"), None);
        assert!(
            (Crush::default().take() - 1.0).abs() < f64::EPSILON,
            "without a look nothing is slower"
        );
    }
}
