//! How long the fabric waits for what.
//!
//! ```text
//!   owner       sends renewal ──────────── TTL - guard ───────────► silent
//!   contender   sees it ─────────────────── TTL + guard ─────────────────────► may claim
//! ```
//!
//! Both count on their own `CLOCK_BOOTTIME`; the guards on either side cover clocks whose rates differ by 1 %.

use std::fmt;
use std::time::Duration;

/// The fabric's times and paces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between two renewals of the node's lease, and between two looks at the store: 100 ms to 60 s, default 3 s.
    pub renew: Duration,
    /// How long a lease holds: at least 3 renewals, at most 10 min, default 15 s.
    pub ttl: Duration,
    /// Taken off for the owner and added for contenders: 2 % to a third of `ttl`, default 1 s.
    pub guard: Duration,
    /// The most a client may be promised beyond what is recorded, and so the quarantine after a takeover: `ttl` to
    /// 24 h, default 10 min.
    pub mclt: Duration,
    /// How far this node's wall clock may be from the store's: 100 ms to `mclt`, default 2 s.
    pub wall_skew: Duration,
    /// Between two heartbeats into the hints: 100 ms to 60 s, default 5 s.
    pub heartbeat: Duration,
    /// How long a node may be silent before it is taken out of the plan: `ttl` + `guard` to 24 h, default 30 s.
    pub node_timeout: Duration,
    /// How many slots a node that stays gives away in a minute: 1 to 65535, default 1200. A node that leaves knows no
    /// such limit.
    pub moves_per_minute: u16,
}

/// A time outside its range: which, and what it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimingError {
    pub field: &'static str,
    pub needs: &'static str,
}

impl fmt::Display for TimingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.field, self.needs)
    }
}

impl std::error::Error for TimingError {}

impl Default for Timing {
    fn default() -> Self {
        Self {
            renew: Duration::from_secs(3),
            ttl: Duration::from_secs(15),
            guard: Duration::from_secs(1),
            mclt: Duration::from_secs(600),
            wall_skew: Duration::from_secs(2),
            heartbeat: Duration::from_secs(5),
            node_timeout: Duration::from_secs(30),
            moves_per_minute: 1200,
        }
    }
}

impl Timing {
    /// Takeover within 5 s, for six times the store's load. For stores on the same network.
    #[must_use]
    pub fn fast() -> Self {
        Self {
            renew: Duration::from_millis(500),
            ttl: Duration::from_millis(2500),
            guard: Duration::from_millis(250),
            heartbeat: Duration::from_secs(1),
            node_timeout: Duration::from_secs(10),
            ..Self::default()
        }
    }

    /// The same times when they fit together.
    ///
    /// # Errors
    /// The first field that is out of its range.
    pub fn checked(self) -> Result<Self, TimingError> {
        let tenth = Duration::from_millis(100);
        let minute = Duration::from_secs(60);
        let day = Duration::from_secs(86_400);
        let within = |value: Duration, least: Duration, most: Duration| (least..=most).contains(&value);
        let rules = [
            (within(self.renew, tenth, minute), "renew", "100 ms to 60 s"),
            (
                within(self.ttl, self.renew * 3, minute * 10),
                "ttl",
                "3 renewals to 10 min",
            ),
            (
                within(self.guard, self.ttl / 50, self.ttl / 3),
                "guard",
                "2 % to a third of ttl",
            ),
            (within(self.mclt, self.ttl, day), "mclt", "ttl to 24 h"),
            (
                within(self.wall_skew, tenth, self.mclt),
                "wall_skew",
                "100 ms to mclt",
            ),
            (
                within(self.heartbeat, tenth, minute),
                "heartbeat",
                "100 ms to 60 s",
            ),
            (
                within(self.node_timeout, self.ttl + self.guard, day),
                "node_timeout",
                "ttl + guard to 24 h",
            ),
            (self.moves_per_minute > 0, "moves_per_minute", "1 to 65535"),
        ];
        match rules.iter().find(|(holds, ..)| !holds) {
            None => Ok(self),
            Some(&(_, field, needs)) => Err(TimingError { field, needs }),
        }
    }

    /// How long an owner may decide after it sent the renewal that was answered.
    #[must_use]
    pub fn tenure(&self) -> Duration {
        self.ttl.saturating_sub(self.guard)
    }

    /// How long a contender must have seen nothing new.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.ttl + self.guard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_profiles_fit_together() {
        assert!(Timing::default().checked().is_ok() && Timing::fast().checked().is_ok());
    }

    #[test]
    fn a_guard_below_the_clocks_rate_error_is_refused() {
        let timing = Timing {
            guard: Duration::from_millis(100),
            ..Timing::default()
        };
        let error = timing.checked().expect_err("too small");
        assert_eq!(error.to_string(), "guard must be 2 % to a third of ttl");
    }

    #[test]
    fn the_fast_profile_takes_over_within_five_seconds() {
        let timing = Timing::fast();
        assert!(timing.patience() + 2 * timing.renew < Duration::from_secs(5));
    }
}
