//! Validators and their power.

use alloy_primitives::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most power of a set: an eighth of 2^63, so that sums and thirds never overflow.
pub const POWER_MAX: u64 = i64::MAX as u64 / 8;

/// What is wrong with a list of validators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetFault {
    #[error("a validator set needs one validator at least")]
    Empty,
    #[error("validator {0} has no power: give it 1 at least, or leave it out")]
    NoPower(Address),
    #[error("validator {0} is named twice")]
    Twice(Address),
    #[error("the power of all validators together is above {POWER_MAX}")]
    TooMuch,
}

/// Who decides at a height, each with its voting power. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorSet {
    members: BTreeMap<Address, u64>,
    total: u64,
}

impl ValidatorSet {
    /// A set of these validators.
    pub fn new(validators: impl IntoIterator<Item = (Address, u64)>) -> Result<Self, SetFault> {
        let mut members = BTreeMap::new();
        for (address, power) in validators {
            if power == 0 {
                return Err(SetFault::NoPower(address));
            }
            if members.insert(address, power).is_some() {
                return Err(SetFault::Twice(address));
            }
        }
        Self::of(members)
    }

    pub(super) fn of(members: BTreeMap<Address, u64>) -> Result<Self, SetFault> {
        let sum = members
            .values()
            .try_fold(0_u64, |sum, power| sum.checked_add(*power));
        let total = sum.filter(|sum| *sum <= POWER_MAX).ok_or(SetFault::TooMuch)?;
        if members.is_empty() {
            return Err(SetFault::Empty);
        }
        Ok(Self { members, total })
    }

    /// The validators with their power, in the order of their addresses.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (Address, u64)> + '_ {
        self.members.iter().map(|(address, power)| (*address, *power))
    }

    /// How many validators.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Never: a set has one validator at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The power of one validator; `None` when it is not in the set.
    #[must_use]
    pub fn power(&self, address: &Address) -> Option<u64> {
        self.members.get(address).copied()
    }

    /// n: the power of all together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// f: how much power may fail or lie.
    #[must_use]
    pub const fn faulty(&self) -> u64 {
        (self.total - 1) / 3
    }

    /// The smallest power that is more than two thirds.
    #[must_use]
    pub const fn quorum(&self) -> u64 {
        self.total * 2 / 3 + 1
    }

    /// The power of those of `addresses` who are in the set.
    #[must_use]
    pub fn power_of(&self, addresses: &BTreeSet<Address>) -> u64 {
        addresses.iter().filter_map(|address| self.power(address)).sum()
    }

    /// How the set stands when these are up.
    #[must_use]
    pub fn standing(&self, up: &BTreeSet<Address>) -> Standing {
        Standing {
            up: self.power_of(up),
            total: self.total,
            quorum: self.quorum(),
        }
    }

    pub(super) const fn map(&self) -> &BTreeMap<Address, u64> {
        &self.members
    }
}

impl fmt::Display for ValidatorSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, total, faulty, quorum) = (self.len(), self.total, self.faulty(), self.quorum());
        let validators = if count == 1 { "validator" } else { "validators" };
        write!(
            f,
            "{count} {validators} with power {total}: {quorum} must agree, {faulty} may fail or lie"
        )
    }
}

/// Whether those who are up can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub up: u64,
    pub total: u64,
    pub quorum: u64,
}

impl Standing {
    /// Whether they can.
    #[must_use]
    pub const fn decides(&self) -> bool {
        self.up >= self.quorum
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { up, total, quorum } = self;
        write!(f, "power {up} of {total} is up, {quorum} must agree: ")?;
        match up.checked_sub(*quorum) {
            None => write!(f, "no block is decided until {} more is back", quorum - up),
            Some(0) => f.write_str("blocks are decided, and any further loss stops them"),
            Some(spare) => write!(f, "blocks are decided, and {spare} more may go"),
        }
    }
}
