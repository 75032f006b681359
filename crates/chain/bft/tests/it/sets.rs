//! Sets that change: who comes, who goes, and who holds a key that nobody has asked for.

use crate::world::{Key, World, ms};
use alloy_primitives::Address;
use purlin_chain_bft::Step;
use purlin_chain_core::quorum::ValidatorSet;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn keys(count: usize) -> Vec<Key> {
    (0..count).map(Key::new).collect()
}

fn set(keys: &[Key], members: &[usize], power: u64) -> ValidatorSet {
    let members = members.iter().map(|index| (keys[*index].address, power));
    ValidatorSet::new(members).unwrap()
}

fn makers(world: &World, from: usize) -> BTreeSet<Address> {
    let chain = world.hosts[1].app.chain.iter().skip(from);
    chain.map(|decided| decided.block.header.beneficiary).collect()
}

fn step(world: &World, index: usize) -> Step {
    world.hosts[index].node.as_ref().unwrap().standing().step
}

#[test]
fn the_set_changes_at_a_height() {
    let keys = keys(6);
    // 0 leaves, 4 and 5 come; then the power of all changes.
    let sets = BTreeMap::from([
        (1, set(&keys, &[0, 1, 2, 3], 1)),
        (6, set(&keys, &[1, 2, 3, 4, 5], 1)),
        (12, set(&keys, &[1, 2, 3, 4, 5], 3)),
    ]);
    let mut world = World::with(4, &keys, 6, sets).up();
    world.until("twenty blocks", 5 * MINUTE, |world| world.have(world.all(), 20));
    assert!(!makers(&world, 5).contains(&keys[0].address));
    assert!(makers(&world, 5).contains(&keys[4].address) && makers(&world, 5).contains(&keys[5].address));
    let signers = &world.hosts[1].app.chain[12].certificate.commits;
    assert!(signers.iter().all(|commit| commit.validator != keys[0].address));
}

#[test]
fn a_key_outside_the_set_keeps_up_and_signs_nothing() {
    for seed in 0..2 {
        let keys = keys(5);
        let sets = BTreeMap::from([(1, set(&keys, &[0, 1, 2, 3], 1))]);
        let mut world = World::with(seed, &keys, 5, sets).up();
        world.wires.loss = [0, 50][seed as usize % 2];
        world.until("ten blocks", 5 * MINUTE, |world| world.have(world.all(), 10));
        world.cut(4);
        world.run(20 * ms(1_000));
        world.start(4);
        let head = world.best();
        world.until("it is there again", 5 * MINUTE, |world| {
            world.have(world.all(), head + 10)
        });
        assert_eq!(step(&world, 4), Step::Following);
        assert_eq!(world.ledger.spoke(keys[4].address), BTreeSet::new());
        assert!(world.hosts[4].disk.durable.is_empty() && world.hosts[4].disk.height == 0);
    }
}

#[test]
fn a_key_outside_the_set_is_not_needed_and_cannot_do_it_alone() {
    let keys = keys(5);
    let sets = BTreeMap::from([(1, set(&keys, &[0, 1, 2, 3], 1))]);
    let mut world = World::with(1, &keys, 5, sets).up();
    world.until("five blocks", MINUTE, |world| world.have(world.all(), 5));
    // Two of four and it are three, and three must agree: but it is none of the four.
    world.cut(0);
    world.cut(1);
    let stood = world.best() + 1;
    world.run(MINUTE);
    assert!(world.best() <= stood, "{} after {stood}", world.best());
    world.heal();
    let head = world.best();
    world.until("all go on", 5 * MINUTE, |world| world.have(world.all(), head + 5));
}

/// 4 comes at height 5, and 0 goes at height 10; both hold their keys all the while.
fn comes_and_goes(seed: u64, keys: &[Key]) -> World {
    let sets = BTreeMap::from([
        (1, set(keys, &[0, 1, 2, 3], 1)),
        (5, set(keys, &[0, 1, 2, 3, 4], 1)),
        (10, set(keys, &[1, 2, 3, 4], 1)),
    ]);
    World::with(seed, keys, 5, sets)
}

#[test]
fn who_comes_votes_from_its_height_on_and_who_goes_to_its_height() {
    for seed in 0..2 {
        let keys = keys(5);
        let mut world = comes_and_goes(seed, &keys).up();
        world.until("twenty blocks", 5 * MINUTE, |world| world.have(world.all(), 20));
        let (came, went) = (
            world.ledger.spoke(keys[4].address),
            world.ledger.spoke(keys[0].address),
        );
        assert!(came.first().is_some_and(|first| *first >= 5), "{came:?}");
        assert!(
            (5..=20).filter(|height| came.contains(height)).count() > 10,
            "{came:?}"
        );
        assert!(went.last().is_some_and(|last| *last < 10), "{went:?}");
        assert_eq!(step(&world, 0), Step::Following);
        // Nobody waits for who is gone: it would be a round each.
        let rounds = world.hosts[1].node.as_ref().unwrap().standing().rounds_total;
        assert!(rounds <= 24, "{rounds}");
        // And nobody needs it.
        world.cut(0);
        let head = world.best();
        world.until("the others go on", MINUTE, |world| world.have(1..5, head + 5));
    }
}

#[test]
fn who_comes_and_who_goes_survive_a_cut_at_any_action() {
    let keys = keys(5);
    for host in [0, 4] {
        let mut cuts = 0;
        for at in (1..400).step_by(17) {
            let mut world = comes_and_goes(at, &keys);
            world.crash_at.insert(host, at);
            let mut world = world.up();
            while world.hosts[host].node.is_some() && world.head(host) < 14 {
                world.step();
            }
            if world.hosts[host].node.is_some() {
                break;
            }
            cuts += 1;
            world.run(ms(at % 7 * 400));
            world.start(host);
            let head = world.best().max(14);
            world.until("all go on", 5 * MINUTE, |world| world.have(world.all(), head + 2));
        }
        assert!(cuts > 8, "{host}: {cuts}");
    }
}

/// Every few heights one comes or goes, or gets another power, while power and wires fail.
fn storm(seed: u64) -> u64 {
    let keys = keys(6);
    let sets = BTreeMap::from([
        (1, set(&keys, &[0, 1, 2, 3], 1)),
        (4, set(&keys, &[0, 1, 2, 3, 4], 1)),
        (7, set(&keys, &[0, 1, 2, 3, 4, 5], 1)),
        (10, set(&keys, &[1, 2, 3, 4, 5], 1)),
        (12, set(&keys, &[1, 2, 3, 4, 5], 2)),
        (14, set(&keys, &[0, 1, 2, 3, 4, 5], 2)),
        (17, set(&keys, &[0, 2, 3, 4, 5], 2)),
    ]);
    let mut world = World::with(seed, &keys, 6, sets);
    world.weather(seed);
    let mut world = world.up();
    while world.best() < 16 && world.now < 5 * MINUTE {
        let time = ms(500 + world.random.below(4_000));
        world.run(time);
        if world.random.permille(200) {
            let groups = world.all().map(|_| world.random.below(2) as usize).collect();
            world.part(groups);
        }
        world.start_some();
    }
    world.heal();
    let head = world.best().max(17);
    world.until("all have caught up and go on", 10 * MINUTE, |world| {
        world.have(world.all(), head + 5)
    });
    head
}

#[test]
fn sets_change_in_storms_and_nothing_is_decided_twice() {
    for seed in 0..9 {
        println!("seed {seed}");
        storm(seed);
    }
}
