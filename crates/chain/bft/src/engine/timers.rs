//! The timers of a round.

use crate::timeouts::Timeouts;
use arc_malachitebft_core_types::{Timeout, TimeoutKind};
use std::time::Duration;

/// Timers that run, few at a time.
#[derive(Debug)]
pub(super) struct Timers {
    timeouts: Timeouts,
    running: Vec<(Duration, Timeout)>,
}

impl Timers {
    pub(super) const fn new(timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            running: Vec::new(),
        }
    }

    /// How long this timeout is.
    pub(super) fn duration(&self, timeout: Timeout) -> Duration {
        let base = match timeout.kind {
            TimeoutKind::Propose => self.timeouts.propose,
            TimeoutKind::Prevote => self.timeouts.prevote,
            TimeoutKind::Precommit => self.timeouts.precommit,
            TimeoutKind::Rebroadcast => self.timeouts.rebroadcast,
            TimeoutKind::FinalizeHeight(duration) => return duration,
        };
        self.timeouts.in_round(base, timeout.round.as_u32().unwrap_or(0))
    }

    /// Starts a timer, again when it runs.
    pub(super) fn start(&mut self, now: Duration, timeout: Timeout) {
        self.cancel(timeout);
        // A timer of no length would be due for ever.
        let at = now.saturating_add(self.duration(timeout).max(Duration::from_millis(1)));
        self.running.push((at, timeout));
    }

    pub(super) fn cancel(&mut self, timeout: Timeout) {
        self.running.retain(|(_, running)| *running != timeout);
    }

    pub(super) fn cancel_all(&mut self) {
        self.running.clear();
    }

    /// Takes the timer that has been due for longest.
    pub(super) fn due(&mut self, now: Duration) -> Option<Timeout> {
        let all = self.running.iter().enumerate();
        let (index, (at, _)) = all.min_by_key(|(_, (at, _))| *at)?;
        (*at <= now).then(|| self.running.remove(index).1)
    }

    /// When a timer is due next.
    pub(super) fn next(&self) -> Option<Duration> {
        self.running.iter().map(|(at, _)| *at).min()
    }
}
