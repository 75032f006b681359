//! What an account is, what a block changes, and how state is read.
//!
//! Plain values: nothing here knows a file, a trie or an interpreter.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

use crate::store::StateError;

/// An account without its storage, as the yellow paper (section 4.1) has it.
///
/// One with no nonce, no balance and no code is not the same as none: before EIP-161 such accounts exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    pub nonce: u64,
    /// In wei.
    pub balance: U256,
    /// Keccak-256 of the code; [`KECCAK256_EMPTY`] when there is none.
    pub code_hash: B256,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK256_EMPTY,
        }
    }
}

impl Account {
    #[must_use]
    pub fn has_code(&self) -> bool {
        self.code_hash != KECCAK256_EMPTY
    }
}

/// What a block changes: the values after it.
///
/// In the order of their taking effect: storage is wiped, slots are written, accounts get their new values. An
/// account that is gone has no storage, whatever is written in `storage`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// `None`: the account is gone, and its storage with it.
    pub accounts: BTreeMap<Address, Option<Account>>,
    /// All storage of these goes first (self-destructed, or created again).
    pub wiped: BTreeSet<Address>,
    /// Zero: the slot is removed.
    pub storage: BTreeMap<Address, BTreeMap<U256, U256>>,
    /// New code by its hash. Code is never removed.
    pub codes: BTreeMap<B256, Bytes>,
}

impl Changes {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.wiped.is_empty() && self.storage.is_empty() && self.codes.is_empty()
    }

    /// These changes, and then those of `later`.
    pub fn then(&mut self, later: Self) {
        for address in later.wiped {
            self.storage.remove(&address);
            self.wiped.insert(address);
        }
        for (address, account) in later.accounts {
            if account.is_none() {
                self.storage.remove(&address);
                self.wiped.insert(address);
            }
            self.accounts.insert(address, account);
        }
        for (address, slots) in later.storage {
            self.storage.entry(address).or_default().extend(slots);
        }
        self.codes.extend(later.codes);
    }

    /// Whether nothing of the account's earlier storage is left: it was wiped, or the account is gone.
    #[must_use]
    pub fn wipes(&self, address: &Address) -> bool {
        self.wiped.contains(address) || matches!(self.accounts.get(address), Some(None))
    }

    /// Whether the account is gone after these changes.
    #[must_use]
    pub fn removes(&self, address: &Address) -> bool {
        matches!(self.accounts.get(address), Some(None))
    }
}

/// State at one point. Reads are cheap and safe from many threads.
pub trait StateRead: Send + Sync {
    /// # Errors
    /// When the store cannot read.
    fn account(&self, address: Address) -> Result<Option<Account>, StateError>;

    /// Zero for a slot, or an account, that is not there.
    ///
    /// # Errors
    /// When the store cannot read.
    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError>;

    /// The code with this hash; empty for [`KECCAK256_EMPTY`].
    ///
    /// # Errors
    /// When the store cannot read, or no account ever had this code.
    fn code(&self, hash: B256) -> Result<Bytes, StateError>;

    /// The hash of a block up to this point; `None` for later ones.
    ///
    /// # Errors
    /// When the store cannot read.
    fn block_hash(&self, number: u64) -> Result<Option<B256>, StateError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Address = Address::repeat_byte(1);

    fn slot(value: u64) -> BTreeMap<Address, BTreeMap<U256, U256>> {
        BTreeMap::from([(A, BTreeMap::from([(U256::from(1), U256::from(value))]))])
    }

    #[test]
    fn a_later_wipe_takes_earlier_writes_with_it() {
        let mut changes = Changes {
            storage: slot(5),
            ..Changes::default()
        };
        changes.then(Changes {
            wiped: BTreeSet::from([A]),
            storage: BTreeMap::from([(A, BTreeMap::from([(U256::from(2), U256::from(7))]))]),
            ..Changes::default()
        });
        assert!(changes.wipes(&A));
        assert_eq!(
            changes.storage[&A],
            BTreeMap::from([(U256::from(2), U256::from(7))])
        );
    }

    #[test]
    fn an_account_that_goes_and_comes_back_starts_with_empty_storage() {
        let mut changes = Changes {
            storage: slot(5),
            ..Changes::default()
        };
        changes.then(Changes {
            accounts: BTreeMap::from([(A, None)]),
            ..Changes::default()
        });
        assert!(changes.removes(&A) && changes.storage.is_empty());
        changes.then(Changes {
            accounts: BTreeMap::from([(A, Some(Account::default()))]),
            ..Changes::default()
        });
        assert!(!changes.removes(&A) && changes.wipes(&A));
    }
}
