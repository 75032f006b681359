//! A log as JSON-RPC shows it.

use alloy_primitives::U64;
use purlin_chain_proto::{Address, B256, Bytes, Log};
use serde::Serialize;

/// Where the log was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogPlace {
    pub block_hash: B256,
    pub block_number: u64,
    pub block_timestamp: u64,
    pub transaction_hash: B256,
    pub transaction_index: u64,
    /// Counted through the block.
    pub log_index: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogShape {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_number: U64,
    transaction_hash: B256,
    transaction_index: U64,
    block_hash: B256,
    block_timestamp: U64,
    log_index: U64,
    removed: bool,
}

impl LogShape {
    pub(crate) fn new(log: &Log, place: LogPlace) -> Self {
        Self {
            address: log.address,
            topics: log.topics().to_vec(),
            data: log.data.data.clone(),
            block_number: U64::from(place.block_number),
            transaction_hash: place.transaction_hash,
            transaction_index: U64::from(place.transaction_index),
            block_hash: place.block_hash,
            block_timestamp: U64::from(place.block_timestamp),
            log_index: U64::from(place.log_index),
            removed: false,
        }
    }
}
