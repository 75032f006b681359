//! How long a round waits.

use std::time::Duration;

/// How long each step of a round waits for the others. Every later round waits a `step` longer, so that a network that is
/// slower than thought gets its block in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the proposal with its block: a proposer that is down costs this much. Defaults to 2 s.
    pub propose: Duration,
    /// For the last third after two thirds prevoted differently. Defaults to 1 s.
    pub prevote: Duration,
    /// For the last third after two thirds precommitted differently. Defaults to 1 s.
    pub precommit: Duration,
    /// What each of these grows by with every round. Defaults to 500 ms.
    pub step: Duration,
    /// After this long without progress a node repeats its votes. Defaults to 2 s.
    pub rebroadcast: Duration,
    /// No timeout is longer. Defaults to 60 s.
    pub longest: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            propose: Duration::from_secs(2),
            prevote: Duration::from_secs(1),
            precommit: Duration::from_secs(1),
            step: Duration::from_millis(500),
            rebroadcast: Duration::from_secs(2),
            longest: Duration::from_secs(60),
        }
    }
}

impl Timeouts {
    /// A timeout in this round.
    pub(crate) fn in_round(&self, base: Duration, round: u32) -> Duration {
        base.saturating_add(self.step.saturating_mul(round))
            .min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_wait_longer_and_never_longer_than_the_longest() {
        let timeouts = Timeouts::default();
        let propose = |round| timeouts.in_round(timeouts.propose, round);
        assert_eq!(propose(0), Duration::from_secs(2));
        assert_eq!(propose(3), Duration::from_millis(3_500));
        assert_eq!(propose(u32::MAX), Duration::from_secs(60));
    }
}
