//! How much of the room that a chain may take it takes, and when somebody has to be told.
//!
//! ```text
//!            90 %                    100 %
//!   Roomy ───────► Short ────────────────► Full       a share lower by 1 % leads back: what is written and freed again
//!         ◄───────       ◄────────────────            around a bound is told once
//!            89 %                    99 %
//! ```

use std::fmt;

/// Per cent of the limit from which on it is short.
const SHORT: u128 = 90;
/// Per cent by which it must fall below a bound to be off it.
const BACK: u128 = 1;

/// How a chain stands with its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// There is room, or no limit.
    #[default]
    Roomy,
    /// 90 % of the limit are taken: whoever looks after it should be told.
    Short,
    /// The limit is reached: nothing more may be written.
    Full,
}

/// What a chain takes of the room that it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// Octets; `None`: as many as the disk has.
    limit: Option<u64>,
    used: u64,
    level: Level,
}

impl Quota {
    #[must_use]
    pub fn new(limit: Option<u64>) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Octets that it may take at most.
    #[must_use]
    pub const fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Octets that it took when it was looked at last.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.used
    }

    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// It may take so much from now on; the level that it came to, when that is another.
    pub fn allow(&mut self, limit: Option<u64>) -> Option<Level> {
        self.limit = limit;
        // Another limit is another question: nothing of the old one's bounds sticks.
        let before = std::mem::take(&mut self.level);
        self.level = self.judged();
        (self.level != before).then_some(self.level)
    }

    /// It takes so much now; the level that it came to, when that is another.
    pub fn take(&mut self, used: u64) -> Option<Level> {
        self.used = used;
        let before = self.level;
        self.level = self.judged();
        (self.level != before).then_some(self.level)
    }

    fn judged(&self) -> Level {
        let Some(limit) = self.limit else {
            return Level::Roomy;
        };
        let reached = |level: Level, percent: u128| {
            let percent = if self.level >= level {
                percent - BACK
            } else {
                percent
            };
            u128::from(self.used) * 100 >= u128::from(limit) * percent
        };
        if reached(Level::Full, 100) {
            Level::Full
        } else if reached(Level::Short, SHORT) {
            Level::Short
        } else {
            Level::Roomy
        }
    }
}

impl fmt::Display for Quota {
    /// `471.9 MiB of 512.0 MiB (chain.storage_max) are taken`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |octets: u64| octets as f64 / f64::from(1 << 20);
        let used = mebibytes(self.used);
        match self.limit {
            Some(limit) => write!(
                f,
                "{used:.1} MiB of {:.1} MiB (chain.storage_max) are taken",
                mebibytes(limit)
            ),
            None => write!(f, "{used:.1} MiB are taken, without a limit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(limit: u64, uses: &[u64]) -> Vec<Option<Level>> {
        let mut quota = Quota::new(Some(limit));
        uses.iter().map(|used| quota.take(*used)).collect()
    }

    #[test]
    fn each_bound_is_told_once_on_the_way_up_and_once_on_the_way_back() {
        use Level::{Full, Roomy, Short};
        assert_eq!(
            levels(1_000, &[899, 900, 999, 1_000, 1_001, 990, 989, 890, 889]),
            [
                None,
                Some(Short),
                None,
                Some(Full),
                None,
                None,
                Some(Short),
                None,
                Some(Roomy)
            ]
        );
    }

    #[test]
    fn what_moves_about_a_bound_is_not_told_again() {
        let moves = levels(1_000, &[1_000, 995, 1_000, 991, 1_005]);
        assert_eq!(moves, [Some(Level::Full), None, None, None, None]);
    }

    #[test]
    fn another_limit_counts_at_once_and_none_is_never_reached() {
        let mut quota = Quota::new(None);
        assert_eq!(quota.take(u64::MAX), None);
        assert_eq!(quota.take(995), None);
        assert_eq!(quota.allow(Some(995)), Some(Level::Full));
        // Within the one per cent that holds a level: a new limit holds none.
        assert_eq!(quota.allow(Some(996)), Some(Level::Short));
        assert_eq!(quota.allow(Some(u64::MAX)), Some(Level::Roomy));
        assert_eq!(quota.allow(None), None);
    }

    #[test]
    fn the_words_say_how_much_of_what() {
        let mut quota = Quota::new(Some(512 << 20));
        let _ = quota.take(471 << 20);
        assert_eq!(
            quota.to_string(),
            "471.0 MiB of 512.0 MiB (chain.storage_max) are taken"
        );
    }
}
