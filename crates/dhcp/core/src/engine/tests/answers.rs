//! What replies carry and where they go, where clients and relays depend on the letter of an RFC.

use super::conversation::{Answer, Ask, Link, RELAY, SERVER, mac, network, reserve, settings};
use crate::settings::{OptionValue, Settings};
use crate::step::{Destination, Verdict};
use crate::view::{DecisionQuery, Told};
use purlin_dhcp_proto::{MessageType, code};
use purlin_types::Mac;
use std::net::{Ipv4Addr, SocketAddrV4};

const NONE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);
const POOL: &[&str] = &["10.0.1.0-10.0.1.9"];

fn discover(n: u8) -> Ask {
    Ask::new(MessageType::Discover, n)
}

fn local(settings: &Settings) -> Link {
    let mut link = Link::new(settings);
    link.interface = Some(0);
    link
}

fn udp(address: Ipv4Addr, port: u16) -> Destination {
    Destination::Udp(SocketAddrV4::new(address, port))
}

fn silent(link: &Link, answer: &Answer, reason: &str) {
    assert_eq!(answer.verdict, Verdict::Silent);
    assert_eq!(link.reason(), reason);
}

/// The newest decision in words.
fn last(link: &Link) -> Told {
    let query = DecisionQuery {
        limit: 1,
        ..DecisionQuery::default()
    };
    link.engine.find_decisions(&query).pop().expect("a decision")
}

#[test]
fn a_malformed_packet_is_told_under_the_address_of_its_sender() {
    let mut link = Link::new(&settings(POOL));
    let good = discover(1).bytes();
    // Behind the message type.
    let mut truncated = good[..243].to_vec();
    truncated.extend_from_slice(&[12, 200, b'x']);
    let with = |at: usize, octet: u8| {
        let mut payload = good.clone();
        payload[at] = octet;
        payload
    };
    for (payload, text) in [
        (
            truncated,
            "option 12 at octet 243 runs over the end of the options",
        ),
        (with(2, 255), "hlen 255 is over 16"),
        (with(0, 9), "op 9 is neither 1 (request) nor 2 (reply)"),
        (good[..44].to_vec(), "44 octets, where the header alone has 236"),
    ] {
        let answer = link.send_bytes(&payload);
        silent(&link, &answer, "malformed");
        let query = DecisionQuery {
            mac: Some(Mac(mac(1))),
            limit: 1,
            ..DecisionQuery::default()
        };
        let told = link
            .engine
            .find_decisions(&query)
            .pop()
            .expect("it is found by its MAC");
        assert_eq!(told.text, format!("malformed packet: {text}"));
        assert_eq!((told.event, told.decision.xid), ("-", 0x77));
        assert_eq!(Ipv4Addr::from(told.decision.with.via), RELAY);
    }
    // What ends before is nobody's.
    link.send_bytes(&good[..43]);
    assert_eq!((last(&link).decision.mac, last(&link).decision.xid), ([0; 6], 0));
}

#[test]
fn a_split_option_82_is_read_and_echoed_as_it_came() {
    let mut settings = settings(POOL);
    settings
        .networks
        .push(network("other", "10.7.0.0/16", &["10.7.1.0-10.7.1.9"]));
    let mut link = Link::new(&settings);
    let mut payload = discover(1).bytes();
    payload.truncate(243);
    payload.extend_from_slice(&[82, 5, 1, 1, b'x', 5, 4, 82, 4, 10, 7, 0, 1, 255]);
    payload.resize(300, 0);
    let offer = link.send_bytes(&payload);
    assert_eq!(
        offer.address(),
        Ipv4Addr::new(10, 7, 1, 0),
        "link selection lies across the cut"
    );
    let message = offer.message();
    let parts: Vec<&[u8]> = message.options().filter(|o| o.0 == 82).map(|o| o.1).collect();
    assert_eq!(parts, [&[1, 1, b'x', 5, 4][..], &[10, 7, 0, 1][..]]);
}

#[test]
fn a_selected_subnet_is_sent_back() {
    let mut link = Link::new(&settings(POOL));
    let select = |ask: Ask| ask.with(code::SUBNET_SELECTION, [10, 0, 0, 0]);
    let offer = link.send(&select(discover(1)));
    assert_eq!(
        offer.message().subnet_selection(),
        Some(Ipv4Addr::new(10, 0, 0, 0))
    );
    let wrong = Ask::new(MessageType::Request, 1).requested(Ipv4Addr::new(192, 168, 0, 1));
    let nak = link.send(&select(wrong));
    assert_eq!(nak.kind(), MessageType::Nak);
    assert!(nak.message().subnet_selection().is_some());
}

