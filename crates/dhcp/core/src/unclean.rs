//! After a start that cannot tell what was lost: which records may be older than what was promised, and for how
//! long that matters (rules R3 and R4).

use crate::lease::Lease;

/// The last unclean start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Unclean {
    /// When it was (Unix seconds); 0 for never. It moves with a wall clock that is set.
    pub(crate) at: u32,
    /// The newest stamp of a lease at that time, which may be later than `at` when the clock was set back. It is
    /// compared with stamps, which stay when the clock is set; so does this.
    pub(crate) seen: u32,
}

impl Unclean {
    /// Another one at `now`; `newest` is the latest stamp of all records.
    pub(crate) fn begin(&mut self, now: u32, newest: u32) {
        self.at = now;
        self.seen = self.seen.max(newest).max(now);
    }

    /// Takes in a record. The later counts.
    pub(crate) fn merge(&mut self, other: Self) {
        self.at = self.at.max(other.at);
        self.seen = self.seen.max(other.seen);
    }

    pub(crate) fn happened(&self) -> bool {
        self.at != 0
    }

    /// Whether a promise newer than this one may have been lost.
    pub(crate) fn doubts(&self, stamp: u32) -> bool {
        self.happened() && stamp <= self.seen
    }

    /// Until when unrecorded addresses in a durable window are left alone, if that still is to come.
    pub(crate) fn quarantine_until(&self, mclt: u32, now: u32) -> Option<u32> {
        let until = self.at.saturating_add(mclt);
        (self.happened() && until > now).then_some(until)
    }
}

/// The latest time to which the promise may go that a doubtful record bounds, less the client lead time. A record
/// says less than it promises when the wall clock was set forward since it was made: the end of the lease has moved,
/// the bound has not.
pub(crate) fn bound_of(lease: &Lease) -> u32 {
    match lease.state {
        crate::view::LeaseState::Bound | crate::view::LeaseState::Expired => lease.pot.max(lease.expires),
        _ => lease.pot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::LeaseState;

    #[test]
    fn a_clock_behind_the_records_makes_none_of_them_certain() {
        let mut unclean = Unclean::default();
        assert!(!unclean.doubts(0) && !unclean.happened());
        unclean.begin(1000, 2000);
        assert!(unclean.doubts(2000) && !unclean.doubts(2001));
        assert_eq!(unclean.quarantine_until(600, 1000), Some(1600));
        assert_eq!(unclean.quarantine_until(600, 1600), None);
    }

    #[test]
    fn a_promise_is_bounded_by_its_end_at_least() {
        let lease = Lease {
            state: LeaseState::Bound,
            expires: 900,
            pot: 500,
            ..Lease::FREE
        };
        assert_eq!(bound_of(&lease), 900);
    }
}
