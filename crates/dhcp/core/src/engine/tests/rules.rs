//! The safety rules R0-R7 of one node: each test fails when its rule is taken out.

use super::conversation::{Ask, Link, SERVER, settings};
use crate::settings::AckMode;
use crate::step::Verdict;
use purlin_dhcp_proto::MessageType;
use purlin_types::{BootTime, Epoch, Tenure, WallTime};
use std::net::Ipv4Addr;
use std::time::Duration;

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);

fn lead(pools: &[&str]) -> crate::settings::Settings {
    let mut settings = settings(pools);
    settings.ack = AckMode::Lead;
    settings
}

/// Fills the lead window's preconditions: its record is written by the first binding and then durable.
fn warm(link: &mut Link) {
    link.log.durable = WallTime(u64::MAX);
    link.dora(200);
    link.pass(1);
}

#[test]
fn r0_a_node_without_tenure_is_silent() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    link.tenure = Tenure {
        valid_until: BootTime(1),
        epoch: Epoch::default(),
    };
    assert_eq!(
        link.send(&Ask::new(MessageType::Discover, 1)).verdict,
        Verdict::Silent
    );
    assert_eq!(link.reason(), "tenure_ended");
}

#[test]
fn r1_a_steady_renewal_never_waits_and_gets_the_full_lease() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    link.dora(1);
    link.pass(1800);
    let ack = link.send(&Ask::new(MessageType::Request, 1).ciaddr(FIRST));
    assert_eq!((ack.verdict, ack.lease()), (Verdict::WriteThenReply, 3600));
}

#[test]
fn r1_a_renewal_beyond_what_is_durable_waits_or_promises_less() {
    // The last record is not known to be durable, so only the client lead time is free.
    let mut durable = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    durable.dora(1);
    durable.log.durable = WallTime(0);
    let ack = durable.send(&Ask::new(MessageType::Request, 1).ciaddr(FIRST));
    assert_eq!((ack.verdict, ack.lease()), (Verdict::CommitThenReply, 3600));

    let mut ahead = Link::new(&lead(&["10.0.1.0-10.0.1.9"]));
    ahead.dora(1);
    ahead.send(&Ask::new(MessageType::Request, 1).ciaddr(FIRST));
    ahead.log.durable = WallTime(0);
    let ack = ahead.send(&Ask::new(MessageType::Request, 1).ciaddr(FIRST));
    assert_eq!((ack.verdict, ack.lease()), (Verdict::WriteThenReply, 600));
}

#[test]
fn r2_a_first_binding_waits_for_its_record() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    assert_eq!(link.dora(1).verdict, Verdict::CommitThenReply);
    assert_eq!(link.journal.len(), 1);
}

#[test]
fn r2_lead_mode_answers_ahead_only_inside_its_durable_window() {
    let mut link = Link::new(&lead(&["10.0.1.0-10.0.1.9"]));
    link.log.durable = WallTime(0);
    let first = link.dora(1);
    assert_eq!(
        (first.verdict, first.lease()),
        (Verdict::CommitThenReply, 3600),
        "no window yet"
    );
    link.pass(1);
    assert_eq!(
        link.dora(2).verdict,
        Verdict::CommitThenReply,
        "the window's record is not durable"
    );
    link.log.durable = link.now.wall;
    let third = link.dora(3);
    assert_eq!((third.verdict, third.lease()), (Verdict::WriteThenReply, 600));
}

#[test]
fn r2_who_asks_again_before_the_first_record_is_durable_waits_for_it_too() {
    let mut link = Link::new(&lead(&["10.0.1.0-10.0.1.9"]));
    link.log.durable = WallTime(0);
    for _ in 0..3 {
        let ack = link.dora(1);
        assert_eq!((ack.verdict, ack.lease()), (Verdict::CommitThenReply, 3600));
        link.pass(1);
    }
    link.log.durable = link.now.wall;
    let ack = link.send(&Ask::new(MessageType::Request, 1).ciaddr(FIRST));
    assert_eq!(ack.verdict, Verdict::WriteThenReply);
}

