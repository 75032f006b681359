//! What one block has read and changed so far, over the state of its parent.
//!
//! Values are read from the state once and kept with what they were, so that at the end only real changes come out.

use crate::state::{Account, Changes, StateRead};
use crate::store::StateError;
use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U256,
    map::{AddressMap, B256Map, HashMap},
};
use revm::{
    Database,
    database_interface::DBErrorMarker,
    state::{Account as EvmAccount, AccountInfo, Bytecode, EvmState},
};

impl DBErrorMarker for StateError {}

pub(super) struct Layer<'a> {
    base: &'a dyn StateRead,
    accounts: AddressMap<Entry>,
    codes: B256Map<Bytecode>,
}

#[derive(Default)]
struct Entry {
    before: Option<AccountInfo>,
    now: Option<AccountInfo>,
    /// The storage of `before` is gone.
    wiped: bool,
    slots: HashMap<U256, Change>,
}

struct Change {
    before: U256,
    now: U256,
}

impl<'a> Layer<'a> {
    pub(super) fn new(base: &'a dyn StateRead) -> Self {
        Self {
            base,
            accounts: AddressMap::default(),
            codes: B256Map::default(),
        }
    }

    /// Takes what one transaction did. The journal of revm has undone what was reverted.
    pub(super) fn commit(&mut self, state: EvmState) {
        for (address, account) in state {
            if account.is_touched() {
                let entry = self.accounts.entry(address).or_default();
                entry.take(account, &mut self.codes);
            }
        }
    }

    pub(super) fn increase(&mut self, address: Address, amount: U256) -> Result<(), StateError> {
        if amount.is_zero() {
            return Ok(());
        }
        let entry = self.entry(address)?;
        let info = entry.now.get_or_insert_default();
        info.balance = info.balance.saturating_add(amount);
        Ok(())
    }

    /// Whether there is code at the address now.
    pub(super) fn has_code(&mut self, address: Address) -> Result<bool, StateError> {
        Ok(self
            .entry(address)?
            .now
            .as_ref()
            .is_some_and(|info| info.code_hash != KECCAK256_EMPTY))
    }

    /// The values after the block, of what is not as it was.
    pub(super) fn changes(&self) -> Changes {
        let mut changes = Changes::default();
        for (address, entry) in &self.accounts {
            entry.tell(*address, &self.codes, &mut changes);
        }
        changes
    }

    fn entry(&mut self, address: Address) -> Result<&mut Entry, StateError> {
        Ok(match self.accounts.entry(address) {
            alloy_primitives::map::Entry::Occupied(entry) => entry.into_mut(),
            alloy_primitives::map::Entry::Vacant(entry) => {
                let before = self.base.account(address)?.map(info);
                entry.insert(Entry {
                    now: before.clone(),
                    before,
                    ..Entry::default()
                })
            }
        })
    }
}

impl Entry {
    fn take(&mut self, account: EvmAccount, codes: &mut B256Map<Bytecode>) {
        if account.is_selfdestructed() {
            return self.remove();
        }
        if account.is_created() {
            self.wipe();
        } else if account.is_empty() {
            // EIP-161. Before Spurious Dragon revm takes the mark of touch from empty accounts, or calls them created.
            return self.remove();
        }
        let created = account.is_created();
        for (slot, value) in account.storage {
            if created || value.is_changed() {
                let before = value.original_value();
                let change = self.slots.entry(slot).or_insert(Change { before, now: before });
                change.now = value.present_value();
            }
        }
        if let Some(code) = account.info.code.as_ref().filter(|code| !code.is_empty()) {
            codes
                .entry(account.info.code_hash)
                .or_insert_with(|| code.clone());
        }
        self.now = Some(account.info);
    }

    fn remove(&mut self) {
        self.wipe();
        self.now = None;
    }

    /// What never was in the state has no storage to lose there.
    fn wipe(&mut self) {
        self.wiped |= self.before.is_some();
        self.slots.clear();
    }

    /// Nothing of the parent's storage is visible.
    fn is_bare(&self) -> bool {
        self.wiped || self.before.is_none()
    }

    fn tell(&self, address: Address, codes: &B256Map<Bytecode>, changes: &mut Changes) {
        let Some(now) = &self.now else {
            if self.before.is_some() {
                changes.accounts.insert(address, None);
            }
            return;
        };
        if self.wiped {
            changes.wiped.insert(address);
        }
        if self.wiped || self.before.as_ref() != Some(now) {
            changes.accounts.insert(address, Some(account(now)));
        }
        let bare = self.is_bare();
        let changed = |change: &&Change| {
            if bare {
                !change.now.is_zero()
            } else {
                change.now != change.before
            }
        };
        let slots: std::collections::BTreeMap<_, _> = self
            .slots
            .iter()
            .filter(|(_, change)| changed(change))
            .map(|(slot, change)| (*slot, change.now))
            .collect();
        if !slots.is_empty() {
            changes.storage.insert(address, slots);
        }
        let old = self
            .before
            .as_ref()
            .map_or(KECCAK256_EMPTY, |before| before.code_hash);
        if now.code_hash != old
            && let Some(code) = codes.get(&now.code_hash)
        {
            changes.codes.insert(now.code_hash, code.original_bytes());
        }
    }
}

impl Database for Layer<'_> {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        Ok(self.entry(address)?.now.clone())
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, StateError> {
        if let Some(code) = self.codes.get(&hash) {
            return Ok(code.clone());
        }
        let code = bytecode(self.base.code(hash)?);
        self.codes.insert(hash, code.clone());
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        let base = self.base;
        let entry = self.entry(address)?;
        if let Some(change) = entry.slots.get(&slot) {
            return Ok(change.now);
        }
        if entry.is_bare() {
            return Ok(U256::ZERO);
        }
        let before = base.storage(address, slot)?;
        entry.slots.insert(slot, Change { before, now: before });
        Ok(before)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        Ok(self.base.block_hash(number)?.unwrap_or_default())
    }
}

/// The code is left out: revm asks for it when it runs.
pub(super) fn info(account: Account) -> AccountInfo {
    AccountInfo {
        balance: account.balance,
        nonce: account.nonce,
        code_hash: account.code_hash,
        code: None,
        account_id: None,
    }
}

/// A genesis may hold octets that only look like a delegation (EIP-7702); they are code like any other.
pub(super) fn bytecode(code: Bytes) -> Bytecode {
    Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code))
}

fn account(info: &AccountInfo) -> Account {
    Account {
        nonce: info.nonce,
        balance: info.balance,
        code_hash: info.code_hash,
    }
}
