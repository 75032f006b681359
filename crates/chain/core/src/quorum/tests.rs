//! The arithmetic of quorums, and every way in which a change is refused.

use super::*;
use alloy_primitives::Address;
use std::collections::BTreeSet;

pub(crate) fn validator(n: u8) -> Address {
    Address::repeat_byte(n)
}

pub(crate) fn set(powers: &[u64]) -> ValidatorSet {
    let members = powers.iter().zip(1..).map(|(power, n)| (validator(n), *power));
    ValidatorSet::new(members).expect("a set")
}

pub(crate) fn up(numbers: &[u8]) -> BTreeSet<Address> {
    numbers.iter().map(|n| validator(*n)).collect()
}

#[test]
fn a_quorum_is_more_than_two_thirds() {
    for (powers, faulty, quorum) in [
        (&[1][..], 0, 1),
        (&[1, 1], 0, 2),
        (&[1, 1, 1], 0, 3),
        (&[1; 4], 1, 3),
        (&[1; 5], 1, 4),
        (&[1; 6], 1, 5),
        (&[1; 7], 2, 5),
        (&[1; 10], 3, 7),
        (&[10, 10, 10, 1], 10, 21),
    ] {
        let set = set(powers);
        assert_eq!((set.faulty(), set.quorum()), (faulty, quorum), "{set}");
    }
}

#[test]
fn two_quorums_share_an_honest_validator() {
    for total in 1..2000 {
        let set = set(&[total]);
        assert!(2 * set.quorum() - set.total() > set.faulty(), "{set}");
        assert!(
            set.total() - set.faulty() >= set.quorum(),
            "the honest alone decide: {set}"
        );
    }
}

#[test]
fn the_arithmetic_is_said_in_a_sentence() {
    assert_eq!(
        set(&[1; 4]).to_string(),
        "4 validators with power 4: 3 must agree, 1 may fail or lie"
    );
    for (up, text) in [
        (
            up(&[1, 2]),
            "power 2 of 4 is up, 3 must agree: no block is decided until 1 more is back",
        ),
        (
            up(&[1, 2, 3]),
            "power 3 of 4 is up, 3 must agree: blocks are decided, and any further loss stops them",
        ),
        (
            up(&[1, 2, 3, 4]),
            "power 4 of 4 is up, 3 must agree: blocks are decided, and 1 more may go",
        ),
    ] {
        assert_eq!(set(&[1; 4]).standing(&up).to_string(), text);
    }
}

#[test]
fn a_list_that_is_no_set_is_refused() {
    for (members, fault) in [
        (vec![], SetFault::Empty),
        (vec![(validator(1), 0)], SetFault::NoPower(validator(1))),
        (
            vec![(validator(1), 1), (validator(1), 2)],
            SetFault::Twice(validator(1)),
        ),
        (
            vec![(validator(1), u64::MAX), (validator(2), 1)],
            SetFault::TooMuch,
        ),
        (vec![(validator(1), POWER_MAX + 1)], SetFault::TooMuch),
    ] {
        assert_eq!(ValidatorSet::new(members), Err(fault));
    }
}

const ALL: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// A case: powers of the set, a change, who is up, and the power afterwards or why not.
type Case<'a> = (&'a [u64], Change, &'a [u8], Result<u64, Refused>);

