//! How much slower things are than on a machine of one's own: how many programs want each processor, and how much of the
//! processors the machine's host gave to others (`steal` in proc_stat(5)).

/// Readings since the last reset.
#[derive(Debug, Default)]
pub(super) struct Crush {
    running: u64,
    looks: u32,
    /// The first and the newest.
    time: Option<(Time, Time)>,
}

/// Processor time of the whole machine since it began, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Time {
    used: u64,
    stolen: u64,
}

/// By how much things are slower, each 1 or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slowness {
    /// Programs that want a processor, for each that there is.
    pub crush: f64,
    /// Processor time that was wanted, for each that was given.
    pub stolen: f64,
}

impl Crush {
    /// Looks once; called at a steady pace.
    pub(super) fn look(&mut self) {
        let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        if let Some(running) = running(&text) {
            self.running += running;
            self.looks += 1;
        }
        if let Some(now) = time(&text) {
            self.time.get_or_insert((now, now)).1 = now;
        }
    }

    /// Since the last time it was asked.
    pub(super) fn take(&mut self) -> Slowness {
        let processors = std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64);
        let Self { running, looks, time } = std::mem::take(self);
        let crush = match looks {
            0 => 1.0,
            looks => (running as f64 / f64::from(looks) / processors).max(1.0),
        };
        let stolen = time.map_or(1.0, |(first, last)| {
            let used = last.used.saturating_sub(first.used).max(1) as f64;
            1.0 + last.stolen.saturating_sub(first.stolen) as f64 / used
        });
        Slowness { crush, stolen }
    }
}

/// Processes that run or wait for a processor.
fn running(stat: &str) -> Option<u64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("procs_running "));
    line?.trim().parse().ok()
}

/// `cpu user nice system idle iowait irq softirq steal ...`
fn time(stat: &str) -> Option<Time> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .map_while(|word| word.parse().ok())
        .collect();
    let [user, nice, system, _idle, _waits, irq, softirq, stolen, ..] = ticks[..] else {
        return None;
    };
    Some(Time {
        used: user + nice + system + irq + softirq,
        stolen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_want_to_run_are_counted() {
        assert_eq!(running("cpu 1 2\nprocs_running 17\nprocs_blocked 0\n"), Some(17));
        assert_eq!(running("cpu 1 2"), None);
        let (crush, stolen) = (1.0, 1.0);
        assert_eq!(
            Crush::default().take(),
            Slowness { crush, stolen },
            "without a look nothing is slower"
        );
    }

    #[test]
    fn what_the_host_took_is_counted() {
        let first = time("cpu  100 10 20 500 5 1 2 30 0 0\ncpu0 1 2").expect("a line");
        assert_eq!(
            first,
            Time {
                used: 133,
                stolen: 30
            }
        );
        assert_eq!(time("cpu 1 2 3"), None);
        let last = Time {
            used: 233,
            stolen: 330,
        };
        let mut crush = Crush {
            time: Some((first, last)),
            ..Crush::default()
        };
        assert!((crush.take().stolen - 4.0).abs() < f64::EPSILON);
    }
}
