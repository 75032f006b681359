//! Validators, certificates and peers, as anybody may read them.

use super::{Method, Query, answer};
use crate::consensus::{kept_step, report};
use crate::fault::{Answer, Fault};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Bytes, U64};
use purlin_chain_core::consensus::Certificate;
use purlin_chain_core::quorum::ValidatorSet;
use serde_json::{Value, json};

pub(super) const METHODS: &[Method] = &[
    Method::memory("purlin_getValidators", 1, validators),
    Method::read("purlin_getCertificate", 1, certificate),
    Method::read("purlin_getStep", 1, step),
];

/// Who decides, who of them is here, and whether they are enough; null in a chain without validators. A height may be named,
/// up to two after the head: the set that decides about its block.
fn validators(query: &Query<'_>) -> Answer {
    let Some(consensus) = query.node.consensus() else {
        return answer(&Value::Null);
    };
    let asked: Option<BlockNumberOrTag> = query.args.maybe(0)?;
    let height = asked.map(|tag| query.number(tag));
    if height.is_some_and(|height| height > query.node.head().header.number + 2) {
        return Err(Fault::server(
            "who decides is known up to two blocks after the head",
        ));
    }
    answer(&report::validators(&consensus, height))
}

/// The signatures that decided a block; null for block 0, and for a chain without validators.
fn certificate(query: &Query<'_>) -> Answer {
    let number = query.block_at(0)?;
    let octets = query.node.source.0.certificate(number);
    let Some(octets) = octets.map_err(crate::source::store)? else {
        return answer(&Value::Null);
    };
    let certificate = Certificate::decode(&octets).map_err(Fault::internal)?;
    let constitution = query.node.source.0.constitution(certificate.height);
    let set = constitution.as_ref().map(|version| &version.validators);
    answer(&shape(&certificate, &octets, set))
}

/// With the power that signed, of that which decided about the block's height.
fn shape(certificate: &Certificate, octets: &Bytes, set: Option<&ValidatorSet>) -> Value {
    let signers = certificate
        .commits
        .iter()
        .map(|commit| commit.validator)
        .collect();
    let commits = certificate.commits.iter();
    let commits: Vec<Value> = commits
        .map(|commit| json!({ "validator": commit.validator, "signature": commit.signature }))
        .collect();
    json!({
        "height": U64::from(certificate.height),
        "round": U64::from(certificate.round),
        "hash": certificate.hash,
        "commits": commits,
        "power": set.map(|set| set.power_of(&signers)),
        "quorum": set.map(ValidatorSet::quorum),
        "total": set.map(ValidatorSet::total),
        "raw": octets,
    })
}

/// The proof of one version of the constitution, for who trusts the one before it; null when this node has not kept it.
fn step(query: &Query<'_>) -> Answer {
    let version = query.args.quantity(0)?;
    let home = query.node.settings.data_dir.as_deref();
    answer(&home.and_then(|home| kept_step(home, version)))
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