#[test]
fn what_is_owed_is_sent_before_what_may_find_no_room() {
    let mut settings = settings(POOL);
    let long = |code| OptionValue {
        code,
        data: vec![b'x'; 240],
        always: true,
    };
    settings.scope.options = [150, 151, 152, 153].map(long).to_vec();
    let mut link = Link::new(&settings);
    let offer = link.send(
        &discover(1)
            .with(code::CLIENT_ID, *b"\x00name")
            .with(57, 576u16.to_be_bytes()),
    );
    assert_eq!(offer.message().client_id(), Some(&b"\x00name"[..]));
    assert!(offer.bytes.len() <= 548);
    let told = last(&link);
    assert_eq!(told.slug, "offered_fresh");
    assert!(
        told.text
            .ends_with("; options 151, 152 and 1 more left out: the reply is full (PUR-1305)"),
        "{}",
        told.text
    );
}

#[test]
fn an_inform_is_answered_at_the_address_that_its_client_has() {
    let inform = |ciaddr| Ask::new(MessageType::Inform, 1).ciaddr(ciaddr);
    let mut link = local(&settings(POOL));
    let host = Ipv4Addr::new(10, 0, 3, 3);
    assert_eq!(link.send(&inform(host)).to, udp(host, 68), "past the relay");
    let relayed = link.send(&inform(NONE));
    assert_eq!(relayed.to, udp(Ipv4Addr::new(10, 0, 0, 1), 67));
    assert!(
        relayed.message().broadcast(),
        "the relay knows no address to unicast to"
    );
    let bare = link.send(&inform(NONE).giaddr(NONE));
    assert_eq!(bare.to, udp(Ipv4Addr::new(10, 0, 0, 1), 68), "where it sent from");
}

#[test]
fn no_reply_goes_to_an_address_that_only_the_sender_claims() {
    let mut link = local(&settings(POOL));
    for victim in [
        "203.0.113.7",
        "255.255.255.255",
        "224.0.0.1",
        "10.0.255.255",
        "10.0.0.0",
    ] {
        let victim: Ipv4Addr = victim.parse().unwrap();
        let answer = link.send(&Ask::new(MessageType::Inform, 1).giaddr(NONE).ciaddr(victim));
        silent(&link, &answer, "nak_wrong_network");
        let offer = link.send(&discover(1).giaddr(NONE).ciaddr(victim));
        assert!(matches!(offer.to, Destination::Raw { .. }), "{victim}");
    }
    for relay in [
        "255.255.255.255",
        "224.0.0.1",
        "127.0.0.1",
        "0.1.2.3",
        "240.0.0.1",
        "10.0.255.255",
    ] {
        let ask = discover(1).giaddr(relay.parse().unwrap());
        let answer = link.send(&ask.with(code::SUBNET_SELECTION, [10, 0, 0, 0]));
        silent(&link, &answer, "bad_relay");
    }
}

#[test]
fn a_relay_outside_of_all_subnets_answers_for_its_giaddr_or_is_listed() {
    let away: Ipv4Addr = "192.0.2.1".parse().unwrap();
    let ask = discover(1)
        .giaddr(away)
        .with(code::RELAY_AGENT, [5, 4, 10, 0, 0, 1]);
    let mut known = settings(POOL);
    let mut link = Link::new(&known);
    let answer = link.send(&ask);
    silent(&link, &answer, "bad_relay");
    link.source = away;
    assert_eq!(link.send(&ask).to, udp(away, 67));
    known.networks[0].subnets[0].relays = vec!["192.0.2.1".parse().unwrap()];
    assert_eq!(Link::new(&known).send(&ask).to, udp(away, 67));
}

#[test]
fn a_frame_goes_to_one_station_or_to_all() {
    let mut link = local(&settings(POOL));
    for hardware in [[0; 6], [0xff; 6], [1, 0, 0x5e, 0, 0, 1]] {
        let mut payload = discover(1).giaddr(NONE).bytes();
        payload[28..34].copy_from_slice(&hardware);
        let offer = link.send_bytes(&payload);
        assert_eq!(offer.to, Destination::Broadcast { interface: 0 });
    }
}

