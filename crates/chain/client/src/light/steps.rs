//! From the validators of the genesis document to those of a later height.
//!
//! ```text
//!   genesis: set 0 ─► signed a block after which the constitution held version 1 ─► set 1 ─► signed one with version 2 ─► ..
//! ```
//!
//! Each step is such a block: its header, the certificate of the set that counted then, and the proof of the version's slots
//! under its state root. Whoever has walked them all knows who decides at the height that is asked for. A bundle that leaves
//! steps out is believed only where more than two thirds of an older set have signed its block, too.

use super::{AccountProof, LightFault, Trust, certified, header, trie};
use alloy_primitives::{B256, Bytes, U256};
use purlin_chain_core::constitution::{ADDRESS, read_from};
use purlin_chain_core::quorum::ValidatorSet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The proof of one version of the constitution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// RLP of the header of a block after which the version was there, and not in force yet.
    pub header: Bytes,
    /// RLP of the block's certificate.
    pub certificate: Bytes,
    /// The contract's account, with the slots of the version.
    pub account: AccountProof,
}

/// What a proof does not hold.
#[derive(Debug, thiserror::Error)]
#[error("its slot {0} is not proven")]
struct Missing(B256);

/// Who decides at `height`, as these steps prove it; the first is that of version 1.
pub(super) fn set_at(trust: &Trust, steps: &[Step], height: u64) -> Result<ValidatorSet, LightFault> {
    let mut sets = vec![(0, trust.validators.clone())];
    for (step, version) in steps.iter().zip(1..) {
        let next = walk(trust, &sets, step, version).map_err(|cause| LightFault::Step {
            version,
            cause: cause.to_string(),
        })?;
        sets.push(next);
    }
    Ok(at(&sets, height).clone())
}

fn at(sets: &[(u64, ValidatorSet)], height: u64) -> &ValidatorSet {
    let place = sets.partition_point(|(from, _)| *from <= height);
    // The first counts from height 0 on.
    &sets[place.max(1) - 1].1
}

/// The version that one step proves, and the first height that it counts for.
fn walk(
    trust: &Trust,
    sets: &[(u64, ValidatorSet)],
    step: &Step,
    version: u64,
) -> Result<(u64, ValidatorSet), LightFault> {
    let wrong = |cause: &str| LightFault::Version(cause.to_owned());
    if !trust.governed {
        return Err(wrong(
            "the genesis document has no constitution that votes could change",
        ));
    }
    let (header, hash) = header(&step.header)?;
    let certificate = certified(&step.certificate, &header, hash)?;
    certificate.verify_signed(trust.genesis, at(sets, header.number))?;
    if step.account.address != ADDRESS || !trie::account(&step.account, header.state_root)? {
        return Err(wrong("it is of another account than the constitution's"));
    }
    let mut slots = BTreeMap::new();
    for slot in &step.account.storage_proof {
        trie::slot(ADDRESS, slot, step.account.storage_hash)?;
        slots.insert(slot.key, slot.value);
    }
    let slot = |slot: U256| {
        let key = B256::from(slot);
        slots.get(&key).copied().ok_or(Missing(key))
    };
    let new = read_from(version, slot).map_err(|fault| LightFault::Version(fault.to_string()))?;
    let Some(next) = new.into_iter().next() else {
        return Err(wrong("the block's state does not have it"));
    };
    let before = sets.last().map_or(0, |(from, _)| *from);
    // Who counted before has signed it; nobody is replaced for a block that is there already.
    if next.from <= header.number || next.from <= before {
        return Err(wrong("it counts from a height that was decided before it"));
    }
    Ok((next.from, next.validators))
}
