//! When boots are due. Pure: the worker asks with its own clock.

use super::options::{Load, Phase};

/// One thread's share of a phase.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    load: Load,
    ramp_ns: f64,
    started: u64,
    /// Boots still to start; `u64::MAX` when only time ends the phase.
    remaining: u64,
    /// Nanoseconds since the phase began after which nothing starts.
    pub(crate) end_ns: u64,
    /// This thread's first due time, so that threads interleave instead of firing together.
    offset_ns: f64,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Start a boot; it should have started at this time (nanoseconds since the phase began).
    Now { intended_ns: u64 },
    /// Nothing before this time.
    At(u64),
    /// Nothing until one under way ends.
    WhenOneEnds,
    /// No more boots will start.
    Over,
}

impl Schedule {
    /// The share of thread `index` of `threads`.
    pub(crate) fn new(phase: &Phase, index: u32, threads: u32) -> Self {
        let (load, offset_ns) = match phase.load {
            Load::Closed { clients } => {
                let clients = share(clients.into(), index, threads) as u32;
                (Load::Closed { clients }, 0.0)
            }
            Load::Open { per_second } => {
                let per_thread = per_second / f64::from(threads);
                (
                    Load::Open {
                        per_second: per_thread,
                    },
                    1e9 / per_second * f64::from(index),
                )
            }
        };
        Self {
            load,
            ramp_ns: phase.ramp.as_nanos() as f64,
            started: 0,
            remaining: phase.boots.map_or(u64::MAX, |boots| share(boots, index, threads)),
            end_ns: phase
                .duration
                .map_or(u64::MAX, |duration| duration.as_nanos() as u64),
            offset_ns,
        }
    }

    /// `now_ns` since the phase began; `in_flight` boots of this thread that have not ended.
    pub(crate) fn due(&self, now_ns: u64, in_flight: u32) -> Due {
        if self.remaining == 0 || matches!(self.load, Load::Closed { clients: 0 }) {
            return Due::Over;
        }
        match self.load {
            Load::Closed { .. } if now_ns >= self.end_ns => Due::Over,
            Load::Closed { clients } => self.due_closed(now_ns, in_flight, clients),
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

    /// During the ramp, client `n` of `clients` joins when `n / clients` of it has passed.
    fn due_closed(&self, now_ns: u64, in_flight: u32, clients: u32) -> Due {
        if in_flight >= clients {
            return Due::WhenOneEnds;
        }
        let joins_ns = (self.ramp_ns * f64::from(in_flight) / f64::from(clients)) as u64;
        if joins_ns > now_ns {
            Due::At(joins_ns)
        } else {
            Due::Now { intended_ns: now_ns }
        }
    }

    /// The rate grows linearly over the ramp: `k` boots have started after `sqrt(2 k ramp / rate)`.
    fn intended_ns(&self, per_second: f64) -> u64 {
        let per_ns = per_second / 1e9;
        let started = self.started as f64;
        let in_ramp = per_ns * self.ramp_ns / 2.0;
        let at = if started < in_ramp {
            (2.0 * started * self.ramp_ns / per_ns).sqrt()
        } else {
            self.ramp_ns + (started - in_ramp) / per_ns
        };
        (self.offset_ns + at) as u64
    }

    /// Counts a boot as started (or given up on) after `Due::Now`.
    pub(crate) fn started(&mut self) {
        self.started += 1;
        if self.remaining != u64::MAX {
            self.remaining -= 1;
        }
    }

    /// Whether boots start by the clock.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.load, Load::Open { .. })
    }

    /// Clients of this thread at once, when that is known.
    pub(crate) fn clients(&self) -> Option<u32> {
        match self.load {
            Load::Closed { clients } => Some(u64::from(clients).min(self.remaining) as u32),
            Load::Open { .. } => None,
        }
    }
}

fn share(total: u64, index: u32, threads: u32) -> u64 {
    total / u64::from(threads) + u64::from(total % u64::from(threads) > u64::from(index))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Profile;
    use super::*;

    fn phase(load: Load, ramp_ms: u64, boots: u64) -> Phase {
        Phase {
            ramp: Duration::from_millis(ramp_ms),
            boots: Some(boots),
            duration: None,
            ..Phase::new(Profile::Plain, load)
        }
    }

    fn times(phase: &Phase, index: u32, threads: u32) -> Vec<u64> {
        let mut schedule = Schedule::new(phase, index, threads);
        let mut times = Vec::new();
        while let Due::Now { intended_ns } = schedule.due(u64::MAX - 1, 0) {
            times.push(intended_ns / 1_000_000);
            schedule.started();
        }
        times
    }

    #[test]
    fn threads_share_the_rate_and_interleave() {
        let phase = phase(Load::Open { per_second: 1000.0 }, 0, 5);
        assert_eq!(times(&phase, 0, 2), [0, 2, 4]);
        assert_eq!(times(&phase, 1, 2), [1, 3]);
    }

    #[test]
    fn an_open_ramp_starts_slowly_and_ends_at_the_rate() {
        // 1000/s reached after 100 ms: 50 boots by then, one per millisecond after.
        let times = times(&phase(Load::Open { per_second: 1000.0 }, 100, 60), 0, 1);
        assert_eq!((times[0], times[1], times[50], times[51]), (0, 14, 100, 101));
    }

    #[test]
    fn an_open_loop_catches_up_with_the_times_it_should_have_kept() {
        let mut schedule = Schedule::new(&phase(Load::Open { per_second: 1000.0 }, 0, 5), 0, 1);
        schedule.started();
        assert_eq!(schedule.due(10, 1), Due::At(1_000_000));
        for intended_ns in [1_000_000, 2_000_000, 3_000_000] {
            assert_eq!(schedule.due(3_500_000, 9_999), Due::Now { intended_ns });
            schedule.started();
        }
        assert_eq!(schedule.due(3_500_000, 0), Due::At(4_000_000));
    }

    #[test]
    fn a_closed_ramp_lets_clients_join_one_by_one() {
        let schedule = Schedule::new(&phase(Load::Closed { clients: 4 }, 100, 9), 0, 1);
        assert_eq!(schedule.due(0, 0), Due::Now { intended_ns: 0 });
        assert_eq!(schedule.due(0, 1), Due::At(25_000_000));
        assert_eq!(
            schedule.due(80_000_000, 3),
            Due::Now {
                intended_ns: 80_000_000
            }
        );
        assert_eq!(schedule.due(90_000_000, 4), Due::WhenOneEnds);
    }

    #[test]
    fn a_thread_without_clients_has_nothing_to_do() {
        let closed = phase(Load::Closed { clients: 1 }, 0, 9);
        assert_eq!(Schedule::new(&closed, 1, 2).due(0, 0), Due::Over);
    }
}
