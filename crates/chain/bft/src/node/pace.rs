//! When the next height begins, and how long the steps of the last one took.

use crate::standing::Lap;
use purlin_chain_core::consensus::signed::VoteKind;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many first sights of proposals are remembered: a few rounds of two heights.
const SIGHTS_MAX: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the proposal of (height, round) was first seen.
    seen: BTreeMap<(u64, u32), Duration>,
    height_began: Duration,
    round_began: Duration,
    prevoted: Option<Duration>,
    precommitted: Option<Duration>,
}

impl Pace {
    pub(super) fn height(&mut self, now: Duration, height: u64) {
        self.height_began = now;
        self.seen = self.seen.split_off(&(height, 0));
    }

    pub(super) fn round(&mut self, now: Duration) {
        self.round_began = now;
        self.prevoted = None;
        self.precommitted = None;
    }

    /// A proposal was seen, on its way in or out.
    pub(super) fn proposal(&mut self, now: Duration, height: u64, round: u32) {
        if self.seen.len() < SIGHTS_MAX {
            self.seen.entry((height, round)).or_insert(now);
        }
    }

    /// When the proposal of a round was first seen.
    pub(super) fn seen(&self, height: u64, round: u32) -> Option<Duration> {
        self.seen.get(&(height, round)).copied()
    }

    /// This node voted.
    pub(super) fn vote(&mut self, now: Duration, kind: VoteKind) {
        let at = match kind {
            VoteKind::Prevote => &mut self.prevoted,
            VoteKind::Precommit => &mut self.precommitted,
        };
        at.get_or_insert(now);
    }

    /// Decided in this round: when the next height is due.
    pub(super) fn due(&self, now: Duration, height: u64, round: u32, period: Duration) -> Duration {
        let seen = self.seen(height, round).unwrap_or(now);
        let took = now.saturating_sub(seen);
        now.saturating_add(period.saturating_sub(took))
    }

    /// How long the steps took.
    pub(super) fn lap(&self, now: Duration, height: u64, round: u32) -> Lap {
        let prevoted = self.prevoted.unwrap_or(now);
        let precommitted = self.precommitted.unwrap_or(now);
        Lap {
            height,
            round,
            propose: prevoted.saturating_sub(self.round_began),
            prevote: precommitted.saturating_sub(prevoted),
            precommit: now.saturating_sub(precommitted),
            whole: now.saturating_sub(self.height_began),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn the_next_height_is_due_a_period_after_the_decision_less_what_agreement_takes() {
        let mut pace = Pace::default();
        pace.proposal(ms(1_000), 7, 0);
        pace.proposal(ms(1_050), 7, 0);
        assert_eq!(pace.due(ms(1_100), 7, 0, ms(1_000)), ms(2_000));
        assert_eq!(
            pace.due(ms(3_000), 7, 0, ms(1_000)),
            ms(3_000),
            "at once when it took longer"
        );
        assert_eq!(
            pace.due(ms(3_000), 7, 1, ms(1_000)),
            ms(4_000),
            "another round's proposal"
        );
    }

    #[test]
    fn sights_are_bounded_and_those_of_old_heights_go() {
        let mut pace = Pace::default();
        for round in 0..1_000 {
            pace.proposal(ms(0), 7, round);
        }
        assert_eq!(pace.seen.len(), SIGHTS_MAX);
        pace.height(ms(0), 8);
        assert!(pace.seen.is_empty());
    }
}
