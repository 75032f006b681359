//! Versions in their order, votes as octets, and storage that is read as it was written or not at all.

use super::*;
use crate::quorum::{
    Accepted, Change, Policy, Refused,
    tests::{set, up, validator},
};
use alloy_primitives::{Address, B256, U256};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

fn constitution(from: u64, powers: &[u64]) -> Constitution {
    Constitution {
        from,
        validators: set(powers),
        period: Duration::from_millis(250),
        gas_limit: 30_000_000,
    }
}

fn history(powers: &[u64]) -> Constitutions {
    Constitutions::new([constitution(0, powers)]).expect("a chain")
}

/// The block that decided the change is final.
fn record(history: &mut Constitutions, accepted: Accepted) {
    let newest = Constitution::clone(history.newest());
    let (from, validators) = (accepted.effective, accepted.set);
    let next = Constitution {
        from,
        validators,
        ..newest
    };
    history.push(next).expect("later than the one before");
}

#[test]
fn a_set_below_the_policy_may_grow_towards_it() {
    let mut history = history(&[1]);
    for (height, n) in [(10, 2), (20, 3), (30, 4)] {
        let change = Change::Add {
            validator: validator(n),
            power: 1,
        };
        let accepted = history
            .newest()
            .judge(&change, height, &up(&[1, 2, 3, 4]), &Policy::default())
            .expect("accepted");
        assert_eq!(accepted.effective, height + 2);
        assert!(
            accepted
                .to_string()
                .starts_with(&format!("from height {} on: {n} validators", height + 2))
        );
        record(&mut history, accepted);
    }
    for (height, count) in [
        (0, 1),
        (11, 1),
        (12, 2),
        (21, 2),
        (22, 3),
        (31, 3),
        (32, 4),
        (u64::MAX, 4),
    ] {
        assert_eq!(history.at(height).validators.len(), count, "height {height}");
    }
}

#[test]
fn changes_go_one_at_a_time() {
    let mut history = history(&[1; 4]);
    let everybody = up(&[1, 2, 3, 4, 5, 6]);
    let add = |n| Change::Add {
        validator: validator(n),
        power: 1,
    };
    let first = history
        .newest()
        .judge(&add(5), 10, &everybody, &Policy::default())
        .expect("accepted");
    record(&mut history, first);
    let second = history
        .newest()
        .judge(&add(6), 11, &everybody, &Policy::default());
    assert_eq!(second, Err(Refused::OnTheWay { effective: 12 }));
    assert!(
        history
            .newest()
            .judge(&add(6), 12, &everybody, &Policy::default())
            .is_ok()
    );
}

fn change() -> impl Strategy<Value = Change> {
    (1..9_u8, 0..6_u64, 0..3_u8).prop_map(|(n, power, kind)| {
        let validator = validator(n);
        match kind {
            0 => Change::Add { validator, power },
            1 => Change::Remove { validator },
            _ => Change::Weight { validator, power },
        }
    })
}

proptest! {
    /// Whatever is accepted, one change after the other: those who are up can decide at every height, and nobody who was
    /// not there before has a third of the power, but for the second validator of all.
    #[test]
    fn accepted_changes_keep_the_chain_going(
        steps in proptest::collection::vec((change(), proptest::collection::btree_set(1..9_u8, 0..9)), 0..60),
    ) {
        let mut history = history(&[1; 4]);
        for (height, (change, up_now)) in (10..).step_by(5).zip(steps) {
            let up: BTreeSet<Address> = up_now.iter().map(|n| validator(*n)).collect();
            let before = history.at(height).validators.clone();
            let Ok(accepted) = history.newest().judge(&change, height, &up, &Policy::default()) else {
                continue;
            };
            let after = accepted.set.clone();
            prop_assert!(after.standing(&up).decides());
            prop_assert!(after.len() >= 4, "the policy's 3f + 1 is kept once it is reached");
            let new: u64 = after.members().filter(|(who, _)| before.power(who).is_none()).map(|(_, power)| power).sum();
            prop_assert!(new * 3 <= after.total());
            let effective = accepted.effective;
            record(&mut history, accepted);
            prop_assert_eq!(&history.at(effective - 1).validators, &before);
            prop_assert_eq!(&history.at(effective).validators, &after);
        }
    }
}

fn read_all(slots: &BTreeMap<B256, B256>) -> Result<Vec<Constitution>, ReadFault<Infallible>> {
    read(|slot| Ok(slots.get(&B256::from(slot)).copied().unwrap_or_default().into()))
}

