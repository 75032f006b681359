//! Who decides about blocks, how often and within which gas limit, as the chain's own state says it.
//!
//! ```text
//!   genesis ─ read ─┐                         ┌─ at(height), up to two heights after the head
//!                   ├─► versions, in memory ──┤
//!   executed block ─┘   (with the commit)     └─ all
//! ```
//!
//! The account at [`ADDRESS`] is in the genesis or never there: nobody has a key for it, and no contract can be made at it.
//! A chain without it goes by its genesis document for ever. What a block appends is read when it is executed, before anybody
//! votes for it: a block after which nobody could say who decides is no block.

use super::{Chain, CreateError};
use crate::state::{Changes, StateRead};
use crate::store::{StateError, Store, StoreError};
use alloy_primitives::{B256, U256};
use purlin_chain_core::{
    constitution::{
        ADDRESS, Constitution, Constitutions, DELAY, Order, ReadFault, code, count, read, read_from,
    },
    quorum::{SetFault, ValidatorSet},
};
use purlin_chain_proto::ChainSpec;
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, PoisonError, RwLock},
};

/// Why there is no saying who decides.
#[derive(Debug, thiserror::Error)]
pub enum ConstitutionFault {
    #[error(
        "the genesis document has other code at {ADDRESS} than the contract that holds a chain's constitution: take it as \
         purlin chain init writes it, or leave the account out"
    )]
    Code,
    #[error("the validators of config.purlin: {0}")]
    Validators(SetFault),
    #[error(
        "the contract at {ADDRESS} begins with what config.purlin does not say: {found}, and not: {wanted}"
    )]
    Other { found: String, wanted: String },
    #[error("the contract at {ADDRESS}: {0}")]
    Storage(ReadFault<Infallible>),
    #[error("the list of versions in the contract at {ADDRESS} became shorter: {has}, and it was {had}")]
    Lost { had: usize, has: U256 },
    #[error(
        "the contract at {ADDRESS} wants to change height {from} in block {number}, when {fixed} is fixed already"
    )]
    Early { number: u64, from: u64, fixed: u64 },
}

/// What could not be read, or could not be meant.
#[derive(Debug)]
pub(super) enum Unread {
    Store(StoreError),
    Fault(ConstitutionFault),
}

/// The constitution of a chain with validators.
#[derive(Debug)]
pub(super) struct Law {
    /// The genesis has the contract.
    governed: bool,
    known: RwLock<Known>,
}

#[derive(Debug)]
struct Known {
    versions: Arc<Constitutions>,
    /// The block whose state was read last.
    head: u64,
}

impl Law {
    /// Of the chain in this store; `None` where no validators decide.
    pub(super) fn open(spec: &ChainSpec, store: &Store) -> Result<Option<Self>, CreateError> {
        let Some(first) = first(spec)? else {
            return Ok(None);
        };
        let governed = contract(spec, &first)?;
        let versions = Constitutions::new([first]).map_err(|order| storage(ReadFault::Order(order)))?;
        let known = Known {
            versions: Arc::new(versions),
            head: 0,
        };
        let law = Self {
            governed,
            known: RwLock::new(known),
        };
        law.follow(store)?;
        Ok(Some(law))
    }

    fn all(&self) -> Arc<Constitutions> {
        self.known().versions.clone()
    }

    fn at(&self, height: u64) -> Option<Arc<Constitution>> {
        let known = self.known();
        let fixed = !self.governed || height <= known.head.saturating_add(DELAY);
        fixed.then(|| known.versions.at(height).clone())
    }

    /// Reads what the head's state says, if it was not this program's last step that made it the head: at the start, and when
    /// a failing disk has kept a block after all.
    pub(super) fn follow(&self, store: &Store) -> Result<(), Unread> {
        let head = store.head().header.number;
        let had = self.known().head;
        if head == had {
            return Ok(());
        }
        let new = if self.governed {
            let state = store.state_at(head)?;
            self.later(head, had, |slot| state.storage(ADDRESS, slot))?
        } else {
            Vec::new()
        };
        self.publish(head, new);
        Ok(())
    }

    /// The versions that a block with these changes of the head's state appends.
    pub(super) fn appended(
        &self,
        number: u64,
        state: &impl StateRead,
        changes: &Changes,
    ) -> Result<Vec<Constitution>, Unread> {
        let written = changes.storage.get(&ADDRESS);
        let wiped = changes.wipes(&ADDRESS);
        if !self.governed || (written.is_none() && !wiped) {
            return Ok(Vec::new());
        }
        self.later(number, number - 1, |slot| {
            match written.and_then(|slots| slots.get(&slot)) {
                Some(value) => Ok(*value),
                None if wiped => Ok(U256::ZERO),
                None => state.storage(ADDRESS, slot),
            }
        })
    }

