//! Delegated accounts (EIP-7702): one transaction in flight.

use super::forge::{CHAIN, Draft, draft, head, paying, pool, put, put_with, rich, transfer, who, words};
use crate::Recovered;
use crate::pool::{AccountState, Inserted, NewBlock, Pool, Refusal};
use alloy_consensus::crypto::secp256k1::{recover_signer, sign_message};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, U256};
use std::time::Duration;

const LIMIT: &str = "in-flight transaction limit reached for delegated accounts";

fn delegated(nonce: u64) -> AccountState {
    AccountState {
        delegated: true,
        ..rich(nonce)
    }
}

/// Who signs with secret `n`.
fn authority(n: u8) -> Address {
    let signature = sign_message(B256::repeat_byte(n), B256::ZERO).expect("a secret");
    recover_signer(&signature, B256::ZERO).expect("signed above")
}

/// What `n` signs for a chain.
fn authorization(n: u8, chain_id: u64) -> SignedAuthorization {
    let authorization = Authorization {
        chain_id: U256::from(chain_id),
        address: who(0xdd),
        nonce: 0,
    };
    let signature = sign_message(B256::repeat_byte(n), authorization.signature_hash()).expect("a secret");
    authorization.into_signed(signature)
}

/// A set-code transaction with these authorizations.
fn set_code(sender: u8, nonce: u64, fee: u128, authorizations: Vec<SignedAuthorization>) -> Recovered {
    let plain = draft(sender, nonce);
    Draft {
        kind: 4,
        gas: 200_000,
        fee_cap: plain.fee_cap * fee,
        tip: plain.tip * fee,
        authorizations,
        ..plain
    }
    .sign()
}

/// A transfer of who signs with `n`.
fn own(n: u8, nonce: u64, fee: u128) -> Recovered {
    let plain = draft(n, nonce);
    Draft {
        sender: authority(n),
        fee_cap: plain.fee_cap * fee,
        tip: plain.tip * fee,
        ..plain
    }
    .sign()
}

fn refused(result: Result<Inserted, Refusal>, text: &str) {
    assert_eq!(result.expect_err(text).to_string(), text);
}

fn why(pool: &Pool, one: &Recovered) -> String {
    pool.why(one.tx_hash()).expect("here").to_string()
}

#[test]
fn a_delegated_account_has_one_in_flight() {
    let mut pool = pool();
    let gap = "gapped-nonce tx from delegated accounts: next nonce 3, tx nonce 4";
    refused(put_with(&mut pool, transfer(1, 4), delegated(3)), gap);
    put_with(&mut pool, transfer(1, 3), delegated(3)).expect("the first");
    refused(put_with(&mut pool, transfer(1, 4), delegated(3)), LIMIT);
    refused(put_with(&mut pool, transfer(1, 5), delegated(3)), LIMIT);
    let better = put_with(&mut pool, paying(1, 3, 20, 2), delegated(3)).expect("a replacement");
    assert_eq!(better.replaced, Some(*transfer(1, 3).tx_hash()));
    let mined = [*paying(1, 3, 20, 2).tx_hash()];
    let accounts = [(who(1), delegated(4))];
    let block = NewBlock {
        head: head(),
        mined: &mined,
        accounts: &accounts,
    };
    pool.on_block(Duration::ZERO, &block);
    put_with(&mut pool, transfer(1, 4), delegated(4)).expect("the next");
    pool.on_account(&who(1), rich(4));
    put(&mut pool, transfer(1, 5)).expect("its own code again: none");
}

#[test]
fn what_waited_before_the_delegation_goes_one_by_one() {
    let mut pool = pool();
    for nonce in 0..4 {
        put(&mut pool, transfer(1, nonce)).expect("taken");
    }
    let events = pool.on_account(&who(1), delegated(0));
    assert_eq!(words(&events), ["demoted 1/1", "demoted 1/2", "demoted 1/3"]);
    let held = "waits for 0: an account with delegated code has one in flight (EIP-7702)";
    assert_eq!(
        why(&pool, &transfer(1, 0)),
        "it goes into the next block that has room for it"
    );
    assert_eq!(why(&pool, &transfer(1, 2)), format!("nonce 2 {held}"));
    assert_eq!(
        pool.why_sender(&who(1)).expect("a sender").to_string(),
        format!("1 pending from nonce 0 on, 3 queued, next nonce 1; nonce 1 {held}")
    );
    assert_eq!(pool.best(0, 0).count(), 1);
    let events = pool.on_account(&who(1), delegated(1));
    assert_eq!(words(&events)[1..], ["promoted 1/1"], "{:?}", words(&events));
    pool.audit();
    let events = pool.on_account(&who(1), rich(1));
    assert_eq!(words(&events), ["promoted 1/2", "promoted 1/3"]);
    pool.audit();
}

#[test]
fn a_pending_authorization_binds_until_the_last_one_is_gone() {
    let mut pool = pool();
    let (first, second) = (
        set_code(1, 0, 1, vec![authorization(7, 0), authorization(7, CHAIN)]),
        set_code(2, 0, 1, vec![authorization(8, CHAIN), authorization(7, CHAIN)]),
    );
    put(&mut pool, first.clone()).expect("taken");
    put(&mut pool, second.clone()).expect("two may bring one for the same");
    put(&mut pool, own(7, 0, 1)).expect("the first");
    refused(put(&mut pool, own(7, 1, 1)), LIMIT);
    put(&mut pool, own(7, 0, 2)).expect("a replacement");
    pool.refused(first.tx_hash(), "said");
    refused(put(&mut pool, own(7, 1, 1)), LIMIT);
    // A replacement without the authorization sets free whom only the old one bound.
    put(&mut pool, set_code(2, 0, 2, vec![authorization(9, 0)])).expect("a replacement");
    put(&mut pool, own(7, 1, 1)).expect("nobody binds it any more");
    put(&mut pool, own(9, 0, 1)).expect("the first");
    refused(put(&mut pool, own(9, 1, 1)), LIMIT);
}

#[test]
fn who_has_several_here_is_not_delegated_by_another() {
    let mut pool = pool();
    put(&mut pool, own(7, 0, 1)).expect("taken");
    let brings = |chain| set_code(1, 0, 1, vec![authorization(7, chain)]);
    put(&mut pool, brings(CHAIN)).expect("one is no obstacle");
    pool.refused(brings(CHAIN).tx_hash(), "said");
    put(&mut pool, own(7, 1, 1)).expect("taken");
    let text = format!(
        "authority already reserved: {} has more than one transaction in the pool",
        authority(7)
    );
    refused(put(&mut pool, brings(CHAIN)), &text);
    refused(put(&mut pool, brings(0)), &text);
    put(&mut pool, brings(CHAIN + 1)).expect("of no effect on this chain");
    put(&mut pool, own(7, 2, 1)).expect("and so it binds nobody");
}
