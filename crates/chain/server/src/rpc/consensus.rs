//! Validators, certificates and peers, as anybody may read them.

use super::{Method, Query, answer};
use crate::consensus::report;
use crate::fault::{Answer, Fault};
use alloy_primitives::{Bytes, U64};
use purlin_chain_core::consensus::Certificate;
use serde_json::{Value, json};

pub(super) const METHODS: &[Method] = &[
    Method::memory("purlin_getValidators", 0, validators),
    Method::read("purlin_getCertificate", 1, certificate),
];

/// Who decides, who of them is here, and whether they are enough; null in a chain without validators.
fn validators(query: &Query<'_>) -> Answer {
    let among = query.node.consensus();
    answer(&among.map_or(Value::Null, |consensus| report::validators(&consensus)))
}

/// The signatures that decided a block; null for block 0, and for a chain without validators.
fn certificate(query: &Query<'_>) -> Answer {
    let number = query.block_at(0)?;
    let octets = query.node.source.0.certificate(number);
    let Some(octets) = octets.map_err(crate::source::store)? else {
        return answer(&Value::Null);
    };
    let certificate = Certificate::decode(&octets).map_err(Fault::internal)?;
    answer(&shape(&certificate, &octets))
}

fn shape(certificate: &Certificate, octets: &Bytes) -> Value {
    let commits = certificate.commits.iter();
    let commits: Vec<Value> = commits
        .map(|commit| json!({ "validator": commit.validator, "signature": commit.signature }))
        .collect();
    json!({
        "height": U64::from(certificate.height),
        "round": U64::from(certificate.round),
        "hash": certificate.hash,
        "commits": commits,
        "raw": octets,
    })
}

/// `eth_syncing`: false, or how far this node is behind the best head that a peer has told.
pub(super) fn syncing(query: &Query<'_>) -> Answer {
    let behind = query
        .node
        .consensus()
        .and_then(|consensus| consensus.standing().behind);
    let head = query.node.head().header.number;
    match behind {
        Some(behind) if behind > 0 => answer(&json!({
            "startingBlock": U64::from(head),
            "currentBlock": U64::from(head),
            "highestBlock": U64::from(head + behind),
        })),
        _ => answer(&false),
    }
}

pub(super) fn peer_count(query: &Query<'_>) -> Answer {
    let peers = query
        .node
        .consensus()
        .map_or(0, |consensus| consensus.peers().len());
    answer(&U64::from(peers))
}
