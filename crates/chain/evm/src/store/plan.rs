//! What a block changes of the flat state, with the values before it.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, U256};

use super::cache::Fresh;
use super::codec::Touched;
use super::error::StateError;
use super::snapshot::Snapshot;
use crate::state::{Account, Changes};

/// An account before and after.
#[derive(Debug)]
pub(super) struct AccountChange {
    pub(super) address: Address,
    pub(super) before: Option<Account>,
    pub(super) after: Option<Account>,
}

/// A slot before and after.
#[derive(Debug)]
pub(super) struct SlotChange {
    pub(super) address: Address,
    pub(super) slot: U256,
    pub(super) before: U256,
    pub(super) after: U256,
}

/// Only what is different afterwards, sorted by key.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) accounts: Vec<AccountChange>,
    pub(super) slots: Vec<SlotChange>,
}

impl Plan {
    /// Of changes on the state of a head, or on the empty state.
    pub(super) fn of(snapshot: Option<&Snapshot>, changes: &Changes) -> Result<Self, StateError> {
        let before = |address: Address| snapshot.map_or(Ok(None), |snapshot| snapshot.account(address));
        let mut plan = Self::default();
        for (&address, &after) in &changes.accounts {
            let before = before(address)?;
            if before != after {
                plan.accounts.push(AccountChange {
                    address,
                    before,
                    after,
                });
            }
        }
        let gone = changes.accounts.keys().filter(|address| changes.removes(address));
        let touched: BTreeSet<Address> = changes
            .storage
            .keys()
            .chain(&changes.wiped)
            .chain(gone)
            .copied()
            .collect();
        for address in touched {
            let there = match changes.accounts.get(&address) {
                Some(after) => after.is_some(),
                None => before(address)?.is_some(),
            };
            plan.storage(snapshot, changes, address, there)?;
        }
        Ok(plan)
    }

    /// `there`: whether the account is there afterwards, without which it has no storage.
    fn storage(
        &mut self,
        snapshot: Option<&Snapshot>,
        changes: &Changes,
        address: Address,
        there: bool,
    ) -> Result<(), StateError> {
        let wiped = changes.wipes(&address);
        let mut slots: BTreeMap<U256, (U256, U256)> = BTreeMap::new();
        if let (true, Some(snapshot)) = (wiped, snapshot) {
            let all = snapshot.slots(address)?.into_iter();
            slots.extend(all.map(|(slot, value)| (slot, (value, U256::ZERO))));
        }
        for (&slot, &after) in changes.storage.get(&address).into_iter().flatten() {
            if !there {
                break;
            }
            let before = match snapshot {
                Some(snapshot) if !wiped => snapshot.slot(address, slot)?,
                _ => U256::ZERO,
            };
            slots.entry(slot).or_insert((before, U256::ZERO)).1 = after;
        }
        let changed = slots.into_iter().filter(|(_, (before, after))| before != after);
        self.slots
            .extend(changed.map(|(slot, (before, after))| SlotChange {
                address,
                slot,
                before,
                after,
            }));
        Ok(())
    }

    pub(super) fn touched(&self) -> Touched {
        Touched {
            accounts: self.accounts.iter().map(|change| change.address).collect(),
            slots: self
                .slots
                .iter()
                .map(|change| (change.address, change.slot))
                .collect(),
        }
    }

    pub(super) fn fresh(&self) -> Fresh {
        let account = |change: &AccountChange| (change.address, change.after);
        let slot = |change: &SlotChange| (change.address, change.slot, change.after);
        Fresh {
            accounts: self.accounts.iter().map(account).collect(),
            slots: self.slots.iter().map(slot).collect(),
        }
    }
}
