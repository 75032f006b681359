//! A state in ordinary maps, with a root from alloy's hash builder: the slow, obvious reference.

use alloy_consensus::{TrieAccount, constants::EMPTY_ROOT_HASH};
use purlin_chain_evm::{Account, Changes, StateError, StateRead};
use purlin_chain_proto::{Address, B256, Bytes, ChainSpec, U256};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryState {
    pub(crate) accounts: BTreeMap<Address, Account>,
    pub(crate) storage: BTreeMap<Address, BTreeMap<U256, U256>>,
    codes: BTreeMap<B256, Bytes>,
    pub(crate) hashes: BTreeMap<u64, B256>,
}

impl MemoryState {
    pub(crate) fn genesis(spec: &ChainSpec) -> Self {
        let mut state = Self::default();
        for (address, given) in &spec.genesis().alloc {
            let code = given.code.clone().unwrap_or_default();
            let code_hash = alloy_primitives::keccak256(&code);
            let account = Account {
                nonce: given.nonce.unwrap_or(0),
                balance: given.balance,
                code_hash,
            };
            state.codes.insert(code_hash, code);
            state.accounts.insert(*address, account);
            let slots = given.storage_slots().map(|(slot, value)| (slot.into(), value));
            state.storage.insert(*address, slots.collect());
        }
        state
    }

    pub(crate) fn apply(&mut self, changes: &Changes) {
        for address in &changes.wiped {
            self.storage.remove(address);
        }
        for (address, slots) in &changes.storage {
            self.storage.entry(*address).or_default().extend(slots);
        }
        for (address, account) in &changes.accounts {
            match account {
                Some(account) => drop(self.accounts.insert(*address, *account)),
                None => {
                    self.accounts.remove(address);
                    self.storage.remove(address);
                }
            }
        }
        self.codes.extend(changes.codes.clone());
    }

    pub(crate) fn after(&self, changes: &Changes) -> Self {
        let mut state = self.clone();
        state.apply(changes);
        state
    }

    pub(crate) fn root(&self) -> B256 {
        let account = |(address, account): (&Address, &Account)| {
            let storage_root = self.storage.get(address).map_or(EMPTY_ROOT_HASH, storage_root);
            let Account {
                nonce,
                balance,
                code_hash,
            } = *account;
            (
                *address,
                TrieAccount {
                    nonce,
                    balance,
                    storage_root,
                    code_hash,
                },
            )
        };
        alloy_trie::root::state_root_unhashed(self.accounts.iter().map(account))
    }
}

fn storage_root(slots: &BTreeMap<U256, U256>) -> B256 {
    let slots = slots.iter().filter(|(_, value)| !value.is_zero());
    alloy_trie::root::storage_root_unhashed(slots.map(|(slot, value)| (B256::from(*slot), *value)))
}

impl StateRead for MemoryState {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        Ok(self.accounts.get(&address).copied())
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        Ok(self
            .storage
            .get(&address)
            .and_then(|slots| slots.get(&slot))
            .copied()
            .unwrap_or_default())
    }

    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        Ok(self.codes.get(&hash).cloned().unwrap_or_default())
    }

    fn block_hash(&self, number: u64) -> Result<Option<B256>, StateError> {
        Ok(self.hashes.get(&number).copied())
    }
}
