//! What is wrong with a transaction itself, whatever its sender has: geth's checks in geth's order.

use super::gas;
use super::head::Head;
use super::pooled::Origin;
use super::refusal::Refusal;
use super::settings::Settings;
use crate::Recovered;
use alloy_consensus::{Transaction as _, Typed2718 as _};
use alloy_eips::eip7825::MAX_TX_GAS_LIMIT_OSAKA;
use alloy_primitives::{U256, U512};
use purlin_chain_proto::Fork;

/// The largest init code since Shanghai, in octets (EIP-3860).
const INIT_CODE_MAX: usize = 49_152;

/// The first fault of `transaction` under the rules of the next block and the limits of the pool.
pub(super) fn transaction(
    transaction: &Recovered,
    origin: Origin,
    head: &Head,
    settings: &Settings,
) -> Result<(), Refusal> {
    form(transaction, head, settings)?;
    gas_limit(transaction, head)?;
    signature(transaction, head, settings)?;
    price_of_data(transaction, head)?;
    tip(transaction, origin, settings)?;
    if transaction.authorization_list().is_some_and(<[_]>::is_empty) {
        return Err(Refusal::NoAuthorizations);
    }
    Ok(())
}

/// The most that the transaction can take from its sender; what does not fit 256 bits no balance covers.
pub(super) fn cost(transaction: &Recovered) -> Result<U256, U512> {
    let gas = U256::from(transaction.gas_limit()) * U256::from(transaction.max_fee_per_gas());
    gas.checked_add(transaction.value())
        .ok_or_else(|| U512::from(gas) + U512::from(transaction.value()))
}

/// Type, size and init code.
fn form(transaction: &Recovered, head: &Head, settings: &Settings) -> Result<(), Refusal> {
    let kind = transaction.ty();
    if kind == 3 {
        return Err(Refusal::Blobs);
    }
    let bytes = transaction.eip2718_encoded_length();
    if bytes > settings.transaction_bytes_max {
        let limit = settings.transaction_bytes_max;
        return Err(Refusal::Oversized { bytes, limit });
    }
    let since = match kind {
        0 => Fork::Frontier,
        1 => Fork::Berlin,
        2 => Fork::London,
        _ => Fork::Prague,
    };
    if head.fork < since {
        let fork = match since {
            Fork::Berlin => "Berlin",
            Fork::London => "London",
            _ => "Prague",
        };
        return Err(Refusal::TypeNotYet { kind, fork });
    }
    let bytes = transaction.input().len();
    if head.fork >= Fork::Shanghai && transaction.is_create() && bytes > INIT_CODE_MAX {
        return Err(Refusal::InitCode {
            bytes,
            limit: INIT_CODE_MAX,
        });
    }
    Ok(())
}

fn gas_limit(transaction: &Recovered, head: &Head) -> Result<(), Refusal> {
    let gas = transaction.gas_limit();
    if head.fork >= Fork::Osaka && gas > MAX_TX_GAS_LIMIT_OSAKA {
        return Err(Refusal::GasCap {
            cap: MAX_TX_GAS_LIMIT_OSAKA,
            gas,
        });
    }
    if gas > head.gas_limit {
        return Err(Refusal::BlockGasLimit {
            gas,
            limit: head.gas_limit,
        });
    }
    let (tip, fee_cap) = (transaction.priority_fee_or_price(), transaction.max_fee_per_gas());
    if tip > fee_cap {
        return Err(Refusal::TipAboveFeeCap { tip, fee_cap });
    }
    Ok(())
}

/// The chain that was signed for, and the nonce's end. That the sender is the signer the type says.
fn signature(transaction: &Recovered, head: &Head, settings: &Settings) -> Result<(), Refusal> {
    match transaction.chain_id() {
        Some(have) if have != head.chain_id => {
            return Err(Refusal::ChainId {
                have,
                want: head.chain_id,
            });
        }
        None if !settings.unprotected_allowed => return Err(Refusal::Unprotected),
        _ => {}
    }
    if transaction.nonce() == u64::MAX {
        return Err(Refusal::NonceMax);
    }
    Ok(())
}

fn price_of_data(transaction: &Recovered, head: &Head) -> Result<(), Refusal> {
    let gas = transaction.gas_limit();
    let needed = gas::intrinsic(transaction, head.fork);
    if gas < needed {
        return Err(Refusal::IntrinsicGas { gas, needed });
    }
    let needed = gas::floor(transaction);
    if head.fork >= Fork::Prague && gas < needed {
        return Err(Refusal::FloorDataGas { gas, needed });
    }
    Ok(())
}

fn tip(transaction: &Recovered, origin: Origin, settings: &Settings) -> Result<(), Refusal> {
    let (tip, least) = (transaction.priority_fee_or_price(), settings.tip_min);
    let exempt = settings.locals_first && origin == Origin::Local;
    if tip < least && !exempt {
        return Err(Refusal::TipTooLow { tip, least });
    }
    Ok(())
}
