//! The rows of one transaction.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes};
use purlin_chain_proto::{Header, Receipt};
use redb::{ReadableTable, Table, WriteTransaction};

use super::codec;
use super::error::StoreError;
use super::plan::Plan;
use super::snapshot::storage_path;
use super::tables::{self, FORMAT, meta};
use super::values::{Stored, TrieUpdate};

type Rows<'t, K> = Table<'t, K, &'static [u8]>;

/// Everything of a block but its state.
pub(super) struct BlockRows<'a> {
    pub(super) stored: &'a Stored,
    pub(super) receipts: &'a [Receipt],
    pub(super) certificate: Option<&'a Bytes>,
}

/// Makes every table and writes what is true of a chain from its first block on.
pub(super) fn beginning(writing: &WriteTransaction, genesis: B256) -> Result<(), StoreError> {
    writing.open_table(tables::ACCOUNT_CHANGES)?;
    writing.open_table(tables::STORAGE_CHANGES)?;
    writing.open_table(tables::BLOCK_CHANGES)?;
    let mut table = writing.open_table(tables::META)?;
    table.insert(meta::FORMAT, FORMAT.to_be_bytes().as_slice())?;
    table.insert(meta::GENESIS, genesis.as_slice())?;
    drop(table);
    oldest(writing, 0)
}

pub(super) fn oldest(writing: &WriteTransaction, oldest: u64) -> Result<(), StoreError> {
    let mut table = writing.open_table(tables::META)?;
    table.insert(meta::OLDEST, oldest.to_be_bytes().as_slice())?;
    Ok(())
}

pub(super) fn block(writing: &WriteTransaction, block: &BlockRows<'_>) -> Result<(), StoreError> {
    let Stored {
        block: whole,
        hash,
        senders,
    } = block.stored;
    let number = whole.header.number;
    header(writing, *hash, &whole.header)?;
    let rows = [
        (tables::BODIES, alloy_rlp::encode(&whole.body)),
        (tables::SENDERS, codec::encode_addresses(senders)),
        (tables::RECEIPTS, codec::encode_receipts(block.receipts)),
    ];
    for (table, row) in rows {
        writing.open_table(table)?.insert(number, row.as_slice())?;
    }
    if let Some(certificate) = block.certificate {
        let row = codec::encode_certificate(*hash, certificate);
        writing
            .open_table(tables::CERTIFICATES)?
            .insert(number, row.as_slice())?;
    }
    let mut hashes: Vec<(B256, u32)> = (whole.body.transactions.iter().zip(0..))
        .map(|(transaction, index)| (*transaction.tx_hash(), index))
        .collect();
    hashes.sort_unstable();
    let mut table = writing.open_table(tables::TRANSACTIONS)?;
    for (hash, index) in hashes {
        table.insert(&hash.0, (number, index))?;
    }
    let mut table = writing.open_table(tables::META)?;
    table.insert(meta::HEAD, number.to_be_bytes().as_slice())?;
    Ok(())
}

/// A header, and where its hash is found.
pub(super) fn header(writing: &WriteTransaction, hash: B256, header: &Header) -> Result<(), StoreError> {
    let mut row = hash.to_vec();
    alloy_rlp::Encodable::encode(header, &mut row);
    let mut table = writing.open_table(tables::HEADERS)?;
    table.insert(header.number, row.as_slice())?;
    writing
        .open_table(tables::NUMBERS)?
        .insert(&hash.0, header.number)?;
    Ok(())
}

pub(super) fn state(
    writing: &WriteTransaction,
    plan: &Plan,
    codes: BTreeMap<B256, Bytes>,
) -> Result<(), StoreError> {
    let mut table = writing.open_table(tables::ACCOUNTS)?;
    for change in &plan.accounts {
        let row = change.after.as_ref().map(codec::encode_account);
        put(&mut table, &change.address.0.0, row.as_deref())?;
    }
    let mut table = writing.open_table(tables::STORAGE)?;
    for change in &plan.slots {
        let row = (!change.after.is_zero()).then(|| codec::encode_word(change.after));
        put(
            &mut table,
            &codec::slot_key(change.address, change.slot),
            row.as_deref(),
        )?;
    }
    let mut table = writing.open_table(tables::CODES)?;
    for (hash, code) in codes {
        if table.get(&hash.0)?.is_none() {
            table.insert(&hash.0, code.as_ref())?;
        }
    }
    Ok(())
}

/// The values before a block, under its number.
pub(super) fn history(writing: &WriteTransaction, number: u64, plan: &Plan) -> Result<(), StoreError> {
    let mut table = writing.open_table(tables::ACCOUNT_CHANGES)?;
    for change in &plan.accounts {
        let key = codec::account_change_key(change.address, number);
        table.insert(&key, codec::encode_before(change.before.as_ref()).as_slice())?;
    }
    let mut table = writing.open_table(tables::STORAGE_CHANGES)?;
    for change in &plan.slots {
        let key = codec::slot_change_key(change.address, change.slot, number);
        table.insert(&key, codec::encode_word(change.before).as_slice())?;
    }
    let mut table = writing.open_table(tables::BLOCK_CHANGES)?;
    table.insert(number, plan.touched().encode().as_slice())?;
    Ok(())
}

pub(super) fn tries(writing: &WriteTransaction, update: &TrieUpdate) -> Result<(), StoreError> {
    let mut table = writing.open_table(tables::ACCOUNT_TRIE)?;
    for (path, row) in &update.rows {
        put(&mut table, path.to_vec().as_slice(), row.as_deref())?;
    }
    let mut table = writing.open_table(tables::STORAGE_TRIES)?;
    for storage in &update.storages {
        if storage.wiped {
            let first = storage.owner.as_slice();
            // No nibble is 255: this is behind every path of the owner.
            let last: Vec<u8> = first.iter().copied().chain([u8::MAX]).collect();
            table.retain_in::<&[u8], _>(first..last.as_slice(), |_, _| false)?;
        }
        for (path, row) in &storage.rows {
            let key = storage_path(&storage.owner, path);
            put(&mut table, key.as_slice(), row.as_deref())?;
        }
    }
    Ok(())
}

pub(super) fn put<'k, K: redb::Key + 'static>(
    table: &mut Rows<'_, K>,
    key: K::SelfType<'k>,
    row: Option<&[u8]>,
) -> Result<(), StoreError> {
    match row {
        Some(row) => drop(table.insert(key, row)?),
        None => drop(table.remove(key)?),
    }
    Ok(())
}
