//! What revm must know about a chain, a block and a transaction.

use alloy_consensus::Transaction as _;
use alloy_eips::Typed2718;
use purlin_chain_proto::{Address, ChainSpec, Fork, Header, Transaction, U256};
use revm::{
    context::{BlockEnv, CfgEnv, TxEnv},
    context_interface::{block::BlobExcessGasAndPrice, either::Either},
    primitives::hardfork::SpecId,
};

/// The interpreter's rules under a fork. Forks that only move the ice age or the number of blobs have none of their own.
pub fn spec_id(fork: Fork) -> SpecId {
    match fork {
        Fork::Frontier => SpecId::FRONTIER,
        Fork::Homestead | Fork::Dao => SpecId::HOMESTEAD,
        Fork::Tangerine => SpecId::TANGERINE,
        Fork::SpuriousDragon => SpecId::SPURIOUS_DRAGON,
        Fork::Byzantium => SpecId::BYZANTIUM,
        // Constantinople is Petersburg with EIP-1283, which is put on top: see `constantinople`.
        Fork::Constantinople | Fork::Petersburg => SpecId::PETERSBURG,
        Fork::Istanbul | Fork::MuirGlacier => SpecId::ISTANBUL,
        Fork::Berlin => SpecId::BERLIN,
        Fork::London | Fork::ArrowGlacier | Fork::GrayGlacier => SpecId::LONDON,
        Fork::Paris => SpecId::MERGE,
        Fork::Shanghai => SpecId::SHANGHAI,
        Fork::Cancun => SpecId::CANCUN,
        Fork::Prague => SpecId::PRAGUE,
        Fork::Osaka | Fork::Bpo1 | Fork::Bpo2 | Fork::Bpo3 | Fork::Bpo4 | Fork::Bpo5 => SpecId::OSAKA,
    }
}

/// The rules at this header: chain id, fork, limits on blobs.
pub fn cfg_env(spec: &ChainSpec, header: &Header) -> CfgEnv {
    let fork = spec.fork_at(header.number, header.timestamp);
    let mut cfg = CfgEnv::new_with_spec(spec_id(fork));
    cfg.chain_id = spec.chain_id();
    if let Some(blobs) = spec.blob_params_at(header.timestamp) {
        cfg.max_blobs_per_tx = Some(blobs.max_blobs_per_tx);
        cfg.blob_base_fee_update_fraction = u64::try_from(blobs.update_fraction).ok();
    }
    cfg
}

/// What code can ask about the block with this header.
pub fn block_env(spec: &ChainSpec, header: &Header) -> BlockEnv {
    let merged = spec.fork_at(header.number, header.timestamp) >= Fork::Paris;
    let blobs = spec.blob_params_at(header.timestamp).zip(header.excess_blob_gas);
    BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or(0),
        difficulty: header.difficulty,
        prevrandao: merged.then_some(header.mix_hash),
        blob_excess_gas_and_price: blobs.map(|(params, excess)| BlobExcessGasAndPrice {
            excess_blob_gas: excess,
            blob_gasprice: params.calc_blob_fee(excess),
        }),
        slot_num: 0,
    }
}

/// The transaction with its sender.
pub fn tx_env(transaction: &Transaction, sender: Address) -> TxEnv {
    let authorizations = transaction.authorization_list().unwrap_or_default();
    TxEnv {
        tx_type: transaction.ty(),
        caller: sender,
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        blob_hashes: transaction.blob_versioned_hashes().unwrap_or_default().to_vec(),
        max_fee_per_blob_gas: transaction.max_fee_per_blob_gas().unwrap_or(0),
        authorization_list: authorizations.iter().cloned().map(Either::Left).collect(),
    }
}
