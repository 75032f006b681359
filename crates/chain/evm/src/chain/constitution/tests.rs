//! What no code of the contract writes, and what a node makes of it all the same.

use super::*;
use crate::store::{Mode, StateSettings};
use alloy_primitives::keccak256;
use purlin_chain_core::constitution::genesis_storage;
use purlin_chain_proto::{Address, ConsensusSpec, GenesisAccount};
use std::{collections::BTreeSet, time::Duration};

const PERIOD: Duration = Duration::from_secs(1);
const GAS_LIMIT: u64 = 30_000_000;

/// The first slot of a version.
fn header_slot(version: u64) -> U256 {
    let first: U256 = keccak256(B256::ZERO).into();
    first + U256::from(2 * version)
}

fn member_slot(version: u64) -> U256 {
    keccak256(B256::from(header_slot(version) + U256::ONE)).into()
}

fn header(from: u64) -> U256 {
    U256::from(from) | U256::from(1_000) << 64 | U256::from(GAS_LIMIT) << 128
}

/// A chain that one validator decides, with the contract.
fn governed() -> Chain {
    let who = Address::repeat_byte(7);
    let mut genesis = ChainSpec::development(1337, &[], 1_700_000_000).genesis().clone();
    let consensus = ConsensusSpec {
        validators: vec![(who, 1)],
        period: PERIOD,
        gas_limit: GAS_LIMIT,
    };
    consensus.write(&mut genesis.config);
    let first = Constitution {
        from: 0,
        validators: ValidatorSet::new([(who, 1)]).expect("a set"),
        period: PERIOD,
        gas_limit: GAS_LIMIT,
    };
    let account = GenesisAccount {
        code: Some(code()),
        storage: Some(genesis_storage(&first)),
        ..GenesisAccount::default()
    };
    genesis.alloc.insert(ADDRESS, account);
    let settings = StateSettings {
        mode: Mode::Archive,
        cache_bytes: 1 << 20,
    };
    let spec = ChainSpec::from_genesis(genesis).expect("a chain");
    Chain::create(None, spec, settings).expect("a chain")
}

/// What block 1 appends when it writes these slots.
fn appended(slots: &[(U256, U256)], wiped: bool) -> Result<Vec<Constitution>, String> {
    let chain = governed();
    let changes = Changes {
        storage: BTreeMap::from([(ADDRESS, slots.iter().copied().collect())]),
        wiped: if wiped {
            BTreeSet::from([ADDRESS])
        } else {
            BTreeSet::new()
        },
        ..Changes::default()
    };
    let state = chain.store().latest().expect("state");
    chain
        .appended(1, &state, &changes)
        .map_err(|unread| match unread {
            Unread::Store(error) => error.to_string(),
            Unread::Fault(fault) => fault.to_string(),
        })
}

/// The slots of a second version that counts from this height on, with one member.
fn second(from: u64, member: U256) -> [(U256, U256); 4] {
    [
        (U256::ZERO, U256::from(2)),
        (header_slot(1), header(from)),
        (header_slot(1) + U256::ONE, U256::ONE),
        (member_slot(1), member),
    ]
}

fn member(power: u64) -> U256 {
    U256::from_be_bytes(Address::repeat_byte(9).into_word().0) | U256::from(power) << 160
}

#[test]
fn a_block_appends_what_its_slots_say() {
    let new = appended(&second(3, member(4)), false).expect("a version");
    let said: Vec<(u64, u64)> = new
        .iter()
        .map(|version| (version.from, version.validators.total()))
        .collect();
    assert_eq!(said, [(3, 4)]);
    assert_eq!(appended(&[(U256::from(99), U256::ONE)], false), Ok(Vec::new()));
    assert_eq!(appended(&[], false), Ok(Vec::new()));
}

#[test]
fn a_block_after_which_nobody_decides_is_none() {
    let check = |slots: &[(U256, U256)], wiped, said: &str| {
        let fault = appended(slots, wiped).expect_err(said);
        assert!(fault.contains(said), "{fault}");
    };
    check(
        &second(2, member(1)),
        false,
        "wants to change height 2 in block 1",
    );
    check(
        &second(0, member(1)),
        false,
        "counts from height 0 on, and the one before it",
    );
    check(&second(3, member(0)), false, "has no power");
    check(&second(3, U256::MAX), false, "the contract never writes");
    check(&[(U256::ZERO, U256::from(2))], false, "version 1: its slot");
    check(
        &[(U256::ZERO, U256::ZERO)],
        false,
        "became shorter: 0, and it was 1",
    );
    check(&[], true, "became shorter: 0, and it was 1");
}

#[test]
fn what_is_fixed_is_said_and_nothing_else() {
    let chain = governed();
    let heights = [0, 1, 2, 3, u64::MAX].map(|height| chain.constitution(height).is_some());
    assert_eq!(heights, [true, true, true, false, false]);
}
