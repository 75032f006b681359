//! After a restore from a backup: what the backup cannot know is left alone until it no longer matters.
//!
//! Between the backup and the loss, any address may have been given to anybody: a free one, and one that the
//! backup gives to a client which has released it since. All those promises have ended one longest lease after the
//! restored service first starts. Until then an address is *in doubt* unless this service has bound it itself.
//! docs/adr/0005-after-a-restore.md says what is done with one that is.

use crate::lease::{FLAG_RECORDED, Lease};
use purlin_types::WallTime;
use std::time::Duration;

/// What the service was restored from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// Names this restore among all others of the data; never 0.
    pub id: u64,
    /// When the backup was taken.
    pub taken: WallTime,
    /// The longest lease that the configurations before this one allowed, as far as they are known.
    pub longest: Duration,
    /// How long to hold back, when the operator has decided it; else the longest lease counts.
    pub hold: Option<Duration>,
}

/// What people are told of a hold that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldView {
    /// When the backup was taken (Unix seconds).
    pub taken: u32,
    /// When everything promised since has ended (Unix seconds).
    pub until: u32,
}

/// The duty that a restore leaves behind. Times are Unix seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hold {
    /// The restore that it comes from; 0 for none.
    pub(crate) id: u64,
    pub(crate) taken: u32,
    /// When the restored service first started.
    pub(crate) began: u32,
    /// Leases written up to here are the backup's; the clock that stamped them may have gone before ours.
    pub(crate) at: u32,
    pub(crate) until: u32,
    /// The operator has chosen its length: no configuration lengthens it.
    pub(crate) chosen: bool,
}

impl Hold {
    /// Begins at `now`; `newest` is the latest stamp of all records.
    pub(crate) fn begin(recovery: &Recovery, now: u32, newest: u32) -> Self {
        let length = recovery.hold.unwrap_or(recovery.longest);
        Self {
            id: recovery.id,
            taken: recovery.taken.secs(),
            began: now,
            at: now.max(newest),
            until: now.saturating_add(secs(length)),
            chosen: recovery.hold.is_some(),
        }
    }

    /// Takes in a record: the latest restore counts, and the longest it was ever said to last.
    pub(crate) fn merge(&mut self, other: Self) {
        if other.id == self.id {
            self.until = self.until.max(other.until);
        } else if other.at >= self.at {
            *self = other;
        }
    }

    pub(crate) fn is_on(&self, now: u32) -> bool {
        now < self.until
    }

    /// Lengthens a hold that goes on to `longest` after its beginning: this configuration may be the one that was
    /// in force when the data was lost. True when that made a difference.
    pub(crate) fn cover(&mut self, longest: Duration, now: u32) -> bool {
        let until = self.began.saturating_add(secs(longest));
        let longer = self.is_on(now) && !self.chosen && until > self.until;
        if longer {
            self.until = until;
        }
        longer
    }

    /// Whether an address with this lease may be somebody's whom the backup does not know.
    pub(crate) fn doubts(&self, lease: Option<&Lease>, now: u32) -> bool {
        self.is_on(now) && lease.is_none_or(|l| !l.has(FLAG_RECORDED) || l.last_seen <= self.at)
    }

    /// The stamp of a lease that this service binds now: never one of the backup's.
    pub(crate) fn stamp(&self, now: u32) -> u32 {
        if self.is_on(now) {
            now.max(self.at.saturating_add(1))
        } else {
            now
        }
    }

    pub(crate) fn view(&self, now: u32) -> Option<HoldView> {
        self.is_on(now).then_some(HoldView {
            taken: self.taken,
            until: self.until,
        })
    }
}

fn secs(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECOVERY: Recovery = Recovery {
        id: 7,
        taken: WallTime(900_000),
        longest: Duration::from_secs(3600),
        hold: None,
    };

    fn lease(last_seen: u32) -> Lease {
        Lease {
            last_seen,
            flags: FLAG_RECORDED,
            ..Lease::FREE
        }
    }

    #[test]
    fn what_the_backup_says_is_in_doubt_until_every_later_lease_has_ended() {
        let hold = Hold::begin(&RECOVERY, 1000, 950);
        assert!(hold.doubts(None, 1000) && hold.doubts(Some(&lease(1000)), 1000));
        assert!(!hold.doubts(Some(&lease(hold.stamp(1000))), 1000));
        assert!(hold.doubts(None, 4599) && !hold.doubts(None, 4600));
    }

    #[test]
    fn a_clock_behind_the_backup_makes_nothing_certain() {
        let hold = Hold::begin(&RECOVERY, 1000, 2000);
        assert!(hold.doubts(Some(&lease(2000)), 1000));
        assert!(!hold.doubts(Some(&lease(hold.stamp(1000))), 1000));
    }

    #[test]
    fn a_longer_lease_lengthens_the_hold_unless_the_operator_chose_it() {
        let mut hold = Hold::begin(&RECOVERY, 1000, 0);
        assert!(!hold.cover(Duration::from_secs(60), 1000));
        assert!(hold.cover(Duration::from_secs(7200), 1000));
        assert_eq!(hold.until, 8200);
        let hold_for = Some(Duration::from_secs(60));
        let mut chosen = Hold::begin(
            &Recovery {
                hold: hold_for,
                ..RECOVERY
            },
            1000,
            0,
        );
        assert!(!chosen.cover(Duration::from_secs(7200), 1000));
        assert_eq!(chosen.view(1059).map(|v| v.until), Some(1060));
    }

    #[test]
    fn of_two_restores_the_later_counts_and_of_one_the_longest_word() {
        let former = Hold {
            id: 1,
            until: 9000,
            at: 500,
            ..Hold::default()
        };
        let later = Hold::begin(&RECOVERY, 1000, 0);
        let mut hold = later;
        hold.merge(former);
        assert_eq!(hold, later);
        hold.merge(Hold { until: 5000, ..later });
        hold.merge(later);
        assert_eq!((hold.id, hold.at, hold.until), (7, 1000, 5000));
    }
}
