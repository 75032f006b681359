//! Votes about a chain's constitution, over the JSON-RPC of any node of it.
//!
//! ```text
//!   newest ─► eth_call current()           what the chain has, and may get soon
//!   open   ─► eth_getLogs Voted, votes(..) who has voted for what since
//!   send   ─► eth_call (would it be refused?) ─► eth_sendRawTransaction ─► receipt: counted, and maybe decided
//! ```
//!
//! The contract is the one of [`purlin_chain_core::constitution`]. What a node says here is believed: a vote is judged by the
//! chain, not by who asks.

mod abi;

use crate::Key;
use crate::rpc::{Rpc, RpcError};
use abi::{Changed, Voted, currentCall, currentReturn, versionCall, votesCall};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256};
use alloy_sol_types::{SolCall, SolEvent};
use purlin_chain_core::constitution::{ADDRESS, Constitution, GAS_LIMIT, Vote};
use purlin_chain_core::quorum::ValidatorSet;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What a vote's own author pays per gas at least, in wei: more than nothing, so that no pool passes it over.
const TIP: u128 = 1_000_000_000;
/// How often it is looked whether a vote is in a block.
const POLL: Duration = Duration::from_millis(100);

/// The newest version of a chain's constitution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// 0 is the genesis document's.
    pub version: u64,
    /// It need not be in force yet.
    pub constitution: Constitution,
}

/// How a vote stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Of those who have voted for it.
    pub power: u64,
    /// What is needed.
    pub quorum: u64,
    pub who: Vec<Address>,
}

/// A vote that is in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub transaction: B256,
    pub block: u64,
    /// Of all who have voted for the same, this vote with them.
    pub power: u64,
    pub quorum: u64,
    /// The change that it made: its version, and the first height that it counts for.
    pub decided: Option<(u64, u64)>,
}

/// Why a vote does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VoteFault {
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// In the contract's words.
    #[error("the chain refuses the vote: {0}")]
    Refused(String),
    #[error("transaction {transaction} is in no block after {seconds} s")]
    Waits { transaction: B256, seconds: u64 },
}

fn strange(method: &str, cause: &str) -> RpcError {
    RpcError::Malformed {
        method: method.to_owned(),
        cause: cause.to_owned(),
    }
}

/// Calls a view of the contract; `None` where no code is at its address.
async fn view<C: SolCall>(rpc: &mut Rpc, call: &C) -> Result<Option<C::Return>, RpcError> {
    let call = json!({ "to": ADDRESS, "data": Bytes::from(call.abi_encode()) });
    let octets: Bytes = rpc.call("eth_call", &json!([call, "latest"])).await?;
    if octets.is_empty() {
        return Ok(None);
    }
    let read = C::abi_decode_returns_validate(&octets);
    read.map(Some)
        .map_err(|cause| strange(C::SIGNATURE, &cause.to_string()))
}

/// The newest version; `None` where the chain's genesis has no such contract.
///
/// # Errors
/// See [`RpcError`].
pub async fn newest(rpc: &mut Rpc) -> Result<Option<Newest>, RpcError> {
    let Some(told) = view(rpc, &currentCall {}).await? else {
        return Ok(None);
    };
    described(told)
        .map(Some)
        .map_err(|cause| strange(currentCall::SIGNATURE, &cause))
}

/// The first height that a version counts for; `None` when there is no such version.
///
/// # Errors
/// See [`RpcError`].
pub async fn from(rpc: &mut Rpc, version: u64) -> Result<Option<u64>, RpcError> {
    match newest(rpc).await? {
        Some(newest) if version <= newest.version => {
            let index = U256::from(version);
            let told = view(rpc, &versionCall { index }).await?;
            Ok(told.map(|told| told.from))
        }
        _ => Ok(None),
    }
}

/// The number of the newest block.
///
/// # Errors
/// See [`RpcError`].
pub async fn head(rpc: &mut Rpc) -> Result<u64, RpcError> {
    let number: U64 = rpc.call("eth_blockNumber", &json!([])).await?;
    Ok(number.to())
}

fn described(told: currentReturn) -> Result<Newest, String> {
    let members: Vec<_> = told.who.into_iter().zip(told.power).collect();
    Ok(Newest {
        version: told.number,
        constitution: Constitution {
            from: told.from,
            period: Duration::from_millis(told.periodMs),
            gas_limit: told.gasLimit,
            validators: ValidatorSet::new(members).map_err(|cause| cause.to_string())?,
        },
    })
}

/// Who has voted for this since the newest version.
///
/// # Errors
/// See [`RpcError`].
pub async fn tally(rpc: &mut Rpc, vote: &Vote) -> Result<Tally, RpcError> {
    let call_data = vote.call_data();
    let told = view(rpc, &votesCall { callData: call_data }).await?;
    let told = told.ok_or_else(|| strange(votesCall::SIGNATURE, "there is no contract any more"))?;
    Ok(Tally {
        power: told.power,
        quorum: told.quorum,
        who: told.who,
    })
}

#[derive(Deserialize)]
struct Log {
    topics: Vec<B256>,
    data: Bytes,
}

impl Log {
    /// The event, if this is one of its kind.
    fn read<E: SolEvent>(&self) -> Option<E> {
        E::decode_raw_log_validate(self.topics.iter().copied(), &self.data).ok()
    }
}

