//! From arrival to the block: gaps are filled, accounts change, time passes.

use super::forge::{Draft, account, draft, head, pool, put, put_with, rich, transfer, who, words};
use crate::Recovered;
use crate::pool::{AccountState, Event, Head, NewBlock, Origin, Pool, Settings};
use alloy_primitives::{Address, B256};
use purlin_chain_proto::Fork;
use std::time::Duration;

fn block(pool: &mut Pool, mined: &[&Recovered], accounts: &[(Address, AccountState)]) -> Vec<Event> {
    let mined: Vec<B256> = mined.iter().map(|one| *one.tx_hash()).collect();
    let block = NewBlock {
        head: head(),
        mined: &mined,
        accounts,
    };
    let events = pool.on_block(Duration::ZERO, &block);
    pool.audit();
    events
}

#[test]
fn a_filled_gap_makes_what_waited_executable() {
    let mut pool = pool();
    for nonce in [2, 1, 4] {
        let inserted = put(&mut pool, transfer(1, nonce)).expect("taken");
        assert_eq!(words(&inserted.events), [format!("added 1/{nonce} queued")]);
    }
    assert_eq!(pool.next_nonce(&who(1)), Some(0));
    let inserted = put(&mut pool, transfer(1, 0)).expect("taken");
    assert_eq!(
        words(&inserted.events),
        ["added 1/0 pending", "promoted 1/1", "promoted 1/2"]
    );
    assert_eq!(
        (pool.next_nonce(&who(1)), pool.next_nonce(&who(2))),
        (Some(3), None)
    );
}

#[test]
fn mined_transactions_leave_and_the_rest_stays() {
    let mut pool = pool();
    for nonce in 0..3 {
        put(&mut pool, transfer(1, nonce)).expect("taken");
    }
    let events = block(
        &mut pool,
        &[&transfer(1, 0), &transfer(1, 1)],
        &[(who(1), rich(2))],
    );
    assert_eq!(words(&events), ["mined 1/0", "mined 1/1"]);
    assert_eq!((pool.status().pending, pool.next_nonce(&who(1))), (1, Some(3)));
    block(&mut pool, &[&transfer(1, 2)], &[(who(1), rich(3))]);
    assert!(pool.is_empty());
}

#[test]
fn a_block_that_names_no_accounts_still_takes_its_transactions_out() {
    let mut pool = pool();
    for nonce in 0..4 {
        put(&mut pool, transfer(1, nonce)).expect("taken");
    }
    let mined = [&transfer(1, 0), &transfer(1, 1), &transfer(1, 2)];
    let events = block(&mut pool, &mined, &[]);
    assert_eq!(words(&events), ["mined 1/0", "mined 1/1", "mined 1/2"]);
    assert_eq!((pool.status().pending, pool.next_nonce(&who(1))), (1, Some(4)));
}

#[test]
fn a_nonce_that_another_transaction_used_is_dropped() {
    let mut pool = pool();
    put(&mut pool, transfer(1, 0)).expect("taken");
    put(&mut pool, transfer(1, 2)).expect("taken");
    let events = block(&mut pool, &[], &[(who(1), rich(2))]);
    let dropped = "dropped 1/0: another transaction used its nonce: the next one is 2";
    assert_eq!(words(&events), [dropped, "promoted 1/2"]);
}

#[test]
fn a_smaller_balance_ends_the_run_and_a_larger_one_goes_on() {
    let mut pool = pool();
    for nonce in 0..4 {
        put(&mut pool, transfer(1, nonce)).expect("taken");
    }
    let events = block(&mut pool, &[], &[(who(1), account(0, 2))]);
    assert_eq!(words(&events), ["demoted 1/2", "demoted 1/3"]);
    let events = block(&mut pool, &[], &[(who(1), account(0, 3))]);
    assert_eq!(words(&events), ["promoted 1/2"]);
    let events = block(&mut pool, &[&transfer(1, 0)], &[(who(1), account(1, 2))]);
    assert_eq!(words(&events), ["mined 1/0"]);
    let events = block(&mut pool, &[], &[(who(1), account(1, 0))]);
    assert_eq!(events.len(), 3, "no longer payable alone: {events:?}");
    assert!(pool.is_empty());
}

#[test]
fn what_one_balance_cannot_pay_alone_is_dropped_and_the_rest_waits() {
    let mut pool = pool();
    let dear = Draft {
        value: alloy_primitives::U256::from(super::forge::COST * 10),
        ..draft(1, 1)
    };
    for one in [transfer(1, 0), dear.sign(), transfer(1, 2)] {
        put(&mut pool, one).expect("taken");
    }
    let events = block(&mut pool, &[], &[(who(1), account(0, 5))]);
    let dropped = "dropped 1/1: the balance of 1155000000000005 wei does not cover its cost of 2310000000000010 wei \
        any more";
    assert_eq!(words(&events), [dropped, "demoted 1/2"]);
}

