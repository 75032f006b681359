//! Who goes when there is no room.

use super::forge::{Draft, draft, head, paying, put, rich, transfer, words};
use crate::Recovered;
use crate::pool::{Head, NewBlock, Origin, Pool, Settings};
use std::time::Duration;

const EVICTED: &str = "the pool was full, and it was the least worth";

fn small(slots_max: usize) -> Pool {
    Pool::new(
        Settings {
            slots_max,
            ..Settings::default()
        },
        head(),
    )
}

fn filled(with: &[Recovered]) -> Pool {
    let mut pool = small(with.len());
    for one in with {
        put(&mut pool, one.clone()).expect("room");
    }
    pool
}

fn refused(pool: &mut Pool, one: Recovered) -> String {
    let before = pool.len();
    let text = put(pool, one).expect_err("no room").to_string();
    assert_eq!(pool.len(), before);
    text
}

#[test]
fn s3_44_the_8193rd_transaction_is_refused_or_evicts_by_price() {
    let mut pool = small(Settings::default().slots_max);
    assert_eq!(Settings::default().slots_max, 8192);
    for n in 0..8192_u64 {
        let (sender, nonce) = ((n % 64) as u8 + 1, n / 64);
        let result = pool.insert(Duration::ZERO, transfer(sender, nonce), rich(0), Origin::External);
        result.expect("room");
    }
    pool.audit();
    assert_eq!(refused(&mut pool, transfer(100, 0)), "transaction underpriced");
    let inserted = put(&mut pool, paying(100, 0, 20, 2)).expect("it pays more");
    assert_eq!(
        words(&inserted.events),
        [format!("dropped 64/127: {EVICTED}"), "added 100/0 pending".into()]
    );
    assert_eq!(pool.len(), 8192);
}

#[test]
fn an_executable_one_displaces_a_queued_one_whatever_that_pays() {
    let mut pool = filled(&[transfer(1, 0), paying(2, 7, 90, 9), paying(3, 7, 80, 8)]);
    let inserted = put(&mut pool, transfer(4, 0)).expect("room is made");
    assert_eq!(
        words(&inserted.events),
        [format!("dropped 3/7: {EVICTED}"), "added 4/0 pending".into()]
    );
}

#[test]
fn a_queued_one_displaces_only_queued_ones_that_pay_less() {
    let mut pool = filled(&[paying(1, 0, 5, 1), paying(2, 7, 10, 2)]);
    assert_eq!(refused(&mut pool, paying(3, 7, 10, 2)), "transaction underpriced");
    let inserted = put(&mut pool, paying(3, 7, 10, 3)).expect("it pays more");
    assert_eq!(
        words(&inserted.events),
        [format!("dropped 2/7: {EVICTED}"), "added 3/7 queued".into()]
    );
    let mut pool = filled(&[paying(1, 0, 5, 1)]);
    assert_eq!(refused(&mut pool, paying(3, 7, 90, 9)), "txpool is full");
}

#[test]
fn what_follows_an_evicted_one_waits() {
    let mut pool = filled(&[paying(1, 0, 10, 1), paying(1, 1, 10, 5), paying(2, 0, 10, 3)]);
    let inserted = put(&mut pool, paying(3, 0, 10, 2)).expect("it pays more than the first");
    let dropped = format!("dropped 1/0: {EVICTED}");
    assert_eq!(
        words(&inserted.events),
        [dropped, "demoted 1/1".into(), "added 3/0 pending".into()]
    );
}

#[test]
fn a_sender_does_not_push_out_what_makes_it_executable() {
    let mut pool = filled(&[paying(1, 0, 10, 1), paying(2, 0, 10, 5)]);
    assert_eq!(refused(&mut pool, paying(1, 1, 10, 3)), "transaction underpriced");
    let inserted = put(&mut pool, paying(1, 1, 10, 6)).expect("it pays more than the other's");
    assert_eq!(
        words(&inserted.events),
        [format!("dropped 2/0: {EVICTED}"), "added 1/1 pending".into()]
    );
}

#[test]
fn a_replacement_needs_no_room() {
    let mut pool = filled(&[paying(1, 0, 10, 1), paying(2, 0, 10, 5)]);
    let inserted = put(&mut pool, paying(1, 0, 20, 2)).expect("a replacement");
    assert_eq!(words(&inserted.events), ["replaced 1/0", "added 1/0 pending"]);
}

#[test]
fn a_large_one_takes_the_room_of_several() {
    let mut pool = filled(&[transfer(1, 0), transfer(2, 0), transfer(3, 0), transfer(4, 0)]);
    let large = Draft {
        input: vec![0; 70_000].into(),
        gas: 1_000_000,
        ..draft(5, 0)
    };
    let large = Draft {
        fee_cap: large.fee_cap * 2,
        tip: large.tip * 2,
        ..large
    };
    let inserted = put(&mut pool, large.sign()).expect("it pays more");
    assert_eq!((inserted.events.len(), pool.len(), pool.slots()), (4, 2, 4));
}

#[test]
fn worth_follows_the_base_fee() {
    // At 2 gwei the second pays more, at 4 gwei nothing.
    let mut pool = filled(&[paying(1, 0, 10, 1), paying(2, 0, 4, 2)]);
    assert_eq!(refused(&mut pool, paying(3, 0, 10, 1)), "transaction underpriced");
    let dearer = Head {
        base_fee: 4_000_000_000,
        ..head()
    };
    pool.on_block(
        Duration::ZERO,
        &NewBlock {
            head: dearer,
            mined: &[],
            accounts: &[],
        },
    );
    pool.audit();
    let inserted = put(&mut pool, paying(3, 0, 10, 1)).expect("the second pays nothing now");
    assert_eq!(words(&inserted.events)[0], format!("dropped 2/0: {EVICTED}"));
}

#[test]
fn locals_yield_to_locals_only_when_they_come_first() {
    let settings = Settings {
        slots_max: 1,
        locals_first: true,
        ..Settings::default()
    };
    let mut pool = Pool::new(settings, head());
    let mut insert = |one, origin| {
        let result = pool.insert(Duration::ZERO, one, rich(0), origin);
        pool.audit();
        result
            .map(|inserted| words(&inserted.events))
            .map_err(|refusal| refusal.to_string())
    };
    insert(paying(1, 0, 10, 5), Origin::External).expect("room");
    insert(paying(2, 0, 10, 1), Origin::Local).expect("a stranger yields");
    assert_eq!(
        insert(paying(3, 0, 10, 9), Origin::External),
        Err("txpool is full".into())
    );
    assert_eq!(
        insert(paying(4, 0, 10, 1), Origin::Local),
        Err("transaction underpriced".into())
    );
    insert(paying(4, 0, 10, 2), Origin::Local).expect("it pays more");
}

#[test]
fn a_smaller_limit_counts_at_once() {
    let mut pool = filled(&[
        paying(1, 0, 10, 1),
        paying(2, 0, 10, 2),
        paying(3, 7, 10, 9),
        paying(4, 0, 10, 3),
    ]);
    let events = pool.reconfigure(Settings {
        slots_max: 2,
        ..Settings::default()
    });
    pool.audit();
    assert_eq!(
        words(&events),
        [
            format!("dropped 3/7: {EVICTED}"),
            format!("dropped 1/0: {EVICTED}")
        ]
    );
}
