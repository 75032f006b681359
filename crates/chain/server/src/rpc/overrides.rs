//! What a call may pretend: accounts that differ, and a block that differs.

use crate::exec::{Moved, Scene};
use crate::fault::Fault;
use alloy_rpc_types_eth::BlockOverrides;
use alloy_rpc_types_eth::state::{AccountOverride, StateOverride};
use purlin_chain_proto::{Address, U256};
use revm::Database as _;
use revm::bytecode::Bytecode;
use revm::context_interface::block::BlobExcessGasAndPrice;

/// Lays accounts over the scene's state.
///
/// # Errors
/// Overrides that contradict each other.
pub(super) fn state(scene: &mut Scene, overrides: &StateOverride) -> Result<(), Fault> {
    let mut sorted: Vec<_> = overrides.iter().collect();
    sorted.sort_unstable_by_key(|(address, _)| **address);
    for (address, account) in sorted {
        precompile(scene, *address, account, overrides)?;
        one(scene, *address, account)?;
    }
    Ok(())
}

/// An override of a precompiled contract's address covers it; it may be asked to work elsewhere.
fn precompile(
    scene: &mut Scene,
    address: Address,
    account: &AccountOverride,
    all: &StateOverride,
) -> Result<(), Fault> {
    let precompiled =
        Moved::is_precompile(scene.cfg.spec, &address) && !scene.moved.covered.contains(&address);
    if let Some(target) = account.move_precompile_to {
        if !precompiled {
            return Err(Fault::new(
                -32_000,
                format!("account {address} is not a precompile"),
            ));
        }
        if all.contains_key(&target) {
            return Err(Fault::new(
                -38_023,
                format!("account {target} is already overridden"),
            ));
        }
        scene.moved.to.insert(target, address);
    }
    if precompiled {
        scene.moved.covered.insert(address);
    }
    Ok(())
}

fn one(scene: &mut Scene, address: Address, account: &AccountOverride) -> Result<(), Fault> {
    if account.state.is_some() && account.state_diff.is_some() {
        return Err(Fault::server(format!(
            "account {address} has both 'state' and 'stateDiff'"
        )));
    }
    let mut info = scene
        .db
        .basic(address)
        .map_err(Fault::internal)?
        .unwrap_or_default();
    if let Some(balance) = account.balance {
        info.balance = balance;
    }
    if let Some(nonce) = account.nonce {
        info.nonce = nonce;
    }
    if let Some(code) = &account.code {
        let code = Bytecode::new_raw_checked(code.clone()).map_err(|e| Fault::params(e.to_string()))?;
        info.code_hash = code.hash_slow();
        info.code = Some(code);
    }
    scene.db.insert_account_info(address, info);
    if let Some(storage) = &account.state {
        let storage = storage.iter().map(|(slot, value)| (slot.0, value.0));
        let storage = storage.map(|(slot, value)| (U256::from_be_bytes(slot), U256::from_be_bytes(value)));
        scene
            .db
            .replace_account_storage(address, storage.collect())
            .map_err(Fault::internal)?;
    }
    for (slot, value) in account.state_diff.iter().flatten() {
        let (slot, value) = (U256::from_be_bytes(slot.0), U256::from_be_bytes(value.0));
        scene
            .db
            .insert_account_storage(address, slot, value)
            .map_err(Fault::internal)?;
    }
    Ok(())
}

/// Lets the code see another block.
pub(super) fn block(scene: &mut Scene, overrides: &BlockOverrides) -> Result<(), Fault> {
    let block = &mut scene.block;
    if let Some(number) = overrides.number {
        block.number = number;
    }
    if let Some(difficulty) = overrides.difficulty {
        block.difficulty = difficulty;
    }
    if let Some(time) = overrides.time {
        block.timestamp = U256::from(time);
    }
    if let Some(limit) = overrides.gas_limit {
        block.gas_limit = limit;
    }
    if let Some(miner) = overrides.coinbase {
        block.beneficiary = miner;
    }
    if let Some(random) = overrides.random {
        block.prevrandao = Some(random);
    }
    if let Some(fee) = overrides.base_fee {
        block.basefee = u64::try_from(fee).map_err(|_| Fault::params("baseFeePerGas is below 2^64"))?;
    }
    if let Some(fee) = overrides.blob_base_fee {
        let fee = u128::try_from(fee).map_err(|_| Fault::params("blobBaseFee is below 2^128"))?;
        let excess = block
            .blob_excess_gas_and_price
            .map_or(0, |blobs| blobs.excess_blob_gas);
        block.blob_excess_gas_and_price = Some(BlobExcessGasAndPrice {
            excess_blob_gas: excess,
            blob_gasprice: fee,
        });
    }
    for (number, hash) in overrides.block_hash.iter().flatten() {
        scene.db.cache.block_hashes.insert(U256::from(*number), *hash);
    }
    Ok(())
}
