//! Who may take another's nonce.

use super::forge::{Draft, GWEI, draft, paying, pool, put, transfer, words};
use crate::pool::Place;
use alloy_primitives::U256;

/// The old one offers (fee cap, tip) in wei, the new one too; whether it is taken.
fn check(old: (u128, u128), new: (u128, u128), taken: bool) {
    let fees = |(fee_cap, tip), value| {
        let value = U256::from(value);
        Draft {
            fee_cap,
            tip,
            value,
            ..draft(1, 0)
        }
        .sign()
    };
    let mut pool = pool();
    put(&mut pool, fees(old, 1)).expect("the first");
    let result = put(&mut pool, fees(new, 2));
    assert_eq!(result.is_ok(), taken, "{old:?} by {new:?}");
    if let Err(refusal) = result {
        assert_eq!(refusal.to_string(), "replacement transaction underpriced");
    }
}

#[test]
fn a_replacement_must_pay_a_tenth_more_of_both_fees() {
    check((1000, 100), (1100, 110), true);
    check((1000, 100), (1099, 110), false);
    check((1000, 100), (1100, 109), false);
    check((1000, 100), (5000, 100), false);
    check((1000, 0), (1100, 0), false);
    check((1000, 0), (1100, 1), true);
    // A tenth of so little is less than one wei: it must be more all the same.
    check((5, 5), (5, 5), false);
    check((5, 5), (6, 6), true);
}

#[test]
fn a_pending_one_is_replaced_in_its_place() {
    let mut pool = pool();
    put(&mut pool, transfer(1, 0)).expect("first");
    put(&mut pool, transfer(1, 1)).expect("second");
    let inserted = put(&mut pool, paying(1, 0, 20, 2)).expect("replacement");
    assert_eq!(words(&inserted.events), ["replaced 1/0", "added 1/0 pending"]);
    assert_eq!(inserted.replaced, Some(*transfer(1, 0).tx_hash()));
    assert_eq!(
        (inserted.place, pool.status().pending, pool.len()),
        (Place::Pending, 2, 2)
    );
}

#[test]
fn a_queued_one_is_replaced_in_its_place() {
    let mut pool = pool();
    put(&mut pool, transfer(1, 3)).expect("first");
    let inserted = put(&mut pool, paying(1, 3, 20, 2)).expect("replacement");
    assert_eq!(words(&inserted.events), ["replaced 1/3", "added 1/3 queued"]);
    assert_eq!((pool.status().queued, pool.len()), (1, 1));
}

#[test]
fn what_was_replaced_may_not_come_back_cheaply() {
    let mut pool = pool();
    put(&mut pool, transfer(1, 0)).expect("first");
    put(&mut pool, paying(1, 0, 20, 2)).expect("replacement");
    assert!(put(&mut pool, transfer(1, 0)).is_err());
    let better = Draft {
        fee_cap: 22 * GWEI,
        tip: 2 * GWEI + GWEI / 5,
        ..draft(1, 0)
    };
    put(&mut pool, better.sign()).expect("a tenth more again");
}
