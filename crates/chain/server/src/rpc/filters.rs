//! Installed filters: `eth_newFilter` and its kin.

use super::logs::{between, filter, find};
use super::{Method, Query, answer};
use crate::fault::{Answer, Fault};
use crate::filters::Looks;
use crate::listen::random_id;
use crate::log_filter::LogFilter;
use crate::shape::TransactionShape;
use alloy_rpc_types_eth::FilterBlockOption;
use std::time::Instant;

pub(super) const METHODS: &[Method] = &[
    Method::read("eth_newFilter", 1, new_logs),
    Method::memory("eth_newBlockFilter", 0, new_blocks),
    Method::memory("eth_newPendingTransactionFilter", 1, new_arrivals),
    Method::read("eth_getFilterChanges", 1, changes),
    Method::read("eth_getFilterLogs", 1, all_logs),
    Method::memory("eth_uninstallFilter", 1, uninstall),
];

fn install(query: &Query<'_>, looks: Looks) -> Answer {
    let id = random_id();
    if !query.node.filters.install(id.clone(), looks, Instant::now()) {
        return Err(Fault::limit(
            "too many filters: uninstall those that are not needed",
        ));
    }
    answer(&id)
}

fn next_block(query: &Query<'_>) -> u64 {
    query.node.head().header.number + 1
}

fn new_logs(query: &Query<'_>) -> Answer {
    let filter = filter(query, 0)?;
    let next = match filter.block_option {
        FilterBlockOption::Range {
            from_block: Some(tag),
            ..
        } if tag.is_number() || tag.is_earliest() => next_block(query).max(query.number(tag)),
        _ => next_block(query),
    };
    install(
        query,
        Looks::Logs {
            filter: Box::new(filter),
            next,
        },
    )
}

fn new_blocks(query: &Query<'_>) -> Answer {
    install(
        query,
        Looks::Blocks {
            next: next_block(query),
        },
    )
}

fn new_arrivals(query: &Query<'_>) -> Answer {
    let whole = query.args.maybe(0)?.unwrap_or(false);
    install(
        query,
        Looks::Arrivals {
            next: query.node.arrivals.next(),
            whole,
        },
    )
}

fn looks(query: &Query<'_>) -> Result<(String, Looks), Fault> {
    let id: String = query.args.need(0)?;
    let looks = query.node.filters.find(&id, Instant::now());
    let looks = looks.ok_or_else(|| Fault::server("filter not found"))?;
    Ok((id, looks))
}

/// What has come since the last time. The filter goes on only after everything was found: what fails can be asked again.
fn changes(query: &Query<'_>) -> Answer {
    let (id, looks) = looks(query)?;
    let head = query.node.head().header.number;
    let advance = |next| query.node.filters.advance(&id, next, Instant::now());
    match looks {
        Looks::Logs { filter, next } => {
            let last = last_wanted(&filter).map_or(head, |last| last.min(head));
            let found = if next > last {
                Vec::new()
            } else {
                between(query, &filter, next, last)?
            };
            advance(last + 1);
            answer(&found)
        }
        Looks::Blocks { next } => {
            let keep = query.node.settings.rpc.filter_items as u64;
            let first = next.max((head + 1).saturating_sub(keep));
            let mut hashes = Vec::new();
            for number in first..=head {
                query.in_time()?;
                hashes.extend(query.node.source.header(number)?.map(|header| header.hash));
            }
            advance(head + 1);
            answer(&hashes)
        }
        Looks::Arrivals { next, whole } => {
            let (arrived, after) = query.node.arrivals.since(next);
            advance(after);
            if whole {
                let shape = |hash| {
                    let pooled = query.node.waiting(hash)?;
                    let transaction = pooled.transaction();
                    Some(TransactionShape::new(
                        transaction.inner(),
                        transaction.signer(),
                        None,
                    ))
                };
                return answer(&arrived.into_iter().filter_map(shape).collect::<Vec<_>>());
            }
            answer(&arrived)
        }
    }
}

fn all_logs(query: &Query<'_>) -> Answer {
    match looks(query)?.1 {
        Looks::Logs { filter, .. } => answer(&find(query, &filter)?),
        Looks::Blocks { .. } | Looks::Arrivals { .. } => Err(Fault::server("filter not found")),
    }
}

fn last_wanted(filter: &LogFilter) -> Option<u64> {
    filter.get_to_block()
}

fn uninstall(query: &Query<'_>) -> Answer {
    let id: String = query.args.need(0)?;
    answer(&query.node.filters.uninstall(&id, Instant::now()))
}
