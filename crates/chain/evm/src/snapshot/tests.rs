//! Streams of random states, at every depth, whole and not.

mod damage;
mod states;

use super::frame::{FrameReader, Kind};
use super::restore::Begun;
use super::write::in_sections;
use super::{Manifest, SnapshotError};
use crate::chain::Chain;
use crate::store::tests::{Rows, rows};
use crate::store::{Mode, StateSettings, Store};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use purlin_chain_proto::{ChainSpec, GenesisAccount};
use std::path::Path;

const SETTINGS: StateSettings = StateSettings {
    mode: Mode::Archive,
    cache_bytes: 0,
};

/// Accounts that come of a seed: some with code that others have too, some with slots.
fn spec(seed: u64, accounts: u64) -> ChainSpec {
    let mut genesis = ChainSpec::development(1, &[], 1_700_000_000).genesis().clone();
    genesis.alloc.clear();
    for number in 0..accounts {
        let random = keccak256([seed.to_be_bytes(), number.to_be_bytes()].concat());
        let account = GenesisAccount {
            nonce: Some(u64::from(random[0]) >> (random[1] % 8)),
            balance: U256::from_be_bytes(random.0) >> random[2],
            code: random[3]
                .is_multiple_of(5)
                .then(|| vec![random[4] % 4; 40].into()),
            storage: random[5]
                .is_multiple_of(3)
                .then(|| slots(random, u64::from(random[6]) % 8)),
            ..GenesisAccount::default()
        };
        genesis.alloc.insert(Address::from_slice(&random[12..]), account);
    }
    ChainSpec::from_genesis(genesis).expect("the forks are as they were")
}

/// With zeros among them, which are not kept.
fn slots(seed: B256, count: u64) -> std::collections::BTreeMap<B256, B256> {
    let slot = |number: u64| {
        let key = if number.is_multiple_of(2) {
            B256::from(U256::from(number))
        } else {
            keccak256([seed.as_slice(), &number.to_be_bytes()].concat())
        };
        (key, B256::from(U256::from(number) << (seed[7] % 200)))
    };
    (0..count).map(slot).collect()
}

fn chain(spec: &ChainSpec) -> Chain {
    Chain::create(None, spec.clone(), SETTINGS).expect("a chain in memory")
}

/// The stream of a chain's head, in sections of `least` accounts and more.
fn stream(chain: &Chain, least: u64) -> (Manifest, Vec<u8>) {
    let mut octets = Vec::new();
    let state = chain.store().latest().unwrap();
    let manifest = in_sections(&state, Bytes::new(), &mut octets, &mut |_, _| {}, least);
    (manifest.unwrap(), octets)
}

/// What comes of a stream, by a reader who believes in this head.
fn taken(spec: &ChainSpec, head: B256, mut octets: &[u8]) -> Result<Rows, SnapshotError> {
    let mut accept = |manifest: &Manifest| match manifest.head().1 {
        hash if hash == head => Ok(()),
        other => Err(format!("nobody decided {other}")),
    };
    let mut begun = Begun::new(spec, &mut octets, &mut accept)?;
    let store = Store::fresh_in_memory(SETTINGS, |fresh| begun.go_on(spec, fresh, &mut |_, _| {}))?;
    Ok(rows(&store))
}

fn empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

fn frames(mut octets: &[u8]) -> Vec<(Kind, Vec<u8>)> {
    let mut reader = FrameReader::begin(&mut octets).unwrap();
    let mut frames = Vec::new();
    loop {
        let frame = reader.next().unwrap();
        let end = frame.0 == Kind::End;
        frames.push(frame);
        if end {
            return frames;
        }
    }
}
