//! Asking for a lock, again and again, up to a point.

use super::{LockError, LockOptions};
use crate::backoff::Backoff;
use purlin_types::BootTime;
use std::time::Duration;

/// The tries for one lock.
#[derive(Debug, Clone)]
pub struct Attempt {
    backoff: Backoff,
    tries_max: u32,
    tries: u32,
    started: BootTime,
}

/// What to do after a try that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask again after this time.
    Wait(Duration),
    GiveUp(LockError),
}

impl Attempt {
    /// Starts now; `seed` decides the jitter.
    #[must_use]
    pub fn new(options: &LockOptions, seed: u64, now: BootTime) -> Self {
        Self {
            backoff: Backoff::new(options.retry_first, options.retry_most, seed),
            tries_max: options.max_retries.max(1),
            tries: 0,
            started: now,
        }
    }

    /// Somebody else had it.
    pub fn busy(&mut self, now: BootTime) -> Next {
        let waited = self.waited(now);
        self.failed(|tries| LockError::Busy { tries, waited })
    }

    /// Nobody could be asked.
    pub fn away(&mut self) -> Next {
        self.failed(|tries| LockError::Away { tries })
    }

    /// Since the start.
    #[must_use]
    pub fn waited(&self, now: BootTime) -> Duration {
        Duration::from_nanos(now.0.saturating_sub(self.started.0))
    }

    fn failed(&mut self, why: impl FnOnce(u32) -> LockError) -> Next {
        self.tries += 1;
        if self.tries >= self.tries_max {
            Next::GiveUp(why(self.tries))
        } else {
            Next::Wait(self.backoff.wait())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenth_failed_try_is_the_last() {
        let options = LockOptions::default();
        let mut attempt = Attempt::new(&options, 1, BootTime(0));
        let mut now = BootTime(0);
        for try_number in 1..10 {
            match attempt.busy(now) {
                Next::Wait(wait) => {
                    assert!(wait <= options.retry_most, "{try_number}");
                    now.0 += u64::try_from(wait.as_nanos()).expect("short");
                }
                Next::GiveUp(error) => panic!("after {try_number}: {error}"),
            }
        }
        let waited = Duration::from_nanos(now.0);
        assert_eq!(
            attempt.busy(now),
            Next::GiveUp(LockError::Busy { tries: 10, waited })
        );
    }

    #[test]
    fn no_retries_are_one_try() {
        let options = LockOptions {
            max_retries: 0,
            ..LockOptions::default()
        };
        let mut attempt = Attempt::new(&options, 1, BootTime(0));
        assert_eq!(attempt.away(), Next::GiveUp(LockError::Away { tries: 1 }));
    }
}
