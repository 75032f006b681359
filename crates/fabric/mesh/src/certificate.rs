//! How long a node's certificate lives, and when it is replaced. Pure: time is an argument.

use purlin_types::WallTime;
use serde::{Deserialize, Serialize};

/// Days that a node's certificate is valid.
pub(crate) const NODE_DAYS: u64 = 30;
/// Days that the cluster's authority is valid.
pub(crate) const AUTHORITY_DAYS: u64 = 3650;
/// How far it reaches back, because clocks of machines differ, in seconds.
const BACK: u64 = 3600;
const DAY: u64 = 86_400;

/// From when to when a certificate is valid: seconds since the Unix epoch, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    pub not_before: u64,
    pub not_after: u64,
}

impl Validity {
    /// From an hour before `now`, for `days`.
    #[must_use]
    pub fn days(now: WallTime, days: u64) -> Self {
        let now = now.0 / 1000;
        Self {
            not_before: now.saturating_sub(BACK),
            not_after: now + days * DAY,
        }
    }

    /// When it is to be replaced: after two thirds of its life.
    #[must_use]
    pub fn renew_at(&self) -> WallTime {
        let life = self.not_after.saturating_sub(self.not_before);
        WallTime((self.not_before + life / 3 * 2) * 1000)
    }
}

/// What to do about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Nothing before this.
    NotBefore(WallTime),
    /// Replace it; it still works meanwhile.
    Due,
    /// Replace it; nobody believes it any more, or not yet.
    Invalid,
}

/// Whether a certificate is to be replaced at `now`.
#[must_use]
pub fn renewal(validity: &Validity, now: WallTime) -> Renewal {
    let secs = now.0 / 1000;
    if secs < validity.not_before || secs > validity.not_after {
        Renewal::Invalid
    } else if now >= validity.renew_at() {
        Renewal::Due
    } else {
        Renewal::NotBefore(validity.renew_at())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: u64) -> WallTime {
        WallTime((1_700_000_000 + days * DAY) * 1000)
    }

    #[test]
    fn it_is_replaced_after_two_thirds_of_its_life() {
        let validity = Validity::days(at(0), NODE_DAYS);
        assert_eq!(renewal(&validity, at(0)), Renewal::NotBefore(validity.renew_at()));
        assert_eq!(
            renewal(&validity, at(19)),
            Renewal::NotBefore(validity.renew_at())
        );
        assert_eq!(renewal(&validity, at(20)), Renewal::Due);
        assert_eq!(renewal(&validity, at(30)), Renewal::Due);
        assert_eq!(renewal(&validity, at(31)), Renewal::Invalid);
    }

    #[test]
    fn a_certificate_from_the_future_is_not_believed() {
        let validity = Validity::days(at(10), NODE_DAYS);
        assert_eq!(renewal(&validity, at(9)), Renewal::Invalid);
        // Within the hour that clocks may differ it is.
        let slightly_behind = WallTime(at(10).0 - 1_800_000);
        assert_eq!(
            renewal(&validity, slightly_behind),
            Renewal::NotBefore(validity.renew_at())
        );
    }
}
