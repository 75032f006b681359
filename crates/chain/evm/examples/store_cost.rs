//! What the store costs: root and commit of blocks of 5,000 transfers, and opening again.
//!
//! `cargo run --release -p purlin-chain-evm --example store_cost [FOLDER [ACCOUNTS ...]]`
//!
//! Every block touches as many accounts as transfers among random ones do, and has its transactions, receipts and
//! senders with it; nothing is executed. Every tenth block moves a token instead: one account, 10,000 slots. `killed`
//! opens a copy of the file made while it was in use, which is what `kill -9` leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use alloy_consensus::{Eip658Value, Receipt as Body, SignableTransaction, TxLegacy};
use alloy_primitives::{Address, Signature, U256, keccak256};
use purlin_chain_evm::{
    Account, Changes, Mode, Sealed, StateRead, StateSettings, Store, StoreError, genesis_root,
};
use purlin_chain_proto::{Block, Header, Receipt, Transaction};

const TRANSFERS: u64 = 5_000;
const BLOCKS: u64 = 40;
const SETTINGS: StateSettings = StateSettings {
    mode: Mode::Archive,
    cache_bytes: 512 << 20,
};

fn main() -> Result<(), StoreError> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "target/store-cost".to_owned());
    let mut sizes: Vec<u64> = arguments.filter_map(|size| size.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![10_000, 1_000_000];
    }
    let folder = Path::new(&folder);
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("the folder can be made");
    for accounts in sizes {
        measure(&folder.join(format!("{accounts}.redb")), accounts)?;
    }
    Ok(())
}

fn measure(path: &Path, accounts: u64) -> Result<(), StoreError> {
    println!("{accounts} accounts, blocks of {TRANSFERS} transfers");
    let start = Instant::now();
    let alloc = alloc(accounts);
    let genesis = Header {
        state_root: genesis_root(&alloc),
        ..Header::default()
    };
    let store = Store::create(path, SETTINGS, &genesis, alloc)?;
    println!("  created in            {:>9.1} ms", millis(start.elapsed()));
    let mut dice = 7;
    let (mut plain, mut token) = (Costs::default(), Costs::default());
    for number in 1..=BLOCKS {
        let tokens = number % 10 == 0;
        let changes = if tokens {
            token_transfers(&mut dice, accounts)
        } else {
            transfers(&store, &mut dice, accounts)?
        };
        let costs = if tokens { &mut token } else { &mut plain };
        commit(&store, changes, costs)?;
    }
    plain.print("plain");
    token.print("token");
    proofs(&store)?;
    let sizes = store.table_sizes()?;
    let total: u64 = sizes.iter().map(|size| size.stored_bytes).sum();
    println!(
        "  rows {:.1} MB, file {:.1} MB, of which:",
        total as f64 / 1e6,
        store.figures()?.file_bytes as f64 / 1e6
    );
    for size in sizes {
        println!("    {:16} {:>9.2} MB", size.name, size.stored_bytes as f64 / 1e6);
    }
    let copy = path.with_extension("killed");
    fs::copy(path, &copy).expect("the file can be copied");
    drop(store);
    open("clean", path)?;
    open("killed", &copy)
}

fn open(what: &str, path: &Path) -> Result<(), StoreError> {
    let start = Instant::now();
    let store = Store::open(path, SETTINGS)?;
    assert_eq!(store.head().header.number, BLOCKS);
    println!("  open, {what:8}        {:>9.1} ms", millis(start.elapsed()));
    Ok(())
}

/// Durations by what was done.
#[derive(Default)]
struct Costs {
    touched: Vec<usize>,
    root: Vec<Duration>,
    commit: Vec<Duration>,
}

