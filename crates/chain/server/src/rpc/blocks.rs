//! Blocks, and how many transactions and uncles they have.

use super::{Method, Query, answer};
use crate::fault::{Answer, Fault};
use crate::shape::{BlockFacts, BlockShape, HeaderShape, Transactions, block_receipts};
use crate::source::Stored;
use alloy_primitives::U64;
use std::sync::Arc;

pub(super) const METHODS: &[Method] = &[
    Method::read("eth_getBlockByNumber", 2, by_number),
    Method::read("eth_getBlockByHash", 2, by_hash),
    Method::read("eth_getHeaderByNumber", 1, header_by_number),
    Method::read("eth_getHeaderByHash", 1, header_by_hash),
    Method::read("eth_getBlockTransactionCountByNumber", 1, |query| {
        count(named(query)?.as_ref())
    }),
    Method::read("eth_getBlockTransactionCountByHash", 1, |query| {
        count(hashed(query)?.as_ref())
    }),
    Method::read("eth_getUncleCountByBlockNumber", 1, |query| {
        uncles(named(query)?.as_ref())
    }),
    Method::read("eth_getUncleCountByBlockHash", 1, |query| {
        uncles(hashed(query)?.as_ref())
    }),
    Method::read("eth_getUncleByBlockNumberAndIndex", 2, |query| {
        uncle(query, named(query)?.as_ref())
    }),
    Method::read("eth_getUncleByBlockHashAndIndex", 2, |query| {
        uncle(query, hashed(query)?.as_ref())
    }),
    Method::read("eth_getBlockReceipts", 1, receipts),
];

/// The block that argument 0 names by number or tag.
pub(super) fn named(query: &Query<'_>) -> Result<Option<Arc<Stored>>, Fault> {
    let Some(id) = query.block_id(0)? else {
        return Err(Fault::params("missing value for required argument 0"));
    };
    match query.resolve(id)? {
        Some(number) => query.node.source.block(number),
        None => Ok(None),
    }
}

/// The block whose hash argument 0 is.
pub(super) fn hashed(query: &Query<'_>) -> Result<Option<Arc<Stored>>, Fault> {
    match query.node.source.number_of(query.args.hash(0)?)? {
        Some(number) => query.node.source.block(number),
        None => Ok(None),
    }
}

fn by_number(query: &Query<'_>) -> Answer {
    block(query, named(query)?)
}

fn by_hash(query: &Query<'_>) -> Answer {
    block(query, hashed(query)?)
}

fn block(query: &Query<'_>, stored: Option<Arc<Stored>>) -> Answer {
    let wanted = match query.args.maybe(1)? {
        Some(true) => Transactions::Whole,
        Some(false) | None => Transactions::Hashes,
    };
    answer(&stored.map(|stored| BlockShape::new(&stored.block, stored.hash, &stored.senders, wanted)))
}

fn header_by_number(query: &Query<'_>) -> Answer {
    header(named(query)?.as_ref())
}

fn header_by_hash(query: &Query<'_>) -> Answer {
    header(hashed(query)?.as_ref())
}

fn header(stored: Option<&Arc<Stored>>) -> Answer {
    answer(&stored.map(|stored| HeaderShape::new(&stored.block.header, stored.hash)))
}

fn count(stored: Option<&Arc<Stored>>) -> Answer {
    answer(&stored.map(|stored| U64::from(stored.block.body.transactions.len())))
}

fn uncles(stored: Option<&Arc<Stored>>) -> Answer {
    answer(&stored.map(|stored| U64::from(stored.block.body.ommers.len())))
}

fn uncle(query: &Query<'_>, stored: Option<&Arc<Stored>>) -> Answer {
    let index = usize::try_from(query.args.quantity(1)?).unwrap_or(usize::MAX);
    let header = stored.and_then(|stored| stored.block.body.ommers.get(index));
    answer(&header.map(|header| HeaderShape::new(header, header.hash_slow())))
}

fn receipts(query: &Query<'_>) -> Answer {
    let Some(stored) = named(query)? else {
        return answer(&());
    };
    let receipts = query.node.source.receipts(stored.block.header.number)?;
    answer(&block_receipts(facts(query, &stored), &receipts, None))
}

/// What receipts need to know of their block.
pub(super) fn facts<'a>(query: &Query<'_>, stored: &'a Stored) -> BlockFacts<'a> {
    let header = &stored.block.header;
    BlockFacts {
        block: &stored.block,
        hash: stored.hash,
        senders: &stored.senders,
        blob_price: query.node.source.blob_price(header),
    }
}
