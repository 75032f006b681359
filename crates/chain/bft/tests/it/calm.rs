//! Networks in which nothing goes wrong, or little.

use crate::world::{World, ms};
use alloy_primitives::Address;
use std::collections::BTreeMap;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn one_validator_decides_alone() {
    let mut world = World::new(1, 1, 0).up();
    world.until("ten blocks", MINUTE, |world| world.have([0], 10));
}

#[test]
fn every_height_takes_one_round_and_one_period() {
    for validators in [4, 7, 10] {
        let mut world = World::new(7, validators, 0).up();
        world.until("thirty blocks", MINUTE, |world| world.have(world.all(), 30));
        for host in &world.hosts {
            let standing = host.node.as_ref().unwrap().standing();
            // The first height may take more: some were not up when its proposal was made.
            assert!(standing.rounds_total <= 31 + 2, "{standing:?}");
            let first = world.ledger.when[&(10, host.index)];
            let last = world.ledger.when[&(30, host.index)];
            let mean = (last - first) / 20;
            assert!(mean >= ms(1_000) && mean <= ms(1_050), "{mean:?}");
        }
    }
}

#[test]
fn everybody_proposes_when_it_is_its_turn() {
    let mut world = World::new(3, 4, 0).up();
    world.until("twenty blocks", MINUTE, |world| world.have(world.all(), 20));
    let mut made = BTreeMap::<Address, u32>::new();
    for decided in &world.hosts[0].app.chain[4..] {
        *made.entry(decided.block.header.beneficiary).or_default() += 1;
    }
    assert_eq!(made.len(), 4, "{made:?}");
}

#[test]
fn a_follower_has_what_validators_decided() {
    let mut world = World::new(5, 4, 2).up();
    world.until("ten blocks", MINUTE, |world| world.have(world.all(), 10));
    let follower = world.hosts[5].node.as_ref().unwrap().standing();
    assert_eq!((follower.decided_total, follower.rounds_total), (0, 0));
    assert!(follower.synced_total >= 10);
    world.until("with them", MINUTE, |world| world.have([4, 5], world.best()));
}

#[test]
fn a_silent_validator_costs_rounds_and_nothing_else() {
    let mut world = World::new(8, 4, 0);
    for index in 0..3 {
        world.start(index);
    }
    world.until("ten blocks", 2 * MINUTE, |world| world.have(0..3, 10));
    let standing = world.hosts[0].node.as_ref().unwrap().standing();
    assert!(standing.rounds_total > 11, "its turns were waited for");
}

#[test]
fn two_of_four_down_halt_the_chain_and_it_goes_on_when_one_is_back() {
    let mut world = World::new(9, 4, 0).up();
    world.until("five blocks", MINUTE, |world| world.have(world.all(), 5));
    world.cut(2);
    world.cut(3);
    world.run(ms(100));
    let halted = world.best();
    world.run(10 * MINUTE);
    assert!(world.best() <= halted + 1, "nothing is decided by half of them");
    let halted = world.best();
    world.start(2);
    world.until("it goes on", 5 * MINUTE, |world| world.have(0..3, halted + 10));
    world.start(3);
    world.until("all go on", 5 * MINUTE, |world| {
        world.have(world.all(), halted + 20)
    });
}

#[test]
fn a_validator_that_starts_late_catches_up_and_votes() {
    for seed in 0..2 {
        let mut world = World::new(seed, 7, 0);
        for index in 0..6 {
            world.start(index);
        }
        world.until("a hundred blocks", 10 * MINUTE, |world| world.have(0..6, 100));
        world.start(6);
        world.until("the seventh has them", MINUTE, |world| world.have([6], 101));
        let synced = world.hosts[6].node.as_ref().unwrap().standing().synced_total;
        let head = world.best();
        world.until("it decides by itself", MINUTE, |world| {
            world.have(world.all(), head + 20)
        });
        let standing = world.hosts[6].node.as_ref().unwrap().standing();
        assert!(standing.decided_total >= 15, "{standing:?}");
        assert!(
            synced >= 100 && standing.synced_total <= synced + 5,
            "{standing:?}"
        );
        let made = |decided: &purlin_chain_core::consensus::Decided| decided.block.header.beneficiary;
        let late = world.address(6);
        let chain = &world.hosts[0].app.chain;
        assert!(
            chain.iter().skip(100).any(|decided| made(decided) == late),
            "and proposes"
        );
    }
}
