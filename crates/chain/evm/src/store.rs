//! The durable state of a chain: one file, one durable transaction for each block.
//!
//! ```text
//!              commit(block)                     readers of any age
//!   writer ──► plan: values before and after      State ──► cache (by version) ──► Snapshot ──► file
//!              one transaction: block, state,               first change after N, else the present
//!              changes, trie rows                 root_after ──► tries in memory ──► rows
//!              then cache, tries, snapshot
//! ```
//!
//! A [`Snapshot`] is the file after one commit. Readers hold it and see nothing later; the writer publishes the
//! next one when the commit is on the disk. There is one writer at a time, and a block must follow the head.
//! Who is allowed to say what follows, and how a block is executed, is not known here.

mod backend;
mod blocks;
mod cache;
mod codec;
mod codes;
mod commit;
mod create;
mod error;
mod figures;
mod fresh;
mod hot;
mod plan;
mod proofs;
mod prune;
mod recent;
mod roots;
mod shrink;
mod snapshot;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod values;
mod view;
mod whole;
mod write;

use std::sync::{Arc, Mutex, RwLock};

use alloy_primitives::B256;
use purlin_chain_proto::Receipt;
use redb::Database;

use self::backend::Source;
use self::cache::FlatCache;
pub(crate) use self::codec::decode_receipts;
use self::codes::Codes;
pub use self::error::{StateError, StoreError};
pub(crate) use self::fresh::{Fresh, FreshAccount, FreshBlocks};
use self::hot::Hot;
use self::recent::Recent;
use self::roots::Tries;
pub use self::roots::genesis_root;
use self::snapshot::Snapshot;
pub use self::values::{
    AccountProof, Head, Mode, Pruned, Sealed, Shrunk, SlotProof, StateSettings, StoreFigures, Stored,
    TableFigures, TableSize, TrieUpdate,
};
pub use self::view::State;
pub(crate) use self::whole::Whole;
use crate::state::Changes;

/// A chain's file. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Source,
    settings: StateSettings,
    /// The writer's; `None` when it could not be opened again after a failure.
    database: Mutex<Option<Database>>,
    /// Changed together with the snapshot, and locked before it.
    hot: RwLock<Hot>,
    snapshot: RwLock<Arc<Snapshot>>,
    cache: Arc<FlatCache>,
    codes: Arc<Codes>,
    blocks: Recent<Stored>,
    receipts: Recent<Vec<Receipt>>,
}

impl Store {
    /// The newest block.
    #[must_use]
    pub fn head(&self) -> Arc<Head> {
        self.snapshot().head.clone()
    }

    /// The hash of block 0.
    #[must_use]
    pub fn genesis_hash(&self) -> B256 {
        self.snapshot().genesis
    }

    /// The oldest block whose state, body and receipts can be asked.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.snapshot().oldest
    }

    /// State after the head.
    ///
    /// # Errors
    /// [`StoreError::SyncFailed`].
    pub fn latest(&self) -> Result<State, StoreError> {
        self.healthy()?;
        let snapshot = self.snapshot();
        let number = snapshot.number();
        Ok(self.view(snapshot, number))
    }

    /// State after a block.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] for one outside what is kept, [`StoreError::Ahead`] for one that has not come.
    pub fn state_at(&self, number: u64) -> Result<State, StoreError> {
        self.healthy()?;
        let snapshot = self.snapshot();
        snapshot.within(number)?;
        Ok(self.view(snapshot, number))
    }

    /// The root of the head's state after these changes, and the trie rows to write. Changes nothing.
    ///
    /// # Errors
    /// When rows cannot be read, or are not what they should be.
    pub fn root_after(&self, changes: &Changes) -> Result<(B256, TrieUpdate), StoreError> {
        self.healthy()?;
        // As long as this is locked, no later snapshot is published.
        let hot = self.inner.hot.read().expect("no thread panics with it locked");
        let snapshot = self.snapshot();
        let tries = Tries {
            rows: &snapshot.tables,
            number: snapshot.number(),
            accounts: hot.accounts.as_ref(),
            storages: &hot.storages,
        };
        let update = tries.after(changes)?;
        Ok((update.root, update))
    }

    fn view(&self, snapshot: Arc<Snapshot>, number: u64) -> State {
        State {
            snapshot,
            codes: self.inner.codes.clone(),
            number,
        }
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        let snapshot = self.inner.snapshot.read();
        snapshot.expect("no thread panics with it locked").clone()
    }

    fn healthy(&self) -> Result<(), StoreError> {
        if self.inner.source.sync_failed() {
            return Err(StoreError::SyncFailed);
        }
        Ok(())
    }
}
