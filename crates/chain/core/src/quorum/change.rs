//! One change of the validator set, judged before it is proposed.
//!
//! Changes go one at a time, each effective at a height, so that two sets that follow each other share most of their
//! power. What is refused, and why:
//!
//! - those who are up would not be a quorum of the new set: the chain would stop at the height of the change;
//! - old and new set share less than two thirds of either: those who followed the old set could be led astray by the new;
//! - fewer validators than the policy's 3f + 1 would be left, though the set had that many;
//! - the last validator would go.

use super::set::{SetFault, ValidatorSet};
use alloy_primitives::Address;
use std::collections::BTreeSet;
use std::fmt;

/// What is to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A new validator.
    Add { validator: Address, power: u64 },
    /// One goes.
    Remove { validator: Address },
    /// One gets another power.
    Weight { validator: Address, power: u64 },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add { validator, power } => write!(f, "add validator {validator} with power {power}"),
            Self::Remove { validator } => write!(f, "remove validator {validator}"),
            Self::Weight { validator, power } => write!(f, "give validator {validator} the power {power}"),
        }
    }
}

/// What the owner of the chain wants to be held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// f: how many validators of equal power must be allowed to fail. The set is not made smaller than 3f + 1.
    pub faults: u32,
    /// How many heights after the decision a change counts: 2 at least, because the set of the next height is fixed already
    /// when a block is decided.
    pub delay: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { faults: 1, delay: 2 }
    }
}

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{0} is a validator already; to give it another power, change its weight")]
    Known(Address),
    #[error("{0} is no validator")]
    Unknown(Address),
    #[error("{validator} has the power {power} already")]
    Same { validator: Address, power: u64 },
    #[error("{0} is the last validator: without it no block is ever decided")]
    Last(Address),
    #[error(
        "{left} validators would be left, and the policy wants {wanted} (3f + 1 with f = {faults}): \
         add one first, or change the policy"
    )]
    BelowPolicy { left: usize, wanted: usize, faults: u32 },
    #[error(
        "power {up} of the new set is up and {quorum} of {total} must agree: the chain would stop at once; \
         bring validators up first"
    )]
    LosesQuorum { up: u64, quorum: u64, total: u64 },
    #[error(
        "old and new set would share power {shared} of {total}, which is less than two thirds: \
         change it in smaller steps"
    )]
    Overlap { shared: u64, total: u64 },
    #[error("a change is on its way already and counts from height {effective}: changes go one at a time")]
    OnTheWay { effective: u64 },
    #[error(transparent)]
    Set(#[from] SetFault),
}

/// A change that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The set after it.
    pub set: ValidatorSet,
    /// The first height that the new set decides.
    pub effective: u64,
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from height {} on: {}", self.effective, self.set)
    }
}

/// Judges `change` of `set`, to be decided in the block at `height`, while `up` are up and have caught up.
pub fn judge(
    set: &ValidatorSet,
    change: &Change,
    height: u64,
    up: &BTreeSet<Address>,
    policy: &Policy,
) -> Result<Accepted, Refused> {
    let new = changed(set, change)?;
    let wanted = policy.faults as usize * 3 + 1;
    if new.len() < set.len() && new.len() < wanted {
        let (left, faults) = (new.len(), policy.faults);
        return Err(Refused::BelowPolicy { left, wanted, faults });
    }
    let standing = new.standing(up);
    if !standing.decides() {
        let (up, quorum, total) = (standing.up, standing.quorum, standing.total);
        return Err(Refused::LosesQuorum { up, quorum, total });
    }
    overlap(set, &new)?;
    let effective = height.saturating_add(policy.delay.max(2));
    Ok(Accepted { set: new, effective })
}

fn changed(set: &ValidatorSet, change: &Change) -> Result<ValidatorSet, Refused> {
    let mut members = set.map().clone();
    match *change {
        Change::Add { validator, .. } if members.contains_key(&validator) => {
            return Err(Refused::Known(validator));
        }
        Change::Remove { validator } | Change::Weight { validator, .. }
            if !members.contains_key(&validator) =>
        {
            return Err(Refused::Unknown(validator));
        }
        Change::Remove { validator } if members.len() == 1 => return Err(Refused::Last(validator)),
        Change::Remove { validator } => {
            members.remove(&validator);
        }
        Change::Add { validator, power: 0 } | Change::Weight { validator, power: 0 } => {
            return Err(SetFault::NoPower(validator).into());
        }
        Change::Add { validator, power } => {
            members.insert(validator, power);
        }
        Change::Weight { validator, power } => {
            if members.insert(validator, power) == Some(power) {
                return Err(Refused::Same { validator, power });
            }
        }
    }
    Ok(ValidatorSet::of(members)?)
}

/// Shared power is counted as the lesser of before and after, and held against the larger total. A single validator may
/// grow into two of equal power: there was nobody else whose word could be outvoted.
fn overlap(old: &ValidatorSet, new: &ValidatorSet) -> Result<(), Refused> {
    let both = old
        .members()
        .filter_map(|(who, before)| Some(before.min(new.power(&who)?)));
    let (shared, total) = (both.sum::<u64>(), old.total().max(new.total()));
    if old.len() > 1 && shared * 3 < total * 2 {
        return Err(Refused::Overlap { shared, total });
    }
    Ok(())
}
