//! In which order a block takes transactions.

use super::forge::{Draft, GWEI, draft, head, paying, pool, put, rich, transfer};
use crate::Recovered;
use crate::pool::{Origin, Pool, Settings};
use std::time::Duration;

fn best(pool: &Pool, tip_min: u128) -> Vec<(u8, u64)> {
    let given = pool.best(head().base_fee, tip_min);
    given.map(|one| (one.sender()[0], one.nonce())).collect()
}

#[test]
fn the_best_tip_goes_first_and_the_older_one_among_equals() {
    let mut pool = pool();
    for one in [
        paying(1, 0, 10, 1),
        paying(2, 0, 10, 3),
        paying(3, 0, 10, 1),
        paying(4, 0, 10, 2),
    ] {
        put(&mut pool, one).expect("taken");
    }
    assert_eq!(best(&pool, 0), [(2, 0), (4, 0), (1, 0), (3, 0)]);
    assert_eq!(best(&pool, 2 * GWEI), [(2, 0), (4, 0)]);
}

#[test]
fn nonces_come_in_order_however_well_the_later_pay() {
    let mut pool = pool();
    for one in [paying(1, 0, 10, 1), paying(1, 1, 10, 9), paying(2, 0, 10, 2)] {
        put(&mut pool, one).expect("taken");
    }
    assert_eq!(best(&pool, 0), [(2, 0), (1, 0), (1, 1)]);
}

#[test]
fn the_tip_is_what_the_fee_cap_leaves_of_it() {
    let mut pool = pool();
    // The base fee is 2 gwei: the first pays 1 gwei of its 8.
    for one in [paying(1, 0, 3, 3), paying(2, 0, 10, 2)] {
        put(&mut pool, one).expect("taken");
    }
    assert_eq!(best(&pool, 0), [(2, 0), (1, 0)]);
    let legacy = Draft {
        kind: 0,
        ..draft(3, 0)
    };
    put(&mut pool, legacy.sign()).expect("8 gwei of tip");
    assert_eq!(best(&pool, 0)[0], (3, 0));
}

#[test]
fn below_the_base_fee_a_sender_waits_with_all_that_follows() {
    let mut pool = pool();
    for one in [
        transfer(1, 0),
        paying(1, 1, 1, 1),
        transfer(1, 2),
        paying(2, 0, 1, 1),
    ] {
        put(&mut pool, one).expect("taken");
    }
    assert_eq!((pool.status().pending, best(&pool, 0)), (4, vec![(1, 0)]));
    assert!(pool.is_ready(0) && pool.is_ready(GWEI) && !pool.is_ready(GWEI + 1));
    let given: Vec<_> = pool
        .best(GWEI as u64, 0)
        .map(|one| (one.sender()[0], one.nonce()))
        .collect();
    assert_eq!(given, [(1, 0), (1, 1), (1, 2), (2, 0)]);
}

#[test]
fn a_skipped_sender_gives_nothing_more() {
    let mut pool = pool();
    for one in [
        paying(1, 0, 10, 5),
        paying(1, 1, 10, 5),
        transfer(2, 0),
        transfer(2, 1),
    ] {
        put(&mut pool, one).expect("taken");
    }
    let mut best = pool.best(head().base_fee, 0);
    assert_eq!(best.next().map(|one| one.sender()[0]), Some(1));
    best.skip_sender();
    let rest: Vec<_> = best.map(|one| (one.sender()[0], one.nonce())).collect();
    assert_eq!(rest, [(2, 0), (2, 1)]);
}

#[test]
fn queued_ones_are_not_given() {
    let mut pool = pool();
    put(&mut pool, transfer(1, 1)).expect("taken");
    assert!(best(&pool, 0).is_empty() && !pool.is_ready(0));
    put(&mut pool, transfer(1, 0)).expect("taken");
    assert_eq!(best(&pool, 0), [(1, 0), (1, 1)]);
}

#[test]
fn locals_that_come_first_are_given_whatever_they_tip() {
    let settings = Settings {
        tip_min: 2 * GWEI,
        locals_first: true,
        ..Settings::default()
    };
    let mut pool = Pool::new(settings, head());
    for (one, origin) in [
        (transfer(1, 0), Origin::Local),
        (paying(2, 0, 3, 2), Origin::External),
    ] {
        let result = pool.insert(Duration::ZERO, one, rich(0), origin);
        result.expect("taken");
    }
    // The stranger's fee cap leaves 1 gwei of its 2.
    assert_eq!(best(&pool, 2 * GWEI), [(1, 0)]);
    let why = |one: Recovered| {
        pool.why(one.tx_hash())
            .map(|why| why.to_string())
            .unwrap_or_default()
    };
    assert_eq!(
        why(paying(2, 0, 3, 2)),
        "tip 1 gwei is below the least tip of 2 gwei"
    );
    assert_eq!(
        why(transfer(1, 0)),
        "it goes into the next block that has room for it"
    );
}
