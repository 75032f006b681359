//! A store with a standby that commits do not wait for: each test fails when its rule is taken out.

use super::super::conversation::{Ask, SERVER, settings};
use super::world::World;
use crate::settings::AckMode;
use crate::step::Verdict;
use purlin_dhcp_proto::MessageType;
use purlin_types::Slot;
use std::net::Ipv4Addr;

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);
const SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 1);

fn select(n: u8, address: Ipv4Addr) -> Ask {
    Ask::new(MessageType::Request, n)
        .requested(address)
        .server(SERVER)
}

fn renew(n: u8, address: Ipv4Addr) -> Ask {
    Ask::new(MessageType::Request, n).ciaddr(address)
}

/// Node 0 holds all blocks of the pools.
fn world(pools: &[&str]) -> World {
    let mut world = World::new(&settings(pools));
    world.standby = true;
    for slot in world.slots() {
        assert!(world.take(0, slot));
    }
    world.replicate();
    world
}

/// One address, whose lease to a client has ended and is on the standby.
fn world_of_one(n: u8) -> World {
    let mut world = world(&["10.0.1.0"]);
    bind(&mut world, n, FIRST);
    world.replicate();
    world.pass(3601);
    world
}

/// Binds, without the standby having it.
fn bind(world: &mut World, n: u8, address: Ipv4Addr) -> u32 {
    world.delivered.clear();
    let ack = world.step(0, &select(n, address), 0, 0);
    assert_eq!(ack.verdict, Verdict::CommitThenReply);
    world.flush(0);
    assert_eq!(world.delivered.len(), 1);
    ack.lease()
}

/// Node 0 is gone; node 1 takes all over as early as it may.
fn take_over(world: &mut World) {
    world.crash(0);
    world.pass(16);
    for slot in world.slots() {
        assert!(world.take(1, slot));
    }
}

#[test]
fn no_more_than_the_lead_time_is_promised_before_the_standby_has_the_row() {
    let mut world = world(&["10.0.1.0-10.0.1.9"]);
    assert_eq!(bind(&mut world, 1, FIRST), 600);
    world.pass(300);
    let ack = world.step(0, &renew(1, FIRST), 0, 0);
    assert_eq!(ack.lease(), 600, "the standby has nothing of it");
    world.flush(0);
    world.replicate();
    world.pass(300);
    let ack = world.step(0, &renew(1, FIRST), 0, 0);
    assert_eq!((ack.verdict, ack.lease()), (Verdict::WriteThenReply, 3600));
}

#[test]
fn a_renewal_that_comes_twice_ends_no_sooner() {
    let mut world = world(&["10.0.1.0"]);
    bind(&mut world, 1, FIRST);
    world.replicate();
    world.pass(300);
    // As through a relay that knows several nodes, which all pass it on to the one that holds the slot.
    let answers = [0, 0].map(|_| world.step(0, &renew(1, FIRST), 0, 0).lease());
    assert_eq!(
        answers,
        [3600, 600],
        "the second cannot rest on the first, which is nowhere yet"
    );
    world.flush(0);
    world.replicate();
    world.pass(700);
    assert_eq!(world.dora(0, 2), None, "the client has the first answer");
}

#[test]
fn less_than_a_lost_row_promised_frees_nothing_before_that() {
    let mut world = world(&["10.0.1.0"]);
    bind(&mut world, 1, FIRST);
    world.replicate();
    world.pass(300);
    assert_eq!(world.step(0, &renew(1, FIRST), 0, 0).lease(), 3600);
    world.flush(0);
    world.fail_over();
    take_over(&mut world);
    let ack = world.step(1, &renew(1, FIRST), 0, 0);
    assert_eq!(ack.lease(), 600, "and the client never hears of it");
    world.flush(1);
    world.replicate();
    world.pass(1000);
    assert_eq!(world.dora(1, 2), None, "the client has the first answer");
    let ack = world.step(1, &renew(1, FIRST), 0, 0);
    assert_eq!(ack.kind(), MessageType::Ack, "and is known by it");
}

#[test]
fn the_full_lease_is_promised_where_no_copy_can_take_the_stores_place() {
    let mut world = world(&["10.0.1.0-10.0.1.9"]);
    world.standby = false;
    assert_eq!(bind(&mut world, 1, FIRST), 3600);
}

#[test]
fn an_address_changes_its_client_only_when_the_standby_has_that() {
    let mut world = world(&["10.0.1.0"]);
    bind(&mut world, 1, FIRST);
    world.replicate();
    world.pass(3601);
    world.delivered.clear();
    let ack = world.step(0, &select(2, FIRST), 0, 0);
    assert_eq!((ack.verdict, ack.lease()), (Verdict::CopyThenReply, 3600));
    world.flush(0);
    let again = world.step(0, &select(2, FIRST), 0, 0);
    assert_eq!(again.verdict, Verdict::CopyThenReply, "nor when it asks again");
    world.flush(0);
    assert!(
        world.delivered.is_empty(),
        "a failover would bring the former client back"
    );
    world.replicate();
    assert_eq!(world.delivered.len(), 2);
}

#[test]
fn who_waits_for_a_standby_that_stops_following_gets_no_promise() {
    let mut world = world_of_one(1);
    let ack = world.step(0, &select(2, FIRST), 0, 0);
    assert_eq!(ack.verdict, Verdict::CopyThenReply);
    world.flush(0);
    world.follows = false;
    assert_eq!(world.step(0, &select(2, FIRST), 0, 0).kind(), MessageType::Nak);
    assert_eq!(world.reason(0), "nak_no_copy");
    for asked in [
        renew(2, FIRST),
        Ask::new(MessageType::Request, 2).requested(FIRST),
    ] {
        assert_eq!(world.step(0, &asked, 0, 0).verdict, Verdict::Silent);
        assert_eq!(
            world.reason(0),
            "no_copy",
            "it may have it by a record that was lost"
        );
    }
}

