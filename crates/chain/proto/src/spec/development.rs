//! The genesis of a development chain.

use crate::{Address, Bytes, Genesis, GenesisAccount, U256};
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_genesis::ChainConfig;

/// Gas of a development chain's blocks: five thousand plain transfers are 105 million.
pub const GAS_LIMIT: u64 = 500_000_000;

pub(super) fn genesis(chain_id: u64, accounts: &[(Address, U256)], timestamp: u64) -> Genesis {
    let funded = accounts
        .iter()
        .map(|(address, balance)| (*address, GenesisAccount::default().with_balance(*balance)));
    Genesis {
        config: config(chain_id),
        timestamp,
        gas_limit: GAS_LIMIT,
        alloc: system_contracts().chain(funded).collect(),
        ..Genesis::default()
    }
}

fn config(chain_id: u64) -> ChainConfig {
    let block = Some(0);
    let time = Some(0);
    ChainConfig {
        chain_id,
        homestead_block: block,
        eip150_block: block,
        eip155_block: block,
        eip158_block: block,
        byzantium_block: block,
        constantinople_block: block,
        petersburg_block: block,
        istanbul_block: block,
        berlin_block: block,
        london_block: block,
        shanghai_time: time,
        cancun_time: time,
        prague_time: time,
        osaka_time: time,
        terminal_total_difficulty: Some(U256::ZERO),
        terminal_total_difficulty_passed: true,
        ..ChainConfig::default()
    }
}

/// Every block calls these; EIP-7002 and EIP-7251 make a block without them invalid.
fn system_contracts() -> impl Iterator<Item = (Address, GenesisAccount)> {
    let contract = |address, code: &Bytes| {
        (
            address,
            GenesisAccount {
                nonce: Some(1),
                code: Some(code.clone()),
                ..GenesisAccount::default()
            },
        )
    };
    [
        contract(eip4788::BEACON_ROOTS_ADDRESS, &eip4788::BEACON_ROOTS_CODE),
        contract(eip2935::HISTORY_STORAGE_ADDRESS, &eip2935::HISTORY_STORAGE_CODE),
        contract(
            eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
            &eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE,
        ),
        contract(
            eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
            &eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE,
        ),
    ]
    .into_iter()
}
