//! `eth_estimateGas`: geth's search for the least gas with which the transaction succeeds.
//!
//! ```text
//! high = what the sender asked for, the block has, and the balance pays for
//! a plain transfer? 21000.   fails at high? its error.
//! low  = gas used - 1        a first guess a little above what was used narrows the range
//! halve (but never beyond twice low) until high is within 1.5 % of the least
//! ```
//!
//! Source: go-ethereum, eth/gasestimator.

use super::call::{scene, transaction};
use super::{Method, Query, answer};
use crate::exec::{Refused, Scene, halt_words};
use crate::fault::{Answer, Fault};
use alloy_primitives::U64;
use alloy_rpc_types_eth::state::StateOverride;
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest};
use purlin_chain_proto::U256;
use revm::Database as _;
use revm::context::TxEnv;
use revm::context::result::{ExecutionResult, InvalidTransaction};
use revm::primitives::eip7825::TX_GAS_LIMIT_CAP;
use revm::primitives::hardfork::SpecId;

pub(super) const METHODS: &[Method] = &[Method::execute("eth_estimateGas", 4, estimate)];

const TRANSFER: u64 = 21_000;
/// How far above the least the answer may be, in thousandths of itself.
const ERROR_PER_MILLE: u64 = 15;
/// Gas that a call with value hands to the callee on top.
const CALL_STIPEND: u64 = 2_300;

fn estimate(query: &Query<'_>) -> Answer {
    let asked: TransactionRequest = query.args.need(0)?;
    let place = query.place(1)?;
    let state: Option<StateOverride> = query.args.maybe(2)?;
    let block: Option<BlockOverrides> = query.args.maybe(3)?;
    let mut scene = scene(query, &place, state.as_ref(), block.as_ref())?;
    let gas = asked.gas;
    let transaction = transaction(query, asked, &mut scene)?;
    let high = highest(query, &mut scene, &transaction, gas)?;
    answer(&U64::from(search(&mut scene, &transaction, high)?))
}

/// The most gas the transaction could be given.
fn highest(
    query: &Query<'_>,
    scene: &mut Scene,
    transaction: &TxEnv,
    asked: Option<u64>,
) -> Result<u64, Fault> {
    let mut high = match asked {
        Some(gas) if gas >= TRANSFER => gas,
        _ => scene.block.gas_limit,
    };
    if scene.cfg.spec >= SpecId::OSAKA {
        high = high.min(TX_GAS_LIMIT_CAP);
    }
    high = high.min(query.node.settings.rpc.gas_cap);
    if transaction.gas_price == 0 {
        return Ok(high);
    }
    let account = scene.db.basic(transaction.caller).map_err(Fault::internal)?;
    let balance = account.map_or(U256::ZERO, |account| account.balance);
    let blobs = U256::from(transaction.blob_hashes.len() as u64 * alloy_eips::eip4844::DATA_GAS_PER_BLOB)
        * U256::from(transaction.max_fee_per_blob_gas);
    let spent = transaction.value.saturating_add(blobs);
    let Some(left) = balance.checked_sub(spent) else {
        return Err(Fault::server("insufficient funds for transfer"));
    };
    let payable = u64::try_from(left / U256::from(transaction.gas_price)).unwrap_or(u64::MAX);
    Ok(high.min(payable))
}

fn search(scene: &mut Scene, transaction: &TxEnv, high: u64) -> Result<u64, Fault> {
    if plain_transfer(scene, transaction)?
        && high >= TRANSFER
        && attempt(scene, transaction, TRANSFER)?.is_none()
    {
        return Ok(TRANSFER);
    }
    let mut limited = transaction.clone();
    limited.gas_limit = high;
    let result = match scene.run(limited) {
        Ok(done) => done.result,
        Err(Refused::Invalid(
            InvalidTransaction::CallGasCostMoreThanGasLimit { .. }
            | InvalidTransaction::GasFloorMoreThanGasLimit { .. },
        )) => return Err(exceeds(high)),
        Err(other) => return Err(other.into()),
    };
    let (used, refunded) = match &result {
        ExecutionResult::Success { gas, .. } => (gas.tx_gas_used(), gas.final_refunded()),
        ExecutionResult::Revert { output, .. } => return Err(Fault::reverted(output)),
        ExecutionResult::Halt { reason, .. } => {
            let words = halt_words(reason);
            return Err(if words == "out of gas" {
                exceeds(high)
            } else {
                Fault::server(words)
            });
        }
    };
    narrow(scene, transaction, used, refunded, high)
}

fn narrow(
    scene: &mut Scene,
    transaction: &TxEnv,
    used: u64,
    refunded: u64,
    mut high: u64,
) -> Result<u64, Fault> {
    let mut low = used - 1;
    let guess = (used + refunded + CALL_STIPEND) * 64 / 63;
    if guess < high {
        match attempt(scene, transaction, guess)? {
            None => high = guess,
            Some(_) => low = guess,
        }
    }
    while low + 1 < high {
        if (high - low).saturating_mul(1_000) < high.saturating_mul(ERROR_PER_MILLE) {
            break;
        }
        let middle = low.midpoint(high).min(low.saturating_mul(2));
        match attempt(scene, transaction, middle)? {
            None => high = middle,
            Some(_) => low = middle,
        }
    }
    Ok(high)
}

/// What went wrong with this much gas; none when nothing did.
fn attempt(scene: &mut Scene, transaction: &TxEnv, gas: u64) -> Result<Option<()>, Fault> {
    let mut limited = transaction.clone();
    limited.gas_limit = gas;
    match scene.run(limited) {
        Ok(done) => Ok((!done.result.is_success()).then_some(())),
        Err(Refused::Invalid(
            InvalidTransaction::CallGasCostMoreThanGasLimit { .. }
            | InvalidTransaction::GasFloorMoreThanGasLimit { .. },
        )) => Ok(Some(())),
        Err(other) => Err(other.into()),
    }
}

/// Money to an account without code, and nothing else.
fn plain_transfer(scene: &mut Scene, transaction: &TxEnv) -> Result<bool, Fault> {
    let Some(to) = transaction.kind.to() else {
        return Ok(false);
    };
    let account = scene.db.basic(*to).map_err(Fault::internal)?;
    let empty = account.is_none_or(|account| account.is_empty_code_hash());
    Ok(empty && transaction.data.is_empty() && transaction.authorization_list.is_empty())
}

fn exceeds(high: u64) -> Fault {
    Fault::server(format!("gas required exceeds allowance ({high})"))
}
