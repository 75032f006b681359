//! What nodes tell of how they agree.

use crate::world::{World, ms};
use purlin_chain_core::agreement::{Facts, Way};
use purlin_chain_core::agreement::{Failure, Grade, Height, News, Window, findings};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// The decided heights of a host's news.
fn heights(world: &World, index: usize) -> Vec<&Height> {
    let news = world.hosts[index].news.iter();
    news.filter_map(|(_, news)| match news {
        News::Decided(height) => Some(height),
        _ => None,
    })
    .collect()
}

/// What a host would keep.
fn window(world: &World, index: usize) -> Window {
    let mut window = Window::default();
    for (at, news) in &world.hosts[index].news {
        match news {
            News::Decided(height) => window.push(*at, height.clone()),
            News::Late {
                height,
                validator,
                kind,
                after,
            } => window.late(*height, validator, *kind, *after),
            _ => {}
        }
    }
    window
}

#[test]
fn s3_57_a_calm_height_is_told_with_its_times_and_everybodys_votes() {
    let mut world = World::new(11, 4, 0).up();
    world.until("twenty blocks", MINUTE, |world| world.have(world.all(), 20));
    world.run(ms(500));
    let told = heights(&world, 0);
    assert_eq!(
        told.iter().map(|height| height.height).collect::<Vec<_>>(),
        (1..=world.head(0)).collect::<Vec<_>>()
    );
    for height in &told[2..] {
        let times = height.times.expect("decided by votes");
        let (proposal, polka) = (times.proposal.expect("seen"), times.polka.expect("a quorum"));
        assert!(proposal <= polka && polka <= times.commit, "{times:?}");
        assert!(times.commit <= ms(150), "{times:?}");
        assert_eq!((height.round, height.failed.len()), (0, 0));
        let block = &world.hosts[0].app.chain[height.height as usize - 1].block;
        assert_eq!(height.proposer, block.header.beneficiary);
        assert!(height.seen.iter().filter(|seen| seen.signed).count() >= 3);
    }
    let mut window = window(&world, 0);
    assert_eq!(window.turns(world.now + MINUTE), []);
    let summary = window.summary(world.now + MINUTE);
    assert!(
        summary.validators.iter().all(|one| one.missed == 0),
        "{summary:?}"
    );
    assert_eq!(summary.more_rounds_percent(), 0);
}

#[test]
fn s3_57_turns_of_a_validator_that_is_down_are_told_as_its_own_and_it_is_named() {
    let mut world = World::new(12, 4, 0).up();
    world.until("ten blocks", MINUTE, |world| world.have(world.all(), 10));
    let gone = world.address(3);
    world.cut(3);
    let head = world.best();
    world.until("forty more", 10 * MINUTE, |world| world.have(0..3, head + 40));
    for (_, news) in &world.hosts[0].news {
        if let News::Failed(failed) = news {
            assert_eq!(
                (failed.proposer, &failed.why),
                (gone, &Failure::NoProposal),
                "{failed:?}"
            );
            assert!(failed.lasted >= ms(2_000), "{failed:?}");
        }
    }
    let mut window = window(&world, 0);
    let now = world.now + MINUTE;
    let turns = window.turns(now);
    assert_eq!(
        turns
            .iter()
            .map(|turn| (turn.validator, turn.way))
            .collect::<Vec<_>>(),
        [(gone, Way::Missing)]
    );
    let up: BTreeSet<_> = (0..3).map(|index| world.address(index)).collect();
    let found = findings(&Facts {
        summary: &window.summary(now),
        set: world.hosts[0].app.set(1),
        up: &up,
        me: world.address(0),
        round_trips: &BTreeMap::new(),
        height: world.head(0) + 1,
        round: 0,
        voices: &[],
        silence: ms(10),
        silence_max: MINUTE,
        twice: &[],
    });
    let named: Vec<_> = found
        .iter()
        .filter(|finding| finding.validator == Some(gone))
        .collect();
    assert_eq!(named.len(), 1, "{found:?}");
    assert!(named[0].says.contains("was silent"), "{named:?}");
    assert!(
        named[0]
            .says
            .ends_with("the quorum of 3 of 4 has nobody to spare"),
        "{named:?}"
    );
    let rounds = found
        .iter()
        .find(|finding| finding.check == "chain.rounds")
        .expect("rounds");
    assert_eq!(rounds.grade, Grade::Warn);
    assert!(rounds.says.contains("no_proposal"), "{rounds:?}");
}

#[test]
fn s3_57_a_block_that_is_refused_is_told_with_the_words_against_it() {
    let mut world = World::new(13, 4, 0);
    // Three of four refuse everything: nothing is ever decided.
    for host in &mut world.hosts[1..] {
        host.app.stubborn = true;
    }
    let mut world = world.up();
    world.run(MINUTE);
    let refused = |index: usize| {
        world.hosts[index].news.iter().any(|(_, news)| {
            matches!(news, News::Failed(failed) if failed.why == Failure::Refused("it is stubborn".to_owned()))
        })
    };
    assert!(refused(1) && refused(2) && refused(3));
    // Who proposes it finds it right, and waits for the others in vain.
    let own = world.address(0);
    let mine = world.hosts[0].news.iter().find_map(|(_, news)| match news {
        News::Failed(failed) if failed.proposer == own => Some(failed.why.clone()),
        _ => None,
    });
    assert_eq!(mine, Some(Failure::NoPolka));
}

#[test]
fn s3_57_a_validator_behind_a_long_line_is_named_with_how_late_it_votes() {
    let mut world = World::new(14, 4, 0);
    world.wires.far.insert(3, 300);
    let mut world = world.up();
    world.until("forty blocks", 10 * MINUTE, |world| world.have(0..3, 40));
    let mut window = window(&world, 0);
    let now = world.now + MINUTE;
    let far = world.address(3);
    let turns = window.turns(now);
    assert!(
        turns
            .iter()
            .any(|turn| turn.validator == far && turn.way == Way::Late),
        "{turns:?}"
    );
    assert!(turns.iter().all(|turn| turn.validator == far), "{turns:?}");
    let summary = window.summary(now);
    let figures = summary
        .validators
        .iter()
        .find(|one| one.validator == far)
        .expect("it");
    assert!(figures.slow_percent() >= 80, "{figures:?}");
    assert!(
        figures.excess.expect("it is late").p50 >= ms(550),
        "there and back: {figures:?}"
    );
    let others = summary.validators.iter().filter(|one| one.validator != far);
    assert!(others.clone().all(|one| one.slow_percent() < 50), "{summary:?}");
}

#[test]
fn s3_57_a_follower_tells_who_signed_and_no_times() {
    let mut world = World::new(15, 4, 1).up();
    world.until("ten blocks", MINUTE, |world| world.have(world.all(), 10));
    let told = heights(&world, 4);
    assert!(told.len() >= 10);
    for height in told {
        assert_eq!(height.times, None);
        assert!(height.seen.iter().filter(|seen| seen.signed).count() >= 3);
    }
}
