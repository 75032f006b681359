//! What is kept: plans that change, listings, decisions.

use super::conversation::{Ask, Link, SERVER, mac, network, settings};
use crate::Plan;
use crate::step::Verdict;
use crate::view::{LeaseQuery, LeaseState};
use purlin_dhcp_proto::{MessageType, code};
use std::net::Ipv4Addr;

#[test]
fn a_subnet_that_goes_and_comes_back_keeps_its_leases() {
    let with = settings(&["10.0.1.0-10.0.1.9"]);
    let mut without = with.clone();
    without.networks = vec![network("other", "10.7.0.0/16", &["10.7.1.0-10.7.1.9"])];
    let mut link = Link::new(&with);
    link.dora(1);
    for settings in [&without, &with] {
        let plan = Plan::compile(settings, Some(link.engine.plan()));
        link.engine.apply(plan, &link.now);
    }
    let ack = link.send(&Ask::new(MessageType::Request, 1).ciaddr(Ipv4Addr::new(10, 0, 1, 0)));
    assert_eq!(
        (ack.kind(), ack.verdict),
        (MessageType::Ack, Verdict::WriteThenReply)
    );
}

#[test]
fn a_renamed_network_keeps_its_leases() {
    let before = settings(&["10.0.1.0-10.0.1.9"]);
    let mut after = before.clone();
    after.networks[0].name = "renamed".into();
    let mut link = Link::new(&before);
    link.dora(1);
    let plan = Plan::compile(&after, Some(link.engine.plan()));
    link.engine.apply(plan, &link.now);
    assert_eq!(link.engine.usage(&link.now)[0].bound, 1);
}

#[test]
fn listings_page_through_everything_once_in_order() {
    let mut settings = settings(&["10.0.1.0-10.0.1.99"]);
    settings
        .networks
        .push(network("other", "10.7.0.0/16", &["10.7.1.0-10.7.1.9"]));
    let mut link = Link::new(&settings);
    (1..=50).for_each(|n| drop(link.dora(n)));
    for n in 51..=55 {
        let relay = Ipv4Addr::new(10, 7, 0, 1);
        let offer = link.send(&Ask::new(MessageType::Discover, n).giaddr(relay));
        link.send(
            &Ask::new(MessageType::Request, n)
                .giaddr(relay)
                .requested(offer.address())
                .server(SERVER),
        );
    }
    for (limit, budget) in [(7, 1000), (1000, 3), (1, 1), (1000, 1000)] {
        let mut query = LeaseQuery {
            limit,
            state: Some(LeaseState::Bound),
            ..Default::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = link.engine.leases(&link.now, &query, budget);
            seen.extend(page.leases.iter().map(|l| l.address));
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        assert!(
            seen.is_sorted() && seen.len() == 55,
            "{limit} {budget}: {}",
            seen.len()
        );
    }
}

#[test]
fn a_lease_is_found_by_part_of_anything() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.99"]));
    (1..=20).for_each(|n| drop(link.dora(n)));
    let offer = link.send(&Ask::new(MessageType::Discover, 77));
    let ask = Ask::new(MessageType::Request, 77)
        .requested(offer.address())
        .server(SERVER)
        .with(code::HOST_NAME, *b"Printer-7");
    link.send(&ask.with(code::RELAY_AGENT, *b"\x01\x05eth42"));
    for text in [
        "printer",
        "ETH42",
        "02:00:00:00:00:4d",
        "00:4d",
        "10.0.1.20",
        "65:74:68",
    ] {
        let query = LeaseQuery {
            text: text.into(),
            limit: 10,
            ..Default::default()
        };
        let found = link.engine.leases(&link.now, &query, 1000).leases;
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].mac.0, mac(77));
    }
}
