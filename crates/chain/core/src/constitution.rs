//! Who decides about a chain's blocks, how often, and what their gas limit goes to: read out of the contract that holds it,
//! and the votes that change it.
//!
//! ```text
//!   voteAdd, voteRemove, .. ──► contract at ADDRESS ──storage──► read ──► Constitutions ──at(height)──► who decides
//!   (validators' own accounts)  a list of versions                        in memory
//! ```
//!
//! The contract is ordinary code in the genesis: `contract/Constitution.sol`. When votes of more than two thirds of the power
//! want the same, it appends a version, which counts from two blocks later on. What only a moment knows (who is up) is judged
//! before a vote is sent: [`Constitution::judge`]. Where the storage comes from, and who may be believed about it, is not
//! known here.

mod storage;
mod versions;
mod vote;

pub use storage::{ReadFault, count, genesis_storage, read, read_from};
pub use versions::{Constitutions, Order};
pub use vote::Vote;

use crate::quorum::{Accepted, Change, Policy, Refused, ValidatorSet, judge};
use alloy_primitives::{Address, Bytes, address, hex};
use std::{collections::BTreeSet, fmt, ops::RangeInclusive, time::Duration};

/// Where the contract is, in every chain that has it from its genesis on.
pub const ADDRESS: Address = address!("0x0000000000000000000000000000507552c14e01");

/// The most validators that a chain's constitution holds.
pub const MEMBERS_MAX: usize = 100;

/// What may be voted for as the period, in milliseconds.
pub const PERIOD_MS: RangeInclusive<u64> = 50..=3_600_000;

/// What may be voted for as the gas limit. The biggest vote fits into the least of them.
pub const GAS_LIMIT: RangeInclusive<u64> = 5_000_000..=i64::MAX as u64;

/// After how many blocks a decided change counts.
pub const DELAY: u64 = 2;

/// One version of what a chain's validators hold each other to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constitution {
    /// The first height that it decides; 0 for the genesis document's.
    pub from: u64,
    pub validators: ValidatorSet,
    /// From one decision to the next.
    pub period: Duration,
    /// What the gas limit of blocks goes to.
    pub gas_limit: u64,
}

impl Constitution {
    /// Judges a change of the validators that the block at `height` would decide, this being the newest version then: one
    /// change at a time, while `up` are up and have caught up.
    ///
    /// # Errors
    ///
    /// Why the change should not be voted for.
    pub fn judge(
        &self,
        change: &Change,
        height: u64,
        up: &BTreeSet<Address>,
        policy: &Policy,
    ) -> Result<Accepted, Refused> {
        if self.from > height {
            return Err(Refused::OnTheWay { effective: self.from });
        }
        judge(&self.validators, change, height, up, policy)
    }
}

impl fmt::Display for Constitution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            validators,
            period,
            gas_limit,
        } = self;
        write!(
            f,
            "from height {from} on: {validators}; a block every {period:?}, gas limit {gas_limit}"
        )
    }
}

/// The contract's code, as the chain executes it.
///
/// # Panics
///
/// Never: what is committed is hexadecimal, and a test says so.
#[must_use]
pub fn code() -> Bytes {
    let text: String = include_str!("../contract/Constitution.hex")
        .split_whitespace()
        .collect();
    hex::decode(text).expect("hexadecimal, as committed").into()
}

#[cfg(test)]
mod tests;
