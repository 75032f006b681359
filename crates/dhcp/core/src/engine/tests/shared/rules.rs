//! The safety rules R0-R7 among several nodes: each test fails when its rule is taken out.

use super::super::conversation::{Ask, SERVER, settings};
use super::world::World;
use crate::settings::{AckMode, Settings};
use crate::step::Verdict;
use purlin_dhcp_proto::MessageType;
use purlin_types::Slot;
use std::net::Ipv4Addr;
use std::time::Duration;

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);

fn lead(pools: &[&str]) -> Settings {
    let mut settings = settings(pools);
    settings.ack = AckMode::Lead;
    settings
}

fn discover(n: u8) -> Ask {
    Ask::new(MessageType::Discover, n)
}

fn renew(n: u8, address: Ipv4Addr) -> Ask {
    Ask::new(MessageType::Request, n).ciaddr(address)
}

fn select(n: u8, address: Ipv4Addr) -> Ask {
    Ask::new(MessageType::Request, n)
        .requested(address)
        .server(SERVER)
}

/// Node 0 dies, and node 1 takes its slots over as early as it may.
fn take_over(world: &mut World) {
    world.crash(0);
    world.pass(16);
    for slot in world.slots() {
        assert!(world.take(1, slot));
    }
}

/// One block that node 0 holds.
fn one_block(settings: &Settings) -> World {
    let mut world = World::new(settings);
    for slot in world.slots() {
        assert!(world.take(0, slot));
    }
    world
}

#[test]
fn r0_a_slot_is_decided_about_by_its_holder_while_its_tenure_lasts() {
    let mut world = one_block(&settings(&["10.0.1.0-10.0.1.9"]));
    let slot = Slot::of_address(FIRST);
    let elsewhere = Verdict::Forward { slot, attempt: 1 };
    assert_eq!(world.step(1, &discover(1), 0, 0).verdict, elsewhere);
    assert_eq!(world.step(0, &discover(1), 0, 0).verdict, Verdict::Reply);
    world.time += 14;
    assert_eq!(world.step(0, &discover(1), 0, 0).verdict, Verdict::Silent);
    assert_eq!(world.reason(0), "tenure_ended");
    world.pass(0);
    assert_eq!(world.step(0, &discover(1), 0, 0).verdict, Verdict::Reply);
    world.nodes[0].engine.resign(slot);
    assert_eq!(world.step(0, &select(1, FIRST), 0, 0).verdict, elsewhere);
}

#[test]
fn r1_a_known_client_is_renewed_at_once_by_whoever_takes_over() {
    let mut world = one_block(&settings(&["10.0.1.0-10.0.1.9"]));
    assert_eq!(world.dora(0, 1), Some(FIRST));
    take_over(&mut world);
    let ack = world.step(1, &renew(1, FIRST), 0, 0);
    assert_eq!((ack.verdict, ack.lease()), (Verdict::WriteThenReply, 3600));
}

#[test]
fn r1_no_more_is_promised_ahead_than_the_stored_row_allows() {
    // Recorded at 0 s: no promise beyond 5400 + 600 s before there is another row.
    let mut world = one_block(&lead(&["10.0.1.0-10.0.1.9"]));
    assert_eq!(world.dora(0, 1), Some(FIRST));
    world.pass(3000);
    take_over(&mut world);
    let ack = world.step(1, &renew(1, FIRST), 0, 0);
    let left = 5400 + 600 - 3000 - 16;
    assert_eq!((ack.verdict, ack.lease()), (Verdict::WriteThenReply, left));
    let again = world.step(1, &renew(1, FIRST), 0, 0);
    assert_eq!(again.lease(), 600, "the row of the renewal is not in the store");
}

#[test]
fn r2_a_first_binding_waits_for_its_row() {
    let mut world = one_block(&settings(&["10.0.1.0-10.0.1.9"]));
    let ack = world.step(0, &select(1, FIRST), 0, 0);
    assert_eq!(ack.verdict, Verdict::CommitThenReply);
    assert!(world.delivered.is_empty());
    world.flush(0);
    assert_eq!(world.delivered.len(), 1);
}