#[test]
fn a_refused_transaction_leaves_and_its_followers_wait() {
    let mut pool = pool();
    for nonce in 0..3 {
        put(&mut pool, transfer(1, nonce)).expect("taken");
    }
    let events = pool.refused(transfer(1, 1).tx_hash(), "sender not an eoa");
    pool.audit();
    let dropped = "dropped 1/1: it could not be executed: sender not an eoa";
    assert_eq!(words(&events), [dropped, "demoted 1/2"]);
    assert!(pool.refused(&B256::ZERO, "unknown").is_empty());
}

#[test]
fn a_lower_gas_limit_and_new_rules_drop_what_breaks_them() {
    let mut pool = Pool::new(
        Settings::default(),
        Head {
            fork: Fork::Prague,
            ..head()
        },
    );
    for (sender, gas) in [(1, 21_000), (2, 17_000_000), (3, 29_000_000)] {
        put(
            &mut pool,
            Draft {
                gas,
                ..draft(sender, 0)
            }
            .sign(),
        )
        .expect("taken");
    }
    let lower = Head {
        fork: Fork::Prague,
        gas_limit: 28_000_000,
        ..head()
    };
    let block = NewBlock {
        head: lower,
        mined: &[],
        accounts: &[],
    };
    let events = pool.on_block(Duration::ZERO, &block);
    assert_eq!(
        words(&events),
        ["dropped 3/0: the rules changed: exceeds block gas limit"]
    );
    let block = NewBlock {
        head: Head {
            gas_limit: 28_000_000,
            ..head()
        },
        ..block
    };
    let events = pool.on_block(Duration::ZERO, &block);
    let text = "dropped 2/0: the rules changed: transaction gas limit too high (cap: 16777216, tx: 17000000)";
    assert_eq!(words(&events), [text]);
    pool.audit();
}

#[test]
fn queued_ones_grow_too_old_and_pending_ones_do_not() {
    let mut pool = pool();
    let hours = |n: u64| Duration::from_secs(n * 3600);
    for (at, nonce) in [(0, 5), (1, 0), (2, 6)] {
        let result = pool.insert(hours(at), transfer(1, nonce), rich(0), Origin::External);
        result.expect("taken");
    }
    assert!(pool.expire(hours(3) - Duration::from_nanos(1)).is_empty());
    let text = |n| format!("dropped 1/{n}: it could not be executed for longer than the pool keeps such");
    assert_eq!(words(&pool.expire(hours(3))), [text(5)]);
    assert_eq!(words(&pool.expire(hours(100))), [text(6)]);
    pool.audit();
    assert_eq!(pool.status().pending, 1);
}

#[test]
fn locals_do_not_grow_old_when_they_come_first() {
    let settings = Settings {
        locals_first: true,
        ..Settings::default()
    };
    let mut pool = Pool::new(settings, head());
    for (sender, origin) in [(1, Origin::Local), (2, Origin::External)] {
        let result = pool.insert(Duration::ZERO, transfer(sender, 5), rich(0), origin);
        result.expect("taken");
    }
    let century = Duration::from_secs(100 * 365 * 86_400);
    assert_eq!(pool.expire(century).len(), 1);
    let events = pool.reconfigure(Settings::default());
    assert!(events.is_empty());
    pool.audit();
    assert_eq!(pool.expire(century).len(), 1);
    assert!(pool.is_empty());
}

#[test]
fn the_pool_believes_blocks_about_senders_it_holds() {
    let mut pool = pool();
    put(&mut pool, transfer(1, 0)).expect("taken");
    put(&mut pool, transfer(1, 1)).expect("taken");
    block(&mut pool, &[&transfer(1, 0)], &[(who(1), rich(1))]);
    // Read before the block, brought after it.
    let refusal = put_with(&mut pool, super::forge::paying(1, 0, 20, 2), rich(0)).expect_err("used");
    assert_eq!(refusal.to_string(), "nonce too low: next nonce 1, tx nonce 0");
}

#[test]
fn an_account_may_change_outside_of_blocks() {
    let mut pool = pool();
    put(&mut pool, transfer(1, 0)).expect("taken");
    put(&mut pool, transfer(1, 1)).expect("taken");
    assert_eq!(words(&pool.on_account(&who(1), account(0, 1))), ["demoted 1/1"]);
    assert!(pool.on_account(&who(2), account(0, 1)).is_empty());
    pool.audit();
}
