//! A block that might come next, for those who ask what would be: executed in nobody's way, and never committed.

use super::produce::Made;
use super::{Attributes, Chain, ProduceError};
use crate::execute::{ExecutionRefusal, with_changes};
use crate::state::StateRead;
use crate::store::{StoreError, Stored};
use purlin_chain_proto::{B256, Receipt, Recovered, Requests};
use std::{fmt, sync::Arc};

/// What a block would be, in every point.
pub struct Draft {
    /// As the store would have it.
    pub stored: Arc<Stored>,
    /// One for each transaction.
    pub receipts: Vec<Receipt>,
    /// What its execution asks of validators (EIP-7685).
    pub requests: Requests,
    /// The state after it.
    pub state: Arc<dyn StateRead>,
    /// By hash, in the order in which they were offered.
    pub refused: Vec<(B256, ExecutionRefusal)>,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("number", &self.stored.block.header.number)
            .field("hash", &self.stored.hash)
            .field("transactions", &self.stored.block.body.transactions.len())
            .finish_non_exhaustive()
    }
}

impl Chain {
    /// The block that these transactions would make after block `parent`. As [`Chain::prepare`], but on any block whose state
    /// is kept, and beside whoever is making the next one: nobody waits for it, and it cannot be committed.
    ///
    /// # Errors
    ///
    /// Attributes that no block can have, a parent that is not known or whose state is pruned, or a store that fails.
    pub fn draft(
        &self,
        parent: u64,
        attributes: Attributes,
        transactions: impl Iterator<Item = Recovered>,
    ) -> Result<Draft, ProduceError> {
        let head = self.store().header(parent)?.ok_or(StoreError::Ahead {
            wanted: parent,
            head: self.head().header.number,
        })?;
        let state = self.store().state_at(parent)?;
        let Made {
            mut header,
            body,
            senders,
            outcome,
            refused,
        } = self.make(&head, &state, attributes, transactions)?;
        header.state_root = self.store().root_at(parent, &outcome.changes)?;
        Ok(Draft {
            stored: Arc::new(Stored {
                hash: header.hash_slow(),
                block: header.into_block(body),
                senders,
            }),
            receipts: outcome.receipts,
            requests: outcome.requests,
            state: with_changes(Arc::new(state), outcome.changes),
            refused,
        })
    }
}
