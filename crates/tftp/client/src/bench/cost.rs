//! What a process has used, read from `/proc`.

use std::fs;

use serde::Serialize;

/// CPU time and memory of one process over a stretch of the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// CPU seconds in user mode (resolution 10 ms). Ended child processes count when the process waits for them; what
    /// servers do in children they leave to the kernel (tftpd-hpa) is not seen.
    pub user_seconds: f64,
    /// CPU seconds in the kernel on its behalf.
    pub system_seconds: f64,
    /// CPU seconds per second: 1.0 is one core.
    pub cores: f64,
    /// CPU seconds per 10^9 octets of content; 0 when none were transferred.
    pub seconds_per_gb: f64,
    /// CPU microseconds per finished transfer; 0 when none finished.
    pub micros_per_transfer: f64,
    /// Resident memory before, at its highest (looked at five times a second) and at the end, octets.
    pub resident_bytes_before: u64,
    pub resident_bytes_max: u64,
    pub resident_bytes: u64,
}

/// A reading; two of them make a `Cost`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    user_ticks: u64,
    system_ticks: u64,
    resident_pages: u64,
}

/// What was done meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) seconds: f64,
    pub(crate) octets: u64,
    pub(crate) transfers: u64,
}

impl Usage {
    /// Reads a process (`None`: this one); `None` when it is gone or may not be read.
    pub(crate) fn read(pid: Option<u32>) -> Option<Self> {
        let name = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
        Self::parse(&fs::read_to_string(format!("/proc/{name}/stat")).ok()?)
    }

    /// `pid (name) state ppid ...`: the name may hold spaces and brackets, so fields count from the last `)`. Servers
    /// that fork are charged for their children once these have ended.
    fn parse(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(')')?;
        let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<u64>().ok();
        Some(Self {
            user_ticks: field(14)? + field(16)?,
            system_ticks: field(15)? + field(17)?,
            resident_pages: field(24)?,
        })
    }

    pub(crate) fn resident_bytes(&self) -> u64 {
        self.resident_pages * rustix::param::page_size() as u64
    }

    pub(crate) fn until(self, end: Self, resident_bytes_max: u64, work: &Work) -> Cost {
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        let user_seconds = end.user_ticks.saturating_sub(self.user_ticks) as f64 / per_second;
        let system_seconds = end.system_ticks.saturating_sub(self.system_ticks) as f64 / per_second;
        let total = user_seconds + system_seconds;
        let or_zero = |value: f64| if value.is_finite() { value } else { 0.0 };
        Cost {
            user_seconds,
            system_seconds,
            cores: or_zero(total / work.seconds),
            seconds_per_gb: or_zero(total * 1e9 / work.octets as f64),
            micros_per_transfer: or_zero(total * 1e6 / work.transfers as f64),
            resident_bytes_before: self.resident_bytes(),
            resident_bytes_max: resident_bytes_max
                .max(self.resident_bytes())
                .max(end.resident_bytes()),
            resident_bytes: end.resident_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_count_and_brackets_in_the_name_do_not_shift_the_fields() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 10 20 20 0 1 0 100 1000 33 1844";
        let usage = Usage::parse(stat).unwrap();
        let expected = Usage {
            user_ticks: 260,
            system_ticks: 70,
            resident_pages: 33,
        };
        assert_eq!(usage, expected);
        let work = Work {
            seconds: 3.0,
            octets: 0,
            transfers: 0,
        };
        assert_eq!(usage.until(usage, 0, &work).seconds_per_gb, 0.0);
    }

    #[test]
    fn this_process_can_be_read() {
        assert!(Usage::read(None).is_some_and(|usage| usage.resident_bytes() > 0));
    }
}
