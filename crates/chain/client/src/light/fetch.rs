//! A bundle from a node's JSON-RPC. Nothing of what the node says is believed here; that is for who verifies.

use super::{Bundle, FORMAT};
use crate::rpc::{Rpc, RpcError};
use alloy_primitives::{Address, B256, Bytes, U64};
use serde::Deserialize;
use serde_json::{Value, json};

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
/// See [`RpcError`]: the node has no validators, or does not keep the state of this block any more.
pub async fn fetch(
    rpc: &mut Rpc,
    address: Address,
    slots: &[B256],
    block: Option<u64>,
) -> Result<Bundle, RpcError> {
    let number = match block {
        Some(number) => U64::from(number),
        None => rpc.call("eth_blockNumber", &json!([])).await?,
    };
    let first: Begun = some(rpc, "eth_getBlockByNumber", &json!(["0x0", false])).await?;
    let certified: Certified = some(rpc, "purlin_getCertificate", &json!([number])).await?;
    let header: Bytes = some(rpc, "debug_getRawHeader", &json!([number])).await?;
    let account = some(rpc, "eth_getProof", &json!([address, slots, number])).await?;
    Ok(Bundle {
        format: FORMAT.to_owned(),
        genesis: first.hash,
        header,
        certificate: certified.raw,
        account,
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
