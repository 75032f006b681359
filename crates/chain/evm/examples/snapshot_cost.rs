//! What a state costs to carry: a chain of plain accounts and one token, written as a stream and made into a file again.
//!
//! `cargo run --release -p purlin-chain-evm --example snapshot_cost [FOLDER [ACCOUNTS ...]]`

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::time::Instant;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use purlin_chain_evm::snapshot::{restore, write};
use purlin_chain_evm::{Chain, StateSettings, Store};
use purlin_chain_proto::{ChainSpec, GenesisAccount};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .unwrap_or_else(|| "target/snapshot-cost".to_owned());
    let mut sizes: Vec<u64> = arguments.filter_map(|size| size.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![100_000, 1_000_000];
    }
    let folder = Path::new(&folder);
    for accounts in sizes {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder)?;
        measure(folder, accounts)?;
    }
    Ok(())
}

fn measure(folder: &Path, accounts: u64) -> Result<(), Box<dyn Error>> {
    let settings = StateSettings::default();
    let (from, to, stream) = (
        folder.join("from.redb"),
        folder.join("to.redb"),
        folder.join("stream"),
    );
    let spec = spec(accounts)?;
    let chain = Chain::create(Some(&from), spec.clone(), settings)?;

    let start = Instant::now();
    let mut out = BufWriter::new(File::create(&stream)?);
    let state = chain.store().latest()?;
    let manifest = write(&state, Bytes::new(), &mut out, &mut |_, _| {})?;
    out.into_inner()?.sync_all()?;
    let wrote = start.elapsed();

    let start = Instant::now();
    let mut input = BufReader::new(File::open(&stream)?);
    restore(&to, &spec, settings, &mut input, &mut |_| Ok(()), &mut |_, _| {})?;
    let read = start.elapsed();
    assert_eq!(Store::open(&to, settings)?.head(), chain.head());

    let octets = |path: &Path| fs::metadata(path).map(|file| file.len() / 1024);
    println!(
        "{} accounts, {} slots, {} sections",
        manifest.accounts,
        manifest.slots,
        manifest.subtrees.len()
    );
    println!("  written in {wrote:.1?}, {} KiB", octets(&stream)?);
    println!(
        "  read in    {read:.1?}, a file of {} KiB, before {} KiB",
        octets(&to)?,
        octets(&from)?
    );
    Ok(())
}

/// Accounts with an ether each, and a token of which every tenth has some.
fn spec(accounts: u64) -> Result<ChainSpec, Box<dyn Error>> {
    let mut genesis = ChainSpec::development(1, &[], 1_700_000_000).genesis().clone();
    let holders = (0..accounts / 10).map(|number| {
        let slot = keccak256(number.to_be_bytes());
        (slot, B256::from(U256::from(number + 1)))
    });
    let token = GenesisAccount {
        code: Some(vec![0; 5_000].into()),
        storage: Some(holders.collect()),
        ..GenesisAccount::default()
    };
    for number in 0..accounts {
        let address = Address::from_slice(&keccak256(number.to_le_bytes())[12..]);
        let account = GenesisAccount {
            balance: U256::from(10).pow(U256::from(18)),
            ..GenesisAccount::default()
        };
        genesis.alloc.insert(address, account);
    }
    genesis.alloc.insert(Address::repeat_byte(0x70), token);
    Ok(ChainSpec::from_genesis(genesis)?)
}
