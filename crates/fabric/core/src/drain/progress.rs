//! How far a drain is.

use purlin_types::BootTime;
use std::collections::VecDeque;
use std::time::Duration;

/// The rate is that of the last so long.
const WINDOW: Duration = Duration::from_secs(60);

/// What a draining node still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Left {
    pub slots: u32,
    pub sessions: u32,
    /// Work that balancers gave it and that is not finished.
    pub outstanding: u32,
}

/// What is being done. Each step ends before the next is reported, even where they overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Slots go to their standbys.
    Slots,
    /// Sessions go to other nodes.
    Sessions,
    /// What balancers gave it is being finished.
    Finishing,
    /// Nothing is left: it may be removed.
    Done,
    /// Time ran out before that. The node stays a member, and draining.
    TimedOut,
}

/// A drain as people see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    pub step: Step,
    pub left: Left,
    /// What there was at the beginning, or more if more came since.
    pub at_first: Left,
    /// How much of this step's things went per second, over the last minute.
    pub rate: f64,
    /// Until this step ends at that rate; `None` while nothing moves.
    pub eta: Option<Duration>,
    /// Since when nothing has moved.
    pub still_for: Duration,
    pub running_for: Duration,
}

/// A drain being watched.
#[derive(Debug, Clone)]
pub struct Progress {
    began: BootTime,
    deadline: BootTime,
    at_first: Left,
    moved: BootTime,
    samples: VecDeque<(BootTime, Left)>,
}

impl Progress {
    /// A drain that begins now and should be done within `timeout`.
    #[must_use]
    pub fn new(now: BootTime, left: Left, timeout: Duration) -> Self {
        Self {
            began: now,
            deadline: now.plus_millis(timeout.as_millis() as u64),
            at_first: left,
            moved: now,
            samples: VecDeque::from([(now, left)]),
        }
    }

    /// Takes what is left now.
    pub fn update(&mut self, now: BootTime, left: Left) {
        if self.newest() != left {
            self.moved = now;
        }
        let most = |a: u32, b: u32| a.max(b);
        self.at_first = Left {
            slots: most(self.at_first.slots, left.slots),
            sessions: most(self.at_first.sessions, left.sessions),
            outstanding: most(self.at_first.outstanding, left.outstanding),
        };
        self.samples.push_back((now, left));
        // One sample older than the window stays: rates are measured from it.
        while self
            .samples
            .get(1)
            .is_some_and(|(at, _)| since(now, *at) >= WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// How far it is.
    #[must_use]
    pub fn report(&self, now: BootTime) -> Report {
        let left = self.newest();
        let step = self.step(now, left);
        let of_step: fn(Left) -> u32 = match step {
            Step::Slots => |left| left.slots,
            Step::Sessions => |left| left.sessions,
            Step::Finishing => |left| left.outstanding,
            Step::Done | Step::TimedOut => |_| 0,
        };
        let (since_when, then) = self.samples.front().copied().unwrap_or((now, left));
        let gone = of_step(then).saturating_sub(of_step(left));
        let elapsed = since(now, since_when).as_secs_f64();
        let rate = if elapsed > 0.0 {
            f64::from(gone) / elapsed
        } else {
            0.0
        };
        Report {
            step,
            left,
            at_first: self.at_first,
            rate,
            eta: (rate > 0.0).then(|| Duration::from_secs_f64((f64::from(of_step(left)) / rate).min(1e9))),
            still_for: since(now, self.moved),
            running_for: since(now, self.began),
        }
    }

    fn step(&self, now: BootTime, left: Left) -> Step {
        match left {
            Left {
                slots: 0,
                sessions: 0,
                outstanding: 0,
            } => Step::Done,
            _ if now >= self.deadline => Step::TimedOut,
            Left { slots: 1.., .. } => Step::Slots,
            Left { sessions: 1.., .. } => Step::Sessions,
            _ => Step::Finishing,
        }
    }

    fn newest(&self) -> Left {
        self.samples.back().map_or(self.at_first, |&(_, left)| left)
    }
}

fn since(now: BootTime, earlier: BootTime) -> Duration {
    Duration::from_millis(now.millis_since(earlier))
}
