//! When operations are due. Pure: the worker asks with its own clock.

use std::str::FromStr;
use std::time::Duration;

/// How operations are started.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// This many operations are always in flight: a new one starts when one ends. Shows capacity.
    Closed { in_flight: u32 },
    /// Operations start by the clock, whatever the server does; latency counts from the moment an operation was due,
    /// so a stalled server cannot hide its stall (no coordinated omission).
    Open { per_second: f64 },
}

/// A text is no load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no load; write closed:N or open:RATE")]
pub struct UnknownLoad(String);

impl FromStr for Load {
    type Err = UnknownLoad;

    /// `closed:IN_FLIGHT` or `open:PER_SECOND`.
    fn from_str(text: &str) -> Result<Self, UnknownLoad> {
        let load = match text.split_once(':') {
            Some(("closed", number)) => number.parse().ok().map(|in_flight| Self::Closed { in_flight }),
            Some(("open", number)) => number.parse().ok().map(|per_second| Self::Open { per_second }),
            _ => None,
        };
        load.ok_or_else(|| UnknownLoad(text.to_owned()))
    }
}

/// What all threads together start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    pub load: Load,
    /// The load grows over this time, from nothing.
    pub ramp: Duration,
    /// Ends after this many operations, whatever comes first.
    pub operations: Option<u64>,
    /// Ends after this time, whatever comes first.
    pub duration: Option<Duration>,
}

/// One thread's share of a plan. Times are nanoseconds since the plan began.
#[derive(Debug, Clone)]
pub struct Schedule {
    load: Load,
    ramp_ns: f64,
    started: u64,
    /// Operations still to start; `u64::MAX` when only time ends the plan.
    remaining: u64,
    end_ns: u64,
    /// This thread's first due time, so that threads interleave instead of firing together.
    offset_ns: f64,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Start an operation; it should have started at this time.
    Now { intended_ns: u64 },
    /// Nothing before this time.
    At(u64),
    /// Nothing until an operation in flight ends.
    WhenOneEnds,
    /// No more operations will start.
    Over,
}

impl Schedule {
    /// The share of thread `index` of `threads`. In a closed loop with fewer operations in flight than threads, the
    /// last threads have nothing to do.
    #[must_use]
    pub fn new(plan: &Plan, index: u32, threads: u32) -> Self {
        let (load, offset_ns) = match plan.load {
            Load::Closed { in_flight } => {
                let in_flight = share(in_flight.into(), index, threads) as u32;
                (Load::Closed { in_flight }, 0.0)
            }
            Load::Open { per_second } => {
                let offset_ns = 1e9 / per_second * f64::from(index);
                let per_second = per_second / f64::from(threads);
                (Load::Open { per_second }, offset_ns)
            }
        };
        Self {
            load,
            ramp_ns: plan.ramp.as_nanos() as f64,
            started: 0,
            remaining: plan
                .operations
                .map_or(u64::MAX, |total| share(total, index, threads)),
            end_ns: plan
                .duration
                .map_or(u64::MAX, |duration| duration.as_nanos() as u64),
            offset_ns,
        }
    }

    /// What to do at `now_ns`; `in_flight` operations of this thread have not ended.
    #[must_use]
    pub fn due(&self, now_ns: u64, in_flight: u32) -> Due {
        if self.remaining == 0 {
            return Due::Over;
        }
        match self.load {
            Load::Closed { in_flight: 0 } => Due::Over,
            Load::Closed { .. } if now_ns >= self.end_ns => Due::Over,
            Load::Closed { in_flight: most } => self.due_closed(now_ns, in_flight, most),
            Load::Open { per_second } => {
                let intended_ns = self.intended_ns(per_second);
                if intended_ns >= self.end_ns {
                    Due::Over
                } else if intended_ns <= now_ns {
                    Due::Now { intended_ns }
                } else {
                    Due::At(intended_ns)
                }
            }
        }
    }

    /// During the ramp, operation `n` of `most` joins when `n / most` of it has passed.
    fn due_closed(&self, now_ns: u64, in_flight: u32, most: u32) -> Due {
        if in_flight >= most {
            return Due::WhenOneEnds;
        }
        let joins_ns = (self.ramp_ns * f64::from(in_flight) / f64::from(most)) as u64;
        if joins_ns > now_ns {
            Due::At(joins_ns)
        } else {
            Due::Now { intended_ns: now_ns }
        }
    }

    /// The rate grows linearly over the ramp: `k` operations have started after `sqrt(2 k ramp / rate)`.
    fn intended_ns(&self, per_second: f64) -> u64 {
        let per_ns = per_second / 1e9;
        let started = self.started as f64;
        let in_ramp = per_ns * self.ramp_ns / 2.0;
        let at = if started < in_ramp {
            (2.0 * started * self.ramp_ns / per_ns).sqrt()
        } else {
            self.ramp_ns + (started - in_ramp) * 1e9 / per_second
        };
        (self.offset_ns + at) as u64
    }

    /// Counts an operation as started (or given up on) after [`Due::Now`].
    pub fn started(&mut self) {
        self.started += 1;
        if self.remaining != u64::MAX {
            self.remaining -= 1;
        }
    }

    /// Starts nothing more.
    pub fn stop(&mut self) {
        self.remaining = 0;
    }

