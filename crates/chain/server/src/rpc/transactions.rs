//! Transactions and their receipts, by hash or by place.

use super::blocks::{Found, facts, hashed, named};
use super::{Method, Query, answer};
use crate::fault::{Answer, Fault};
use crate::shape::{TransactionPlace, TransactionShape, block_receipts};
use crate::source::Stored;
use alloy_eips::Encodable2718 as _;
use purlin_chain_proto::{B256, Bytes};
use std::sync::Arc;

pub(super) const METHODS: &[Method] = &[
    Method::read("eth_getTransactionByHash", 1, by_hash),
    Method::read("eth_getTransactionByBlockHashAndIndex", 2, |query| {
        at(query, hashed(query)?)
    }),
    Method::read("eth_getTransactionByBlockNumberAndIndex", 2, |query| {
        at(query, named(query)?)
    }),
    Method::read("eth_getRawTransactionByHash", 1, raw_by_hash),
    Method::read("eth_getRawTransactionByBlockHashAndIndex", 2, |query| {
        raw_at(query, hashed(query)?)
    }),
    Method::read("eth_getRawTransactionByBlockNumberAndIndex", 2, |query| {
        raw_at(query, named(query)?)
    }),
    Method::read("eth_getTransactionReceipt", 1, receipt),
    Method::read("debug_getRawTransaction", 1, raw_by_hash),
];

/// A transaction's block and its place there.
pub(super) fn find(query: &Query<'_>, hash: B256) -> Result<Option<(Arc<Stored>, usize)>, Fault> {
    let Some((number, index)) = query.node.source.transaction(hash)? else {
        return Ok(None);
    };
    Ok(query.node.source.block(number)?.map(|stored| (stored, index)))
}

/// The transaction at a place of a block.
pub(super) fn shape(stored: &Stored, index: usize) -> Option<TransactionShape> {
    let transaction = stored.block.body.transactions.get(index)?;
    let header = &stored.block.header;
    let place = TransactionPlace {
        block_hash: stored.hash,
        block_number: header.number,
        block_timestamp: header.timestamp,
        base_fee: header.base_fee_per_gas,
        index: index as u64,
    };
    let from = stored.senders.get(index).copied().unwrap_or_default();
    Some(TransactionShape::new(transaction, from, Some(place)))
}

fn by_hash(query: &Query<'_>) -> Answer {
    let hash = query.args.hash(0)?;
    if let Some((stored, index)) = find(query, hash)? {
        return answer(&shape(&stored, index));
    }
    answer(&query.node.waiting(hash).map(|pooled| {
        let transaction = pooled.transaction();
        TransactionShape::new(transaction.inner(), transaction.signer(), None)
    }))
}

fn at(query: &Query<'_>, found: Option<Found>) -> Answer {
    let index = place(query)?;
    answer(&found.and_then(|found| {
        if found.pending {
            return waiting(&found.stored, index);
        }
        shape(&found.stored, index)
    }))
}

/// A transaction of the block that would come next: it has no place yet.
fn waiting(stored: &Stored, index: usize) -> Option<TransactionShape> {
    let transaction = stored.block.body.transactions.get(index)?;
    let from = stored.senders.get(index).copied().unwrap_or_default();
    Some(TransactionShape::new(transaction, from, None))
}

fn place(query: &Query<'_>) -> Result<usize, Fault> {
    Ok(usize::try_from(query.args.quantity(1)?).unwrap_or(usize::MAX))
}

fn raw_by_hash(query: &Query<'_>) -> Answer {
    let hash = query.args.hash(0)?;
    if let Some((stored, index)) = find(query, hash)? {
        return answer(&raw(&stored, index));
    }
    answer(
        &query
            .node
            .waiting(hash)
            .map(|pooled| Bytes::from(pooled.transaction().inner().encoded_2718())),
    )
}

fn raw_at(query: &Query<'_>, found: Option<Found>) -> Answer {
    let index = place(query)?;
    answer(&found.and_then(|found| raw(&found.stored, index)))
}

fn raw(stored: &Stored, index: usize) -> Option<Bytes> {
    let transaction = stored.block.body.transactions.get(index)?;
    Some(Bytes::from(transaction.encoded_2718()))
}

pub(super) fn receipt(query: &Query<'_>) -> Answer {
    let Some((stored, index)) = find(query, query.args.hash(0)?)? else {
        return answer(&());
    };
    let receipts = query.node.source.receipts(stored.block.header.number)?;
    answer(&block_receipts(facts(query, &stored), &receipts, Some(index)).pop())
}