    /// What is new in the state after block `number`, when what was known is of the state after block `had`.
    fn later(
        &self,
        number: u64,
        had: u64,
        mut slot: impl FnMut(U256) -> Result<U256, StateError>,
    ) -> Result<Vec<Constitution>, Unread> {
        let all = self.all();
        let known = all.len();
        let has = count(&mut slot).map_err(StoreError::from)?;
        if has == U256::from(known) {
            return Ok(Vec::new());
        }
        if has < U256::from(known) {
            return Err(ConstitutionFault::Lost { had: known, has }.into());
        }
        let new = read_from(known as u64, slot)?;
        let mut versions = Constitutions::clone(&all);
        for version in &new {
            versions
                .push(version.clone())
                .map_err(|order| storage(ReadFault::Order(order)))?;
        }
        let fixed = had.saturating_add(DELAY);
        match new.first() {
            Some(Constitution { from, .. }) if *from <= fixed => {
                Err(Unread::Fault(ConstitutionFault::Early {
                    number,
                    from: *from,
                    fixed,
                }))
            }
            _ => Ok(new),
        }
    }

    /// The block `head` has become the head.
    pub(super) fn publish(&self, head: u64, new: Vec<Constitution>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.head = head;
        if !new.is_empty() {
            let versions = Arc::make_mut(&mut known.versions);
            for version in new {
                // Judged by `later`, under the same turn of the writer.
                let _: Result<(), Order> = versions.push(version);
            }
        }
    }

    fn known(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chain {
    /// What decides `height`: who votes, the period, and the gas limit that blocks go to. It is fixed up to two heights after the
    /// head, and `None` beyond; in a chain without the contract the genesis document's, whatever the height. `None` in a
    /// chain without validators.
    pub fn constitution(&self, height: u64) -> Option<Arc<Constitution>> {
        self.inner.law.as_ref()?.at(height)
    }

    /// All versions up to now, the oldest first; the newest may not be in force yet. `None` in a chain without validators.
    pub fn constitutions(&self) -> Option<Arc<Constitutions>> {
        Some(self.inner.law.as_ref()?.all())
    }

    /// Whether votes can change the constitution: validators decide, and the genesis has the contract.
    pub fn governed(&self) -> bool {
        self.inner.law.as_ref().is_some_and(|law| law.governed)
    }
}

/// What the genesis document says in `config.purlin`.
fn first(spec: &ChainSpec) -> Result<Option<Constitution>, ConstitutionFault> {
    let Some(spec) = spec.consensus() else {
        return Ok(None);
    };
    let validators = ValidatorSet::new(spec.validators.iter().copied());
    Ok(Some(Constitution {
        from: 0,
        validators: validators.map_err(ConstitutionFault::Validators)?,
        period: spec.period,
        gas_limit: spec.gas_limit,
    }))
}

/// Whether the genesis has the contract; when it does, it must say what `config.purlin` says, and nothing more.
fn contract(spec: &ChainSpec, first: &Constitution) -> Result<bool, ConstitutionFault> {
    let Some(account) = spec.genesis().alloc.get(&ADDRESS) else {
        return Ok(false);
    };
    if account.code.as_ref() != Some(&code()) {
        return Err(ConstitutionFault::Code);
    }
    let slots: BTreeMap<B256, U256> = account.storage_slots().collect();
    let value = |slot: U256| Ok(slots.get(&B256::from(slot)).copied().unwrap_or_default());
    let found = read(value).map_err(ConstitutionFault::Storage)?;
    if let [found] = found.as_slice()
        && found == first
    {
        return Ok(true);
    }
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    Err(ConstitutionFault::Other {
        found: found.join("; "),
        wanted: first.to_string(),
    })
}

/// A fault of what was read, where reading itself went well.
fn storage(fault: ReadFault<Infallible>) -> ConstitutionFault {
    ConstitutionFault::Storage(fault)
}

impl From<ReadFault<StateError>> for Unread {
    fn from(fault: ReadFault<StateError>) -> Self {
        let fault = match fault {
            ReadFault::Slot(error) => return Self::Store(error.into()),
            ReadFault::Members { version, members } => ReadFault::Members { version, members },
            ReadFault::Value { version, slot, value } => ReadFault::Value { version, slot, value },
            ReadFault::Unsorted { version, who } => ReadFault::Unsorted { version, who },
            ReadFault::Set { version, fault } => ReadFault::Set { version, fault },
            ReadFault::Order(order) => ReadFault::Order(order),
        };
        Self::Fault(storage(fault))
    }
}

impl From<StoreError> for Unread {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ConstitutionFault> for Unread {
    fn from(fault: ConstitutionFault) -> Self {
        Self::Fault(fault)
    }
}

#[cfg(test)]
mod tests;