#[test]
fn r3_an_address_that_changes_client_waits_even_in_lead_mode() {
    let mut link = Link::new(&lead(&["10.0.1.0-10.0.1.1"]));
    warm(&mut link);
    assert_eq!(link.dora(1).verdict, Verdict::WriteThenReply);
    link.pass(20_000);
    let ack = link.dora(2);
    assert_eq!((ack.verdict, ack.lease()), (Verdict::CommitThenReply, 3600));
}

#[test]
fn r3_after_an_unclean_start_a_promise_is_assumed_as_long_as_it_may_have_been() {
    let settings = settings(&["10.0.1.0"]);
    let mut link = Link::new(&settings);
    link.dora(1);
    link.restart(&settings, 1, false);
    // The record says 3600 s; a renewal that was lost may have promised until its bound plus the lead time.
    link.pass(3601);
    assert_eq!(
        link.send(&Ask::new(MessageType::Discover, 2)).verdict,
        Verdict::Silent
    );
    link.pass(5400 + 600 - 3600);
    assert_eq!(link.dora(2).address(), FIRST);
}

#[test]
fn r3_after_a_clean_start_the_recorded_end_counts() {
    let settings = settings(&["10.0.1.0"]);
    let mut link = Link::new(&settings);
    link.dora(1);
    link.restart(&settings, 1, true);
    link.pass(3601);
    assert_eq!(link.dora(2).address(), FIRST);
}

#[test]
fn r3_after_an_unclean_start_what_is_on_offer_to_its_client_is_not_offered_to_others() {
    let settings = settings(&["10.0.1.0"]);
    let mut link = Link::new(&settings);
    let address = link.dora(1).address();
    link.restart(&settings, usize::MAX, false);
    link.pass(3601);
    let offer = link.send(&Ask::new(MessageType::Discover, 1));
    assert_eq!(offer.address(), address, "it may have renewed it");
    let other = link.send(&Ask::new(MessageType::Discover, 2));
    assert_eq!(
        (other.verdict, link.reason()),
        (Verdict::Silent, "pool_exhausted")
    );
    let mine = Ask::new(MessageType::Request, 1)
        .requested(address)
        .server(SERVER);
    assert_eq!(link.send(&mine).kind(), MessageType::Ack);
}

#[test]
fn r4_unrecorded_addresses_of_the_window_are_left_alone_after_an_unclean_start() {
    let settings = lead(&["10.0.1.0-10.0.1.9"]);
    let mut link = Link::new(&settings);
    warm(&mut link);
    let written = link.journal.len();
    let lost = link.dora(1);
    assert_eq!(lost.verdict, Verdict::WriteThenReply);
    // Power fails before the record of the second binding reaches the disk.
    link.restart(&settings, written, false);
    let stranger = link.send(&Ask::new(MessageType::Discover, 2));
    assert_eq!(
        stranger.verdict,
        Verdict::Silent,
        "the whole pool is inside the window"
    );
    let owner = link.send(&Ask::new(MessageType::Request, 1).requested(lost.address()));
    assert_eq!(owner.verdict, Verdict::Silent, "the owner is not refused");
    assert_eq!(link.reason(), "quarantine");
    link.pass(601);
    assert_eq!(link.dora(2).address(), lost.address());
}

#[test]
fn r5_a_release_is_written_before_the_address_is_given_again() {
    let settings = settings(&["10.0.1.0"]);
    let mut link = Link::new(&settings);
    link.dora(1);
    let ack = link.send(&Ask::new(MessageType::Release, 1).ciaddr(FIRST));
    assert_eq!(ack.verdict, Verdict::Commit);
    assert_eq!(link.dora(2).address(), FIRST);
    assert_eq!(link.journal.len(), 3, "binding, release, binding: in this order");
    link.restart(&settings, 2, false);
    assert_eq!(link.dora(2).address(), FIRST);
}

