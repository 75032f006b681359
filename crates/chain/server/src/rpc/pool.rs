//! `txpool_*`: what waits, by sender and nonce.

use super::{Method, Query, answer};
use crate::fault::Answer;
use crate::shape::TransactionShape;
use alloy_primitives::U64;
use purlin_chain_core::pool::{Content, Pooled};
use purlin_chain_proto::Address;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const METHODS: &[Method] = &[
    Method::read("txpool_content", 0, content),
    Method::read("txpool_contentFrom", 1, content_from),
    Method::read("txpool_inspect", 0, inspect),
    Method::memory("txpool_status", 0, status),
];

/// Nonces are keys, in decimal digits.
fn by_nonce<T, S>(list: BTreeMap<u64, T>, shape: impl Fn(T) -> S) -> BTreeMap<String, S> {
    list.into_iter()
        .map(|(nonce, one)| (nonce.to_string(), shape(one)))
        .collect()
}

/// Senders are keys, with the checksum in their letters (EIP-55), as geth writes them here.
fn by_sender<T, S: Serialize>(
    half: BTreeMap<Address, BTreeMap<u64, T>>,
    shape: impl Fn(T) -> S,
) -> BTreeMap<String, BTreeMap<String, S>> {
    half.into_iter()
        .map(|(sender, list)| (sender.to_checksum(None), by_nonce(list, &shape)))
        .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "the maps give their values away")]
fn whole(one: Arc<Pooled>) -> TransactionShape {
    let transaction = one.transaction();
    TransactionShape::new(transaction.inner(), transaction.signer(), None)
}

fn content(query: &Query<'_>) -> Answer {
    let Content { pending, queued } = query.node.pool().content();
    answer(&json!({ "pending": by_sender(pending, whole), "queued": by_sender(queued, whole) }))
}

fn content_from(query: &Query<'_>) -> Answer {
    let (pending, queued) = query.node.pool().content_from(&query.args.address(0)?);
    answer(&json!({ "pending": by_nonce(pending, whole), "queued": by_nonce(queued, whole) }))
}

fn inspect(query: &Query<'_>) -> Answer {
    let inspection = query.node.pool().inspect();
    let line = |line: String| line;
    answer(&json!({
        "pending": by_sender(inspection.pending, line),
        "queued": by_sender(inspection.queued, line),
    }))
}

fn status(query: &Query<'_>) -> Answer {
    let status = query.node.pool_sizes();
    answer(&json!({ "pending": U64::from(status.pending), "queued": U64::from(status.queued) }))
}
