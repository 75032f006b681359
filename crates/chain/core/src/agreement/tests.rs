use super::*;
use crate::consensus::signed::VoteKind;
use crate::quorum::ValidatorSet;
use alloy_primitives::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn who(n: u8) -> Address {
    Address::with_last_byte(n)
}

fn set(powers: &[u64]) -> ValidatorSet {
    ValidatorSet::new((1..).map(who).zip(powers.iter().copied())).expect("a set")
}

/// A height in which the votes of each came after so many milliseconds, or never.
fn height(number: u64, period: u64, votes: &[Option<u64>]) -> Height {
    let seen = votes.iter().map(|after| Seen {
        prevote: after.map(ms),
        precommit: after.map(|after| ms(after + 10)),
        signed: after.is_some(),
    });
    Height {
        height: number,
        round: 0,
        proposer: who((number % votes.len() as u64) as u8 + 1),
        period: ms(period),
        roll: set(&vec![1; votes.len()]).members().collect(),
        seen: seen.collect(),
        times: Some(Times {
            proposal: Some(ms(1)),
            polka: Some(ms(5)),
            commit: ms(20),
        }),
        failed: Vec::new(),
    }
}

/// Heights a period apart, all with these votes.
fn filled(count: u64, period: u64, votes: &[Option<u64>]) -> Window {
    let mut window = Window::default();
    for number in 1..=count {
        window.push(ms(period * number), height(number, period, votes));
    }
    window
}

const LATER: Duration = Duration::from_secs(100_000);

struct Case {
    set: ValidatorSet,
    up: BTreeSet<Address>,
    trips: BTreeMap<Address, Duration>,
    silence: Duration,
    twice: Vec<(Address, u64)>,
}

impl Case {
    /// All are up.
    fn of(powers: &[u64]) -> Self {
        let set = set(powers);
        Self {
            up: set.members().map(|(who, _)| who).collect(),
            set,
            trips: BTreeMap::new(),
            silence: ms(500),
            twice: Vec::new(),
        }
    }

    fn down(mut self, n: u8) -> Self {
        self.up.remove(&who(n));
        self
    }

    fn found(&self, window: &Window) -> Vec<Finding> {
        findings(&Facts {
            summary: &window.summary(LATER),
            set: &self.set,
            up: &self.up,
            me: who(1),
            round_trips: &self.trips,
            height: 9,
            round: 2,
            voices: &[],
            silence: self.silence,
            silence_max: ms(13_000),
            twice: &self.twice,
        })
    }

    /// What is not as it should be.
    fn bad(&self, window: &Window) -> Vec<(&'static str, Grade, Option<Address>)> {
        let found = self.found(window).into_iter();
        let bad = found.filter(|one| one.grade != Grade::Pass);
        bad.map(|one| {
            assert!(!one.says.is_empty() && !one.fix.is_empty(), "{one:?}");
            (one.check, one.grade, one.validator)
        })
        .collect()
    }
}

const CALM: [Option<u64>; 4] = [Some(2), Some(5), Some(6), Some(9)];

#[test]
fn s3_57_a_healthy_chain_has_no_findings() {
    let case = Case::of(&[1; 4]);
    assert_eq!(case.bad(&filled(100, 1_000, &CALM)), []);
    assert_eq!(case.bad(&Window::default()), [], "nor one that has just begun");
    let found = case.found(&filled(100, 1_000, &CALM));
    let checks: Vec<_> = found.iter().map(|one| one.check).collect();
    assert_eq!(
        checks,
        [
            "chain.agreement",
            "chain.quorum",
            "chain.rounds",
            "chain.period",
            "chain.validator"
        ]
    );
    assert_eq!(
        found[1].says,
        "4 validators: power 4 of 4 is up, 3 must agree: blocks are decided, and 1 more may go"
    );
    assert_eq!(
        found[3].says,
        "a block is due every 1.0 s, and comes every 1.0 s (99 %: 1.0 s)"
    );
}

#[test]
fn s3_57_a_slow_validator_is_named_with_how_late_it_votes_and_what_its_loss_would_mean() {
    let window = filled(100, 1_000, &[Some(2), Some(485), Some(6), Some(3)]);
    let case = Case::of(&[1; 4]);
    assert_eq!(
        case.bad(&window),
        [("chain.validator", Grade::Warn, Some(who(2)))]
    );
    let found = case.found(&window);
    let slow = found
        .iter()
        .find(|one| one.validator == Some(who(2)))
        .expect("it");
    let expected = format!(
        "validator {} votes 482 ms after the others in 100 % of heights; without it the quorum of 3 of 4 has nobody to spare",
        who(2)
    );
    assert_eq!(slow.says, expected);
    assert!(slow.fix.contains("disk"), "{slow:?}");
    let mut far = Case::of(&[1; 4]);
    far.trips = BTreeMap::from([(who(2), ms(470)), (who(3), ms(1)), (who(4), ms(1))]);
    let found = far.found(&window);
    let slow = found
        .iter()
        .find(|one| one.validator == Some(who(2)))
        .expect("it");
    assert!(slow.fix.contains("a round trip takes 470 ms"), "{slow:?}");
}