impl Costs {
    fn print(mut self, what: &str) {
        let touched = self.touched.iter().sum::<usize>() / self.touched.len();
        println!("  {what}: {touched} accounts and slots touched by a block");
        for (what, times) in [("root", &mut self.root), ("commit", &mut self.commit)] {
            times.sort_unstable();
            let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
            println!(
                "    {what:6} median {:>7.1} ms ({:.1} us each), worst {:>7.1} ms",
                millis(median),
                millis(median) * 1e3 / touched as f64,
                millis(worst)
            );
        }
    }
}

fn commit(store: &Store, changes: Changes, costs: &mut Costs) -> Result<(), StoreError> {
    let head = store.head();
    costs
        .touched
        .push(changes.accounts.len() + changes.storage.values().map(BTreeMap::len).sum::<usize>());
    let start = Instant::now();
    let (state_root, trie) = store.root_after(&changes)?;
    costs.root.push(start.elapsed());
    let number = head.header.number + 1;
    let mut block = Block::uncle(Header {
        number,
        parent_hash: head.hash,
        state_root,
        ..Header::default()
    });
    block.body.transactions = (0..TRANSFERS)
        .map(|index| transaction(number * TRANSFERS + index))
        .collect();
    let sealed = Sealed {
        hash: block.header.hash_slow(),
        senders: (0..TRANSFERS).map(address).collect(),
        receipts: (0..TRANSFERS).map(receipt).collect(),
        block,
        changes,
        trie,
        certificate: None,
    };
    let start = Instant::now();
    store.commit(sealed)?;
    costs.commit.push(start.elapsed());
    Ok(())
}

fn proofs(store: &Store) -> Result<(), StoreError> {
    for back in [0, 1, 10] {
        let start = Instant::now();
        store.proof(BLOCKS - back, address(3), &[])?;
        println!(
            "  proof {back:>2} blocks back  {:>9.2} ms",
            millis(start.elapsed())
        );
    }
    Ok(())
}

/// Every sender pays somebody at random.
fn transfers(store: &Store, dice: &mut u64, accounts: u64) -> Result<Changes, StoreError> {
    let state = store.latest()?;
    let mut changes = Changes::default();
    for _ in 0..TRANSFERS {
        for _ in 0..2 {
            let who = address(roll(dice) % accounts);
            let mut account = match changes.accounts.get(&who) {
                Some(Some(account)) => *account,
                _ => state.account(who)?.expect("every account is funded"),
            };
            account.nonce += 1;
            account.balance -= U256::from(1);
            changes.accounts.insert(who, Some(account));
        }
    }
    Ok(changes)
}

/// Balances in one contract's storage.
fn token_transfers(dice: &mut u64, accounts: u64) -> Changes {
    let slot = |who: u64| U256::from_be_bytes(keccak256(who.to_be_bytes()).0);
    let slots = (0..2 * TRANSFERS).map(|_| (slot(roll(dice) % accounts), U256::from(roll(dice))));
    Changes {
        storage: [(address(0), slots.collect())].into(),
        ..Changes::default()
    }
}

fn alloc(accounts: u64) -> Changes {
    let funded = Account {
        balance: U256::from(10).pow(U256::from(21)),
        ..Account::default()
    };
    Changes {
        accounts: (0..accounts).map(|who| (address(who), Some(funded))).collect(),
        ..Changes::default()
    }
}

fn address(number: u64) -> Address {
    Address::from_slice(&keccak256(number.to_le_bytes())[12..])
}

fn transaction(nonce: u64) -> Transaction {
    let plain = TxLegacy {
        nonce,
        gas_limit: 21_000,
        gas_price: 1_000_000_000,
        to: address(nonce).into(),
        value: U256::from(1),
        ..TxLegacy::default()
    };
    plain.into_signed(Signature::test_signature()).into()
}

fn receipt(index: u64) -> Receipt {
    let body = Body {
        status: Eip658Value::Eip658(true),
        cumulative_gas_used: 21_000 * (index + 1),
        logs: Vec::new(),
    };
    Receipt::Eip1559(body.with_bloom())
}

fn roll(dice: &mut u64) -> u64 {
    *dice = dice
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *dice >> 20
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
