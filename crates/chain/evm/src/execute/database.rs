//! State as revm reads it, and state with changes on top.

use super::layer::{bytecode, info};
use crate::state::{Account, Changes, StateRead};
use crate::store::StateError;
use alloy_primitives::{Address, B256, Bytes, U256};
use revm::{
    DatabaseRef,
    state::{AccountInfo, Bytecode},
};
use std::{fmt, sync::Arc};

/// A state behind revm's interface for reading. Cheap to clone.
#[derive(Clone)]
pub struct StateDatabase(pub Arc<dyn StateRead>);

impl fmt::Debug for StateDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateDatabase")
    }
}

impl DatabaseRef for StateDatabase {
    type Error = StateError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        Ok(self.0.account(address)?.map(info))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, StateError> {
        Ok(bytecode(self.0.code(hash)?))
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.0.storage(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, StateError> {
        Ok(self.0.block_hash(number)?.unwrap_or_default())
    }
}

/// The state as it is after these changes.
pub fn with_changes(base: Arc<dyn StateRead>, changes: Changes) -> Arc<dyn StateRead> {
    Arc::new(Changed { base, changes })
}

struct Changed {
    base: Arc<dyn StateRead>,
    changes: Changes,
}

impl StateRead for Changed {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        match self.changes.accounts.get(&address) {
            Some(account) => Ok(*account),
            None => self.base.account(address),
        }
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        if let Some(value) = self
            .changes
            .storage
            .get(&address)
            .and_then(|slots| slots.get(&slot))
        {
            return Ok(*value);
        }
        if self.changes.wipes(&address) {
            return Ok(U256::ZERO);
        }
        self.base.storage(address, slot)
    }

    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        match self.changes.codes.get(&hash) {
            Some(code) => Ok(code.clone()),
            None => self.base.code(hash),
        }
    }

    fn block_hash(&self, number: u64) -> Result<Option<B256>, StateError> {
        self.base.block_hash(number)
    }
}
