//! A transaction as JSON-RPC shows it, waiting or in a block.

use alloy_consensus::Transaction as _;
use alloy_consensus::transaction::to_eip155_value;
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{U64, U128};
use purlin_chain_proto::{Address, B256, Bytes, Transaction, U256};
use serde::Serialize;

/// Where a transaction stands once it is in a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TransactionPlace {
    pub block_hash: B256,
    pub block_number: u64,
    pub block_timestamp: u64,
    pub base_fee: Option<u64>,
    pub index: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransactionShape {
    block_hash: Option<B256>,
    block_number: Option<U64>,
    block_timestamp: Option<U64>,
    from: Address,
    gas: U64,
    gas_price: U128,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_fee_per_gas: Option<U128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_priority_fee_per_gas: Option<U128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_fee_per_blob_gas: Option<U128>,
    hash: B256,
    input: Bytes,
    nonce: U64,
    to: Option<Address>,
    transaction_index: Option<U64>,
    value: U256,
    #[serde(rename = "type")]
    kind: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_list: Option<AccessList>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_id: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_versioned_hashes: Option<Vec<B256>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_list: Option<Vec<SignedAuthorization>>,
    v: U128,
    r: U256,
    s: U256,
    #[serde(skip_serializing_if = "Option::is_none")]
    y_parity: Option<U64>,
}

impl TransactionShape {
    /// `place`: none while it waits in the pool.
    pub(crate) fn new(transaction: &Transaction, from: Address, place: Option<TransactionPlace>) -> Self {
        let signature = transaction.signature();
        let parity = signature.v();
        let legacy = transaction.is_legacy();
        let v = if legacy {
            to_eip155_value(parity, transaction.chain_id())
        } else {
            u128::from(parity)
        };
        let price = match place {
            Some(place) => transaction.effective_gas_price(place.base_fee),
            None => transaction.max_fee_per_gas(),
        };
        let dynamic = transaction.is_dynamic_fee();
        Self {
            block_hash: place.map(|place| place.block_hash),
            block_number: place.map(|place| U64::from(place.block_number)),
            block_timestamp: place.map(|place| U64::from(place.block_timestamp)),
            from,
            gas: U64::from(transaction.gas_limit()),
            gas_price: U128::from(price),
            max_fee_per_gas: dynamic.then(|| U128::from(transaction.max_fee_per_gas())),
            max_priority_fee_per_gas: transaction.max_priority_fee_per_gas().map(U128::from),
            max_fee_per_blob_gas: transaction.max_fee_per_blob_gas().map(U128::from),
            hash: *transaction.tx_hash(),
            input: transaction.input().clone(),
            nonce: U64::from(transaction.nonce()),
            to: transaction.to(),
            transaction_index: place.map(|place| U64::from(place.index)),
            value: transaction.value(),
            kind: U64::from(u8::from(transaction.tx_type())),
            access_list: transaction.access_list().cloned(),
            chain_id: transaction.chain_id().map(U64::from),
            blob_versioned_hashes: transaction.blob_versioned_hashes().map(<[B256]>::to_vec),
            authorization_list: transaction
                .authorization_list()
                .map(<[SignedAuthorization]>::to_vec),
            v: U128::from(v),
            r: signature.r(),
            s: signature.s(),
            y_parity: (!legacy).then(|| U64::from(u8::from(parity))),
        }
    }
}