#[test]
fn who_is_refused_for_want_of_a_copy_is_offered_an_address_that_nobody_had() {
    let mut world = world(&["10.0.1.0-10.0.1.1"]);
    bind(&mut world, 1, FIRST);
    world.replicate();
    world.pass(3601);
    let ack = world.step(0, &select(2, FIRST), 0, 0);
    assert_eq!(
        ack.verdict,
        Verdict::CopyThenReply,
        "it is the client's here, and nowhere else"
    );
    world.flush(0);
    world.follows = false;
    assert_eq!(world.step(0, &select(2, FIRST), 0, 0).kind(), MessageType::Nak);
    for asked in [FIRST, SECOND] {
        let discover = Ask::new(MessageType::Discover, 2).requested(asked);
        assert_eq!(world.step(0, &discover, 0, 0).address(), SECOND);
    }
    assert_eq!(bind(&mut world, 2, SECOND), 600);
}

#[test]
fn a_failover_brings_nobody_back_to_an_address_that_another_has() {
    let mut world = world(&["10.0.1.0"]);
    bind(&mut world, 1, FIRST);
    world.replicate();
    world.pass(3601);
    world.delivered.clear();
    world.step(0, &select(2, FIRST), 0, 0);
    world.flush(0);
    world.fail_over();
    assert!(world.delivered.is_empty());
    take_over(&mut world);
    let ack = world.step(1, &renew(1, FIRST), 0, 0);
    assert_eq!(
        ack.kind(),
        MessageType::Ack,
        "it has it still, by the only row there is"
    );
}

#[test]
fn without_a_standby_that_follows_new_addresses_are_given_and_used_ones_are_not() {
    let mut world = world(&["10.0.1.0-10.0.1.1"]);
    bind(&mut world, 1, FIRST);
    world.replicate();
    world.pass(3601);
    world.follows = false;
    assert_eq!(world.step(0, &select(2, FIRST), 0, 0).kind(), MessageType::Nak);
    assert_eq!(world.reason(0), "nak_no_copy");
    let mut full = world_of_one(1);
    full.follows = false;
    assert_eq!(
        full.step(0, &Ask::new(MessageType::Discover, 2), 0, 0).verdict,
        Verdict::Silent
    );
    let offer = world.step(0, &Ask::new(MessageType::Discover, 2), 0, 0);
    assert_eq!(offer.address(), SECOND);
    assert_eq!(bind(&mut world, 2, SECOND), 600);
    let own = world.step(0, &select(1, FIRST), 0, 0);
    assert_eq!(
        (own.verdict, own.lease()),
        (Verdict::CommitThenReply, 600),
        "its own"
    );
}

#[test]
fn what_was_read_at_a_takeover_counts_once_the_standby_has_it() {
    let mut world = world(&["10.0.1.0-10.0.1.9"]);
    bind(&mut world, 1, FIRST);
    take_over(&mut world);
    let ack = world.step(1, &renew(1, FIRST), 0, 0);
    assert_eq!(ack.lease(), 600, "the row was read, and is on one disk");
    world.flush(1);
    world.replicate();
    world.pass(1);
    let ack = world.step(1, &renew(1, FIRST), 0, 0);
    assert_eq!(ack.lease(), 3600);
}

#[test]
fn an_owner_that_lives_says_again_what_a_failover_has_lost() {
    let mut world = world(&["10.0.1.0-10.0.1.9"]);
    bind(&mut world, 1, FIRST);
    world.fail_over();
    assert_eq!(world.store.leases().count(), 0);
    world.time += 1;
    let ack = world.step(0, &renew(1, FIRST), 0, 0);
    assert_eq!((ack.verdict, ack.lease()), (Verdict::WriteThenReply, 600));
    world.pass(1);
    assert_eq!(world.store.leases().count(), 1);
    assert_eq!(world.nodes[0].engine.held().len(), 1, "without a break");
    take_over(&mut world);
    let ack = world.step(1, &renew(1, FIRST), 0, 0);
    assert_eq!(ack.verdict, Verdict::WriteThenReply, "its row is there");
    assert_ne!(world.dora(1, 2), Some(FIRST));
}

#[test]
fn what_a_failover_has_lost_with_its_owner_is_left_alone_until_every_promise_has_ended() {
    let mut world = world(&["10.0.1.0"]);
    assert_eq!(bind(&mut world, 1, FIRST), 600);
    world.fail_over();
    take_over(&mut world);
    assert_eq!(world.dora(1, 2), None);
    world.pass(602);
    assert!(world.step(1, &select(2, FIRST), 0, 0).verdict != Verdict::Silent);
}

#[test]
fn in_lead_mode_a_window_counts_once_the_standby_has_it() {
    let mut lead = settings(&["10.0.1.0-10.0.1.9"]);
    lead.ack = AckMode::Lead;
    let mut world = World::new(&lead);
    world.standby = true;
    assert!(world.take(0, Slot::of_address(FIRST)));
    bind(&mut world, 1, FIRST);
    world.pass(1);
    let verdict = |world: &mut World, n| {
        world
            .step(0, &select(n, Ipv4Addr::new(10, 0, 1, n)), 0, 0)
            .verdict
    };
    assert_eq!(verdict(&mut world, 2), Verdict::CommitThenReply);
    world.flush(0);
    world.replicate();
    assert_eq!(verdict(&mut world, 3), Verdict::WriteThenReply);
}
