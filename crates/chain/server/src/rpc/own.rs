//! `purlin_*`: what this node can tell beyond the standard. Reading only.

use super::{Method, Query, answer};
use crate::fault::Answer;
use alloy_primitives::U64;
use serde_json::json;

pub(super) const METHODS: &[Method] = &[
    Method::read("purlin_whyTransaction", 1, why),
    Method::read("purlin_whySender", 1, why_sender),
    Method::memory("purlin_status", 0, status),
];

/// Where a transaction is and why it is there, in a sentence.
fn why(query: &Query<'_>) -> Answer {
    let told = crate::why::transaction(query.node, query.args.hash(0)?)?;
    answer(&json!({ "block": told.block.map(U64::from), "says": told.says }))
}

/// How a sender stands in the pool; null when nothing of it waits.
fn why_sender(query: &Query<'_>) -> Answer {
    let standing = query.node.pool().why_sender(&query.args.address(0)?);
    answer(&standing.map(|standing| {
        json!({
            "next": U64::from(standing.next),
            "pending": U64::from(standing.pending),
            "queued": U64::from(standing.queued),
            "says": standing.to_string(),
        })
    }))
}

fn status(query: &Query<'_>) -> Answer {
    let head = query.node.head();
    let pool = query.node.pool_sizes();
    answer(&json!({
        "hash": head.hash,
        "number": U64::from(head.header.number),
        "timestamp": U64::from(head.header.timestamp),
        "pending": U64::from(pool.pending),
        "queued": U64::from(pool.queued),
        "trouble": query.node.trouble(),
    }))
}
