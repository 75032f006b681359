//! A block becomes durable, and then visible.

use std::sync::{Arc, MutexGuard};

use purlin_chain_proto::Receipt;
use redb::{Database, WriteTransaction};

use super::error::StoreError;
use super::hot::Hot;
use super::plan::Plan;
use super::snapshot::Snapshot;
use super::values::{Sealed, Stored};
use super::write::{self, BlockRows};
use super::{Store, StoreError as Error};

/// The writer's turn.
pub(super) struct Turn<'a> {
    database: MutexGuard<'a, Option<Database>>,
}

impl Store {
    /// Makes a block durable: itself, its state, receipts, certificate and indexes, in one transaction. It must follow the head. The block
    /// and its receipts come back as readers are given them.
    ///
    /// When this returns an error, the head is as before, and the store can be read and written as before; but after
    /// [`StoreError::SyncFailed`] the node must be started again, and after an error of a failing disk the head says
    /// whether the block is there.
    ///
    /// # Errors
    /// A block that does not fit, [`StoreError::Full`], a disk that fails.
    pub fn commit(&self, sealed: Sealed) -> Result<(Arc<Stored>, Arc<Vec<Receipt>>), StoreError> {
        let mut turn = self.turn()?;
        let snapshot = self.snapshot();
        check(&snapshot, &sealed)?;
        let plan = Plan::of(Some(&snapshot), &sealed.changes)?;
        let Sealed {
            block,
            hash,
            senders,
            receipts,
            changes,
            trie,
            certificate,
        } = sealed;
        let number = block.header.number;
        let stored = Arc::new(Stored { block, hash, senders });
        self.write(&mut turn, |writing| {
            let rows = BlockRows {
                stored: &stored,
                receipts: &receipts,
                certificate: certificate.as_ref(),
            };
            write::block(writing, &rows)?;
            write::state(writing, &plan, changes.codes)?;
            write::history(writing, number, &plan)?;
            write::tries(writing, &trie)
        })?;
        let transactions = receipts.len();
        let receipts = Arc::new(receipts);
        self.inner.blocks.keep(number, transactions, stored.clone());
        self.inner.receipts.keep(number, transactions, receipts.clone());
        let version = snapshot.version + 1;
        self.inner.cache.advance(version, &plan.fresh());
        self.publish(&mut turn, version, |hot| hot.advance(trie))?;
        Ok((stored, receipts))
    }

    /// Waits for the writer's turn, with the file open.
    pub(super) fn turn(&self) -> Result<Turn<'_>, StoreError> {
        self.healthy()?;
        let database = self.inner.database.lock();
        let database = database.expect("no thread panics while writing");
        let mut turn = Turn { database };
        if turn.database.is_none() {
            self.reopen(&mut turn)?;
        }
        Ok(turn)
    }

    /// Runs one durable transaction. After an error of the engine the file is opened again, at its last commit.
    pub(super) fn write(
        &self,
        turn: &mut Turn<'_>,
        work: impl FnOnce(&WriteTransaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let database = turn.database.as_ref().expect("opened for this turn");
        let error = match transaction(database, work) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if self.inner.source.sync_failed() {
            *turn.database = None;
            return Err(Error::SyncFailed);
        }
        if matches!(error, Error::Full | Error::Failed(_)) {
            // When this fails too, the next turn tries again; the first error says what happened.
            let _ = self.reopen(turn);
        }
        Err(error)
    }

    /// Shows what is on the disk to those who come from now on. The cache must know of it already.
    pub(super) fn publish(
        &self,
        turn: &mut Turn<'_>,
        version: u64,
        tries: impl FnOnce(&mut Hot),
    ) -> Result<(), StoreError> {
        let database = turn.database.as_ref().expect("opened for this turn");
        let next = match Snapshot::take(database, version, self.inner.cache.clone()) {
            Ok(next) => next,
            Err(error) => {
                // The file is ahead of what is shown: the next turn opens it again and starts from there.
                *turn.database = None;
                return Err(error);
            }
        };
        let mut hot = self.inner.hot.write().expect("no thread panics with it locked");
        tries(&mut hot);
        *self
            .inner
            .snapshot
            .write()
            .expect("no thread panics with it locked") = Arc::new(next);
        Ok(())
    }

    /// Opens the file anew and believes nothing that is in memory.
    fn reopen(&self, turn: &mut Turn<'_>) -> Result<(), StoreError> {
        *turn.database = None;
        *turn.database = Some(self.inner.source.open()?);
        let version = self.snapshot().version + 1;
        self.inner.cache.reset(version);
        let nodes = self.inner.settings.nodes();
        let database = turn.database.as_ref().expect("opened just now");
        let root = Snapshot::take(database, version, self.inner.cache.clone())?
            .head
            .header
            .state_root;
        self.publish(turn, version, |hot| *hot = Hot::new(root, nodes))
    }
}

fn transaction(
    database: &Database,
    work: impl FnOnce(&WriteTransaction) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut writing = database.begin_write()?;
    // Opening after a crash takes the engine's own map of pages instead of walking the whole file.
    writing.set_quick_repair(true);
    work(&writing)?;
    writing.commit()?;
    Ok(())
}

fn check(snapshot: &Snapshot, sealed: &Sealed) -> Result<(), StoreError> {
    let header = &sealed.block.header;
    let (number, head) = (header.number, snapshot.number());
    if Some(number) != head.checked_add(1) || header.parent_hash != snapshot.head.hash {
        return Err(Error::NotOnHead {
            number,
            parent: header.parent_hash,
            head,
            head_hash: snapshot.head.hash,
        });
    }
    let base = sealed.trie.base;
    if base != head {
        return Err(Error::OtherBase { base, head });
    }
    if sealed.trie.root() != header.state_root {
        return Err(Error::WrongRoot {
            number,
            header: header.state_root,
            computed: sealed.trie.root(),
        });
    }
    let not_whole = |what| Err(Error::NotWhole { number, what });
    let transactions = sealed.block.body.transactions.len();
    match sealed {
        _ if sealed.senders.len() != transactions => not_whole("each transaction has one sender"),
        _ if sealed.receipts.len() != transactions => not_whole("each transaction has one receipt"),
        _ if header.hash_slow() != sealed.hash => not_whole("the hash is not that of the header"),
        _ => Ok(()),
    }
}
