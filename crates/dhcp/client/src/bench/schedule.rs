//! When operations are due. Pure: the worker asks with its own clock.

use super::options::{Load, Phase};

/// One thread's share of a phase.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    load: Load,
    started: u64,
    /// Operations still to start; `u64::MAX` when only time ends the phase.
    remaining: u64,
    /// Nanoseconds since the phase began after which nothing starts.
    end_ns: u64,
    /// This thread's first due time, so that threads interleave instead of firing together.
    offset_ns: f64,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Start an operation; it should have started at this time (nanoseconds since the phase began).
    Now { intended_ns: u64 },
    /// Nothing before this time.
    At(u64),
    /// Nothing until an operation in flight ends.
    WhenOneEnds,
    /// No more operations will start.
    Over,
}

impl Schedule {
    /// The share of thread `index` of `threads`.
    pub(crate) fn new(phase: &Phase, index: u32, threads: u32) -> Self {
        let share = |total: u64| {
            total / u64::from(threads) + u64::from(total % u64::from(threads) > u64::from(index))
        };
        let load = match phase.load {
            Load::Closed { in_flight } => Load::Closed {
                in_flight: share(u64::from(in_flight)).max(1) as u32,
            },
            Load::Open { per_second } => Load::Open {
                per_second: per_second / f64::from(threads),
            },
        };
        let offset_ns = match phase.load {
            Load::Open { per_second } => 1e9 / per_second * f64::from(index),
            Load::Closed { .. } => 0.0,
        };
        Self {
            load,
            started: 0,
            remaining: phase.operations.map_or(u64::MAX, share),
            end_ns: phase
                .duration
                .map_or(u64::MAX, |duration| duration.as_nanos() as u64),
            offset_ns,
        }
    }

    /// `now_ns` since the phase began; `in_flight` operations of this thread that have not ended.
    pub(crate) fn due(&self, now_ns: u64, in_flight: u32) -> Due {
        if self.remaining == 0 {
            return Due::Over;
        }
        match self.load {
            Load::Closed { .. } if now_ns >= self.end_ns => Due::Over,
            Load::Closed { in_flight: most } if in_flight >= most => Due::WhenOneEnds,
            Load::Closed { .. } => Due::Now { intended_ns: now_ns },
            Load::Open { per_second } => {
                let intended_ns = (self.offset_ns + self.started as f64 * 1e9 / per_second) as u64;
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

    /// Counts an operation as started (or given up on) after `Due::Now`.
    pub(crate) fn started(&mut self) {
        self.started += 1;
        if self.remaining != u64::MAX {
            self.remaining -= 1;
        }
    }

    /// Whether operations start by the clock.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.load, Load::Open { .. })
    }

    /// Starts nothing more.
    pub(crate) fn stop(&mut self) {
        self.remaining = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Mix, Operation};
    use super::*;

    fn phase(load: Load, operations: Option<u64>, duration: Option<Duration>) -> Phase {
        Phase {
            name: "p".into(),
            mix: Mix::only(Operation::Dora),
            load,
            operations,
            duration,
        }
    }

    #[test]
    fn an_open_loop_catches_up_after_a_stall_with_the_times_it_should_have_kept() {
        let mut schedule = Schedule::new(&phase(Load::Open { per_second: 1000.0 }, Some(5), None), 0, 1);
        assert_eq!(schedule.due(0, 0), Due::Now { intended_ns: 0 });
        schedule.started();
        assert_eq!(schedule.due(10, 1), Due::At(1_000_000));
        // The generator (or the server's back-pressure on it) stalled for 3.5 ms: three operations are due at once,
        // each with its own intended time.
        for expected in [1_000_000, 2_000_000, 3_000_000] {
            assert_eq!(
                schedule.due(3_500_000, 9_999),
                Due::Now {
                    intended_ns: expected
                }
            );
            schedule.started();
        }
        assert_eq!(schedule.due(3_500_000, 0), Due::At(4_000_000));
        schedule.started();
        assert_eq!(schedule.due(9_000_000, 0), Due::Over);
    }

    #[test]
    fn threads_share_the_rate_and_interleave() {
        let phase = phase(Load::Open { per_second: 1000.0 }, Some(5), None);
        let due = |index: u32| {
            let mut schedule = Schedule::new(&phase, index, 2);
            let mut times = Vec::new();
            while let Due::Now { intended_ns } = schedule.due(u64::MAX - 1, 0) {
                times.push(intended_ns / 1_000_000);
                schedule.started();
            }
            times
        };
        assert_eq!(due(0), [0, 2, 4]);
        assert_eq!(due(1), [1, 3]);
    }

    #[test]
    fn a_closed_loop_keeps_its_number_in_flight_until_time_is_up() {
        let load = Load::Closed { in_flight: 3 };
        let schedule = Schedule::new(&phase(load, None, Some(Duration::from_secs(1))), 0, 2);
        assert_eq!(schedule.due(5, 1), Due::Now { intended_ns: 5 });
        assert_eq!(schedule.due(5, 2), Due::WhenOneEnds);
        assert_eq!(schedule.due(1_000_000_000, 0), Due::Over);
    }

    #[test]
    fn the_end_of_an_open_loop_counts_due_times_not_the_clock() {
        let load = Load::Open { per_second: 10.0 };
        let mut schedule = Schedule::new(&phase(load, None, Some(Duration::from_millis(250))), 0, 1);
        let mut count = 0;
        while let Due::Now { .. } = schedule.due(900_000_000, 0) {
            schedule.started();
            count += 1;
        }
        assert_eq!(count, 3);
    }
}
