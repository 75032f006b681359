//! Accounts: balances, nonces, code and storage at a block.

use super::args::{invalid, slot};
use super::{Method, Query, answer};
use crate::fault::{Answer, Fault};
use crate::source::{Account, StateRead as _};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{U64, map::HashMap};
use purlin_chain_proto::{Address, B256, Bytes, U256};
use std::collections::BTreeMap;

pub(super) const METHODS: &[Method] = &[
    Method::read("eth_getBalance", 2, balance),
    Method::read("eth_getTransactionCount", 2, nonce),
    Method::read("eth_getCode", 2, code),
    Method::read("eth_getStorageAt", 3, storage),
    Method::read("eth_getStorageValues", 2, storage_values),
    Method::read("eth_getAccount", 2, account_whole),
];

/// Slots that one request for values may name, like geth's limit.
const VALUES_MAX: usize = 1_024;

fn account(query: &Query<'_>, address: Address) -> Result<Account, Fault> {
    let state = query.state_at(1)?;
    Ok(state
        .account(address)
        .map_err(Fault::internal)?
        .unwrap_or_default())
}

fn balance(query: &Query<'_>) -> Answer {
    answer(&account(query, query.args.address(0)?)?.balance)
}

/// With `pending` all transactions that wait in the pool without a gap count, not only those that the next block has room
/// for: a wallet wants the nonce that is free.
fn nonce(query: &Query<'_>) -> Answer {
    let address = query.args.address(0)?;
    let state = query.node.source.state(query.block_at(1)?)?;
    let account = state.account(address).map_err(Fault::internal)?;
    let nonce = account.map_or(0, |account| account.nonce);
    if query.block_id(1)? == Some(BlockId::Number(BlockNumberOrTag::Pending)) {
        return answer(&U64::from(
            query.node.next_nonce(address).unwrap_or(nonce).max(nonce),
        ));
    }
    answer(&U64::from(nonce))
}

fn code(query: &Query<'_>) -> Answer {
    let address = query.args.address(0)?;
    let state = query.state_at(1)?;
    let code = match state.account(address).map_err(Fault::internal)? {
        Some(account) if account.has_code() => state.code(account.code_hash).map_err(Fault::internal)?,
        _ => Bytes::new(),
    };
    answer(&code)
}

fn storage(query: &Query<'_>) -> Answer {
    let (address, slot) = (query.args.address(0)?, query.args.slot(1)?);
    let state = query.state_at(2)?;
    let value = state.storage(address, slot).map_err(Fault::internal)?;
    answer(&B256::from(value))
}

/// The values of many slots of many accounts at one block.
fn storage_values(query: &Query<'_>) -> Answer {
    let wanted: HashMap<Address, Vec<String>> = query.args.need(0)?;
    let slots: usize = wanted.values().map(Vec::len).sum();
    if slots == 0 {
        return Err(invalid(0, "empty request"));
    }
    if slots > VALUES_MAX {
        return Err(Fault::params(format!("too many slots (max {VALUES_MAX})")));
    }
    let state = query.state_at(1)?;
    let mut found = BTreeMap::new();
    for (address, keys) in wanted {
        let value = |key: &String| {
            let value: U256 = state.storage(address, slot(key)?).map_err(Fault::internal)?;
            Ok(B256::from(value))
        };
        let values: Vec<B256> = keys.iter().map(value).collect::<Result<_, Fault>>()?;
        found.insert(address, values);
    }
    answer(&found)
}

/// `eth_getAccount` of Besu and reth: the four fields of an account's leaf in the trie.
fn account_whole(query: &Query<'_>) -> Answer {
    let address = query.args.address(0)?;
    let proof = query.node.source.proof(query.block_at(1)?, address, &[])?;
    answer(&proof.account.map(|account| {
        serde_json::json!({
            "balance": account.balance,
            "codeHash": account.code_hash,
            "nonce": U64::from(account.nonce),
            "storageRoot": proof.storage_root,
        })
    }))
}
