//! A call's arguments as a transaction for the executor.

use crate::exec::Scene;
use crate::fault::Fault;
use alloy_eips::eip2930::AccessList;
use alloy_rpc_types_eth::TransactionRequest;
use purlin_chain_proto::TxKind;
use revm::Database as _;
use revm::context::TxEnv;
use revm::context_interface::either::Either;

/// What is run for a request that leaves something open: no price, all the gas a call may use, the sender's next nonce.
///
/// # Errors
/// Contradictions in the request, in geth's words.
pub(super) fn transaction(
    request: TransactionRequest,
    scene: &mut Scene,
    chain_id: u64,
    gas_cap: u64,
) -> Result<TxEnv, Fault> {
    check(&request, chain_id)?;
    let from = request.from.unwrap_or_default();
    let nonce = match request.nonce {
        Some(nonce) => nonce,
        None => scene
            .db
            .basic(from)
            .map_err(Fault::internal)?
            .map_or(0, |account| account.nonce),
    };
    let kind = request.to.unwrap_or(TxKind::Create);
    let blobs = request.blob_versioned_hashes.clone().unwrap_or_default();
    if !blobs.is_empty() && kind == TxKind::Create {
        return Err(Fault::server("missing \"to\" in blob transaction"));
    }
    let signed = request.authorization_list.clone().unwrap_or_default();
    let (fee_cap, tip) = prices(&request, scene.block.basefee);
    let access_list: Option<AccessList> = request.access_list.clone();
    Ok(TxEnv {
        tx_type: kind_of(&request),
        caller: from,
        gas_limit: request.gas.unwrap_or(gas_cap).min(gas_cap),
        gas_price: fee_cap,
        kind,
        value: request.value.unwrap_or_default(),
        data: request.input.into_input().unwrap_or_default(),
        nonce,
        chain_id: Some(chain_id),
        access_list: access_list.unwrap_or_default(),
        gas_priority_fee: tip,
        blob_hashes: blobs,
        max_fee_per_blob_gas: request.max_fee_per_blob_gas.unwrap_or(0),
        authorization_list: signed.into_iter().map(Either::Left).collect(),
    })
}

fn check(request: &TransactionRequest, chain_id: u64) -> Result<(), Fault> {
    let dynamic = request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some();
    if request.gas_price.is_some() && dynamic {
        return Err(Fault::server(
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        ));
    }
    if let (Some(fee_cap), Some(tip)) = (request.max_fee_per_gas, request.max_priority_fee_per_gas)
        && tip > fee_cap
    {
        return Err(Fault::server(format!(
            "maxFeePerGas ({fee_cap}) < maxPriorityFeePerGas ({tip})"
        )));
    }
    if let Some(named) = request.chain_id
        && named != chain_id
    {
        return Err(Fault::server(format!(
            "chainId does not match node's (have={named}, want={chain_id})"
        )));
    }
    if let (Some(data), Some(input)) = (&request.input.data, &request.input.input)
        && data != input
    {
        return Err(Fault::server(
            "both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction call data",
        ));
    }
    let no_authority = request.authorization_list.as_ref().is_some_and(Vec::is_empty);
    if no_authority && request.transaction_type == Some(4) {
        return Err(Fault::server(
            "set code tx must have at least one authorization tuple",
        ));
    }
    Ok(())
}

/// The most that a unit of gas may cost, and the tip where the transaction's type has one.
fn prices(request: &TransactionRequest, base_fee: u64) -> (u128, Option<u128>) {
    if let Some(price) = request.gas_price {
        return (price, None);
    }
    match (request.max_fee_per_gas, request.max_priority_fee_per_gas) {
        (Some(fee_cap), tip) => (fee_cap, Some(tip.unwrap_or(0))),
        (None, Some(tip)) => (tip.saturating_add(u128::from(base_fee)), Some(tip)),
        // Type 4 and 3 carry a tip in any case; without a price it is none.
        (None, None) if kind_of(request) > 2 => (0, Some(0)),
        (None, None) => (0, None),
    }
}

/// The least type that can carry what the request names.
fn kind_of(request: &TransactionRequest) -> u8 {
    let some = |list: bool, kind| if list { kind } else { 0 };
    let named = [
        some(
            request
                .authorization_list
                .as_ref()
                .is_some_and(|list| !list.is_empty()),
            4,
        ),
        some(request.blob_versioned_hashes.is_some(), 3),
        some(
            request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some(),
            2,
        ),
        some(request.access_list.is_some(), 1),
    ];
    named.into_iter().max().unwrap_or(0)
}
