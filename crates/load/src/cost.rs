//! What a process has used, read from `/proc`.

use std::fs;

use serde::Serialize;

/// CPU time of one process over a stretch of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CpuTime {
    /// CPU seconds in user mode (resolution 10 ms). Ended child processes count when the process waits for them; what
    /// servers do in children they leave to the kernel (tftpd-hpa) is not seen.
    pub user_seconds: f64,
    /// CPU seconds in the kernel on its behalf.
    pub system_seconds: f64,
    /// CPU seconds per second: 1.0 is one core; 0 for a stretch of no length.
    pub cores: f64,
}

impl CpuTime {
    /// CPU seconds in both modes.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.user_seconds + self.system_seconds
    }

    /// CPU seconds for each of `count`; 0 when there is none.
    #[must_use]
    pub fn seconds_per(&self, count: u64) -> f64 {
        or_zero(self.seconds() / count as f64)
    }
}

/// A reading; two of them make a [`CpuTime`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    user_ticks: u64,
    system_ticks: u64,
    resident_pages: u64,
}

impl Usage {
    /// Reads a process (`None`: this one); `None` when it is gone or may not be read.
    #[must_use]
    pub fn read(pid: Option<u32>) -> Option<Self> {
        let name = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
        Self::parse(&fs::read_to_string(format!("/proc/{name}/stat")).ok()?)
    }

    /// `pid (name) state ppid ...`: the name may hold spaces and brackets, so fields count from the last `)`. Servers
    /// that fork are charged for their children once these have ended.
    ///
    /// Source: proc_pid_stat(5), fields 14 to 17 and 24.
    fn parse(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(')')?;
        let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<u64>().ok();
        Some(Self {
            user_ticks: field(14)? + field(16)?,
            system_ticks: field(15)? + field(17)?,
            resident_pages: field(24)?,
        })
    }

    /// CPU seconds in both modes since the process began.
    #[must_use]
    pub fn cpu_seconds(&self) -> f64 {
        in_seconds(self.user_ticks + self.system_ticks)
    }

    /// Resident memory, octets.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        self.resident_pages * rustix::param::page_size() as u64
    }

    /// What was used from this reading to a later one, `seconds` after it.
    #[must_use]
    pub fn until(self, end: Self, seconds: f64) -> CpuTime {
        let user_seconds = in_seconds(end.user_ticks.saturating_sub(self.user_ticks));
        let system_seconds = in_seconds(end.system_ticks.saturating_sub(self.system_ticks));
        CpuTime {
            user_seconds,
            system_seconds,
            cores: or_zero((user_seconds + system_seconds) / seconds),
        }
    }
}

fn in_seconds(ticks: u64) -> f64 {
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

fn or_zero(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 10 20 20 0 1 0 100 1000 33 1844";

    #[test]
    fn children_count_and_brackets_in_the_name_do_not_shift_the_fields() {
        let expected = Usage {
            user_ticks: 260,
            system_ticks: 70,
            resident_pages: 33,
        };
        assert_eq!(Usage::parse(STAT), Some(expected));
        assert_eq!(Usage::parse("nothing"), None);
    }

    #[test]
    fn both_kinds_of_time_count() {
        let start = Usage {
            user_ticks: 0,
            system_ticks: 0,
            resident_pages: 0,
        };
        let end = Usage::parse(STAT).unwrap();
        let spent = start.until(end, 3.0);
        let seconds = in_seconds(330);
        assert_eq!(end.cpu_seconds(), seconds);
        assert!((spent.seconds() - seconds).abs() < 1e-9);
        assert!((spent.cores - seconds / 3.0).abs() < 1e-9);
        assert!((spent.seconds_per(10) - seconds / 10.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_done_costs_nothing_each() {
        let usage = Usage::parse(STAT).unwrap();
        assert_eq!(usage.until(usage, 0.0).cores, 0.0);
        assert_eq!(usage.until(usage, 3.0).seconds_per(0), 0.0);
    }

    #[test]
    fn this_process_can_be_read() {
        assert!(Usage::read(None).is_some_and(|usage| usage.resident_bytes() > 0));
    }
}
