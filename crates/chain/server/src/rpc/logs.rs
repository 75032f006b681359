//! `eth_getLogs`: a range of blocks, the bloom of each header first, then its receipts.

use super::{Method, Query, answer};
use crate::fault::{Answer, Fault};
use crate::log_filter::LogFilter;
use crate::shape::{LogPlace, LogShape};
use crate::source::receipt_facts;
use alloy_rpc_types_eth::FilterBlockOption;
use purlin_chain_proto::{B256, Block, Receipt};
use serde_json::Value;

pub(super) const METHODS: &[Method] = &[Method::read("eth_getLogs", 1, logs)];

/// Addresses that a filter may name, and topics of one position, like geth's limits.
const ADDRESSES_MAX: usize = 1_000;
const TOPICS_MAX: usize = 1_000;

/// The filter at an argument.
pub(super) fn filter(query: &Query<'_>, index: usize) -> Result<LogFilter, Fault> {
    parse(query.args.maybe(index)?.unwrap_or_default(), index)
}

/// A filter from its JSON.
///
/// # Errors
/// -32602, as geth refuses it.
pub(super) fn parse(value: Value, index: usize) -> Result<LogFilter, Fault> {
    if value.is_null() {
        return Ok(LogFilter::default());
    }
    let positions = value.get("topics").and_then(Value::as_array).map_or(0, Vec::len);
    if positions > 4 {
        return Err(Fault::params("exceed max topics"));
    }
    let both = value.get("blockHash").is_some_and(|hash| !hash.is_null())
        && ["fromBlock", "toBlock"]
            .iter()
            .any(|key| value.get(key).is_some_and(|tag| !tag.is_null()));
    if both {
        return Err(super::args::invalid(
            index,
            "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other",
        ));
    }
    let filter: alloy_rpc_types_eth::Filter =
        serde_json::from_value(value).map_err(|e| super::args::invalid(index, e))?;
    if filter.address.len() > ADDRESSES_MAX {
        return Err(Fault::params("exceed max addresses"));
    }
    if filter.topics.iter().any(|topics| topics.len() > TOPICS_MAX) {
        return Err(Fault::params("exceed max topics per position"));
    }
    Ok(LogFilter::new(filter, positions))
}

fn logs(query: &Query<'_>) -> Answer {
    let filter = filter(query, 0)?;
    answer(&find(query, &filter)?)
}

/// Everything that a filter matches.
pub(super) fn find(query: &Query<'_>, filter: &LogFilter) -> Result<Vec<LogShape>, Fault> {
    let (first, last) = match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let number = query.node.source.number_of(hash)?;
            let number = number.ok_or_else(|| Fault::server("unknown block"))?;
            (number, number)
        }
        FilterBlockOption::Range { from_block, to_block } => {
            let head = query.node.head().header.number;
            let first = from_block.map_or(head, |tag| query.number(tag));
            let last = to_block.map_or(head, |tag| query.number(tag));
            if first > last {
                return Err(Fault::params("invalid block range params"));
            }
            if last > head {
                return Err(Fault::params("block range extends beyond current head block"));
            }
            (first, last)
        }
    };
    between(query, filter, first, last)
}

/// What a filter matches in these blocks, both included.
pub(super) fn between(
    query: &Query<'_>,
    filter: &LogFilter,
    first: u64,
    last: u64,
) -> Result<Vec<LogShape>, Fault> {
    let limits = &query.node.settings.rpc;
    if last.saturating_sub(first) >= limits.log_blocks {
        return Err(Fault::limit(format!(
            "exceed maximum block range: {}",
            limits.log_blocks
        )));
    }
    let mut found = Vec::new();
    for number in first..=last {
        query.in_time()?;
        let Some(head) = query.node.source.header(number)? else {
            break;
        };
        if !filter.matches_bloom(head.header.logs_bloom) {
            continue;
        }
        let Some(stored) = query.node.source.block(number)? else {
            break;
        };
        let receipts = query.node.source.receipts(number)?;
        matching(filter, &stored.block, stored.hash, &receipts, &mut found);
        if found.len() > limits.logs {
            return Err(Fault::limit(format!(
                "query returned more than {} results",
                limits.logs
            )));
        }
    }
    Ok(found)
}

/// Appends the logs of one block that match.
pub(crate) fn matching(
    filter: &LogFilter,
    block: &Block,
    hash: B256,
    receipts: &[Receipt],
    found: &mut Vec<LogShape>,
) {
    let header = &block.header;
    let mut log_index = 0;
    for (index, (transaction, receipt)) in block.body.transactions.iter().zip(receipts).enumerate() {
        for log in receipt_facts(receipt).logs {
            let matches = filter.matches(log);
            if matches {
                let place = LogPlace {
                    block_hash: hash,
                    block_number: header.number,
                    block_timestamp: header.timestamp,
                    transaction_hash: *transaction.tx_hash(),
                    transaction_index: index as u64,
                    log_index,
                };
                found.push(LogShape::new(log, place));
            }
            log_index += 1;
        }
    }
}
