//! A bundle from a node's JSON-RPC. Nothing of what the node says is believed here; that is for who verifies.

use super::{AccountProof, Bundle, FORMAT, Step};
use crate::rpc::{Rpc, RpcError};
use crate::votes;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use purlin_chain_core::constitution::{ADDRESS, DELAY, ReadFault, read_from};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Certified {
    raw: Bytes,
}

#[derive(Deserialize)]
struct Begun {
    hash: B256,
}

/// Asks for everything that proves an account, and these slots of it, at a block; `None` is the head.
///
/// # Errors
/// See [`RpcError`]: the node has no validators, or does not keep the state of this block any more, or neither the proof
/// of a change of the validators nor the state of its block.
pub async fn fetch(
    rpc: &mut Rpc,
    address: Address,
    slots: &[B256],
    block: Option<u64>,
) -> Result<Bundle, RpcError> {
    let number = match block {
        Some(number) => number,
        None => votes::head(rpc).await?,
    };
    let first: Begun = some(rpc, "eth_getBlockByNumber", &json!(["0x0", false])).await?;
    let (header, certificate) = signed(rpc, number).await?;
    let account = proof(rpc, address, slots, number).await?;
    Ok(Bundle {
        format: FORMAT.to_owned(),
        genesis: first.hash,
        header,
        certificate,
        account,
        steps: steps(rpc, number).await?,
    })
}

/// A block's header and certificate.
async fn signed(rpc: &mut Rpc, number: u64) -> Result<(Bytes, Bytes), RpcError> {
    let number = json!([U64::from(number)]);
    let certified: Certified = some(rpc, "purlin_getCertificate", &number).await?;
    let header: Bytes = some(rpc, "debug_getRawHeader", &number).await?;
    Ok((header, certified.raw))
}

async fn proof(
    rpc: &mut Rpc,
    address: Address,
    slots: &[B256],
    number: u64,
) -> Result<AccountProof, RpcError> {
    let asked = json!([address, slots, U64::from(number)]);
    some(rpc, "eth_getProof", &asked).await
}

/// One step for every version of the constitution that counts at `number` but the first.
async fn steps(rpc: &mut Rpc, number: u64) -> Result<Vec<Step>, RpcError> {
    let mut steps = Vec::new();
    for version in 1.. {
        match votes::from(rpc, version).await? {
            Some(from) if from <= number => steps.push(match kept(rpc, version).await {
                Some(step) => step,
                None => step(rpc, version, from).await?,
            }),
            _ => break,
        }
    }
    Ok(steps)
}

/// The step as the node has kept it. Nodes of other makers have not, and those that came later than their copy of the chain.
async fn kept(rpc: &mut Rpc, version: u64) -> Option<Step> {
    let asked = json!([U64::from(version)]);
    rpc.call::<Option<Step>>("purlin_getStep", &asked)
        .await
        .ok()
        .flatten()
}

/// The step of a version that counts from a height on: it was decided two blocks before.
async fn step(rpc: &mut Rpc, version: u64, from: u64) -> Result<Step, RpcError> {
    let number = from.saturating_sub(DELAY);
    let mut known = BTreeMap::new();
    // Which slots there are is told by those before them.
    loop {
        let slot = |slot: U256| known.get(&slot).copied().ok_or(slot);
        match read_from(version, slot) {
            Err(ReadFault::Slot(slot)) => {
                let asked = json!([ADDRESS, slot, U64::from(number)]);
                let value: B256 = some(rpc, "eth_getStorageAt", &asked).await?;
                known.insert(slot, U256::from_be_bytes(value.0));
            }
            // Whether it is right is for who verifies.
            Ok(_) | Err(_) => break,
        }
    }
    let slots: Vec<B256> = known.into_keys().map(B256::from).collect();
    let (header, certificate) = signed(rpc, number).await?;
    Ok(Step {
        header,
        certificate,
        account: proof(rpc, ADDRESS, &slots, number).await?,
    })
}

/// An answer that must not be null.
async fn some<T: serde::de::DeserializeOwned>(
    rpc: &mut Rpc,
    method: &str,
    params: &Value,
) -> Result<T, RpcError> {
    let found: Option<T> = rpc.call(method, params).await?;
    found.ok_or_else(|| RpcError::Malformed {
        method: method.to_owned(),
        cause: format!("there is none for {params}"),
    })
}
