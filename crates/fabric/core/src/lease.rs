//! The node's own lease: until when it may decide.
//!
//! Every answered renewal moves the end to [`Timing::tenure`] after its *sending*. A lease that ended before an answer
//! came was broken: contenders may have seen it lapse. What was held under it is not revived by a later renewal.

use crate::observe::after;
use crate::settings::Timing;
use purlin_types::BootTime;

/// One node's lease as the node itself may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Lease {
    until: BootTime,
    unbroken_since: BootTime,
}

impl Lease {
    /// A renewal that was sent at `asked` has been answered at `now`.
    pub fn renewed(&mut self, timing: &Timing, asked: BootTime, now: BootTime) {
        if !self.holds(now) {
            self.unbroken_since = now;
        }
        self.until = self.until.max(after(asked, timing.tenure()));
    }

    /// Whether the node may decide at `now`.
    #[must_use]
    pub fn holds(&self, now: BootTime) -> bool {
        now < self.until
    }

    /// Whether the lease held at every instant from `start` to `now`: only then is what was claimed at `start` held.
    #[must_use]
    pub fn covers(&self, start: BootTime, now: BootTime) -> bool {
        self.holds(now) && self.unbroken_since <= start
    }

    /// When it ends, or has ended.
    #[must_use]
    pub const fn until(&self) -> BootTime {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> BootTime {
        BootTime(n * 1_000_000_000)
    }

    #[test]
    fn a_lease_counts_from_the_sending() {
        let mut lease = Lease::default();
        lease.renewed(&Timing::default(), secs(10), secs(13));
        assert!(lease.holds(secs(23)) && !lease.holds(secs(24)));
    }

    #[test]
    fn a_late_answer_does_not_revive_what_was_held() {
        let mut lease = Lease::default();
        lease.renewed(&Timing::default(), secs(0), secs(1));
        lease.renewed(&Timing::default(), secs(13), secs(15));
        assert!(lease.holds(secs(20)) && !lease.covers(secs(10), secs(20)));
        assert!(lease.covers(secs(15), secs(20)));
    }
}
