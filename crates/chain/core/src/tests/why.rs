//! The sentences.

use super::forge::{account, head, paying, pool, put, put_with, rich, transfer, who};
use crate::Recovered;
use crate::pool::{NewBlock, Pool, Settings};
use alloy_primitives::B256;
use std::time::Duration;

fn check(pool: &Pool, one: &Recovered, text: &str) {
    let why = pool.why(one.tx_hash()).map(|why| why.to_string());
    assert_eq!(why.as_deref(), Some(text));
}

#[test]
fn what_a_transaction_waits_for_is_said() {
    let mut pool = pool();
    for one in [
        transfer(1, 5),
        transfer(1, 7),
        transfer(1, 8),
        paying(2, 0, 1, 1),
        transfer(2, 1),
        transfer(3, 0),
    ] {
        let nonce = if one.signer() == who(1) { 5 } else { 0 };
        put_with(&mut pool, one, rich(nonce)).expect("taken");
    }
    check(&pool, &transfer(1, 7), "nonce 7 waits for 6");
    check(&pool, &transfer(1, 8), "nonce 8 waits for 6");
    check(
        &pool,
        &paying(2, 0, 1, 1),
        "fee 1 gwei is below the base fee of 2 gwei",
    );
    check(
        &pool,
        &transfer(2, 1),
        "nonce 1 waits for 0, whose fee 1 gwei is below the base fee of 2 gwei",
    );
    check(
        &pool,
        &transfer(3, 0),
        "it goes into the next block that has room for it",
    );
    assert_eq!(pool.why(&B256::ZERO), None);
}

#[test]
fn a_balance_that_ends_the_run_is_said() {
    let mut pool = pool();
    for nonce in 0..5 {
        put(&mut pool, transfer(1, nonce)).expect("taken");
    }
    pool.on_account(&who(1), account(0, 3));
    check(&pool, &transfer(1, 4), "balance covers 3 of 5");
    check(&pool, &transfer(1, 3), "balance covers 3 of 4");
}

#[test]
fn what_became_of_a_transaction_is_remembered() {
    let mut pool = pool();
    for one in [
        transfer(1, 0),
        transfer(1, 1),
        transfer(2, 0),
        paying(2, 0, 20, 2),
    ] {
        put(&mut pool, one).expect("taken");
    }
    let by = *paying(2, 0, 20, 2).tx_hash();
    check(
        &pool,
        &transfer(2, 0),
        &format!("it was replaced by {by}, which pays more"),
    );
    let mined = [*transfer(1, 0).tx_hash()];
    let accounts = [(who(1), rich(2))];
    pool.on_block(
        Duration::ZERO,
        &NewBlock {
            head: head(),
            mined: &mined,
            accounts: &accounts,
        },
    );
    check(&pool, &transfer(1, 0), "it was mined");
    check(
        &pool,
        &transfer(1, 1),
        "it was dropped: another transaction used its nonce: the next one is 2",
    );
}

#[test]
fn memory_of_the_departed_is_bounded() {
    let mut pool = Pool::new(
        Settings {
            departed_max: 2,
            ..Settings::default()
        },
        head(),
    );
    for sender in 1..=3 {
        put(&mut pool, transfer(sender, 0)).expect("taken");
        pool.refused(transfer(sender, 0).tx_hash(), "said");
    }
    assert_eq!(pool.why(transfer(1, 0).tx_hash()), None);
    check(
        &pool,
        &transfer(3, 0),
        "it was dropped: it could not be executed: said",
    );
    // Back again, it is not departed; the old line about it does not come back when it is forgotten.
    put(&mut pool, transfer(3, 0)).expect("taken");
    check(
        &pool,
        &transfer(3, 0),
        "it goes into the next block that has room for it",
    );
}

#[test]
fn how_a_sender_stands_is_said() {
    let mut pool = pool();
    let say = |pool: &Pool| pool.why_sender(&who(1)).map(|standing| standing.to_string());
    assert_eq!(say(&pool), None);
    for nonce in [3, 4, 6] {
        put_with(&mut pool, transfer(1, nonce), rich(3)).expect("taken");
    }
    assert_eq!(
        say(&pool).as_deref(),
        Some("2 pending from nonce 3 on, 1 queued, next nonce 5; nonce 6 waits for 5")
    );
    pool.on_account(&who(1), account(3, 1));
    assert_eq!(
        say(&pool).as_deref(),
        Some("1 pending from nonce 3 on, 2 queued, next nonce 4; nonce 4: balance covers 1 of 2")
    );
    pool.on_account(&who(1), account(4, 9));
    assert_eq!(
        say(&pool).as_deref(),
        Some("1 pending from nonce 4 on, 1 queued, next nonce 5; nonce 6 waits for 5")
    );
}