#[test]
fn a_broadcast_rebinding_on_a_wrong_segment_is_refused() {
    let mut settings = settings(POOL);
    settings
        .networks
        .push(network("other", "10.7.0.0/16", &["10.7.1.0-10.7.1.9"]));
    let mut link = local(&settings);
    let rebind = Ask::new(MessageType::Request, 1)
        .giaddr(NONE)
        .ciaddr(Ipv4Addr::new(10, 7, 1, 0));
    let nak = link.send(&rebind);
    assert_eq!(
        (nak.kind(), nak.to),
        (MessageType::Nak, Destination::Broadcast { interface: 0 })
    );
    assert_eq!(link.reason(), "nak_wrong_network");
    link.unicast = true;
    link.send(&rebind);
    assert_eq!(link.reason(), "adopted", "by unicast it may come from anywhere");
}

#[test]
fn a_server_that_is_not_the_authority_refuses_only_its_own_clients() {
    let mut settings = settings(POOL);
    settings.authoritative = false;
    let mut link = Link::new(&settings);
    let reboot = |n| Ask::new(MessageType::Request, n).requested(Ipv4Addr::new(10, 0, 1, 5));
    let answer = link.send(&reboot(1));
    silent(&link, &answer, "unknown_client");
    link.dora(1);
    assert_eq!(
        link.send(&reboot(1)).kind(),
        MessageType::Nak,
        "its lease is another"
    );
    let chosen = Ask::new(MessageType::Request, 2).requested(FIRST).server(SERVER);
    assert_eq!(
        link.send(&chosen).kind(),
        MessageType::Nak,
        "it waits for this server's word"
    );
}

#[test]
fn an_unknown_message_type_is_no_bootp() {
    let mut settings = settings(POOL);
    settings.bootp = true;
    let mut link = Link::new(&settings);
    for (value, slug, text) in [
        (&[99][..], "unsupported_type", "message type 99 is not served"),
        (&[0][..], "unsupported_type", "message type 0 is not served"),
        (
            &[1, 1][..],
            "malformed",
            "malformed packet: option 53 (message type) has 2 octets, not 1",
        ),
    ] {
        let mut ask = discover(1).with(code::MESSAGE_TYPE, value);
        ask.kind = None;
        let answer = link.send(&ask);
        silent(&link, &answer, slug);
        let told = last(&link);
        assert_eq!((told.event, told.text.as_str()), ("-", text));
    }
}

#[test]
fn a_client_of_a_former_server_keeps_what_nobody_else_claims() {
    let mut link = Link::new(&settings(POOL));
    let held = Ipv4Addr::new(10, 0, 1, 5);
    let renewal = |n, address| Ask::new(MessageType::Request, n).ciaddr(address);
    let ack = link.send(&renewal(1, held));
    assert_eq!(
        (ack.kind(), ack.verdict),
        (MessageType::Ack, Verdict::CommitThenReply)
    );
    assert_eq!(link.reason(), "adopted");
    assert_eq!(link.send(&renewal(2, held)).kind(), MessageType::Nak);
    assert_eq!(link.reason(), "nak_taken");
    link.send(&Ask::new(MessageType::Release, 1).ciaddr(held));
    assert_eq!(
        link.send(&renewal(2, held)).kind(),
        MessageType::Nak,
        "its last client may come back"
    );
    let outside = Ipv4Addr::new(10, 0, 9, 9);
    assert_eq!(link.send(&renewal(2, outside)).kind(), MessageType::Nak);
    let reboot = Ask::new(MessageType::Request, 2).requested(Ipv4Addr::new(10, 0, 1, 6));
    assert_eq!(
        link.send(&reboot).kind(),
        MessageType::Nak,
        "it does not use it yet"
    );
}

#[test]
fn a_client_has_one_lease_on_its_network() {
    let mut before = settings(POOL);
    let mut link = Link::new(&before);
    link.dora(1);
    reserve(&mut before, 1, "10.0.5.5");
    let plan = crate::Plan::compile(&before, Some(link.engine.plan()));
    link.engine.apply(plan, &link.now);
    link.send(&discover(1));
    link.pass(31);
    // The offer of the reserved address was not taken up: the old lease is still found and still held.
    assert_eq!(link.engine.usage(&link.now)[0].bound, 1);
    assert_eq!(link.dora(1).address(), Ipv4Addr::new(10, 0, 5, 5));
    let usage = &link.engine.usage(&link.now)[0];
    assert_eq!((usage.bound, usage.reusable, usage.reserved), (1, 1, 1));
    link.restart(&before, usize::MAX, true);
    assert_eq!(link.engine.usage(&link.now)[0].bound, 1);
    assert_eq!(
        link.engine
            .lease(&link.now, Ipv4Addr::new(10, 0, 5, 5))
            .unwrap()
            .mac
            .0,
        mac(1)
    );
}
