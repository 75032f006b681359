//! What the pool costs: arrivals, the order of a block, a block's end, and arrivals when it is full.
//!
//! `cargo run --release -p purlin-chain-core --example pool_cost [TRANSACTIONS [SENDERS]]`

use alloy_consensus::{SignableTransaction as _, TxEip1559};
use alloy_primitives::{Address, B256, Signature, TxKind, U256};
use purlin_chain_core::build::{Limits, choose};
use purlin_chain_core::pool::{AccountState, Head, NewBlock, Origin, Pool, Settings, journal};
use purlin_chain_proto::{Fork, Recovered};
use std::hint::black_box;
use std::time::Duration;

const HEAD: Head = Head {
    chain_id: 1337,
    fork: Fork::Osaka,
    base_fee: 1_000_000_000,
    gas_limit: 600_000_000,
};

fn sender(n: u64) -> Address {
    Address::left_padding_from(&(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes())
}

/// A transfer; its hash is worked out here, because on its way to the pool a transaction has one.
fn transfer(from: u64, nonce: u64, tip: u128) -> Recovered {
    let one = TxEip1559 {
        chain_id: HEAD.chain_id,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000 + tip,
        to: TxKind::Call(sender(from)),
        value: U256::ONE,
        ..TxEip1559::default()
    };
    let one = one.into_signed(Signature::test_signature());
    black_box(one.hash());
    Recovered::new_unchecked(one.into(), sender(from))
}

/// Processor time of this thread; the wall clock of a shared machine says little.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = stat.split_whitespace().next().and_then(|n| n.parse().ok());
    Duration::from_nanos(first.unwrap_or(0))
}

fn timed<T>(what: &str, count: usize, work: impl FnOnce() -> T) -> T {
    let before = cpu();
    let result = work();
    let took = cpu() - before;
    let each = took.as_nanos() as f64 / count.max(1) as f64;
    println!(
        "{what}: {took:?}, {each:.0} ns each of {count}, {:.0} a second",
        1e9 / each.max(1e-9)
    );
    result
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

fn insert_all(pool: &mut Pool, all: Vec<Recovered>) -> usize {
    let state = AccountState {
        nonce: 0,
        balance: U256::from(u128::MAX),
        delegated: false,
    };
    let insert = |one| pool.insert(Duration::ZERO, one, state, Origin::Local).is_ok();
    all.into_iter().map(insert).filter(|taken| *taken).count()
}

fn main() {
    let mut arguments = std::env::args().skip(1).map_while(|n| n.parse::<u64>().ok());
    let count = arguments.next().unwrap_or(8192);
    let senders = arguments.next().unwrap_or(256).clamp(1, count);
    let slots_max = count as usize;
    let settings = Settings {
        slots_max,
        sender_slots_max: slots_max,
        ..Settings::default()
    };
    let mut pool = Pool::new(settings, HEAD);
    let tip = |n: u64| u128::from(n.wrapping_mul(7919) % 1000);
    println!("{count} transactions of {senders} senders");

    let before = resident_kib();
    let all: Vec<_> = (0..count)
        .map(|n| transfer(n % senders, n / senders, tip(n)))
        .collect();
    let taken = timed("insert", count as usize, || insert_all(&mut pool, all));
    let each = (resident_kib() - before) as f64 * 1024.0 / taken.max(1) as f64;
    println!("  {taken} taken, {:?}, {each:.0} B resident each", pool.status());

    let first = || pool.best(HEAD.base_fee, 0).next().is_some();
    let all_first = timed("best, the first", 200, || (0..200).all(|_| first()));
    let walk = || pool.best(HEAD.base_fee, 0).count();
    let walked = timed("best, all of them", 10 * taken, || (0..10).map(|_| walk()).min());
    assert!(all_first && walked == Some(taken));
    let limits = Limits {
        count: 5000,
        ..Limits::of_gas(HEAD.gas_limit)
    };
    let choice = || choose(pool.best(HEAD.base_fee, 0), limits, Duration::ZERO);
    let chosen = timed("choose a block of 5,000", 20, || {
        (0..20).map(|_| choice()).fold(None, |_, one| Some(one))
    });
    let chosen = chosen.unwrap_or_default();

    let octets = timed("journal, written", taken, || pool.journal());
    let entries = timed("journal, read", taken, || journal::decode(&octets).entries.len());
    assert_eq!(entries, taken);

    let more: Vec<_> = (0..1000).map(|n| transfer(n + senders, 0, 2000)).collect();
    timed("insert when full, the order by worth being made", 1, || {
        insert_all(&mut pool, more[..1].to_vec())
    });
    timed("insert when full, evicting", 999, || {
        insert_all(&mut pool, more[1..].to_vec())
    });
    let cheap: Vec<_> = (0..1000)
        .map(|n| transfer(n + 2 * senders + 1000, 0, 0))
        .collect();
    let cheap: Vec<_> = cheap.iter().cycle().take(20_000).cloned().collect();
    timed("insert when full, refused", 20_000, || {
        insert_all(&mut pool, cheap)
    });

    let mined: Vec<B256> = chosen.transactions.iter().map(|one| one.hash()).collect();
    let mut accounts = std::collections::BTreeMap::new();
    for one in &chosen.transactions {
        let state = AccountState {
            nonce: one.nonce() + 1,
            balance: U256::from(u128::MAX),
            delegated: false,
        };
        accounts.insert(one.sender(), state);
    }
    let accounts: Vec<_> = accounts.into_iter().collect();
    let block = NewBlock {
        head: Head {
            base_fee: HEAD.base_fee + 1,
            ..HEAD
        },
        mined: &mined,
        accounts: &accounts,
    };
    let events = timed("on_block", mined.len(), || pool.on_block(Duration::ZERO, &block));
    println!("  {} events, {:?}", events.len(), pool.status());
}
