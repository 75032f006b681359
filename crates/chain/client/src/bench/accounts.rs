//! What the chain holds for many accounts, asked in batches.

use super::contracts;
use crate::rpc::{Rpc, RpcError};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Questions of one request.
const ASKED_AT_ONCE: usize = 100;

/// Asks the same of each; answers in their order.
pub(crate) async fn each<A, T: DeserializeOwned>(
    rpc: &mut Rpc,
    method: &str,
    all: &[A],
    question: impl Fn(&A) -> Value,
) -> Result<Vec<T>, RpcError> {
    let mut answers = Vec::with_capacity(all.len());
    for some in all.chunks(ASKED_AT_ONCE) {
        let params: Vec<Value> = some.iter().map(&question).collect();
        answers.extend(rpc.batch::<T>(method, &params).await?);
    }
    Ok(answers)
}

/// Transactions that went out of each account; `block` is a tag as `latest` and `pending`.
pub(crate) async fn nonces(rpc: &mut Rpc, accounts: &[Address], block: &str) -> Result<Vec<u64>, RpcError> {
    let ask = |account: &Address| json!([account, block]);
    let found: Vec<U64> = each(rpc, "eth_getTransactionCount", accounts, ask).await?;
    Ok(found.into_iter().map(|count| count.to()).collect())
}

/// Wei of each account.
pub(crate) async fn balances(rpc: &mut Rpc, accounts: &[Address]) -> Result<Vec<U256>, RpcError> {
    each(rpc, "eth_getBalance", accounts, |account| {
        json!([account, "latest"])
    })
    .await
}

/// Units of a token that each account holds.
pub(crate) async fn tokens(
    rpc: &mut Rpc,
    token: Address,
    accounts: &[Address],
) -> Result<Vec<U256>, RpcError> {
    let ask = |account: &Address| {
        let data = Bytes::from(contracts::balance_of(*account));
        json!([{ "to": token, "data": data }, "latest"])
    };
    let words: Vec<Bytes> = each(rpc, "eth_call", accounts, ask).await?;
    Ok(words.iter().map(|word| number(word)).collect())
}

/// Values of slots of one contract.
pub(crate) async fn slots(rpc: &mut Rpc, contract: Address, slots: &[u32]) -> Result<Vec<U256>, RpcError> {
    let ask = |slot: &u32| {
        let slot = B256::from(U256::from(*slot));
        json!([contract, slot, "latest"])
    };
    let words: Vec<Bytes> = each(rpc, "eth_getStorageAt", slots, ask).await?;
    Ok(words.iter().map(|word| number(word)).collect())
}

/// A word as a number; one that is too long is no balance of anybody.
fn number(word: &[u8]) -> U256 {
    U256::try_from_be_slice(word).unwrap_or(U256::MAX)
}
