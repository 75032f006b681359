//! A simulated call as a transaction that nobody signed: its signature is zero.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_primitives::{Signature, U256};
use purlin_chain_proto::Transaction;
use revm::context::TxEnv;
use revm::context_interface::either::Either;

pub(super) fn transaction(env: &TxEnv) -> Transaction {
    let nobody = Signature::new(U256::ZERO, U256::ZERO, false);
    let chain_id = env.chain_id.unwrap_or_default();
    let (nonce, gas_limit, to, value) = (env.nonce, env.gas_limit, env.kind, env.value);
    let (access_list, input) = (env.access_list.clone(), env.data.clone());
    let (max_fee_per_gas, max_priority_fee_per_gas) = (env.gas_price, env.gas_priority_fee.unwrap_or(0));
    let gas_price = env.gas_price;
    let address = to.to().copied().unwrap_or_default();
    match env.tx_type {
        0 => TxLegacy {
            chain_id: None,
            nonce,
            gas_price,
            gas_limit,
            to,
            value,
            input,
        }
        .into_signed(nobody)
        .into(),
        1 => TxEip2930 {
            chain_id,
            nonce,
            gas_price,
            gas_limit,
            to,
            value,
            access_list,
            input,
        }
        .into_signed(nobody)
        .into(),
        3 => TxEip4844 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to: address,
            value,
            access_list,
            blob_versioned_hashes: env.blob_hashes.clone(),
            max_fee_per_blob_gas: env.max_fee_per_blob_gas,
            input,
        }
        .into_signed(nobody)
        .into(),
        4 => {
            let signed = env.authorization_list.iter().filter_map(|one| match one {
                Either::Left(signed) => Some(signed.clone()),
                Either::Right(_) => None,
            });
            TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to: address,
                value,
                access_list,
                authorization_list: signed.collect(),
                input,
            }
            .into_signed(nobody)
            .into()
        }
        _ => TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            access_list,
            input,
        }
        .into_signed(nobody)
        .into(),
    }
}
