//! A receipt as JSON-RPC shows it.

use crate::shape::{LogPlace, LogShape};
use crate::source::{ReceiptFacts, receipt_facts};
use alloy_consensus::Transaction as _;
use alloy_primitives::{U64, U128};
use purlin_chain_proto::{Address, B256, Block, Bloom, Receipt};
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceiptShape {
    block_hash: B256,
    block_number: U64,
    contract_address: Option<Address>,
    cumulative_gas_used: U64,
    effective_gas_price: U128,
    from: Address,
    gas_used: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_gas_used: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_gas_price: Option<U128>,
    logs: Vec<LogShape>,
    logs_bloom: Bloom,
    /// The state's root after the transaction, before Byzantium.
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<U64>,
    to: Option<Address>,
    transaction_hash: B256,
    transaction_index: U64,
    #[serde(rename = "type")]
    kind: U64,
}

/// What the receipts of a block have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockFacts<'a> {
    pub block: &'a Block,
    pub hash: B256,
    pub senders: &'a [Address],
    /// Price of a unit of blob gas in this block.
    pub blob_price: Option<u128>,
}

/// The receipts of a block, or only the one at `only`.
pub(crate) fn block_receipts(
    facts: BlockFacts<'_>,
    receipts: &[Receipt],
    only: Option<usize>,
) -> Vec<ReceiptShape> {
    let mut shapes = Vec::with_capacity(if only.is_some() { 1 } else { receipts.len() });
    let (mut gas_before, mut logs_before) = (0, 0);
    for (index, receipt) in receipts.iter().enumerate() {
        let receipt = receipt_facts(receipt);
        if only.is_none_or(|only| only == index) {
            shapes.push(ReceiptShape::new(facts, index, &receipt, gas_before, logs_before));
        }
        gas_before = receipt.cumulative_gas_used;
        logs_before += receipt.logs.len() as u64;
    }
    shapes
}

impl ReceiptShape {
    fn new(
        facts: BlockFacts<'_>,
        index: usize,
        receipt: &ReceiptFacts<'_>,
        gas_before: u64,
        logs_before: u64,
    ) -> Self {
        let header = &facts.block.header;
        let transaction = &facts.block.body.transactions[index];
        let from = facts.senders.get(index).copied().unwrap_or_default();
        let created = transaction.to().is_none();
        let blobs = transaction.blob_gas_used();
        let place = |log| LogPlace {
            block_hash: facts.hash,
            block_number: header.number,
            block_timestamp: header.timestamp,
            transaction_hash: *transaction.tx_hash(),
            transaction_index: index as u64,
            log_index: logs_before + log,
        };
        let logs = receipt.logs.iter().zip(0..);
        Self {
            block_hash: facts.hash,
            block_number: U64::from(header.number),
            contract_address: created.then(|| from.create(transaction.nonce())),
            cumulative_gas_used: U64::from(receipt.cumulative_gas_used),
            effective_gas_price: U128::from(transaction.effective_gas_price(header.base_fee_per_gas)),
            from,
            gas_used: U64::from(receipt.cumulative_gas_used - gas_before),
            blob_gas_used: blobs.map(U64::from),
            blob_gas_price: blobs.and(facts.blob_price).map(U128::from),
            logs: logs
                .map(|(log, index)| LogShape::new(log, place(index)))
                .collect(),
            logs_bloom: receipt.bloom,
            root: receipt.root,
            status: receipt.status.map(|ok| U64::from(u8::from(ok))),
            to: transaction.to(),
            transaction_hash: *transaction.tx_hash(),
            transaction_index: U64::from(index),
            kind: U64::from(u8::from(transaction.tx_type())),
        }
    }
}
