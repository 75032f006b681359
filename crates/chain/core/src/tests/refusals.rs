//! Every refusal, in geth's words, and in geth's order when several would do.

use super::forge::{COST, Draft, GWEI, account, draft, head, pool, put, put_with, rich, transfer};
use crate::pool::{AccountState, Head, Origin, Pool, Settings};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use purlin_chain_proto::Fork;
use std::time::Duration;

/// The words with which a new pool refuses the draft; empty when it does not.
fn refusal(head: Head, settings: Settings, draft: Draft, state: AccountState) -> String {
    let mut pool = Pool::new(settings, head);
    let result = pool.insert(Duration::ZERO, draft.sign(), state, Origin::External);
    pool.audit();
    assert_eq!(
        pool.is_empty(),
        result.is_err(),
        "a refused transaction changes nothing"
    );
    result
        .err()
        .map(|refusal| refusal.to_string())
        .unwrap_or_default()
}

fn check(draft: Draft, text: &str) {
    assert_eq!(refusal(head(), Settings::default(), draft, rich(0)), text);
}

fn check_at(fork: Fork, draft: Draft, text: &str) {
    assert_eq!(
        refusal(Head { fork, ..head() }, Settings::default(), draft, rich(0)),
        text
    );
}

fn check_account(draft: Draft, state: AccountState, text: &str) {
    assert_eq!(refusal(head(), Settings::default(), draft, state), text);
}

fn authorization() -> SignedAuthorization {
    let authorization = Authorization {
        chain_id: U256::ZERO,
        address: Address::ZERO,
        nonce: 0,
    };
    SignedAuthorization::new_unchecked(authorization, 0, U256::ONE, U256::ONE)
}

#[test]
fn types_come_with_their_forks() {
    let kind = |kind| Draft {
        kind,
        gas: 100_000,
        authorizations: vec![authorization()],
        ..draft(1, 0)
    };
    for (fork, kind_of, text) in [
        (Fork::Frontier, 0, ""),
        (
            Fork::Istanbul,
            1,
            "transaction type not supported: type 1 rejected, pool not yet in Berlin",
        ),
        (Fork::Berlin, 1, ""),
        (
            Fork::Berlin,
            2,
            "transaction type not supported: type 2 rejected, pool not yet in London",
        ),
        (Fork::London, 2, ""),
        (
            Fork::Cancun,
            4,
            "transaction type not supported: type 4 rejected, pool not yet in Prague",
        ),
        (Fork::Prague, 4, ""),
    ] {
        check_at(fork, kind(kind_of), text);
    }
}

#[test]
fn blobs_are_refused_with_a_sentence() {
    check(
        Draft {
            kind: 3,
            ..draft(1, 0)
        },
        "transaction type not supported: tx type 3 not supported by this pool: this chain carries no blobs",
    );
}

#[test]
fn sizes_are_limited() {
    let data = |octets: usize, gas| Draft {
        input: vec![0; octets].into(),
        gas,
        ..draft(1, 0)
    };
    let text = "oversized data: transaction size 131190, limit 131072";
    check(data(131_072, 10_000_000), text);
    check(data(130_000, 10_000_000), "");
    let creation = |octets| Draft {
        to: TxKind::Create,
        ..data(octets, 10_000_000)
    };
    check(creation(49_152), "");
    check(
        creation(49_153),
        "max initcode size exceeded: code size 49153, limit 49152",
    );
    check_at(Fork::London, creation(49_153), "");
}

#[test]
fn gas_is_limited() {
    let gas = |gas| Draft { gas, ..draft(1, 0) };
    check(gas(16_777_216), "");
    check(
        gas(16_777_217),
        "transaction gas limit too high (cap: 16777216, tx: 16777217)",
    );
    check_at(Fork::Prague, gas(30_000_000), "");
    check_at(Fork::Prague, gas(30_000_001), "exceeds block gas limit");
}

