//! What processes have used, read from `/proc`.

use std::fs;

/// The processes that are looked at, beside this one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Processes {
    pub(super) node: Option<u32>,
    pub(super) database: Option<u32>,
}

/// CPU seconds in user mode and in the kernel, as far as known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Costs {
    pub(super) generator: Option<f64>,
    pub(super) node: Option<f64>,
    pub(super) database: Option<f64>,
}

impl Costs {
    /// So far.
    pub(super) fn read(of: &Processes) -> Self {
        let seconds = |pid: u32| cpu(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?);
        Self {
            generator: seconds(std::process::id()),
            node: of.node.and_then(seconds),
            database: of.database.and_then(seconds),
        }
    }

    /// From then to now.
    pub(super) fn until(&self, now: &Self) -> Self {
        let between = |then: Option<f64>, now: Option<f64>| Some((now? - then?).max(0.0));
        Self {
            generator: between(self.generator, now.generator),
            node: between(self.node, now.node),
            database: between(self.database, now.database),
        }
    }
}

/// `pid (name) state ppid ...`: the name may hold spaces and brackets, so fields count from the last `)`.
fn cpu(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<u64>().ok();
    let ticks = field(14)? + field(15)?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_time_count() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 10 20 20 0 1 0 100 1000 33 1844";
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(cpu(stat), Some(300.0 / ticks));
        assert_eq!(cpu("nothing"), None);
    }
}
