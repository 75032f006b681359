//! Power cuts between any two actions.

use crate::world::{World, ms};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Cuts the power of node 0 at its action `at`, and starts it again after `rest`.
fn cut_at(validators: usize, at: u64, rest: Duration) -> bool {
    let mut world = World::new(at, validators, 0);
    world.crash_at.insert(0, at);
    let mut world = world.up();
    while world.hosts[0].node.is_some() {
        if world.head(0) >= 8 {
            return false;
        }
        world.step();
    }
    if validators > 1 {
        world.run(rest);
    } else {
        world.now += rest;
    }
    world.start(0);
    let head = world.best();
    world.until("all go on", 5 * MINUTE, |world| world.have(world.all(), head + 3));
    true
}

#[test]
fn a_lone_validator_goes_on_after_a_cut_at_any_action() {
    let cuts = (1..80).filter(|at| cut_at(1, *at, ms(500))).count();
    assert!(cuts > 50, "{cuts}");
}

#[test]
fn one_of_four_goes_on_after_a_cut_at_any_action() {
    let cuts = (1..150)
        .step_by(2)
        .filter(|at| cut_at(4, *at, ms(at % 7 * 400)))
        .count();
    assert!(cuts > 50, "{cuts}");
}

#[test]
fn all_go_on_after_a_cut_of_all_at_once() {
    for seed in 0..20 {
        let mut world = World::new(seed, 4, 0).up();
        world.until("three blocks", MINUTE, |world| world.have(world.all(), 3));
        for _ in 0..4 {
            let time = ms(world.random.below(1_500));
            world.run(time);
            for index in world.all() {
                world.cut(index);
            }
            world.now += ms(100);
            for index in world.all() {
                world.start(index);
            }
        }
        let head = world.best();
        world.until("all go on", 5 * MINUTE, |world| world.have(world.all(), head + 3));
    }
}

#[test]
fn a_node_whose_chain_was_brought_back_votes_only_above_its_log() {
    let mut world = World::new(2, 4, 0).up();
    world.until("ten blocks", MINUTE, |world| world.have(world.all(), 10));
    // Somewhere in a height, so that its log is not empty.
    world.until("a vote", MINUTE, |world| !world.hosts[0].disk.durable.is_empty());
    world.cut(0);
    let logged = world.hosts[0].disk.height;
    world.hosts[0].app.chain.truncate(3);
    // Alone it may not say anything at the heights that it has forgotten.
    world.part(vec![1, 0, 0, 0]);
    let said = world.ledger.votes;
    let others = |world: &World| {
        world.hosts[1..]
            .iter()
            .map(|host| host.app.chain.len())
            .sum::<usize>()
    };
    let before = others(&world);
    for index in 1..4 {
        world.cut(index);
    }
    world.start(0);
    world.run(MINUTE);
    assert_eq!(world.ledger.votes, said, "it said something below {logged}");
    assert_eq!(others(&world), before);
    world.heal();
    let head = world.best();
    world.until("it votes again", 5 * MINUTE, |world| {
        world.have(world.all(), head + 8)
    });
    assert!(world.hosts[0].node.as_ref().unwrap().standing().decided_total > 0);
}