#[test]
fn what_is_written_into_a_genesis_is_read_from_it() {
    for powers in [&[1][..], &[1, 2, 3, 4], &[crate::quorum::POWER_MAX], &[7; 100]] {
        let first = constitution(0, powers);
        let slots = genesis_storage(&first);
        assert_eq!(slots.len(), 3 + powers.len());
        assert_eq!(read_all(&slots), Ok(vec![first]));
    }
}

#[test]
fn damaged_storage_is_a_fault_in_words() {
    let check = |slot: usize, value: U256, said: &str| {
        let mut slots = genesis_storage(&constitution(0, &[1, 1, 1]));
        let header = slots.keys().nth(slot).copied().expect("a slot");
        slots.insert(header, value.into());
        let fault = read_all(&slots).expect_err(said);
        assert!(fault.to_string().contains(said), "{fault}");
    };
    let slots = genesis_storage(&constitution(0, &[1, 1, 1]));
    let place = |wanted: U256| {
        let place = slots.values().position(|value| *value == B256::from(wanted));
        place.expect("a slot with this value")
    };
    let header = U256::from(250) << 64 | U256::from(30_000_000) << 128;
    let member =
        |n: u8, power: u64| U256::from_be_bytes(validator(n).into_word().0) | U256::from(power) << 160;
    let (header_at, list_at, second) = (place(header), place(U256::from(3)), place(member(2, 1)));
    check(0, U256::ZERO, "the genesis document's is missing");
    check(0, U256::from(2), "version 1: its slot");
    check(0, U256::MAX, "version 1: its slot");
    check(
        header_at,
        header | U256::from(7),
        "version 0 counts from height 7 on",
    );
    check(header_at, header | U256::ONE << 192, "the contract never writes");
    check(list_at, U256::from(101), "101 validators, and at most 100");
    check(list_at, U256::ZERO, "needs one validator at least");
    check(second, member(1, 1), "out of the order");
    check(second, member(9, 1), "out of the order");
    check(second, member(2, 0), "has no power");
    check(second, member(2, u64::MAX), "is above");
    check(
        second,
        member(2, 1) | U256::ONE << 224,
        "the contract never writes",
    );
}

#[test]
fn a_slot_that_cannot_be_read_is_said_as_it_was_said() {
    let fault = read(|_| Err::<U256, _>("the disk is gone")).expect_err("no slot");
    assert_eq!(fault.to_string(), "the disk is gone");
}

#[test]
fn versions_out_of_order_are_none() {
    let (first, second) = (constitution(0, &[1]), constitution(5, &[1]));
    let check = |versions: &[&Constitution], fault: Order| {
        let versions = versions.iter().copied().cloned();
        assert_eq!(Constitutions::new(versions), Err(fault));
    };
    check(&[], Order::Empty);
    check(&[&second], Order::Late(5));
    let (version, before, from) = (2, 5, 5);
    check(
        &[&first, &second, &second],
        Order::Backwards {
            version,
            before,
            from,
        },
    );
}

#[test]
fn a_vote_is_read_from_the_octets_it_gave_and_from_no_others() {
    let (validator, power) = (validator(7), 3);
    for (vote, said) in [
        (Vote::Set(Change::Add { validator, power }), "add validator"),
        (Vote::Set(Change::Remove { validator }), "remove validator"),
        (Vote::Set(Change::Weight { validator, power }), "the power 3"),
        (
            Vote::Period(Duration::from_millis(500)),
            "make a block every 500ms",
        ),
        (
            Vote::GasLimit(60_000_000),
            "bring the gas limit of blocks to 60000000",
        ),
    ] {
        assert!(vote.to_string().contains(said), "{vote}");
        let octets = vote.call_data();
        assert_eq!(Vote::parse(&octets), Some(vote));
        for cut in 0..octets.len() {
            assert_eq!(Vote::parse(&octets[..cut]), None);
        }
        assert_eq!(Vote::parse(&[&octets[..], &[0; 32]].concat()), None);
        let mut dirty = octets.to_vec();
        dirty[4] = 1;
        assert_eq!(Vote::parse(&dirty), None);
        dirty[..5].copy_from_slice(&[0; 5]);
        assert_eq!(Vote::parse(&dirty), None);
    }
}

#[test]
fn the_code_is_whole() {
    let code = code();
    assert!(code.len() > 5_000 && code.len() <= 24_576, "{}", code.len());
    for call in ["voteAdd(address,uint64)", "votes(bytes)", "version(uint256)"] {
        let selector = alloy_primitives::keccak256(call);
        assert!(code.windows(4).any(|four| four == &selector[..4]), "{call}");
    }
}