#[test]
fn r2_lead_mode_answers_ahead_only_in_blocks_whose_window_is_stored() {
    let mut world = one_block(&lead(&["10.0.1.0-10.0.1.255"]));
    let address = |n| Ipv4Addr::new(10, 0, 1, n);
    let verdict = |world: &mut World, n: u8| world.step(0, &select(n, address(n)), 0, 0).verdict;
    assert_eq!(verdict(&mut world, 1), Verdict::CommitThenReply, "no window yet");
    world.pass(1);
    assert_eq!(verdict(&mut world, 2), Verdict::CommitThenReply, "not stored yet");
    world.flush(0);
    let third = world.step(0, &select(3, address(3)), 0, 0);
    assert_eq!((third.verdict, third.lease()), (Verdict::WriteThenReply, 600));
    assert_eq!(verdict(&mut world, 64), Verdict::CommitThenReply, "another block");
}

/// By the row it has ended; its client may have renewed it at the dead node. That it is offered to that one makes it
/// nobody else's.
#[test]
fn r3_an_inherited_address_that_is_on_offer_to_its_client_is_not_offered_to_others() {
    let mut world = one_block(&settings(&["10.0.1.0"]));
    assert_eq!(world.dora(0, 1), Some(FIRST));
    take_over(&mut world);
    world.pass(3601);
    assert_eq!(world.step(1, &discover(1), 0, 0).address(), FIRST);
    assert_eq!(world.step(1, &discover(2), 0, 0).verdict, Verdict::Silent);
    assert_eq!(world.select(1, 2, FIRST), None);
    assert_eq!(world.select(1, 1, FIRST), Some(FIRST));
}

#[test]
fn r3_an_inherited_address_changes_client_only_after_all_that_was_promised() {
    let mut world = one_block(&settings(&["10.0.1.0"]));
    assert_eq!(world.dora(0, 1), Some(FIRST));
    let bound = world.time;
    take_over(&mut world);
    world.pass(3601);
    assert_eq!(
        world.dora(1, 2),
        None,
        "a renewal may have got lost with the node"
    );
    world.pass(bound + 5400 + 600 - world.time);
    assert_eq!(world.dora(1, 2), None);
    world.pass(1);
    assert_eq!(world.dora(1, 2), Some(FIRST));
    world.pass(3601);
    assert_eq!(world.dora(1, 3), Some(FIRST), "its own promises a node knows");
}

#[test]
fn r3_what_was_given_back_before_a_takeover_waits_too() {
    let mut world = one_block(&settings(&["10.0.1.0"]));
    assert_eq!(world.dora(0, 1), Some(FIRST));
    world.step(0, &Ask::new(MessageType::Release, 1).ciaddr(FIRST), 0, 0);
    world.flush(0);
    world.pass(20_000);
    take_over(&mut world);
    world.pass(600);
    for ask in [discover(2), select(2, FIRST)] {
        assert_ne!(world.step(1, &ask, 0, 0).verdict, Verdict::CommitThenReply);
    }
    assert_eq!(world.dora(1, 2), None);
    world.pass(1);
    assert_eq!(world.dora(1, 2), Some(FIRST));
}

#[test]
fn r4_unrecorded_addresses_of_a_window_are_left_alone_and_others_are_free() {
    let mut world = one_block(&lead(&["10.0.1.0-10.0.1.1", "10.0.1.64-10.0.1.65"]));
    // The first binding writes the window, the second leads and is lost with the node.
    assert_eq!(world.select(0, 1, FIRST), Some(FIRST));
    world.pass(1);
    let lost = Ipv4Addr::new(10, 0, 1, 1);
    assert_eq!(
        world.step(0, &select(2, lost), 0, 0).verdict,
        Verdict::WriteThenReply
    );
    take_over(&mut world);
    assert_eq!(world.step(1, &renew(2, lost), 0, 0).verdict, Verdict::Silent);
    assert_eq!(world.reason(1), "quarantine");
    let wanted = world.step(1, &discover(6).requested(lost), 0, 0);
    assert_ne!(wanted.address(), lost);
    world.pass(31);
    for n in 3..=4 {
        let given = world.dora(1, n).expect("the other block has no window");
        assert_eq!(given.octets()[3] & 64, 64);
    }
    assert_eq!(world.dora(1, 5), None);
    world.pass(572);
    assert_eq!(world.dora(1, 5), Some(lost));
}