fn check(cases: &[Case<'_>]) {
    for (powers, change, up_now, expected) in cases {
        let judged = judge(&set(powers), change, 10, &up(up_now), &Policy::default());
        let judged = judged.map(|accepted| accepted.set.total());
        assert_eq!(&judged, expected, "{powers:?} {change:?}");
    }
}

fn add(n: u8, power: u64) -> Change {
    let validator = validator(n);
    Change::Add { validator, power }
}

fn remove(n: u8) -> Change {
    Change::Remove {
        validator: validator(n),
    }
}

fn weight(n: u8, power: u64) -> Change {
    let validator = validator(n);
    Change::Weight { validator, power }
}

#[test]
fn an_addition_is_judged_with_its_reason() {
    check(&[
        (&[1; 4][..], add(5, 1), &ALL[..], Ok(5)),
        (&[1; 4], add(5, 1), &[1, 2, 3, 4], Ok(5)),
        (
            &[1; 4],
            add(5, 1),
            &[1, 2, 3],
            Err(Refused::LosesQuorum {
                up: 3,
                quorum: 4,
                total: 5,
            }),
        ),
        (&[1; 4], add(4, 1), &ALL, Err(Refused::Known(validator(4)))),
        (
            &[1; 4],
            add(5, 0),
            &ALL,
            Err(SetFault::NoPower(validator(5)).into()),
        ),
        (
            &[1; 4],
            add(5, 3),
            &ALL,
            Err(Refused::Overlap { shared: 4, total: 7 }),
        ),
        (&[1; 4], add(5, 2), &ALL, Ok(6)),
        (&[1; 4], add(5, u64::MAX), &ALL, Err(SetFault::TooMuch.into())),
        (&[1], add(2, 1), &ALL, Ok(2)),
        (&[1, 1], add(3, 1), &ALL, Ok(3)),
        (&[1, 1, 1], add(4, 1), &ALL, Ok(4)),
    ]);
}

#[test]
fn a_removal_and_a_weight_are_judged_with_their_reason() {
    let left = |left| Refused::BelowPolicy {
        left,
        wanted: 4,
        faults: 1,
    };
    check(&[
        (&[1; 4][..], remove(4), &ALL[..], Err(left(3))),
        (&[1; 5], remove(5), &ALL, Ok(4)),
        (
            &[1; 5],
            remove(5),
            &[1, 2, 5],
            Err(Refused::LosesQuorum {
                up: 2,
                quorum: 3,
                total: 4,
            }),
        ),
        (&[1; 5], remove(5), &[1, 2, 3, 5], Ok(4)),
        (&[1; 4], remove(5), &ALL, Err(Refused::Unknown(validator(5)))),
        (&[1], remove(1), &ALL, Err(Refused::Last(validator(1)))),
        (
            &[1; 4],
            weight(1, 1),
            &ALL,
            Err(Refused::Same {
                validator: validator(1),
                power: 1,
            }),
        ),
        (&[1; 4], weight(1, 3), &ALL, Ok(6)),
        (
            &[1; 4],
            weight(1, 4),
            &ALL,
            Err(Refused::Overlap { shared: 4, total: 7 }),
        ),
        (
            &[1; 4],
            weight(1, 0),
            &ALL,
            Err(SetFault::NoPower(validator(1)).into()),
        ),
        (&[1; 4], weight(9, 1), &ALL, Err(Refused::Unknown(validator(9)))),
    ]);
}

#[test]
fn changes_are_said_in_a_sentence() {
    let (validator, text) = (validator(1), validator(1).to_string());
    for (change, said) in [
        (
            Change::Add { validator, power: 2 },
            format!("add validator {text} with power 2"),
        ),
        (Change::Remove { validator }, format!("remove validator {text}")),
        (
            Change::Weight { validator, power: 3 },
            format!("give validator {text} the power 3"),
        ),
    ] {
        assert_eq!(change.to_string(), said);
    }
}

#[test]
fn refusals_say_what_to_do() {
    let refused = Refused::LosesQuorum {
        up: 3,
        quorum: 4,
        total: 5,
    };
    assert_eq!(
        refused.to_string(),
        "power 3 of the new set is up and 4 of 5 must agree: the chain would stop at once; bring validators up first"
    );
    let refused = Refused::BelowPolicy {
        left: 3,
        wanted: 4,
        faults: 1,
    };
    assert_eq!(
        refused.to_string(),
        "3 validators would be left, and the policy wants 4 (3f + 1 with f = 1): add one first, or change the policy"
    );
}
