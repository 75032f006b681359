//! `debug_getRaw*`: blocks, headers and receipts as the octets that hashes are made of.

use super::{Method, Query, answer};
use crate::fault::{Answer, Fault};
use crate::source::Stored;
use alloy_eips::Encodable2718 as _;
use purlin_chain_proto::Bytes;
use std::sync::Arc;

pub(super) const METHODS: &[Method] = &[
    Method::read("debug_getRawBlock", 1, block),
    Method::read("debug_getRawHeader", 1, header),
    Method::read("debug_getRawReceipts", 1, receipts),
];

fn stored(query: &Query<'_>) -> Result<Arc<Stored>, Fault> {
    let id = query.block_id(0)?;
    let id = id.ok_or_else(|| Fault::params("missing value for required argument 0"))?;
    let number = query.resolve(id)?;
    let found = number
        .map(|number| query.node.source.block(number))
        .transpose()?
        .flatten();
    found.ok_or_else(|| Fault::server(format!("block {id:?} not found")))
}

fn block(query: &Query<'_>) -> Answer {
    answer(&Bytes::from(alloy_rlp::encode(&stored(query)?.block)))
}

fn header(query: &Query<'_>) -> Answer {
    answer(&Bytes::from(alloy_rlp::encode(&stored(query)?.block.header)))
}

fn receipts(query: &Query<'_>) -> Answer {
    let receipts = query.node.source.receipts(stored(query)?.block.header.number)?;
    let encoded: Vec<Bytes> = receipts
        .iter()
        .map(|receipt| receipt.encoded_2718().into())
        .collect();
    answer(&encoded)
}
