//! What a transaction should pay: `eth_gasPrice`, `eth_maxPriorityFeePerGas`, `eth_feeHistory` and their kin.

use super::args::invalid;
use super::{Method, Query, answer};
use crate::fault::{Answer, Fault};
use crate::node::unix_now;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{U64, U128};
use purlin_chain_core::fees::{self, FeeHistory, NextFees};
use purlin_chain_proto::Header;
use serde_json::json;

pub(super) const METHODS: &[Method] = &[
    Method::read("eth_gasPrice", 0, gas_price),
    Method::read("eth_maxPriorityFeePerGas", 0, tip),
    Method::read("eth_feeHistory", 3, history),
    Method::memory("eth_baseFee", 0, base_fee),
    Method::memory("eth_blobBaseFee", 0, blob_base_fee),
];

fn tip(query: &Query<'_>) -> Answer {
    answer(&U128::from(query.node.fees.tip(&query.node.source)?))
}

fn gas_price(query: &Query<'_>) -> Answer {
    let tip = query.node.fees.tip(&query.node.source)?;
    let base_fee = query.node.head().header.base_fee_per_gas.unwrap_or(0);
    answer(&U128::from(fees::gas_price(tip, base_fee)))
}

/// What the block after this one demands.
fn next(query: &Query<'_>, header: &Header) -> NextFees {
    let spec = query.node.source.spec();
    let child = query.node.source.header(header.number + 1).ok().flatten();
    // The rules of a block that is there already are those of its own time.
    let timestamp = child.map_or_else(
        || {
            if header.number == query.node.head().header.number {
                unix_now()
            } else {
                0
            }
            .max(header.timestamp + 1)
        },
        |child| child.header.timestamp,
    );
    let params = spec.blob_params_at(timestamp);
    let excess = spec.next_excess_blob_gas(header, timestamp);
    NextFees {
        base_fee: spec.next_base_fee(header, timestamp).unwrap_or(0),
        blob_base_fee: params
            .zip(excess)
            .map_or(0, |(params, excess)| params.calc_blob_fee(excess)),
    }
}

/// The base fee of the next block.
fn base_fee(query: &Query<'_>) -> Answer {
    answer(&U64::from(next(query, &query.node.head().header).base_fee))
}

fn blob_base_fee(query: &Query<'_>) -> Answer {
    answer(&U128::from(next(query, &query.node.head().header).blob_base_fee))
}

fn history(query: &Query<'_>) -> Answer {
    let count = query.args.quantity(0)?;
    let newest: BlockNumberOrTag = query.args.need(1)?;
    let percentiles: Vec<f64> = query.args.maybe(2)?.unwrap_or_default();
    let head = query.node.head().header.number;
    let range = fees::range(count, query.number(newest), head, &percentiles);
    let range = range.map_err(|fault| match fault {
        fees::HistoryFault::BeyondHead { .. } => Fault::server(fault.to_string()),
        _ => invalid(2, fault),
    })?;
    let Some(range) = range else {
        return answer(&json!({ "oldestBlock": "0x0", "gasUsedRatio": null }));
    };
    let mut blocks = Vec::new();
    for number in range {
        query.in_time()?;
        blocks.push(query.node.fees.block(&query.node.source, number)?);
    }
    let last = blocks.last().ok_or_else(Fault::header_not_found)?.number;
    let last = query
        .node
        .source
        .header(last)?
        .ok_or_else(Fault::header_not_found)?;
    let blocks: Vec<_> = blocks.iter().map(AsRef::as_ref).collect();
    let history = fees::history(&blocks, &percentiles, next(query, &last.header));
    answer(&shown(&history.ok_or_else(Fault::header_not_found)?))
}

/// Whole ones as `0` and `1`, which is how geth writes them, and not as `0.0`: there are readers that tell these apart.
fn ratios(all: &[f64]) -> Vec<serde_json::Value> {
    let ratio = |ratio: &f64| match *ratio {
        0.0 => json!(0),
        1.0 => json!(1),
        between => json!(between),
    };
    all.iter().map(ratio).collect()
}

fn shown(history: &FeeHistory) -> serde_json::Value {
    let amounts = |list: &[u128]| list.iter().map(|amount| U128::from(*amount)).collect::<Vec<_>>();
    let base_fees: Vec<_> = history
        .base_fee_per_gas
        .iter()
        .map(|fee| U64::from(*fee))
        .collect();
    let mut shown = json!({
        "oldestBlock": U64::from(history.oldest_block),
        "baseFeePerGas": base_fees,
        "gasUsedRatio": ratios(&history.gas_used_ratio),
        "baseFeePerBlobGas": amounts(&history.base_fee_per_blob_gas),
        "blobGasUsedRatio": ratios(&history.blob_gas_used_ratio),
    });
    if let Some(rewards) = &history.reward {
        shown["reward"] = rewards.iter().map(|block| json!(amounts(block))).collect();
    }
    shown
}
