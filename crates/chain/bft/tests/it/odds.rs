//! Cases of their own.

use crate::world::{World, ms};
use purlin_chain_bft::Message;
use purlin_chain_bft::node::Action;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// A validator that hears votes but no blocks: its own votes prove the decision, the block comes from a peer.
#[test]
fn a_validator_that_gets_no_block_takes_it_from_a_peer() {
    let mut world = World::new(1, 4, 0);
    for index in 0..3 {
        world.liars.insert(
            index,
            Box::new(move |_, _, others, action| match action {
                Action::Broadcast(octets) => {
                    let is_block = matches!(Message::decode(octets), Ok(Message::Block(_)));
                    let deaf = others.len().saturating_sub(usize::from(is_block));
                    others[..deaf].iter().map(|to| (*to, octets.clone())).collect()
                }
                Action::Send { to, message } => vec![(*to, message.clone())],
                _ => Vec::new(),
            }),
        );
    }
    // Liars serve nobody: let the others be served by their own.
    let mut world = world.up();
    world.until("ten blocks of three", 5 * MINUTE, |world| world.have(0..3, 10));
    for index in 0..3 {
        world.liars.remove(&index);
    }
    world.until("the fourth has them", MINUTE, |world| world.have([3], 10));
    assert!(world.hosts[3].node.as_ref().unwrap().standing().synced_total >= 9);
}

/// One that finds every block invalid votes for none, and follows what the others decide.
#[test]
fn one_that_finds_everything_invalid_still_has_what_is_decided() {
    let mut world = World::new(1, 4, 0);
    world.hosts[2].app.stubborn = true;
    let mut world = world.up();
    world.until("ten blocks", 5 * MINUTE, |world| world.have(world.all(), 10));
}

/// A block that fell out of its round is proposed again, by another.
#[test]
fn a_block_that_more_than_two_thirds_prevoted_is_the_one_that_is_decided() {
    let mut world = World::new(6, 4, 0).up();
    world.until("three blocks", MINUTE, |world| world.have(world.all(), 3));
    let mut reproposed = 0;
    for _ in 0..30 {
        // Precommits are lost for a while, and some prevotes.
        world.wires.loss = 350;
        world.run(ms(4_000));
        world.wires.loss = 0;
        world.run(ms(3_000));
        let chain = &world.hosts[0].app.chain;
        reproposed = chain
            .iter()
            .filter(|decided| decided.certificate.round > 0)
            .count();
    }
    assert!(reproposed > 0);
    let head = world.best();
    world.until("all go on", 5 * MINUTE, |world| world.have(world.all(), head + 3));
}

#[test]
fn without_peers_a_validator_of_four_says_what_it_can_and_waits() {
    let mut world = World::new(1, 4, 0);
    world.start(0);
    world.run(10 * MINUTE);
    assert_eq!(world.best(), 0);
    for index in 1..4 {
        world.start(index);
    }
    world.until("five blocks", 5 * MINUTE, |world| world.have(world.all(), 5));
}
