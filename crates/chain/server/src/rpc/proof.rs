//! `eth_getProof` (EIP-1186): an account and slots with the trie nodes that prove them.

use super::args::slot;
use super::{Method, Query, answer};
use crate::fault::{Answer, Fault};
use alloy_primitives::U64;
use purlin_chain_proto::{B256, Bytes, U256};
use serde_json::json;

pub(super) const METHODS: &[Method] = &[Method::read("eth_getProof", 3, proof)];

/// Slots that one proof may show, like geth's limit.
const SLOTS_MAX: usize = 1_024;

fn proof(query: &Query<'_>) -> Answer {
    let address = query.args.address(0)?;
    let keys: Vec<String> = query.args.maybe(1)?.unwrap_or_default();
    if keys.len() > SLOTS_MAX {
        return Err(Fault::params(format!("too many slots: at most {SLOTS_MAX}")));
    }
    let slots: Vec<B256> = keys
        .iter()
        .map(|key| slot(key).map(B256::from))
        .collect::<Result<_, Fault>>()?;
    let proof = query.node.source.proof(query.block_at(2)?, address, &slots)?;
    let account = proof.account.unwrap_or_default();
    let storage: Vec<_> = proof
        .storage
        .iter()
        .zip(&keys)
        .map(|(slot, key)| json!({ "key": shown(key, slot.slot), "proof": slot.proof, "value": slot.value }))
        .collect();
    let nodes: &[Bytes] = &proof.proof;
    answer(&json!({
        "accountProof": nodes,
        "address": address,
        "balance": account.balance,
        "codeHash": account.code_hash,
        "nonce": U64::from(account.nonce),
        "storageHash": proof.storage_root,
        "storageProof": storage,
    }))
}

/// A key is shown the way it was asked for, as geth does: whole when whole, else as a quantity.
fn shown(asked: &str, slot: B256) -> String {
    if asked.trim_start_matches("0x").len() == 64 {
        return slot.to_string();
    }
    format!("{:#x}", U256::from_be_bytes(slot.0))
}