#[test]
fn fees_must_make_sense() {
    check(
        Draft {
            tip: 11 * GWEI,
            ..draft(1, 0)
        },
        "max priority fee per gas higher than max fee per gas",
    );
    let settings = Settings {
        tip_min: 2 * GWEI,
        ..Settings::default()
    };
    assert_eq!(
        refusal(head(), settings, draft(1, 0), rich(0)),
        "transaction gas price below minimum: gas tip cap 1000000000, minimum needed 2000000000"
    );
    // Below the base fee it is taken in, and waits.
    check(
        Draft {
            fee_cap: GWEI,
            ..draft(1, 0)
        },
        "",
    );
}

#[test]
fn a_transaction_is_for_this_chain() {
    check(
        Draft {
            chain_id: Some(1),
            ..draft(1, 0)
        },
        "invalid sender: invalid chain id for signer: have 1 want 1337",
    );
    let unprotected = Draft {
        kind: 0,
        chain_id: None,
        ..draft(1, 0)
    };
    check(
        unprotected.clone(),
        "only replay-protected (EIP-155) transactions allowed over RPC",
    );
    let settings = Settings {
        unprotected_allowed: true,
        ..Settings::default()
    };
    assert_eq!(refusal(head(), settings, unprotected, rich(0)), "");
}

#[test]
fn intrinsic_gas_is_counted_by_the_rules_of_the_fork() {
    let needs = |fork, one: &Draft, needed: u64| {
        let text = format!(
            "intrinsic gas too low: gas {}, minimum needed {needed}",
            needed - 1
        );
        check_at(
            fork,
            Draft {
                gas: needed - 1,
                ..one.clone()
            },
            &text,
        );
        check_at(
            fork,
            Draft {
                gas: needed,
                ..one.clone()
            },
            "",
        );
    };
    let octets = Bytes::from_static(&[0, 0, 0, 1, 2]);
    let plain = Draft {
        kind: 0,
        ..draft(1, 0)
    };
    needs(Fork::Frontier, &plain, 21_000);
    let data = Draft {
        input: octets.clone(),
        ..plain.clone()
    };
    needs(Fork::Byzantium, &data, 21_000 + 3 * 4 + 2 * 68);
    needs(Fork::Istanbul, &data, 21_000 + 3 * 4 + 2 * 16);
    let creation = Draft {
        to: TxKind::Create,
        input: octets,
        ..plain
    };
    needs(Fork::Frontier, &creation, 21_000 + 3 * 4 + 2 * 68);
    needs(Fork::London, &creation, 53_000 + 3 * 4 + 2 * 16);
    needs(Fork::Shanghai, &creation, 53_000 + 3 * 4 + 2 * 16 + 2);
    let item = AccessListItem {
        address: Address::ZERO,
        storage_keys: vec![B256::ZERO; 3],
    };
    let listed = Draft {
        kind: 1,
        access_list: AccessList(vec![item]),
        ..draft(1, 0)
    };
    needs(Fork::Berlin, &listed, 21_000 + 2_400 + 3 * 1_900);
    let setting = Draft {
        kind: 4,
        authorizations: vec![authorization(); 2],
        ..draft(1, 0)
    };
    needs(Fork::Prague, &setting, 21_000 + 2 * 25_000);
}

#[test]
fn data_has_a_floor_since_prague() {
    let data = |gas| Draft {
        input: vec![1; 1000].into(),
        gas,
        ..draft(1, 0)
    };
    check(
        data(60_999),
        "insufficient gas for floor data gas cost: gas 60999, minimum needed 61000",
    );
    check(data(61_000), "");
    check_at(Fork::Cancun, data(37_000), "");
}

#[test]
fn a_set_code_transaction_sets_something() {
    check(
        Draft {
            kind: 4,
            gas: 100_000,
            ..draft(1, 0)
        },
        "set code tx must have at least one authorization tuple",
    );
}

#[test]
fn nonces_fit_the_account() {
    check_account(draft(1, 4), rich(5), "nonce too low: next nonce 5, tx nonce 4");
    check_account(draft(1, 5), rich(5), "");
    check_account(draft(1, 1029), rich(5), "");
    check_account(
        draft(1, 1030),
        rich(5),
        "nonce too high: tx nonce 1030, next nonce 5, at most 1024 ahead",
    );
    check_account(draft(1, u64::MAX), rich(u64::MAX), "nonce has max value");
}