#[test]
fn r5_a_decline_outlives_a_restart() {
    let settings = settings(&["10.0.1.0-10.0.1.1"]);
    let mut link = Link::new(&settings);
    link.dora(1);
    let declined = link.send(&Ask::new(MessageType::Decline, 1).requested(FIRST));
    assert_eq!(declined.verdict, Verdict::Commit);
    link.restart(&settings, 2, false);
    assert_eq!(link.dora(1).address(), Ipv4Addr::new(10, 0, 1, 1));
    link.pass(86_401);
    assert_eq!(link.engine.lease(&link.now, FIRST), None);
}

#[test]
fn r6_an_offer_writes_nothing_and_binds_nobody_after_a_restart() {
    let settings = settings(&["10.0.1.0"]);
    let mut link = Link::new(&settings);
    link.send(&Ask::new(MessageType::Discover, 1));
    assert!(link.journal.is_empty());
    link.restart(&settings, 0, false);
    assert_eq!(link.dora(2).address(), FIRST);
}

#[test]
fn r7_nothing_is_promised_while_the_journal_takes_no_records() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    link.dora(1);
    link.log.writable = false;
    for ask in [
        Ask::new(MessageType::Request, 1).ciaddr(FIRST),
        Ask::new(MessageType::Release, 1).ciaddr(FIRST),
        Ask::new(MessageType::Decline, 1).requested(FIRST),
    ] {
        assert_eq!(link.send(&ask).verdict, Verdict::Silent);
        assert_eq!(link.reason(), "store_unwritable");
    }
    assert_eq!(link.journal.len(), 1);
    link.log.writable = true;
    assert_eq!(
        link.send(&Ask::new(MessageType::Request, 1).ciaddr(FIRST)).kind(),
        MessageType::Ack
    );
}

#[test]
fn every_acknowledged_lease_is_its_owners_after_a_restart() {
    let settings = settings(&["10.0.1.0-10.0.1.199"]);
    let mut link = Link::new(&settings);
    let held: Vec<(u8, Ipv4Addr)> = (1..=100).map(|n| (n, link.dora(n).address())).collect();
    link.restart(&settings, usize::MAX, false);
    for (n, address) in &held {
        let ack = link.send(&Ask::new(MessageType::Request, *n).requested(*address));
        assert_eq!((ack.kind(), ack.address()), (MessageType::Ack, *address));
    }
    for n in 101..=200 {
        let fresh = link.dora(n).address();
        assert!(held.iter().all(|(_, taken)| *taken != fresh));
    }
}

#[test]
fn a_checkpoint_is_as_good_as_the_journal() {
    let settings = settings(&["10.0.1.0-10.0.1.199"]);
    let mut link = Link::new(&settings);
    (1..=100).for_each(|n| drop(link.dora(n)));
    let (mut cursor, mut frames) = (Some(0), Vec::new());
    while let Some(at) = cursor {
        let mut frame = Vec::new();
        cursor = link.engine.checkpoint_chunk(at, 7, &mut frame);
        frames.push(frame);
    }
    let before = link.engine.usage(&link.now);
    link.journal = frames;
    link.restart(&settings, usize::MAX, true);
    assert_eq!(link.engine.usage(&link.now), before);
    assert_eq!(before[0].bound, 100);
}

#[test]
fn an_infinite_lease_never_ends() {
    let mut settings = settings(&["10.0.1.0-10.0.1.1"]);
    settings.scope.lease_time = Some(Duration::from_secs(u64::from(u32::MAX)));
    let mut link = Link::new(&settings);
    assert_eq!(link.dora(1).lease(), u32::MAX);
    link.pass(100_000_000);
    assert_eq!(link.engine.usage(&link.now)[0].bound, 1);
}
