//! What a process has used, read from `/proc`.

use std::fs;

use serde::Serialize;

/// CPU time and memory of one process over a stretch of the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// CPU seconds in user mode (resolution 10 ms).
    pub user_seconds: f64,
    /// CPU seconds in the kernel on its behalf.
    pub system_seconds: f64,
    /// CPU seconds per second: 1.0 is one core.
    pub cores: f64,
    /// CPU microseconds per finished operation; 0 when none finished.
    pub micros_per_operation: f64,
    /// Resident memory at the end, octets.
    pub resident_bytes: u64,
}

/// A reading; two of them make a `Cost`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    user_ticks: u64,
    system_ticks: u64,
    resident_pages: u64,
}

impl Usage {
    /// Reads a process (`None`: this one); `None` when it is gone or may not be read.
    pub(crate) fn read(pid: Option<u32>) -> Option<Self> {
        let name = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
        Self::parse(&fs::read_to_string(format!("/proc/{name}/stat")).ok()?)
    }

    /// `pid (name) state ppid ...`: the name may hold spaces and brackets, so fields count from the last `)`.
    fn parse(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(')')?;
        let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse().ok();
        Some(Self {
            user_ticks: field(14)?,
            system_ticks: field(15)?,
            resident_pages: field(24)?,
        })
    }

    pub(crate) fn until(self, end: Self, seconds: f64, operations: u64) -> Cost {
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        let user_seconds = end.user_ticks.saturating_sub(self.user_ticks) as f64 / per_second;
        let system_seconds = end.system_ticks.saturating_sub(self.system_ticks) as f64 / per_second;
        let total = user_seconds + system_seconds;
        let or_zero = |value: f64| if value.is_finite() { value } else { 0.0 };
        Cost {
            user_seconds,
            system_seconds,
            cores: or_zero(total / seconds),
            micros_per_operation: or_zero(total * 1e6 / operations as f64),
            resident_bytes: end.resident_pages * rustix::param::page_size() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 100 1000 33 1844";
        let usage = Usage::parse(stat).expect("well formed");
        assert_eq!(
            usage,
            Usage {
                user_ticks: 250,
                system_ticks: 50,
                resident_pages: 33
            }
        );
        let cost = Usage {
            user_ticks: 0,
            system_ticks: 0,
            resident_pages: 0,
        }
        .until(usage, 3.0, 0);
        assert_eq!(cost.micros_per_operation, 0.0);
    }

    #[test]
    fn this_process_can_be_read() {
        assert!(Usage::read(None).is_some_and(|usage| usage.resident_pages > 0));
    }
}
