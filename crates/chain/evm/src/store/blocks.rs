//! Reading blocks, receipts and indexes.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use purlin_chain_proto::{Block, Body, Receipt};

use super::codec::{self, damaged};
use super::error::StoreError;
use super::values::{Head, Stored};
use super::{Snapshot, Store};

impl Store {
    /// A block's header; `None` when it has not come yet. Headers are never pruned, but a chain that was made of a state
    /// from elsewhere begins with the 256 before that state.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] for one that never was here; when the store cannot read.
    pub fn header(&self, number: u64) -> Result<Option<Head>, StoreError> {
        let snapshot = self.snapshot();
        if number == snapshot.number() {
            return Ok(Some(Head::clone(&snapshot.head)));
        }
        match snapshot.header(number)? {
            None if number < snapshot.number() => Err(StoreError::Pruned {
                wanted: number,
                oldest: snapshot.oldest,
            }),
            found => Ok(found),
        }
    }

    /// As [`Self::header`].
    ///
    /// # Errors
    /// When the store cannot read.
    pub fn header_by_hash(&self, hash: B256) -> Result<Option<Head>, StoreError> {
        match self.number_of(hash)? {
            Some(number) => self.header(number),
            None => Ok(None),
        }
    }

    /// Which block has this hash.
    ///
    /// # Errors
    /// When the store cannot read.
    pub fn number_of(&self, hash: B256) -> Result<Option<u64>, StoreError> {
        let row = self.snapshot().tables.numbers.get(&hash.0)?;
        Ok(row.map(|row| row.value()))
    }

    /// A block with its senders; `None` when it has not come yet. Block 0 is always there.
    ///
    /// # Errors
    /// [`StoreError::Pruned`]; when the store cannot read.
    pub fn block(&self, number: u64) -> Result<Option<Arc<Stored>>, StoreError> {
        let snapshot = self.snapshot();
        if !there(&snapshot, number)? {
            return Ok(None);
        }
        if let Some(stored) = self.inner.blocks.get(number) {
            return Ok(Some(stored));
        }
        let stored = Arc::new(read_block(&snapshot, number)?);
        let transactions = stored.senders.len();
        self.inner.blocks.keep(number, transactions, stored.clone());
        Ok(Some(stored))
    }

    /// A block's receipts in the order of its transactions; `None` when it has not come yet.
    ///
    /// # Errors
    /// [`StoreError::Pruned`]; when the store cannot read.
    pub fn receipts(&self, number: u64) -> Result<Option<Arc<Vec<Receipt>>>, StoreError> {
        let snapshot = self.snapshot();
        if !there(&snapshot, number)? {
            return Ok(None);
        }
        if let Some(receipts) = self.inner.receipts.get(number) {
            return Ok(Some(receipts));
        }
        let row = snapshot.tables.receipts.get(number)?;
        let row = row.ok_or_else(|| damaged("the receipts of a block"))?;
        let receipts = Arc::new(codec::decode_receipts(row.value())?);
        self.inner.receipts.keep(number, receipts.len(), receipts.clone());
        Ok(Some(receipts))
    }

    /// The octets that a block was committed with; `None` when there were none, or the block has not come yet.
    ///
    /// # Errors
    /// [`StoreError::Pruned`]; [`StoreError::Damaged`] when they are not what was written; when the store cannot read.
    pub fn certificate(&self, number: u64) -> Result<Option<Bytes>, StoreError> {
        let snapshot = self.snapshot();
        if !there(&snapshot, number)? {
            return Ok(None);
        }
        certificate(&snapshot, number)
    }

    /// In which block a transaction is, and where in it; `None` for one that is not known or pruned.
    ///
    /// # Errors
    /// When the store cannot read.
    pub fn transaction(&self, hash: B256) -> Result<Option<(u64, usize)>, StoreError> {
        let row = self.snapshot().tables.transactions.get(&hash.0)?;
        Ok(row.map(|row| {
            let (number, index) = row.value();
            (number, index as usize)
        }))
    }
}

fn there(snapshot: &Snapshot, number: u64) -> Result<bool, StoreError> {
    match snapshot.within(number) {
        Err(StoreError::Ahead { .. }) => Ok(false),
        Err(StoreError::Pruned { .. }) if number == 0 => Ok(true),
        other => other.map(|()| true),
    }
}

pub(super) fn certificate(snapshot: &Snapshot, number: u64) -> Result<Option<Bytes>, StoreError> {
    let table = snapshot.tables.certificates.as_ref();
    let Some(row) = table.map(|table| table.get(number)).transpose()?.flatten() else {
        return Ok(None);
    };
    let hash = snapshot.block_hash(number)?;
    let hash = hash.ok_or_else(|| damaged("a block's row"))?;
    Ok(Some(codec::decode_certificate(hash, row.value())?))
}

pub(super) fn read_block(snapshot: &Snapshot, number: u64) -> Result<Stored, StoreError> {
    let missing = || damaged("a block's row");
    let tables = &snapshot.tables;
    let Head { header, hash } = snapshot.header(number)?.ok_or_else(missing)?;
    let body = tables.bodies.get(number)?.ok_or_else(missing)?;
    let body: Body = codec::rlp(body.value(), "a block's body")?;
    let senders = tables.senders.get(number)?.ok_or_else(missing)?;
    Ok(Stored {
        block: Block::new(header, body),
        hash,
        senders: codec::decode_addresses(senders.value())?,
    })
}
