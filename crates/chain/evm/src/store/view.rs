//! State at one block, for interpreters and for questions.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

use super::codes::Codes;
use super::error::StateError;
use super::snapshot::Snapshot;
use crate::state::{Account, StateRead};

/// State after a block, as long as somebody holds it: later commits and pruning do not change what it answers.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) codes: Arc<Codes>,
    pub(super) number: u64,
}

impl State {
    /// The block after which this is the state.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl StateRead for State {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        self.snapshot.account_at(address, self.number)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.snapshot.slot_at(address, slot, self.number)
    }

    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        if hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        self.codes.get(hash, || self.snapshot.code(hash))
    }

    fn block_hash(&self, number: u64) -> Result<Option<B256>, StateError> {
        match number.cmp(&self.snapshot.number()) {
            _ if number > self.number => Ok(None),
            std::cmp::Ordering::Equal => Ok(Some(self.snapshot.head.hash)),
            _ => self.snapshot.block_hash(number),
        }
    }
}