#[test]
fn s3_57_one_that_only_prevotes_is_late_and_one_that_votes_too_early_makes_nobody_late() {
    let mut window = Window::default();
    for number in 1..=50 {
        let mut one = height(number, 1_000, &[Some(300), Some(2), Some(301), Some(303)]);
        // The others decide before it comes to commit.
        one.seen[3].prevote = Some(ms(900));
        one.seen[3].precommit = None;
        window.push(ms(number * 1_000), one);
    }
    let bad = Case::of(&[1; 4]).bad(&window);
    assert_eq!(bad, [("chain.validator", Grade::Warn, Some(who(4)))]);
}

#[test]
fn s3_57_a_missing_validator_is_named_and_is_forgotten_when_it_votes_again() {
    let mut window = filled(60, 1_000, &[Some(2), Some(3), Some(4), None]);
    let case = Case::of(&[1; 4]).down(4);
    let expected = [
        ("chain.quorum", Grade::Warn, None),
        ("chain.validator", Grade::Warn, Some(who(4))),
    ];
    assert_eq!(case.bad(&window), expected);
    let found = case.found(&window);
    let says = &found
        .iter()
        .find(|one| one.validator == Some(who(4)))
        .expect("it")
        .says;
    assert!(
        says.contains("was silent in 100 % of 60 heights; it is not connected"),
        "{says}"
    );
    let turns = window.turns(LATER);
    let missing = Turn {
        validator: who(4),
        way: Way::Missing,
        height: 10,
    };
    assert_eq!(turns, [missing]);
    for number in 61..=100 {
        window.push(ms(number * 1_000), height(number, 1_000, &CALM));
    }
    let back = Turn {
        validator: who(4),
        way: Way::Back,
        height: 75,
    };
    assert_eq!(window.turns(LATER), [back]);
    assert_eq!(Case::of(&[1; 4]).bad(&window), []);
}

#[test]
fn s3_57_quorum_arithmetic_counts_power_not_heads() {
    // 10 in all: 7 must agree. Without the big one nothing is decided, however many others are up.
    let case = Case::of(&[4, 2, 2, 2]);
    let found = case.found(&Window::default());
    let weight: Vec<_> = found.iter().filter(|one| one.check == "chain.weight").collect();
    assert_eq!(weight.len(), 1);
    assert_eq!(
        weight[0].says,
        format!(
            "validator {} has power 4 of 10, and 7 must agree: nothing is decided without it",
            who(1)
        )
    );
    let quorum = |case: &Case| {
        let found = case.found(&Window::default());
        let one = found
            .into_iter()
            .find(|one| one.check == "chain.quorum")
            .expect("it");
        (one.grade, one.says)
    };
    let (grade, says) = quorum(&Case::of(&[4, 2, 2, 2]).down(2));
    assert_eq!(grade, Grade::Pass, "8 of 10, 1 to spare: {says}");
    let (grade, says) = quorum(&Case::of(&[4, 2, 2, 2]).down(1));
    assert_eq!(grade, Grade::Fail);
    assert_eq!(
        says,
        format!(
            "4 validators: power 6 of 10 is up, 7 must agree: no block is decided until 1 more is back; not seen from here: {} \
             (power 4)",
            who(1)
        )
    );
    assert_eq!(quorum(&Case::of(&[1; 4]).down(1)).0, Grade::Warn);
    assert_eq!(
        quorum(&Case::of(&[1; 3])).0,
        Grade::Pass,
        "three never had one to spare"
    );
}

#[test]
fn s3_57_silence_is_a_fault_that_says_who_is_missing() {
    let mut case = Case::of(&[1; 4]).down(3).down(4);
    case.silence = ms(42_000);
    let bad = case.bad(&filled(20, 1_000, &CALM));
    assert_eq!(
        bad,
        [
            ("chain.agreement", Grade::Fail, None),
            ("chain.quorum", Grade::Fail, None)
        ]
    );
    let says = &case.found(&Window::default())[0].says;
    let expected = format!(
        "height 9 is undecided for 42 s, in round 2: power 2 of 4 is up, 3 must agree: no block is decided until 1 more is back; \
         not seen from here: {}, {}",
        who(3),
        who(4)
    );
    assert_eq!(says, &expected);
    let mut frozen = Case::of(&[1; 4]);
    frozen.silence = ms(42_000);
    let says = &frozen.found(&Window::default())[0].says;
    assert!(
        says.ends_with("power 4 of 4 is connected, 3 must agree, and they do not"),
        "{says}"
    );
}