#[test]
fn r4_a_promise_whose_row_is_refused_is_known_to_the_next_holder() {
    let mut world = World::new(&lead(&["10.0.1.0", "10.0.1.64-10.0.1.65"]));
    let (wanted, beside) = (Ipv4Addr::new(10, 0, 1, 64), Ipv4Addr::new(10, 0, 1, 65));
    let (first, slot) = (Slot::of_address(FIRST), Slot::of_address(wanted));
    assert!(world.take(0, first) && world.take(1, slot));
    assert_eq!(world.select(0, 1, FIRST), Some(FIRST));
    assert_eq!(world.select(1, 2, beside), Some(beside), "this writes the window");
    world.pass(1);
    let ahead = world.step(1, &select(1, wanted), 0, 0);
    assert_eq!((ahead.verdict, ahead.lease()), (Verdict::WriteThenReply, 600));
    world.flush(1);
    world.hand_over(slot, 2);
    assert_eq!(world.holder(slot), Some(2));
    assert_eq!(world.select(2, 3, wanted), None);
    assert_eq!(world.step(2, &renew(1, wanted), 0, 0).kind(), MessageType::Ack);
}

#[test]
fn r4_the_doubt_outlives_another_takeover() {
    let mut world = one_block(&lead(&["10.0.1.0-10.0.1.1"]));
    assert_eq!(world.select(0, 1, FIRST), Some(FIRST));
    take_over(&mut world);
    world.pass(100);
    let slot = Slot::of_address(FIRST);
    world.hand_over(slot, 2);
    assert_eq!(world.holder(slot), Some(2));
    assert_eq!(world.dora(2, 2), None);
    world.pass(502);
    assert_eq!(world.dora(2, 2), Some(Ipv4Addr::new(10, 0, 1, 1)));
}

#[test]
fn r4_a_store_that_may_have_lost_rows_leaves_every_unrecorded_address_in_doubt() {
    let mut world = one_block(&settings(&["10.0.1.0-10.0.1.1"]));
    assert_eq!(world.dora(0, 1), Some(FIRST));
    let (now, until) = (world.now(0), world.now(0).boot.plus_millis(600_000));
    let slot = Slot::of_address(FIRST);
    world.nodes[0].engine.distrust(&now, slot, until);
    assert_eq!(world.dora(0, 2), None);
    assert_eq!(world.step(0, &renew(1, FIRST), 0, 0).kind(), MessageType::Ack);
    world.pass(602);
    assert!(world.dora(0, 2).is_some());
}

#[test]
fn r4_a_store_that_may_have_lost_rows_gives_an_ended_lease_back_to_nobody() {
    let mut world = one_block(&settings(&["10.0.1.0-10.0.1.1"]));
    assert_eq!(world.dora(0, 1), Some(FIRST));
    world.flush(0);
    world.pass(3700);
    take_over(&mut world);
    let (now, until) = (world.now(1), world.now(1).boot.plus_millis(600_000));
    world.nodes[1]
        .engine
        .distrust(&now, Slot::of_address(FIRST), until);
    // Somebody may have it whose row is lost: neither offered, nor taken, nor confirmed.
    assert_eq!(world.step(1, &discover(1), 0, 0).verdict, Verdict::Silent);
    assert_eq!(world.select(1, 1, FIRST), None);
    assert_eq!(world.reason(1), "quarantine");
    let reboot = Ask::new(MessageType::Request, 1).requested(FIRST);
    assert_eq!(world.step(1, &reboot, 0, 0).verdict, Verdict::Silent);
    // Whoever renews has it.
    assert_eq!(world.step(1, &renew(1, FIRST), 0, 0).kind(), MessageType::Ack);
    world.flush(1);
    world.pass(3700);
    world.crash(1);
    world.pass(16);
    assert!(world.take(2, Slot::of_address(FIRST)));
    assert_eq!(
        world.dora(2, 1),
        Some(FIRST),
        "without such a doubt it is its own"
    );
}

