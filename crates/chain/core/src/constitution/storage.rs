//! The contract's storage, as Solidity lays it out.
//!
//! ```text
//!   slot 0                       how many versions
//!   keccak(0) + 2i               version i: gas limit (64 bits) | period in ms (64) | from (64)
//!   keccak(0) + 2i + 1           version i: how many members
//!   keccak(keccak(0) + 2i + 1) + j   member j of it: power (64 bits) | address (160)
//! ```
//!
//! A reader asks for slots one after another, and which comes next depends on what it was told. Whoever remembers what was
//! asked knows the slots that prove a constitution.

use super::{Constitution, Constitutions, MEMBERS_MAX, Order};
use crate::quorum::{SetFault, ValidatorSet};
use alloy_primitives::{Address, B256, U256, keccak256};
use std::{collections::BTreeMap, time::Duration};

/// Why a constitution cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadFault<E> {
    #[error("{0}")]
    Slot(E),
    #[error("version {version} has {members} validators, and at most {MEMBERS_MAX} are possible")]
    Members { version: u64, members: U256 },
    #[error("version {version}: its slot {slot} holds {value}, which the contract never writes")]
    Value { version: u64, slot: U256, value: U256 },
    #[error("version {version}: validator {who} is out of the order of the addresses")]
    Unsorted { version: u64, who: Address },
    #[error("version {version}: {fault}")]
    Set { version: u64, fault: SetFault },
    #[error(transparent)]
    Order(#[from] Order),
}

/// What the contract's storage is in a genesis that begins with this version, whose [`from`](Constitution::from) is 0.
#[must_use]
pub fn genesis_storage(first: &Constitution) -> BTreeMap<B256, B256> {
    let ms = u64::try_from(first.period.as_millis()).unwrap_or(u64::MAX);
    let (head, list) = (head(0), head(0) + U256::ONE);
    let header = U256::from(first.from) | U256::from(ms) << 64 | U256::from(first.gas_limit) << 128;
    let slots = [
        (U256::ZERO, U256::ONE),
        (head, header),
        (list, U256::from(first.validators.len())),
    ];
    let members = first
        .validators
        .members()
        .zip(0_u64..)
        .map(|((who, power), index)| {
            let value = U256::from_be_bytes(who.into_word().0) | U256::from(power) << 160;
            (member(list, index), value)
        });
    let all = slots.into_iter().chain(members);
    all.map(|(slot, value)| (slot.into(), value.into())).collect()
}

/// How many versions there are: the value of one slot.
///
/// # Errors
///
/// What reading the slot came to.
pub fn count<E>(mut slot: impl FnMut(U256) -> Result<U256, E>) -> Result<U256, E> {
    slot(U256::ZERO)
}

/// All versions, the oldest first. `slot` tells what a slot of the account at [`ADDRESS`](super::ADDRESS) holds.
///
/// # Errors
///
/// A slot that cannot be read, or one that holds what the contract never writes.
pub fn read<E>(slot: impl FnMut(U256) -> Result<U256, E>) -> Result<Vec<Constitution>, ReadFault<E>> {
    let versions = read_from(0, slot)?;
    Constitutions::new(versions.iter().cloned())?;
    Ok(versions)
}

/// The versions from number `first` on, the oldest first; none when there are not so many.
/// [`Constitutions::push`] judges their order.
///
/// # Errors
///
/// As [`read`], but for the order.
pub fn read_from<E>(
    first: u64,
    mut slot: impl FnMut(U256) -> Result<U256, E>,
) -> Result<Vec<Constitution>, ReadFault<E>> {
    let count = count(&mut slot).map_err(ReadFault::Slot)?;
    let mut versions = Vec::new();
    // A nonsensical count ends at the first version that is not there: its header is nothing.
    for version in (first..).take_while(|version| U256::from(*version) < count) {
        versions.push(one(version, &mut slot)?);
    }
    Ok(versions)
}

fn one<E>(
    version: u64,
    slot: &mut impl FnMut(U256) -> Result<U256, E>,
) -> Result<Constitution, ReadFault<E>> {
    let (head, list) = (head(version), head(version) + U256::ONE);
    let header = slot(head).map_err(ReadFault::Slot)?;
    let [from, ms, gas_limit, nothing] = header.into_limbs();
    let members = slot(list).map_err(ReadFault::Slot)?;
    if members > U256::from(MEMBERS_MAX) {
        return Err(ReadFault::Members { version, members });
    }
    if nothing != 0 || ms == 0 || gas_limit == 0 {
        return Err(ReadFault::Value {
            version,
            slot: head,
            value: header,
        });
    }
    Ok(Constitution {
        from,
        validators: validators(version, list, members, slot)?,
        period: Duration::from_millis(ms),
        gas_limit,
    })
}

fn validators<E>(
    version: u64,
    list: U256,
    members: U256,
    slot: &mut impl FnMut(U256) -> Result<U256, E>,
) -> Result<ValidatorSet, ReadFault<E>> {
    let mut found: Vec<(Address, u64)> = Vec::new();
    for index in 0..members.saturating_to() {
        let place = member(list, index);
        let value = slot(place).map_err(ReadFault::Slot)?;
        let Ok(power) = u64::try_from(value >> 160_usize) else {
            return Err(ReadFault::Value {
                version,
                slot: place,
                value,
            });
        };
        let who = Address::from_word(value.into());
        if found.last().is_some_and(|(before, _)| *before >= who) {
            return Err(ReadFault::Unsorted { version, who });
        }
        found.push((who, power));
    }
    ValidatorSet::new(found).map_err(|fault| ReadFault::Set { version, fault })
}

/// The first slot of a version.
fn head(version: u64) -> U256 {
    elements(U256::ZERO).wrapping_add(U256::from(version) * U256::from(2))
}

fn member(list: U256, index: u64) -> U256 {
    elements(list).wrapping_add(U256::from(index))
}

/// Where the elements of a list begin whose length is in `slot`.
fn elements(slot: U256) -> U256 {
    keccak256(B256::from(slot)).into()
}