#[test]
fn s3_57_round_trips_are_held_beside_the_period() {
    let mut case = Case::of(&[1; 4]);
    case.trips = BTreeMap::from([(who(2), ms(10)), (who(3), ms(60)), (who(4), ms(900))]);
    let of = |period| {
        let found = case.found(&filled(30, period, &CALM));
        found
            .into_iter()
            .find(|one| one.check == "chain.latency")
            .expect("it")
    };
    assert_eq!(of(1_000).grade, Grade::Pass, "the farthest is not needed");
    let near = of(50);
    assert_eq!(near.grade, Grade::Warn);
    let says = "a quorum is within a round trip of 60 ms, so that a decision takes 90 ms at least";
    assert!(near.says.starts_with(says), "{near:?}");
}

#[test]
fn s3_57_second_rounds_and_slow_blocks_are_told_with_the_reason() {
    let mut window = Window::default();
    for number in 1..=40 {
        let mut one = height(number, 1_000, &CALM);
        if number % 4 == 0 {
            one.round = 1;
            one.failed.push(FailedRound {
                height: number,
                round: 0,
                proposer: who(3),
                lasted: ms(2_000),
                why: Failure::NoProposal,
            });
        }
        window.push(ms(number * 1_800), one);
    }
    let case = Case::of(&[1; 4]);
    let expected = [
        ("chain.rounds", Grade::Warn, None),
        ("chain.period", Grade::Warn, None),
        ("chain.validator", Grade::Warn, Some(who(3))),
    ];
    assert_eq!(case.bad(&window), expected);
    let says = &case.found(&window)[2].says;
    assert!(
        says.ends_with("25 % of them more than one round: 10 no_proposal"),
        "{says}"
    );
}

#[test]
fn s3_57_double_signing_is_a_fault() {
    let mut case = Case::of(&[1; 4]);
    case.twice.push((who(2), 7));
    let bad = case.bad(&filled(30, 1_000, &CALM));
    assert_eq!(bad, [("chain.validator", Grade::Fail, Some(who(2)))]);
}

#[test]
fn the_window_is_bounded_takes_late_votes_and_begins_anew_after_a_gap() {
    let mut window = filled(HEIGHTS_MAX as u64 + 100, 1_000, &[Some(2), None]);
    assert_eq!(window.len(), HEIGHTS_MAX);
    window.late(150, &who(2), VoteKind::Precommit, ms(700));
    window.late(150, &who(9), VoteKind::Precommit, ms(700));
    window.late(3, &who(2), VoteKind::Precommit, ms(700));
    window.late(9_999, &who(2), VoteKind::Precommit, ms(700));
    let figures = &window.summary(LATER).validators[1];
    assert_eq!((figures.counted, figures.missed), (HEIGHTS_MAX, HEIGHTS_MAX - 1));
    let late = figures.late.expect("one came");
    assert_eq!(late.p50, ms(688), "after the first, which came after 12 ms");
    // The same height again is no news.
    window.push(ms(1), height(500, 1_000, &CALM));
    assert_eq!(window.len(), HEIGHTS_MAX);
    window.push(LATER, height(5_000, 1_000, &CALM));
    assert_eq!(window.summary(LATER).heights, Some((5_000, 5_000)));
}

#[test]
fn a_vote_that_is_on_its_way_is_awaited_before_anybody_is_called_silent() {
    let mut window = filled(30, 50, &[Some(2), Some(3), Some(4), None]);
    let last = ms(50 * 30);
    assert_eq!(window.turns(last), [], "two seconds have not passed");
    assert_eq!(window.summary(last).validators[3].counted, 0);
    assert_eq!(window.turns(last + ms(2_000)).len(), 1);
}

#[test]
fn who_answers_now_and_then_is_told_once() {
    let mut window = Window::default();
    for number in 1..=300 {
        // In three of four heights it is silent.
        let votes = [Some(2), Some(3), Some(4), (number % 4 == 0).then_some(5)];
        window.push(ms(number * 1_000), height(number, 1_000, &votes));
    }
    assert_eq!(window.turns(LATER).len(), 1);
}
