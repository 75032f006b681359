//! A lock that is held: until when, and when to renew it.

use super::LockOptions;
use crate::observe::after;
use purlin_types::BootTime;
use std::fmt;
use std::time::Duration;

/// One holding of a lock, as its holder may rely on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    options: LockOptions,
    acquired: BootTime,
    valid_until: BootTime,
    renew_at: BootTime,
    lost: Option<Loss>,
}

/// How a lock was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nobody answered a renewal in time.
    Lapsed,
    /// Somebody else has it.
    Taken,
    /// It was held longer than its holder had asked for.
    HeldTooLong,
}

/// What a holding needs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing before then.
    Nothing(BootTime),
    Renew,
    /// It is over. One that was held too long is still to be given back.
    Lost(Loss),
}

impl Hold {
    /// Granted at `now` to a question sent at `asked`: validity counts from the sending, so that the holder's view ends
    /// no later than the grantor's.
    #[must_use]
    pub fn granted(options: LockOptions, asked: BootTime, now: BootTime) -> Self {
        Self {
            acquired: now,
            valid_until: after(asked, options.ttl),
            renew_at: after(asked, options.renew_after()),
            options,
            lost: None,
        }
    }

    /// A renewal sent at `asked` was answered.
    pub fn renewed(&mut self, asked: BootTime) {
        self.valid_until = self.valid_until.max(after(asked, self.options.ttl));
        self.renew_at = after(asked, self.options.renew_after());
    }

    /// A renewal sent at `asked` got no answer: the next one is due soon, while the lock still holds.
    pub fn unanswered(&mut self, asked: BootTime) {
        self.renew_at = after(asked, self.options.ttl / 10);
    }

    /// Somebody else has it.
    pub fn taken(&mut self) {
        self.lost.get_or_insert(Loss::Taken);
    }

    /// What to do at `now`. A loss stays a loss.
    pub fn due(&mut self, now: BootTime) -> Due {
        let hold_until = after(self.acquired, self.options.max_hold);
        if self.lost.is_none() {
            if now >= self.valid_until {
                self.lost = Some(Loss::Lapsed);
            } else if now >= hold_until {
                self.lost = Some(Loss::HeldTooLong);
            }
        }
        match self.lost {
            Some(loss) => Due::Lost(loss),
            None if now >= self.renew_at => Due::Renew,
            None => Due::Nothing(self.renew_at.min(hold_until).min(self.valid_until)),
        }
    }

    /// Whether the holder may act at `now`.
    #[must_use]
    pub fn holds(&self, now: BootTime) -> bool {
        self.lost.is_none() && now < self.valid_until && now < after(self.acquired, self.options.max_hold)
    }

    #[must_use]
    pub fn options(&self) -> &LockOptions {
        &self.options
    }

    #[must_use]
    pub fn acquired(&self) -> BootTime {
        self.acquired
    }

    #[must_use]
    pub fn left(&self, now: BootTime) -> Duration {
        Duration::from_nanos(self.valid_until.0.saturating_sub(now.0))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lapsed => "the lock lapsed before a renewal was answered",
            Self::Taken => "somebody else holds the lock",
            Self::HeldTooLong => "the lock was held longer than was asked for",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> BootTime {
        BootTime(n * 1_000_000_000)
    }

    fn hold() -> Hold {
        Hold::granted(LockOptions::default(), secs(0), secs(1))
    }

    #[test]
    fn validity_counts_from_the_sending() {
        let mut hold = hold();
        assert_eq!(hold.due(secs(1)), Due::Nothing(secs(10)));
        assert_eq!(hold.due(secs(10)), Due::Renew);
        assert!(hold.holds(BootTime(secs(30).0 - 1)) && !hold.holds(secs(30)));
        assert_eq!(hold.due(secs(30)), Due::Lost(Loss::Lapsed));
        hold.renewed(secs(29));
        assert_eq!(hold.due(secs(31)), Due::Lost(Loss::Lapsed), "a loss stays a loss");
        assert!(!hold.holds(secs(31)));
    }

    #[test]
    fn two_renewals_may_fail() {
        let mut hold = hold();
        for asked in [10, 20] {
            assert_eq!(hold.due(secs(asked)), Due::Renew);
            hold.unanswered(secs(asked));
            assert_eq!(hold.due(secs(asked)), Due::Nothing(secs(asked + 3)));
        }
        hold.renewed(secs(25));
        assert!(hold.holds(secs(54)));
        assert_eq!(hold.due(secs(26)), Due::Nothing(secs(35)));
    }

    #[test]
    fn nobody_holds_for_ever() {
        let mut hold = hold();
        for n in 1..=720 {
            hold.renewed(secs(n * 5));
        }
        assert_eq!(hold.due(secs(3600)), Due::Nothing(secs(3601)));
        assert_eq!(hold.due(secs(3601)), Due::Lost(Loss::HeldTooLong));
    }

    #[test]
    fn what_others_took_is_lost_at_once() {
        let mut hold = hold();
        hold.taken();
        assert_eq!(hold.due(secs(2)), Due::Lost(Loss::Taken));
    }
}