#[test]
fn r4_a_store_that_may_have_lost_rows_gives_what_it_calls_free_to_nobody() {
    let mut settings = settings(&["10.0.1.0-10.0.1.0"]);
    settings.decline_hold = Duration::from_secs(60);
    let mut world = one_block(&settings);
    assert_eq!(world.dora(0, 1), Some(FIRST));
    let decline = Ask::new(MessageType::Decline, 1).requested(FIRST);
    assert_eq!(world.step(0, &decline, 0, 0).verdict, Verdict::Commit);
    world.flush(0);
    world.pass(61);
    take_over(&mut world);
    let (now, until) = (world.now(1), world.now(1).boot.plus_millis(600_000));
    let engine = &mut world.nodes[1].engine;
    engine.distrust(&now, Slot::of_address(FIRST), until);
    // Whoever has got it since, by a row that is lost, may have it still.
    assert_eq!(world.dora(1, 2), None);
    for ask in [select(2, FIRST), renew(2, FIRST)] {
        assert_eq!(world.step(1, &ask, 0, 0).verdict, Verdict::Silent);
        assert_eq!(world.reason(1), "quarantine");
    }
    world.pass(602);
    assert_eq!(world.dora(1, 2), Some(FIRST));
}

#[test]
fn r5_what_is_given_back_or_found_in_use_is_so_for_the_next_holder() {
    let mut world = one_block(&settings(&["10.0.1.0-10.0.1.1"]));
    let second = Ipv4Addr::new(10, 0, 1, 1);
    assert_eq!((world.dora(0, 1), world.dora(0, 2)), (Some(FIRST), Some(second)));
    let release = Ask::new(MessageType::Release, 1).ciaddr(FIRST);
    let decline = Ask::new(MessageType::Decline, 2).requested(second);
    assert_eq!(world.step(0, &release, 0, 0).verdict, Verdict::Commit);
    assert_eq!(world.step(0, &decline, 0, 0).verdict, Verdict::Commit);
    world.flush(0);
    take_over(&mut world);
    let states: Vec<&str> = [FIRST, second]
        .into_iter()
        .filter_map(|a| world.nodes[1].engine.lease(&world.now(1), a))
        .map(|lease| lease.state.as_str())
        .collect();
    assert_eq!(states, ["released", "declined"]);
}

#[test]
fn r6_an_offer_is_in_no_row_and_binds_nobody_elsewhere() {
    let mut world = one_block(&settings(&["10.0.1.0"]));
    assert_eq!(world.step(0, &discover(1), 0, 0).verdict, Verdict::Reply);
    world.flush(0);
    assert_eq!(world.store.leases().count(), 0);
    take_over(&mut world);
    assert_eq!(world.dora(1, 2), Some(FIRST));
}

#[test]
fn r7_what_is_written_under_a_former_claim_is_refused_and_its_reply_stays() {
    let mut world = one_block(&settings(&["10.0.1.0-10.0.1.1"]));
    let ack = world.step(0, &select(1, FIRST), 0, 0);
    assert_eq!(ack.verdict, Verdict::CommitThenReply);
    world.nodes[0].paused = true;
    world.pass(16);
    let slot = Slot::of_address(FIRST);
    assert!(world.take(1, slot));
    assert_eq!(world.dora(1, 2), Some(FIRST));
    world.nodes[0].paused = false;
    world.delivered.clear();
    world.flush(0);
    assert!(world.delivered.is_empty());
    assert_eq!(
        (world.nodes[0].engine.epoch(slot), world.store.leases().count()),
        (None, 1)
    );
}