    /// Whether operations start by the clock.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.load, Load::Open { .. })
    }

    /// When nothing starts any more; `u64::MAX` when only a number ends the plan.
    #[must_use]
    pub fn end_ns(&self) -> u64 {
        self.end_ns
    }

    /// The most operations of this thread at once, when that is known.
    #[must_use]
    pub fn in_flight_max(&self) -> Option<u32> {
        match self.load {
            Load::Closed { in_flight } => Some(u64::from(in_flight).min(self.remaining) as u32),
            Load::Open { .. } => None,
        }
    }
}

fn share(total: u64, index: u32, threads: u32) -> u64 {
    total / u64::from(threads) + u64::from(total % u64::from(threads) > u64::from(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Load = Load::Open { per_second: 1000.0 };

    fn plan(load: Load, ramp_ms: u64, operations: u64) -> Plan {
        Plan {
            load,
            ramp: Duration::from_millis(ramp_ms),
            operations: Some(operations),
            duration: None,
        }
    }

    fn for_millis(load: Load, millis: u64) -> Plan {
        Plan {
            load,
            ramp: Duration::ZERO,
            operations: None,
            duration: Some(Duration::from_millis(millis)),
        }
    }

    /// When one thread's operations are due, in milliseconds.
    fn times(plan: &Plan, index: u32, threads: u32) -> Vec<u64> {
        let mut schedule = Schedule::new(plan, index, threads);
        let mut times = Vec::new();
        while let Due::Now { intended_ns } = schedule.due(u64::MAX - 1, 0) {
            times.push(intended_ns / 1_000_000);
            schedule.started();
        }
        times
    }

    #[test]
    fn an_open_loop_catches_up_after_a_stall_with_the_times_it_should_have_kept() {
        let mut schedule = Schedule::new(&plan(OPEN, 0, 5), 0, 1);
        assert_eq!(schedule.due(0, 0), Due::Now { intended_ns: 0 });
        schedule.started();
        assert_eq!(schedule.due(10, 1), Due::At(1_000_000));
        // The generator (or the server's back-pressure on it) stalled for 3.5 ms: three operations are due at once,
        // each with its own intended time.
        for intended_ns in [1_000_000, 2_000_000, 3_000_000] {
            assert_eq!(schedule.due(3_500_000, 9_999), Due::Now { intended_ns });
            schedule.started();
        }
        assert_eq!(schedule.due(3_500_000, 0), Due::At(4_000_000));
        schedule.started();
        assert_eq!(schedule.due(9_000_000, 0), Due::Over);
    }

    #[test]
    fn threads_share_the_rate_and_interleave() {
        let plan = plan(OPEN, 0, 5);
        assert_eq!(times(&plan, 0, 2), [0, 2, 4]);
        assert_eq!(times(&plan, 1, 2), [1, 3]);
    }

    #[test]
    fn an_open_ramp_starts_slowly_and_ends_at_the_rate() {
        // 1000/s reached after 100 ms: 50 operations by then, one per millisecond after.
        let times = times(&plan(OPEN, 100, 60), 0, 1);
        assert_eq!((times[0], times[1], times[50], times[51]), (0, 14, 100, 101));
    }

    #[test]
    fn the_end_of_an_open_loop_counts_due_times_not_the_clock() {
        let mut schedule = Schedule::new(&for_millis(Load::Open { per_second: 10.0 }, 250), 0, 1);
        let mut count = 0;
        while let Due::Now { .. } = schedule.due(900_000_000, 0) {
            schedule.started();
            count += 1;
        }
        assert_eq!(count, 3);
    }

    #[test]
    fn a_closed_loop_keeps_its_number_in_flight_until_time_is_up() {
        let schedule = Schedule::new(&for_millis(Load::Closed { in_flight: 3 }, 1000), 0, 2);
        assert_eq!(schedule.due(5, 1), Due::Now { intended_ns: 5 });
        assert_eq!(schedule.due(5, 2), Due::WhenOneEnds);
        assert_eq!(schedule.due(1_000_000_000, 0), Due::Over);
    }

    #[test]
    fn a_closed_ramp_lets_operations_join_one_by_one() {
        let schedule = Schedule::new(&plan(Load::Closed { in_flight: 4 }, 100, 9), 0, 1);
        assert_eq!(schedule.due(0, 0), Due::Now { intended_ns: 0 });
        assert_eq!(schedule.due(0, 1), Due::At(25_000_000));
        let intended_ns = 80_000_000;
        assert_eq!(schedule.due(intended_ns, 3), Due::Now { intended_ns });
        assert_eq!(schedule.due(90_000_000, 4), Due::WhenOneEnds);
    }

    #[test]
    fn a_thread_without_a_share_has_nothing_to_do() {
        let closed = plan(Load::Closed { in_flight: 1 }, 0, 9);
        assert_eq!(Schedule::new(&closed, 1, 2).due(0, 0), Due::Over);
        assert_eq!(Schedule::new(&closed, 1, 2).in_flight_max(), Some(0));
    }

    #[test]
    fn a_stopped_schedule_is_over() {
        let mut schedule = Schedule::new(&for_millis(OPEN, 1000), 0, 1);
        schedule.stop();
        assert_eq!(schedule.due(0, 0), Due::Over);
    }

    #[test]
    fn a_load_is_read_from_a_text() {
        assert_eq!("closed:64".parse(), Ok(Load::Closed { in_flight: 64 }));
        assert_eq!("open:1000".parse(), Ok(OPEN));
        for bad in ["64", "closed:-1", "open:fast", "half:1"] {
            assert_eq!(bad.parse::<Load>(), Err(UnknownLoad(bad.to_owned())));
        }
    }
}