/// Votes of the last `blocks` blocks that have a vote since the newest version and no quorum yet, in the order in which they
/// began.
///
/// # Errors
/// See [`RpcError`].
pub async fn open(rpc: &mut Rpc, blocks: u64) -> Result<Vec<(Vote, Tally)>, RpcError> {
    let head: U64 = rpc.call("eth_blockNumber", &json!([])).await?;
    let first = U64::from((head.to::<u64>() + 1).saturating_sub(blocks));
    let wanted = json!([{ "address": ADDRESS, "topics": [Voted::SIGNATURE_HASH], "fromBlock": first, "toBlock": head }]);
    let logs: Vec<Log> = rpc.call("eth_getLogs", &wanted).await?;
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for log in logs {
        let voted: Option<Voted> = log.read();
        let vote =
            voted.and_then(|voted| Vote::parse(&voted.callData).filter(|_| seen.insert(voted.callData)));
        let Some(vote) = vote else {
            continue;
        };
        let tally = tally(rpc, &vote).await?;
        // Those of older versions have lapsed: nobody has voted for them since.
        if !tally.who.is_empty() {
            found.push((vote, tally));
        }
    }
    Ok(found)
}

/// The transaction of a vote, as far as the chain decides about it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    base_fee_per_gas: Option<U256>,
    gas_limit: U64,
}

/// Signs and sends a vote, and waits until it is in a block.
///
/// # Errors
/// The chain refuses it; no block takes it within `patience`; the node does not answer.
pub async fn send(rpc: &mut Rpc, key: &Key, vote: &Vote, patience: Duration) -> Result<Counted, VoteFault> {
    let call = json!({ "from": key.address(), "to": ADDRESS, "data": vote.call_data() });
    rpc.call::<Value>("eth_call", &json!([call, "latest"]))
        .await
        .map_err(refused)?;
    let chain_id: U64 = rpc.call("eth_chainId", &json!([])).await?;
    let counted = json!([key.address(), "pending"]);
    let nonce: U64 = rpc.call("eth_getTransactionCount", &counted).await?;
    let head: Head = rpc
        .call("eth_getBlockByNumber", &json!(["latest", false]))
        .await?;
    let fee = head.base_fee_per_gas.unwrap_or_default().saturating_to::<u128>();
    let transaction = TxEip1559 {
        chain_id: chain_id.to(),
        nonce: nonce.to(),
        // Not an estimate: whose vote comes last writes the new version, and who that is shows in the block only.
        gas_limit: (*GAS_LIMIT.start()).min(head.gas_limit.to()),
        max_fee_per_gas: fee.saturating_mul(2).saturating_add(TIP),
        max_priority_fee_per_gas: TIP,
        to: TxKind::Call(ADDRESS),
        input: vote.call_data(),
        ..TxEip1559::default()
    };
    let mut raw = Vec::new();
    let hash = key.sign_dynamic(&transaction, &mut raw);
    let raw = Bytes::from(raw);
    rpc.call::<Value>("eth_sendRawTransaction", &json!([raw])).await?;
    let receipt = receipt(rpc, hash, patience).await?;
    if receipt.status.is_zero() {
        return Err(why(rpc, &call, receipt.block_number.to()).await);
    }
    told(hash, &receipt).ok_or_else(|| strange("eth_getTransactionReceipt", "no vote is in it").into())
}

fn refused(error: RpcError) -> VoteFault {
    const REVERTED: &str = "execution reverted";
    match error {
        RpcError::Refused { message, .. } if message.starts_with(REVERTED) => {
            let words = message[REVERTED.len()..].trim_start_matches([':', ' ']);
            let words = if words.is_empty() {
                "it does not say why"
            } else {
                words
            };
            VoteFault::Refused(words.to_owned())
        }
        other => other.into(),
    }
}

/// Why the block did not take what the head took before it: another's vote came between.
async fn why(rpc: &mut Rpc, call: &Value, block: u64) -> VoteFault {
    let after: Result<Value, _> = rpc.call("eth_call", &json!([call, U64::from(block)])).await;
    match after {
        Err(error) => refused(error),
        Ok(_) => VoteFault::Refused("something came before it in its block; vote again".to_owned()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    block_number: U64,
    status: U64,
    logs: Vec<Log>,
}

async fn receipt(rpc: &mut Rpc, hash: B256, patience: Duration) -> Result<Receipt, VoteFault> {
    let end = Instant::now() + patience;
    loop {
        let found: Option<Receipt> = rpc.call("eth_getTransactionReceipt", &json!([hash])).await?;
        if let Some(receipt) = found {
            return Ok(receipt);
        }
        if Instant::now() >= end {
            return Err(VoteFault::Waits {
                transaction: hash,
                seconds: patience.as_secs(),
            });
        }
        sleep(POLL).await;
    }
}

fn told(transaction: B256, receipt: &Receipt) -> Option<Counted> {
    let voted: Voted = receipt.logs.iter().find_map(Log::read)?;
    let changed: Option<Changed> = receipt.logs.iter().find_map(Log::read);
    let decided = changed.and_then(|changed| Some((changed.version.try_into().ok()?, changed.from)));
    Some(Counted {
        transaction,
        block: receipt.block_number.to(),
        power: voted.power,
        quorum: voted.quorum,
        decided,
    })
}

#[cfg(test)]
mod tests;