#[test]
fn the_balance_covers_gas_price_and_value() {
    let poor = AccountState {
        nonce: 0,
        balance: U256::from(COST - 1),
        delegated: false,
    };
    check_account(
        draft(1, 0),
        poor,
        "insufficient funds for gas * price + value: balance 210000000000000, tx cost 210000000000001, overshot 1",
    );
    let everything = AccountState {
        nonce: 0,
        balance: U256::MAX,
        delegated: false,
    };
    let text = "insufficient funds for gas * price + value: \
        balance 115792089237316195423570985008687907853269984665640564039457584007913129639935, \
        tx cost 115792089237316195423570985008687907853269984665640564039457584217913129639935, \
        overshot 210000000000000";
    check_account(
        Draft {
            value: U256::MAX,
            ..draft(1, 0)
        },
        everything,
        text,
    );
}

#[test]
fn the_balance_covers_all_that_is_pending() {
    let mut pool = pool();
    put_with(&mut pool, transfer(1, 0), account(0, 2)).expect("the first");
    put_with(&mut pool, transfer(1, 1), account(0, 2)).expect("the second");
    let refusal = put_with(&mut pool, transfer(1, 2), account(0, 2)).expect_err("the third");
    let text = "insufficient funds for gas * price + value: balance 525000000000002, queued cost 420000000000002, \
        tx cost 210000000000001, overshot 105000000000001";
    assert_eq!(refusal.to_string(), text);
    let dear = Draft {
        fee_cap: 20 * GWEI,
        tip: 2 * GWEI,
        ..draft(1, 1)
    };
    let refusal = put_with(&mut pool, dear.sign(), account(0, 2)).expect_err("a bump too far");
    let text = "insufficient funds for gas * price + value: balance 525000000000002, queued cost 420000000000002, \
        tx bumped 210000000000000, overshot 105000000000000";
    assert_eq!(refusal.to_string(), text);
}

#[test]
fn the_same_transaction_comes_once() {
    let mut pool = pool();
    put(&mut pool, transfer(1, 0)).expect("new");
    assert_eq!(
        put(&mut pool, transfer(1, 0)).expect_err("known").to_string(),
        "already known"
    );
}

#[test]
fn one_sender_has_only_so_much() {
    let settings = Settings {
        sender_slots_max: 3,
        sender_queued_slots_max: 2,
        ..Settings::default()
    };
    let mut pool = Pool::new(settings, head());
    for nonce in [5, 6] {
        put(&mut pool, transfer(1, nonce)).expect("room in the queue");
    }
    let refusal = put(&mut pool, transfer(1, 7)).expect_err("the queue is full");
    assert_eq!(refusal.to_string(), "account limit exceeded: pooled 2 txs");
    put(&mut pool, transfer(1, 0)).expect("executable");
    let refusal = put(&mut pool, transfer(1, 1)).expect_err("three are there");
    assert_eq!(refusal.to_string(), "account limit exceeded: pooled 3 txs");
    put(&mut pool, transfer(2, 0)).expect("another sender");
    // A replacement takes no more room.
    put(&mut pool, super::forge::paying(1, 6, 20, 2)).expect("a replacement");
}

#[test]
fn the_first_fault_in_geths_order_is_named() {
    let mut bad = Draft {
        kind: 2,
        chain_id: Some(9),
        gas: 1,
        tip: 99 * GWEI,
        ..draft(1, 0)
    };
    check(
        bad.clone(),
        "max priority fee per gas higher than max fee per gas",
    );
    bad.tip = 0;
    check(
        bad.clone(),
        "invalid sender: invalid chain id for signer: have 9 want 1337",
    );
    bad.chain_id = Some(super::forge::CHAIN);
    check_account(
        bad.clone(),
        account(1, 0),
        "intrinsic gas too low: gas 1, minimum needed 21000",
    );
    bad.gas = 21_000;
    check_account(
        bad.clone(),
        account(1, 0),
        "nonce too low: next nonce 1, tx nonce 0",
    );
    bad.nonce = 1;
    let text = "insufficient funds for gas * price + value: balance 105000000000000, tx cost 210000000000001, \
        overshot 105000000000001";
    check_account(bad, account(1, 0), text);
}
