//! A block or a header as JSON-RPC shows it.

use crate::shape::{TransactionPlace, TransactionShape};
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{B64, U64};
use alloy_rlp::Encodable;
use purlin_chain_proto::{Address, B256, Block, Bloom, Bytes, Header, U256};
use serde::Serialize;

/// What of a block's transactions is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transactions {
    Hashes,
    Whole,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Listed {
    Hash(B256),
    Whole(Box<TransactionShape>),
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockShape {
    #[serde(flatten)]
    header: HeaderShape,
    size: U64,
    transactions: Vec<Listed>,
    uncles: Vec<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawals: Option<Vec<Withdrawal>>,
}

impl BlockShape {
    /// `hash`: none for a block that is not there yet.
    pub(crate) fn new(block: &Block, hash: Option<B256>, senders: &[Address], wanted: Transactions) -> Self {
        let header = &block.header;
        let listed = |(index, transaction): (usize, &purlin_chain_proto::Transaction)| match wanted {
            Transactions::Hashes => Listed::Hash(*transaction.tx_hash()),
            Transactions::Whole => {
                let place = hash.map(|block_hash| TransactionPlace {
                    block_hash,
                    block_number: header.number,
                    block_timestamp: header.timestamp,
                    base_fee: header.base_fee_per_gas,
                    index: index as u64,
                });
                let from = senders.get(index).copied().unwrap_or_default();
                Listed::Whole(Box::new(TransactionShape::new(transaction, from, place)))
            }
        };
        Self {
            header: HeaderShape::new(header, hash),
            size: U64::from(block.length()),
            transactions: block.body.transactions.iter().enumerate().map(listed).collect(),
            uncles: block.body.ommers.iter().map(Header::hash_slow).collect(),
            withdrawals: block.body.withdrawals.as_ref().map(|list| list.0.clone()),
        }
    }
}

/// A header: what `newHeads` tells, and most of a block. What a block that is not there yet may still get another of (hash, nonce,
/// who makes it) is null, as in geth.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeaderShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    base_fee_per_gas: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_gas_used: Option<U64>,
    difficulty: U256,
    #[serde(skip_serializing_if = "Option::is_none")]
    excess_blob_gas: Option<U64>,
    extra_data: Bytes,
    gas_limit: U64,
    gas_used: U64,
    hash: Option<B256>,
    logs_bloom: Bloom,
    miner: Option<Address>,
    mix_hash: B256,
    nonce: Option<B64>,
    number: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_beacon_block_root: Option<B256>,
    parent_hash: B256,
    receipts_root: B256,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_hash: Option<B256>,
    #[serde(rename = "sha3Uncles")]
    uncles_hash: B256,
    state_root: B256,
    timestamp: U64,
    transactions_root: B256,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawals_root: Option<B256>,
}

impl HeaderShape {
    /// `hash`: none for a block that is not there yet.
    pub(crate) fn new(header: &Header, hash: Option<B256>) -> Self {
        Self {
            base_fee_per_gas: header.base_fee_per_gas.map(U64::from),
            blob_gas_used: header.blob_gas_used.map(U64::from),
            difficulty: header.difficulty,
            excess_blob_gas: header.excess_blob_gas.map(U64::from),
            extra_data: header.extra_data.clone(),
            gas_limit: U64::from(header.gas_limit),
            gas_used: U64::from(header.gas_used),
            hash,
            logs_bloom: header.logs_bloom,
            miner: hash.map(|_| header.beneficiary),
            mix_hash: header.mix_hash,
            nonce: hash.map(|_| header.nonce),
            number: U64::from(header.number),
            parent_beacon_block_root: header.parent_beacon_block_root,
            parent_hash: header.parent_hash,
            receipts_root: header.receipts_root,
            requests_hash: header.requests_hash,
            uncles_hash: header.ommers_hash,
            state_root: header.state_root,
            timestamp: U64::from(header.timestamp),
            transactions_root: header.transactions_root,
            withdrawals_root: header.withdrawals_root,
        }
    }
}
