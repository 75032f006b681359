//! The past as revm reads it: for calls, estimates and traces.

use super::{Chain, ViewError};
use crate::execute::{Executor, StateDatabase, block_env, cfg_env, with_changes};
use crate::state::StateRead;
use crate::store::{StoreError, Stored};
use purlin_chain_proto::{Fork, Header};
use revm::{
    context::{BlockEnv, CfgEnv},
    database::CacheDB,
};
use std::sync::Arc;

/// A database that takes overrides on top of a state; the state itself does not change.
pub type ViewDatabase = CacheDB<StateDatabase>;

/// An environment and a state. Throw it away after use.
#[derive(Debug, Clone)]
pub struct View {
    /// Of the block in whose name code runs.
    pub header: Header,
    pub fork: Fork,
    pub block_env: BlockEnv,
    pub cfg_env: CfgEnv,
    pub db: ViewDatabase,
}

impl Chain {
    /// The state after block `number`, in that block's environment.
    ///
    /// # Errors
    ///
    /// A block that is not known, or whose state is pruned.
    pub fn view(&self, number: u64) -> Result<View, ViewError> {
        let state = self.store().state_at(number)?;
        let header = self.store().header(number)?.ok_or_else(|| self.unknown(number))?;
        Ok(self.in_environment(header.header, Arc::new(state)))
    }

    /// This state in the environment that a header gives; for a block that is not there yet.
    pub fn in_environment(&self, header: Header, state: Arc<dyn StateRead>) -> View {
        View {
            fork: self.spec().fork_at(header.number, header.timestamp),
            block_env: block_env(self.spec(), &header),
            cfg_env: cfg_env(self.spec(), &header),
            db: CacheDB::new(StateDatabase(state)),
            header,
        }
    }

    /// The state before transaction `up_to` of block `number`, in that block's environment: the block is executed again on
    /// its parent's state. With the number of transactions, it is the state before withdrawals, requests and rewards.
    ///
    /// # Errors
    ///
    /// A block that is not known, is pruned or is the genesis, or has fewer transactions.
    pub fn replay(&self, number: u64, up_to: usize) -> Result<View, ViewError> {
        let stored = self.store().block(number)?.ok_or_else(|| self.unknown(number))?;
        let Stored { block, senders, .. } = &*stored;
        let transactions = block.body.transactions.len();
        if up_to > transactions || number == 0 {
            return Err(ViewError::NoTransaction {
                number,
                transactions,
                asked: up_to,
            });
        }
        let state: Arc<dyn StateRead> = Arc::new(self.store().state_at(number - 1)?);
        let failed = |source| ViewError::Execute {
            number,
            source: Box::new(source),
        };
        let mut executor = Executor::begin(self.spec(), &block.header, &*state, None).map_err(failed)?;
        for (transaction, sender) in block.body.transactions.iter().zip(senders).take(up_to) {
            executor.transact(transaction, *sender).map_err(failed)?;
        }
        let changes = executor.changes();
        drop(executor);
        Ok(self.in_environment(block.header.clone(), with_changes(state, changes)))
    }

    fn unknown(&self, number: u64) -> StoreError {
        StoreError::Ahead {
            wanted: number,
            head: self.head().header.number,
        }
    }
}
