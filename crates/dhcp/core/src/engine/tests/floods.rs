//! Clients that lie in bulk: offers nobody takes up, declines without end, releases for others.

use super::conversation::{Ask, Link, SERVER, settings};
use crate::step::Verdict;
use crate::view::LeaseState;
use purlin_dhcp_proto::{MessageType, code};
use std::net::Ipv4Addr;

const POOL: &[&str] = &["10.0.1.0-10.0.1.99"];

/// A DISCOVER of one of many made-up clients.
fn flood(link: &mut Link, from: u32, count: u32) {
    for n in from..from + count {
        let mut payload = Ask::new(MessageType::Discover, 1).bytes();
        payload[30..34].copy_from_slice(&n.to_be_bytes());
        link.send_bytes(&payload);
    }
}

#[test]
fn offers_that_nobody_takes_up_keep_no_client_away() {
    let mut link = Link::new(&settings(POOL));
    flood(&mut link, 1000, 5000);
    let offer = link.send(&Ask::new(MessageType::Discover, 1));
    assert_eq!(link.reason(), "offered_contested");
    // The flood goes on between offer and request, over the whole pool and more.
    flood(&mut link, 10_000, 300);
    let mine = Ask::new(MessageType::Request, 1)
        .requested(offer.address())
        .server(SERVER);
    assert_eq!(link.send(&mine).kind(), MessageType::Ack);
    let late = Ask::new(MessageType::Request, 2)
        .requested(offer.address())
        .server(SERVER);
    assert_eq!(
        link.send(&late).kind(),
        MessageType::Nak,
        "first come, first served"
    );
    link.pass(31);
    let usage = &link.engine.usage(&link.now)[0];
    assert_eq!((usage.bound, usage.offered), (1, 0));
}

#[test]
fn leases_are_never_taken_back_for_offers() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.3"]));
    (1..=4).for_each(|n| drop(link.dora(n)));
    flood(&mut link, 1000, 50);
    assert_eq!(link.reason(), "pool_exhausted");
    assert_eq!(link.engine.usage(&link.now)[0].bound, 4);
}

#[test]
fn a_client_that_finds_every_address_in_use_does_not_empty_the_pool() {
    let mut link = Link::new(&settings(POOL));
    for _ in 0..60 {
        let address = link.dora(1).address();
        link.send(&Ask::new(MessageType::Decline, 1).requested(address));
    }
    assert_eq!(link.reason(), "declined_too_often");
    assert_eq!(link.engine.usage(&link.now)[0].declined, 8);
}

#[test]
fn only_a_lease_can_be_declined() {
    let mut link = Link::new(&settings(POOL));
    let offer = link.send(&Ask::new(MessageType::Discover, 1));
    link.send(&Ask::new(MessageType::Decline, 1).requested(offer.address()));
    assert_eq!(link.reason(), "not_ours_to_decline");
}

#[test]
fn when_half_a_subnet_is_declined_the_rest_comes_back_soon() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    for n in 1..=10 {
        let address = link.dora(n).address();
        link.send(&Ask::new(MessageType::Decline, n).requested(address));
    }
    assert_eq!(link.engine.usage(&link.now)[0].declined, 10);
    link.pass(601);
    assert_eq!(link.engine.usage(&link.now)[0].declined, 5);
}

#[test]
fn nobody_gives_back_what_is_anothers() {
    let mut link = Link::new(&settings(POOL));
    let address = link.dora(1).address();
    for kind in [MessageType::Release, MessageType::Decline] {
        link.send(&Ask::new(kind, 2).ciaddr(address).requested(address));
    }
    let with_id = Ask::new(MessageType::Release, 1)
        .ciaddr(address)
        .with(code::CLIENT_ID, *b"\x00other");
    link.send(&with_id);
    assert_eq!(
        link.engine.lease(&link.now, address).unwrap().state,
        LeaseState::Bound
    );
}

#[test]
fn taking_and_leaving_one_offer_for_ever_costs_no_memory() {
    let mut link = Link::new(&settings(POOL));
    let wanted = Ipv4Addr::new(10, 0, 1, 50);
    let other = Ipv4Addr::new(10, 0, 0, 99);
    for _ in 0..1000 {
        link.send(&Ask::new(MessageType::Discover, 1).requested(wanted));
        link.send(&Ask::new(MessageType::Request, 1).requested(wanted).server(other));
    }
    let (lapsed, offered) = link.engine.waiting();
    assert!(
        lapsed == 1 && offered <= 100,
        "no more than the pool has: {lapsed}, {offered}"
    );
    assert_eq!(
        link.send(&Ask::new(MessageType::Discover, 2)).verdict,
        Verdict::Reply
    );
}
