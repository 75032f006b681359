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

/// A block that was asked for.
pub(super) struct Found {
    pub(super) stored: Arc<Stored>,
    /// It is not there yet: it would come next.
    pub(super) pending: bool,
}

/// The block that argument 0 names by number or tag.
pub(super) fn named(query: &Query<'_>) -> Result<Option<Found>, Fault> {
    let Some(id) = query.block_id(0)? else {
        return Err(Fault::params("missing value for required argument 0"));
    };
    if let Some(draft) = query.pending_at(0)? {
        return Ok(Some(Found {
            stored: Arc::clone(&draft.stored),
            pending: true,
        }));
    }
    match query.resolve(id)? {
        Some(number) => decided(query, number),
        None => Ok(None),
    }
}

/// The block whose hash argument 0 is.
pub(super) fn hashed(query: &Query<'_>) -> Result<Option<Found>, Fault> {
    match query.node.source.number_of(query.args.hash(0)?)? {
        Some(number) => decided(query, number),
        None => Ok(None),
    }
}

fn decided(query: &Query<'_>, number: u64) -> Result<Option<Found>, Fault> {
    let stored = query.node.source.block(number)?;
    Ok(stored.map(|stored| Found {
        stored,
        pending: false,
    }))
}

fn by_number(query: &Query<'_>) -> Answer {
    block(query, named(query)?)
}

fn by_hash(query: &Query<'_>) -> Answer {
    block(query, hashed(query)?)
}

fn block(query: &Query<'_>, found: Option<Found>) -> Answer {
    let wanted = match query.args.maybe(1)? {
        Some(true) => Transactions::Whole,
        Some(false) | None => Transactions::Hashes,
    };
    answer(&found.map(|Found { stored, pending }| {
        let hash = (!pending).then_some(stored.hash);
        BlockShape::new(&stored.block, hash, &stored.senders, wanted)
    }))
}

fn header_by_number(query: &Query<'_>) -> Answer {
    header(named(query)?.as_ref())
}

fn header_by_hash(query: &Query<'_>) -> Answer {
    header(hashed(query)?.as_ref())
}

fn header(found: Option<&Found>) -> Answer {
    answer(&found.map(|Found { stored, pending }| {
        HeaderShape::new(&stored.block.header, (!pending).then_some(stored.hash))
    }))
}

fn count(found: Option<&Found>) -> Answer {
    answer(&found.map(|found| U64::from(found.stored.block.body.transactions.len())))
}

fn uncles(found: Option<&Found>) -> Answer {
    answer(&found.map(|found| U64::from(found.stored.block.body.ommers.len())))
}

fn uncle(query: &Query<'_>, found: Option<&Found>) -> Answer {
    let index = usize::try_from(query.args.quantity(1)?).unwrap_or(usize::MAX);
    let header = found.and_then(|found| found.stored.block.body.ommers.get(index));
    answer(&header.map(|header| HeaderShape::new(header, Some(header.hash_slow()))))
}

/// Nothing for the block that would come next: a receipt says what has happened.
fn receipts(query: &Query<'_>) -> Answer {
    let Some(Found {
        stored,
        pending: false,
    }) = named(query)?
    else {
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
