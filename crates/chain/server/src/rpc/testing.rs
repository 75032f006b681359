//! `testing_buildBlockV1`: the block that transactions would make after a block, in the Engine API's form. Nothing changes.
//!
//! Source: execution-apis, `testing_buildBlockV1`.

use super::send::{decode, unsigned};
use super::{Method, Query, answer};
use crate::fault::{Answer, Fault};
use crate::produce::offered;
use crate::source::{Draft, receipt_facts};
use alloy_consensus::Transaction as _;
use alloy_eips::Encodable2718 as _;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::U64;
use purlin_chain_evm::Attributes;
use purlin_chain_proto::{Address, B256, Bytes, Recovered, U256};
use purlin_chain_signatures::recover;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Instant;

pub(super) const METHODS: &[Method] = &[Method::execute("testing_buildBlockV1", 4, build)];

/// The gas limit that blocks come nearer to. Nothing in the request names one, and every client is to build the same block: it is
/// what geth has by default.
const GAS_LIMIT: u64 = 60_000_000;

/// The Engine API's `PayloadAttributesV3`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    timestamp: U64,
    prev_randao: B256,
    suggested_fee_recipient: Address,
    #[serde(default)]
    withdrawals: Vec<Withdrawal>,
    #[serde(default)]
    parent_beacon_block_root: B256,
}

fn build(query: &Query<'_>) -> Answer {
    let parent = query.args.hash(0)?;
    let wanted: Wanted = query.args.need(1)?;
    let raw: Option<Vec<Bytes>> = query.args.maybe(2)?;
    let extra: Option<Bytes> = query.args.maybe(3)?;
    let production = &query.node.settings.production;
    let number = query.node.source.number_of(parent)?;
    let number = number.ok_or_else(|| Fault::server(format!("unknown parent block {parent}")))?;
    let attributes = Attributes {
        timestamp: wanted.timestamp.to(),
        beneficiary: wanted.suggested_fee_recipient,
        prev_randao: wanted.prev_randao,
        gas_limit: GAS_LIMIT,
        extra_data: extra.unwrap_or_else(|| production.extra_data.clone().into()),
        withdrawals: wanted.withdrawals,
        parent_beacon_root: wanted.parent_beacon_block_root,
    };
    // Those that are named must all be in it; of those that wait, whatever fits.
    let all = raw.is_some();
    let transactions = match raw {
        Some(raw) => raw.iter().map(signed).collect::<Result<Vec<_>, Fault>>()?,
        None => offered(query.node),
    };
    let in_time = transactions
        .into_iter()
        .take_while(|_| Instant::now() < query.until);
    let draft = query.node.source.draft(number, attributes, in_time)?;
    query.in_time()?;
    let draft = draft.ok_or_else(|| Fault::server("blocks before the merge are only imported here"))?;
    match draft.refused.first() {
        Some((_, refusal)) if all => Err(Fault::server(refusal.to_string())),
        _ => answer(&shape(&draft)),
    }
}

fn signed(raw: &Bytes) -> Result<Recovered, Fault> {
    let signed = recover(decode(raw)?).ok_or_else(unsigned)?;
    Ok(signed.transaction)
}

/// The answer of `engine_getPayloadV5`, without blobs: there are none in blocks made here.
fn shape(draft: &Draft) -> Value {
    let (header, body) = (&draft.stored.block.header, &draft.stored.block.body);
    let transactions = body
        .transactions
        .iter()
        .map(|one| Bytes::from(one.encoded_2718()));
    let mut payload = json!({
        "parentHash": header.parent_hash,
        "feeRecipient": header.beneficiary,
        "stateRoot": header.state_root,
        "receiptsRoot": header.receipts_root,
        "logsBloom": header.logs_bloom,
        "prevRandao": header.mix_hash,
        "blockNumber": U64::from(header.number),
        "gasLimit": U64::from(header.gas_limit),
        "gasUsed": U64::from(header.gas_used),
        "timestamp": U64::from(header.timestamp),
        "extraData": header.extra_data,
        "baseFeePerGas": U256::from(header.base_fee_per_gas.unwrap_or_default()),
        "blockHash": draft.stored.hash,
        "transactions": transactions.collect::<Vec<_>>(),
    });
    if let Some(withdrawals) = &body.withdrawals {
        payload["withdrawals"] = json!(withdrawals.0);
    }
    if let (Some(used), Some(excess)) = (header.blob_gas_used, header.excess_blob_gas) {
        payload["blobGasUsed"] = json!(U64::from(used));
        payload["excessBlobGas"] = json!(U64::from(excess));
    }
    json!({
        "executionPayload": payload,
        "blockValue": value(draft),
        "blobsBundle": { "commitments": [], "proofs": [], "blobs": [] },
        "executionRequests": draft.requests.iter().collect::<Vec<_>>(),
        "shouldOverrideBuilder": false,
    })
}

/// What its maker earns: the tips.
fn value(draft: &Draft) -> U256 {
    let base_fee = draft.stored.block.header.base_fee_per_gas;
    let (mut earned, mut before) = (U256::ZERO, 0);
    for (transaction, receipt) in draft.stored.block.body.transactions.iter().zip(&draft.receipts) {
        let used = receipt_facts(receipt).cumulative_gas_used;
        let price = transaction.effective_gas_price(base_fee);
        let tip = price.saturating_sub(u128::from(base_fee.unwrap_or_default()));
        earned += U256::from(tip) * U256::from(used - before);
        before = used;
    }
    earned
}
