//! A block that is executed and not yet the head: between a proposal and its decision.
//!
//! ```text
//!   prepare(transactions) ─┐                     ┌─ commit(certificate) ─> the head
//!                          ├─ Prepared, Prepared ┤
//!   check(block) ──────────┘   (one a round)     └─ dropped: never seen by anybody
//! ```

use super::{Chain, CommitError, NewHead, Steps};
use crate::store::{Sealed, StoreError};
use purlin_chain_core::constitution::Constitution;
use purlin_chain_proto::{B256, Block, Bytes, Receipt};
use std::{
    fmt,
    sync::{Arc, MutexGuard},
    time::Instant,
};

/// A block that was executed on a head and is right in every point. Nobody sees it, and nothing of it is durable.
///
/// Any number may be held at once, of one parent or of several; a commit changes none of the others, except that those on
/// another head can no longer be committed. Each holds its changes in memory, some kilobytes for a transfer.
pub struct Prepared {
    sealed: Sealed,
    /// What it appends to the constitution.
    appended: Vec<Constitution>,
    took: Steps,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("number", &self.number())
            .field("hash", &self.hash())
            .field("transactions", &self.block().body.transactions.len())
            .finish_non_exhaustive()
    }
}

impl Prepared {
    pub(super) fn new(sealed: Sealed, appended: Vec<Constitution>, took: Steps) -> Self {
        Self {
            sealed,
            appended,
            took,
        }
    }

    pub fn hash(&self) -> B256 {
        self.sealed.hash
    }

    pub fn number(&self) -> u64 {
        self.sealed.block.header.number
    }

    /// The head that it was executed on, the only one that it can be committed on.
    pub fn parent(&self) -> B256 {
        self.sealed.block.header.parent_hash
    }

    pub fn block(&self) -> &Block {
        &self.sealed.block
    }

    /// One for each transaction.
    pub fn receipts(&self) -> &[Receipt] {
        &self.sealed.receipts
    }

    /// How long it took so far; nothing for the commit.
    pub fn took(&self) -> Steps {
        self.took
    }
}

impl Chain {
    /// Makes a prepared block the head: block, state and certificate become durable in one transaction, then it is told to
    /// who watches. The certificate's octets are kept as they are; what they mean is for the caller, who has verified them.
    ///
    /// # Errors
    ///
    /// [`CommitError::NotOnHead`] when another block has become the head since; [`CommitError::NoCertificate`] in a chain with
    /// validators, [`CommitError::NoValidators`] in one without; a store that fails. The chain is then as it was; but
    /// after an error of a failing disk the head says whether the block is there.
    pub fn commit(
        &self,
        prepared: Prepared,
        certificate: Option<Bytes>,
    ) -> Result<Arc<NewHead>, CommitError> {
        let writing = self.write();
        self.seal(&writing, prepared, certificate)
    }

    /// The octets that block `number` was committed with; `None` for the genesis, for a block that has not come yet, and in a
    /// chain without validators.
    ///
    /// # Errors
    ///
    /// [`StoreError::Pruned`]: it goes with the block's body. [`StoreError::Damaged`] when it is not what was written, or
    /// missing in a chain where every block has one.
    pub fn certificate(&self, number: u64) -> Result<Option<Bytes>, StoreError> {
        // Before the row is read: a block that becomes the head meanwhile is not missing one.
        let head = self.head().header.number;
        let certificate = self.store().certificate(number)?;
        let needed = self.spec().consensus().is_some() && (1..=head).contains(&number);
        if needed && certificate.is_none() {
            return Err(StoreError::Damaged(format!(
                "the certificate of block {number} is missing"
            )));
        }
        Ok(certificate)
    }

    /// Commits, and tells who watches. The writer's turn is the caller's.
    pub(super) fn seal(
        &self,
        _writing: &MutexGuard<'_, ()>,
        prepared: Prepared,
        certificate: Option<Bytes>,
    ) -> Result<Arc<NewHead>, CommitError> {
        let started = Instant::now();
        let number = prepared.number();
        let Prepared {
            mut sealed,
            appended,
            mut took,
        } = prepared;
        match (self.spec().consensus(), &certificate) {
            (Some(_), None) => return Err(CommitError::NoCertificate { number }),
            (None, Some(_)) => return Err(CommitError::NoValidators { number }),
            _ => sealed.certificate = certificate,
        }
        let changed = sealed.changes.accounts.keys().copied().collect();
        let (stored, receipts) = self.store().commit(sealed)?;
        if let Some(law) = &self.inner.law {
            law.publish(number, appended);
        }
        took.commit = started.elapsed();
        let head = Arc::new(NewHead {
            stored,
            receipts,
            changed,
            took,
        });
        self.tell(&head);
        Ok(head)
    }
}
