//! One section as it is read: the accounts below one path, proven by the hash of their subtree.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;

use super::record::{AccountRecord, Fault, Slot, Totals};
use crate::store::{Fresh, FreshAccount, StoreError};
use crate::trie::{Child, path, root_hash};

/// Sixteen times what a writer puts into the largest: a stream may not fill the memory with what is not proven yet.
const ACCOUNTS_MAX: usize = 1 << 18;

/// Which section an account belongs to, by its hashed address.
pub(super) fn place(hash: &B256, depth: usize) -> usize {
    let start = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    start.checked_shr(32 - 4 * depth as u32).unwrap_or(0) as usize
}

/// Why a section was not taken.
#[derive(Debug)]
pub(super) enum Trouble {
    Fault(Fault),
    Store(StoreError),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What was read of a section.
#[derive(Debug)]
pub(super) struct Section<'a> {
    fresh: &'a Fresh<'a>,
    place: usize,
    depth: usize,
    /// Whether an account has it.
    codes: BTreeMap<B256, bool>,
    /// Sorted by hash.
    accounts: Vec<FreshAccount>,
    /// The last slot of the last account, while more may follow; `None` inside: it has none yet.
    open: Option<Option<U256>>,
}

impl<'a> Section<'a> {
    pub(super) fn new(fresh: &'a Fresh<'a>, place: usize, depth: usize) -> Self {
        Self {
            fresh,
            place,
            depth,
            codes: BTreeMap::new(),
            accounts: Vec::new(),
            open: None,
        }
    }

    pub(super) fn code(&mut self, code: &[u8]) -> Result<(), Trouble> {
        self.open = None;
        if self.codes.len() == ACCOUNTS_MAX {
            return Err(format!("more than {ACCOUNTS_MAX} codes in a section").into());
        }
        let hash = keccak256(code);
        if code.is_empty() || self.codes.insert(hash, false).is_some() {
            return Err(Fault::from("the code is empty, or twice in its section").into());
        }
        Ok(self.fresh.code(hash, code)?)
    }

    pub(super) fn accounts(&mut self, records: &[AccountRecord]) -> Result<Totals, Trouble> {
        if records.is_empty() || self.accounts.len() + records.len() > ACCOUNTS_MAX {
            let count = self.accounts.len() + records.len();
            return Err(format!("none in a frame, or {count} in a section: at most {ACCOUNTS_MAX}").into());
        }
        let mut slots = 0;
        for record in records {
            slots += record.slots.len() as u64;
            self.account(record)?;
        }
        Ok(Totals {
            accounts: records.len() as u64,
            slots,
        })
    }

    fn account(&mut self, record: &AccountRecord) -> Result<(), Trouble> {
        let (address, hash) = (record.address, keccak256(record.address));
        if place(&hash, self.depth) != self.place {
            return Err(format!("the account {address} is of another section").into());
        }
        if self.accounts.last().is_some_and(|last| last.hash >= hash) {
            return Err(format!("the account {address} is not in its order").into());
        }
        let account = record.account()?;
        if account.has_code() {
            let code = self.codes.get_mut(&account.code_hash);
            *code.ok_or_else(|| format!("the code of the account {address} is missing"))? = true;
        }
        self.accounts.push(FreshAccount {
            address,
            hash,
            account,
            storage_root: EMPTY_ROOT_HASH,
        });
        self.open = Some(None);
        if record.slots.is_empty() {
            return Ok(());
        }
        self.slots(&record.slots)
    }

    /// More slots of the last account.
    pub(super) fn slots(&mut self, slots: &[Slot]) -> Result<(), Trouble> {
        let (Some(mut last), Some(account)) = (self.open, self.accounts.last_mut()) else {
            return Err(Fault::from("slots that follow no account").into());
        };
        let address = account.address;
        if slots.is_empty() {
            return Err(format!("no slots for the account {address}").into());
        }
        for Slot { slot, value } in slots {
            if last.is_some_and(|last| last >= *slot) || value.is_zero() {
                return Err(
                    format!("slot {slot} of the account {address} is zero, or not in its order").into(),
                );
            }
            last = Some(*slot);
        }
        let slots: Vec<(U256, U256)> = slots.iter().map(|slot| (slot.slot, slot.value)).collect();
        account.storage_root = self.fresh.slots(address, account.storage_root, &slots)?;
        self.open = Some(last);
        Ok(())
    }

    /// What the trie has at the section's path, when it is what `wanted` says; `None` where the whole state is empty.
    pub(super) fn finish(self, place: u64, wanted: B256) -> Result<Option<Child>, Trouble> {
        if place != self.place as u64 {
            return Err(format!("section {} ends as section {place}", self.place).into());
        }
        if let Some((code, _)) = self.codes.iter().find(|(_, used)| !**used) {
            return Err(format!("no account of section {place} has the code {code}").into());
        }
        let path = path(self.place, self.depth);
        let subtree = self.fresh.accounts(path, &self.accounts)?;
        let found = root_hash(subtree.as_ref());
        if found != wanted {
            return Err(format!("section {place} gives the hash {found}, the state has {wanted}").into());
        }
        Ok(subtree)
    }
}
