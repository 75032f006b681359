//! The circuit breaker: calls to a server that does not answer fail at once instead of piling up.
//!
//! ```text
//!            `failures` in a row                    pause over: one call tries
//!   closed ───────────────────────► open ───────────────────────────────────► half open
//!      ▲                              ▲     it failed: twice the pause            │
//!      │                              └───────────────────────────────────────────┤
//!      └──────────────────────────────────────────────────────────── it worked ───┘
//! ```
//!
//! Pure: the time is an argument. Pauses are short beside the life of a node's lease: the breaker spares threads and
//! sockets, it decides nothing about ownership.

use std::time::{Duration, Instant};

/// When to stop asking, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failed calls in a row that open it. 5 by default.
    pub failures: u32,
    /// The first pause; doubles with every try that fails. 250 ms by default.
    pub pause: Duration,
    /// The longest pause. 2 s by default: a node's lease is renewed every 3 s.
    pub pause_max: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failures: 5,
            pause: Duration::from_millis(250),
            pause_max: Duration::from_secs(2),
        }
    }
}

/// Whether calls pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    Closed,
    /// Calls are refused until then.
    Open {
        until: Instant,
    },
    /// One call is under way to find out.
    HalfOpen,
}

impl BreakerState {
    /// The words of all states, for metrics.
    pub const WORDS: [&str; 3] = ["closed", "open", "half_open"];

    /// One of [`Self::WORDS`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => Self::WORDS[0],
            Self::Open { .. } => Self::WORDS[1],
            Self::HalfOpen => Self::WORDS[2],
        }
    }
}

/// What it has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BreakerCounts {
    /// How often it opened, from closed or because a try failed.
    pub opened: u64,
    /// Calls that failed at once.
    pub refused: u64,
}

/// See the module's text.
#[derive(Debug, Clone)]
pub struct Breaker {
    settings: BreakerSettings,
    state: BreakerState,
    failures: u32,
    pause: Duration,
    counts: BreakerCounts,
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            state: BreakerState::Closed,
            failures: 0,
            pause: settings.pause,
            counts: BreakerCounts::default(),
        }
    }

    /// Whether a call may be made at `now`. Who gets `true` says how it went, by [`Self::worked`] or [`Self::failed`].
    pub fn admit(&mut self, now: Instant) -> bool {
        match self.state {
            BreakerState::Closed => true,
            BreakerState::Open { until } if now >= until => {
                self.state = BreakerState::HalfOpen;
                true
            }
            BreakerState::Open { .. } | BreakerState::HalfOpen => {
                self.counts.refused += 1;
                false
            }
        }
    }

    /// A call was answered, be it with a refusal.
    pub fn worked(&mut self) {
        *self = Self {
            counts: self.counts,
            ..Self::new(self.settings)
        };
    }

    /// A call was not answered.
    pub fn failed(&mut self, now: Instant) {
        match self.state {
            BreakerState::Closed => {
                self.failures += 1;
                if self.failures >= self.settings.failures {
                    self.open(now);
                }
            }
            BreakerState::HalfOpen => {
                self.pause = (self.pause * 2).min(self.settings.pause_max);
                self.open(now);
            }
            // A call from before: it tells nothing new.
            BreakerState::Open { .. } => {}
        }
    }

    fn open(&mut self, now: Instant) {
        self.counts.opened += 1;
        self.state = BreakerState::Open {
            until: now + self.pause,
        };
    }

    /// For display.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.state
    }

    /// For display.
    #[must_use]
    pub fn counts(&self) -> BreakerCounts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: BreakerSettings = BreakerSettings {
        failures: 3,
        pause: Duration::from_millis(100),
        pause_max: Duration::from_millis(300),
    };

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::new(SETTINGS);
        for _ in 0..3 {
            assert!(breaker.admit(now));
            breaker.failed(now);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_others_do_not() {
        let now = Instant::now();
        let mut breaker = Breaker::new(SETTINGS);
        for _ in 0..4 {
            breaker.failed(now);
            breaker.failed(now);
            breaker.worked();
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert!(!opened(now).admit(now));
    }

    #[test]
    fn one_call_tries_after_the_pause_and_closes_it() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + SETTINGS.pause;
        assert!(!breaker.admit(later.checked_sub(Duration::from_millis(1)).expect("later")));
        assert!(breaker.admit(later));
        assert!(!breaker.admit(later), "only one call tries");
        breaker.worked();
        assert!(breaker.admit(later));
    }

    #[test]
    fn pauses_double_up_to_their_limit_and_start_anew() {
        let mut now = Instant::now();
        let mut breaker = opened(now);
        for pause in [100, 200, 300, 300] {
            let until = now + Duration::from_millis(pause);
            assert_eq!(breaker.state(), BreakerState::Open { until });
            now = until;
            assert!(breaker.admit(now));
            breaker.failed(now);
        }
        breaker.admit(now + SETTINGS.pause_max);
        breaker.worked();
        for _ in 0..3 {
            breaker.failed(now);
        }
        assert_eq!(
            breaker.state(),
            BreakerState::Open {
                until: now + SETTINGS.pause
            }
        );
    }

    #[test]
    fn a_late_failure_does_not_lengthen_the_pause() {
        let now = Instant::now();
        let mut breaker = opened(now);
        breaker.failed(now + Duration::from_millis(50));
        assert!(breaker.admit(now + SETTINGS.pause));
    }
}
