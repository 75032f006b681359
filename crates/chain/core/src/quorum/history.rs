//! Which set decides which height.

use super::change::{Accepted, Change, Policy, Refused, judge};
use super::set::ValidatorSet;
use alloy_primitives::Address;
use std::collections::{BTreeMap, BTreeSet};

/// The sets of a chain by the first height that each decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    sets: BTreeMap<u64, ValidatorSet>,
}

impl History {
    /// The chain begins with this set.
    #[must_use]
    pub fn new(genesis: ValidatorSet) -> Self {
        Self {
            sets: BTreeMap::from([(0, genesis)]),
        }
    }

    /// The set that decides `height`.
    #[must_use]
    pub fn at(&self, height: u64) -> &ValidatorSet {
        let (_, set) = self
            .sets
            .range(..=height)
            .next_back()
            .expect("the genesis set counts from height 0 on");
        set
    }

    /// Judges a change that the block at `height` would decide: against the latest set, one change at a time.
    pub fn judge(
        &self,
        change: &Change,
        height: u64,
        up: &BTreeSet<Address>,
        policy: &Policy,
    ) -> Result<Accepted, Refused> {
        let (effective, latest) = self
            .sets
            .last_key_value()
            .expect("the genesis set is always there");
        if *effective > height {
            return Err(Refused::OnTheWay {
                effective: *effective,
            });
        }
        judge(latest, change, height, up, policy)
    }

    /// The block that decided the change is final.
    pub fn record(&mut self, accepted: Accepted) {
        self.sets.insert(accepted.effective, accepted.set);
    }
}
