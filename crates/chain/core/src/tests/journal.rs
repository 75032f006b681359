//! The journal survives restarts, torn ends and any octets.

use super::forge::{Draft, draft, head, paying, pool, put, rich, transfer};
use crate::pool::journal::{FaultKind, decode, encode};
use crate::pool::{Origin, Pool, Settings};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, U256};
use proptest::prelude::*;
use std::time::Duration;

fn some() -> Pool {
    let mut pool = pool();
    let authorization = Authorization {
        chain_id: U256::ZERO,
        address: Address::ZERO,
        nonce: 0,
    };
    let authorization = SignedAuthorization::new_unchecked(authorization, 0, U256::ONE, U256::ONE);
    for kind in [0, 1, 2, 4] {
        let authorizations = vec![authorization.clone()];
        let one = Draft {
            kind,
            gas: 100_000,
            authorizations,
            ..draft(kind + 1, 0)
        };
        put(&mut pool, one.sign()).expect("taken");
    }
    pool.insert(Duration::ZERO, transfer(9, 4), rich(0), Origin::Local)
        .expect("taken");
    pool
}

#[test]
fn a_restart_brings_everything_back_in_order() {
    let pool = some();
    let journal = pool.journal();
    let decoded = decode(&journal);
    assert_eq!((decoded.entries.len(), decoded.fault), (5, None));
    let mut again = Pool::new(Settings::default(), head());
    for entry in decoded.entries {
        again
            .insert(Duration::ZERO, entry.transaction, rich(0), entry.origin)
            .expect("taken again");
    }
    again.audit();
    assert_eq!((again.journal(), again.status()), (journal, pool.status()));
}

#[test]
fn a_torn_end_costs_the_last_entry_only() {
    let journal = some().journal();
    let lengths: Vec<usize> = (0..=journal.len())
        .map(|end| decode(&journal[..end]).entries.len())
        .collect();
    assert!(lengths.is_sorted());
    for end in 0..=journal.len() {
        let decoded = decode(&journal[..end]);
        if let Some(fault) = decoded.fault {
            assert_eq!(fault.kind, FaultKind::Torn);
            let whole = decode(&journal[..fault.at]);
            assert_eq!((whole.fault, whole.entries), (None, decoded.entries));
        }
    }
}

#[test]
fn a_flipped_bit_is_noticed() {
    let pool = some();
    let mut one = Vec::new();
    encode(pool.get(transfer(9, 4).tx_hash()).expect("there"), &mut one);
    for at in 0..one.len() {
        let mut wrong = one.clone();
        wrong[at] ^= 0x10;
        let decoded = decode(&wrong);
        assert!(
            decoded.entries.is_empty() && decoded.fault.is_some(),
            "octet {at}"
        );
    }
    let mut two = one.clone();
    encode(pool.get(transfer(9, 4).tx_hash()).expect("there"), &mut two);
    *two.last_mut().expect("octets") ^= 1;
    let fault = decode(&two).fault.expect("a fault");
    assert_eq!((fault.at, fault.kind), (one.len(), FaultKind::Check));
    assert_eq!(
        fault.to_string(),
        format!(
            "journal of the pool, octet {}: an entry does not match its check; entries before it are kept",
            one.len()
        )
    );
}

#[test]
fn a_journal_of_replacements_ends_with_the_last_one() {
    let mut pool = pool();
    let mut journal = Vec::new();
    for one in [transfer(1, 0), paying(1, 0, 20, 2), paying(1, 0, 40, 4)] {
        let hash = put(&mut pool, one).expect("taken").hash;
        encode(pool.get(&hash).expect("there"), &mut journal);
    }
    let mut again = Pool::new(Settings::default(), head());
    for entry in decode(&journal).entries {
        again
            .insert(Duration::ZERO, entry.transaction, rich(0), entry.origin)
            .expect("taken again");
    }
    assert_eq!(again.journal(), pool.journal());
}

proptest! {
    #[test]
    fn any_octets_are_read_without_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decode(&octets).entries.len() <= octets.len());
    }

    #[test]
    fn any_change_of_a_journal_is_read_without_panic(at: prop::sample::Index, value: u8, cut: prop::sample::Index) {
        let mut journal = some().journal();
        let at = at.index(journal.len());
        journal[at] = value;
        journal.truncate(cut.index(journal.len()) + 1);
        prop_assert!(decode(&journal).entries.len() <= 5);
    }
}
