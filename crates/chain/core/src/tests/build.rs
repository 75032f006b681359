//! What goes into a block and what is left out.

use super::forge::{Draft, draft, head, paying, pool, put, transfer};
use crate::build::{BLOCK_BYTES_MAX, Filling, Limits, Reason, choose};
use crate::pool::Pool;
use std::time::Duration;

type Taken = Vec<(u8, u64)>;
type Left = Vec<(u8, u64, Reason)>;

fn chosen(pool: &Pool, limits: Limits) -> (Taken, Left) {
    let chosen = choose(pool.best(head().base_fee, 0), limits, Duration::ZERO);
    let taken = chosen
        .transactions
        .iter()
        .map(|one| (one.sender()[0], one.nonce()));
    let left = chosen
        .left_out
        .iter()
        .map(|one| (one.sender[0], one.nonce, one.reason));
    (taken.collect(), left.collect())
}

#[test]
fn gas_limits_the_block_and_smaller_ones_still_fit() {
    let mut pool = pool();
    let large = Draft {
        gas: 60_000,
        ..draft(1, 0)
    };
    for one in [large.sign(), transfer(1, 1), transfer(2, 0), transfer(2, 1)] {
        put(&mut pool, one).expect("taken");
    }
    let (taken, left) = chosen(&pool, Limits::of_gas(50_000));
    assert_eq!(taken, [(2, 0), (2, 1)]);
    let reason = Reason::Gas {
        needs: 60_000,
        left: 50_000,
    };
    assert_eq!(left, [(1, 0, reason)]);
    assert_eq!(
        reason.to_string(),
        "it may use 60000 gas, and the block has 50000 left"
    );
    assert_eq!(chosen(&pool, Limits::of_gas(1_000_000)).0.len(), 4);
}

#[test]
fn number_octets_and_time_limit_the_block() {
    let mut pool = pool();
    for one in [transfer(1, 0), transfer(1, 1), paying(2, 0, 10, 3)] {
        put(&mut pool, one).expect("taken");
    }
    let all = Limits::of_gas(1_000_000);
    let (taken, left) = chosen(&pool, Limits { count: 1, ..all });
    assert_eq!(
        (taken, left),
        (vec![(2, 0)], vec![(1, 0, Reason::Count { max: 1 })])
    );
    let bytes = pool.get(transfer(1, 0).tx_hash()).expect("there").bytes();
    let (taken, left) = chosen(
        &pool,
        Limits {
            bytes: 2 * bytes + 8,
            ..all
        },
    );
    assert_eq!((taken.len(), left.len()), (2, 1));
    assert!(matches!(left[0].2, Reason::Bytes { left: 0, .. }));
    let (taken, left) = chosen(
        &pool,
        Limits {
            until: Some(Duration::ZERO),
            ..all
        },
    );
    assert_eq!((taken, left), (vec![], vec![(2, 0, Reason::Time)]));
}

#[test]
fn unused_gas_is_given_back() {
    let mut pool = pool();
    let first = Draft {
        gas: 80_000,
        ..draft(1, 0)
    };
    for one in [
        first.sign(),
        Draft {
            gas: 80_000,
            ..draft(2, 0)
        }
        .sign(),
    ] {
        put(&mut pool, one).expect("taken");
    }
    let given: Vec<_> = pool.best(head().base_fee, 0).collect();
    let mut filling = Filling::new(Limits::of_gas(100_000));
    filling.offer(Duration::ZERO, given[0]).expect("fits");
    assert!(
        filling.clone().offer(Duration::ZERO, given[1]).is_ok(),
        "only what is executed counts"
    );
    filling.executed(20_000);
    filling
        .offer(Duration::ZERO, given[1])
        .expect("fits, as little was used");
    filling.not_executed();
    assert_eq!(
        (filling.gas(), filling.count(), filling.is_full(Duration::ZERO)),
        (20_000, 1, false)
    );
    filling.offer(Duration::ZERO, given[1]).expect("still fits");
    filling.executed(80_000);
    assert!(filling.is_full(Duration::ZERO));
}

#[test]
fn a_block_stays_below_the_limit_of_eip_7934() {
    let mut pool = pool();
    for nonce in 0..80 {
        let large = Draft {
            input: vec![0; 130_000].into(),
            gas: 1_400_000,
            ..draft(1, nonce)
        };
        put(&mut pool, large.sign()).expect("taken");
    }
    let chosen = choose(
        pool.best(head().base_fee, 0),
        Limits::of_gas(u64::MAX),
        Duration::ZERO,
    );
    let octets: usize = chosen.transactions.iter().map(|one| one.bytes() + 4).sum();
    assert!(octets < BLOCK_BYTES_MAX && octets + 131_000 > BLOCK_BYTES_MAX - 4096);
    assert_eq!(chosen.left_out.len(), 1);
}
