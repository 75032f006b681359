//! Ordinary service: offers, bindings, options, destinations, refusals.

use super::conversation::{Ask, Link, RELAY, SERVER, mac, network, reserve, settings};
use crate::settings::{BootEntry, ConflictCheck, Limits, OptionValue};
use crate::step::{Destination, Verdict};
use purlin_dhcp_proto::{MessageType, code};
use std::net::{Ipv4Addr, SocketAddrV4};

fn ip(text: &str) -> Ipv4Addr {
    text.parse().expect("an address")
}

#[test]
fn a_client_gets_an_address_and_keeps_it() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.255"]));
    let ack = link.dora(1);
    assert_eq!(ack.verdict, Verdict::CommitThenReply);
    assert_eq!(ack.address(), ip("10.0.1.0"));
    assert_eq!(ack.lease(), 3600);
    assert_eq!(ack.to, Destination::Udp(SocketAddrV4::new(RELAY, 67)));
    assert_eq!(ack.message().server_id(), Some(SERVER));
    link.pass(10_000);
    assert_eq!(
        link.dora(2).address(),
        ip("10.0.1.1"),
        "an ended lease is kept for its client"
    );
    assert_eq!(link.dora(1).address(), ip("10.0.1.0"));
}

#[test]
fn a_pool_of_one_serves_the_next_client_after_the_lease_ended() {
    let mut link = Link::new(&settings(&["10.0.1.7"]));
    link.dora(1);
    let none = link.send(&Ask::new(MessageType::Discover, 2));
    assert_eq!(none.verdict, Verdict::Silent);
    assert_eq!(link.reason(), "pool_exhausted");
    link.pass(3601);
    assert_eq!(link.dora(2).address(), ip("10.0.1.7"));
    let back = link.send(&Ask::new(MessageType::Request, 1).ciaddr(ip("10.0.1.7")));
    assert_eq!(back.kind(), MessageType::Nak);
    assert_eq!(link.reason(), "nak_taken");
}

/// Times are kept in whole seconds, and a client counts from when it sent its request.
#[test]
fn a_lease_ends_no_moment_before_its_client_thinks() {
    let mut link = Link::new(&settings(&["10.0.1.7"]));
    link.now.wall.0 += 900;
    link.dora(1);
    link.pass(3599);
    link.now.wall.0 += 999;
    link.pass(0);
    let early = link.send(&Ask::new(MessageType::Discover, 2));
    assert_eq!(early.verdict, Verdict::Silent);
    // The next whole second.
    link.now.wall.0 += 101;
    link.pass(0);
    assert_eq!(link.dora(2).address(), ip("10.0.1.7"));
}

#[test]
fn an_offer_that_is_not_taken_up_lapses() {
    let mut link = Link::new(&settings(&["10.0.1.7"]));
    link.send(&Ask::new(MessageType::Discover, 1));
    link.pass(31);
    assert_eq!(link.reason(), "offer_lapsed");
    assert_eq!(link.engine.usage(&link.now)[0].offered, 0);
    assert_eq!(link.dora(2).address(), ip("10.0.1.7"));
}

#[test]
fn a_client_that_chose_another_server_frees_our_offer() {
    let mut link = Link::new(&settings(&["10.0.1.7"]));
    link.send(&Ask::new(MessageType::Discover, 1));
    let other = Ask::new(MessageType::Request, 1)
        .requested(ip("10.0.9.9"))
        .server(ip("10.0.0.99"));
    assert_eq!(link.send(&other).verdict, Verdict::Silent);
    assert_eq!(link.reason(), "other_server");
    assert_eq!(link.dora(2).address(), ip("10.0.1.7"));
}

#[test]
fn silence_names_the_relay_that_no_subnet_matches() {
    let mut link = Link::new(&settings(&["10.0.1.7"]));
    let lost = link.send(&Ask::new(MessageType::Discover, 1).giaddr(ip("10.9.0.1")));
    assert_eq!(lost.verdict, Verdict::Silent);
    let told = link.engine.find_decisions(&crate::view::DecisionQuery {
        mac: Some(purlin_types::Mac(mac(1))),
        limit: 5,
        ..Default::default()
    });
    assert_eq!(
        told.last().map(|t| t.text.as_str()),
        Some("no subnet matches giaddr 10.9.0.1")
    );
}

#[test]
fn a_reservation_wins_over_the_pool_and_is_given_to_nobody_else() {
    let mut settings = settings(&["10.0.1.0-10.0.1.1"]);
    reserve(&mut settings, 9, "10.0.1.0");
    let mut link = Link::new(&settings);
    assert_eq!(link.dora(1).address(), ip("10.0.1.1"));
    assert_eq!(
        link.send(&Ask::new(MessageType::Discover, 2)).verdict,
        Verdict::Silent
    );
    let ack = link.dora(9);
    assert_eq!(ack.address(), ip("10.0.1.0"));
    let asked = Ask::new(MessageType::Discover, 9).with(code::PARAMETER_REQUESTS, [code::HOST_NAME]);
    let offer = link.send(&asked);
    assert_eq!(offer.message().host_name(), Some(&b"host-9"[..]));
}

#[test]
fn a_reservation_made_later_moves_the_client_at_its_next_renewal() {
    let mut before = settings(&["10.0.1.0-10.0.1.9"]);
    let mut link = Link::new(&before);
    let held = link.dora(1).address();
    reserve(&mut before, 1, "10.0.5.5");
    let plan = crate::Plan::compile(&before, Some(link.engine.plan()));
    link.engine.apply(plan, &link.now);
    let renewal = link.send(&Ask::new(MessageType::Request, 1).ciaddr(held));
    assert_eq!(renewal.kind(), MessageType::Nak);
    assert_eq!(link.reason(), "nak_reserved");
    assert_eq!(link.dora(1).address(), ip("10.0.5.5"));
}

#[test]
fn options_follow_scope_and_request() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    let dns = |n: u8| OptionValue {
        code: 6,
        data: vec![10, 0, 0, n],
        always: false,
    };
    settings.scope.options = vec![
        dns(1),
        OptionValue {
            code: 3,
            data: vec![10, 0, 0, 1],
            always: false,
        },
    ];
    settings.networks[0].subnets[0].scope.options = vec![dns(2)];
    let mut link = Link::new(&settings);
    let offer = link.send(&Ask::new(MessageType::Discover, 1).with(code::PARAMETER_REQUESTS, [6, 3]));
    let message = offer.message();
    assert_eq!(message.whole(6), Some(&[10, 0, 0, 2][..]));
    assert_eq!(message.whole(3), Some(&[10, 0, 0, 1][..]));
    assert_eq!(message.whole(1), Some(&[255, 255, 0, 0][..]));
    let bare = link.send(&Ask::new(MessageType::Discover, 2).with(code::PARAMETER_REQUESTS, [3]));
    assert_eq!(bare.message().whole(6), None);
}

#[test]
fn a_shared_network_fills_its_other_subnet_when_the_first_is_full() {
    let mut settings = settings(&["10.0.1.0-10.0.1.1"]);
    let second = network("more", "10.1.0.0/16", &["10.1.1.0-10.1.1.9"])
        .subnets
        .remove(0);
    settings.networks[0].subnets.push(second);
    let mut link = Link::new(&settings);
    let given: Vec<Ipv4Addr> = (1..=3).map(|n| link.dora(n).address()).collect();
    assert_eq!(given, [ip("10.0.1.0"), ip("10.0.1.1"), ip("10.1.1.0")]);
    let renewed = link.send(&Ask::new(MessageType::Request, 3).ciaddr(ip("10.1.1.0")));
    assert_eq!(renewed.kind(), MessageType::Ack);
}

#[test]
fn link_selection_beats_giaddr_and_option_82_is_echoed_last() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings
        .networks
        .push(network("other", "10.7.0.0/16", &["10.7.1.0-10.7.1.9"]));
    let mut link = Link::new(&settings);
    let relay = [
        &[5, 4, 10, 7, 0, 1][..],
        &[1, 3, b'e', b't', b'h'][..],
        &[11, 4, 10, 0, 0, 77][..],
    ]
    .concat();
    let offer = link.send(&Ask::new(MessageType::Discover, 1).with(code::RELAY_AGENT, relay.clone()));
    assert_eq!(offer.address(), ip("10.7.1.0"));
    assert_eq!(offer.message().server_id(), Some(ip("10.0.0.77")), "RFC 5107");
    assert_eq!(offer.message().whole(82), Some(&relay[..]));
    let last = offer.message().options().last().map(|(code, _)| code);
    assert_eq!(last, Some(82));
}

#[test]
fn a_local_client_is_answered_in_the_way_it_can_hear() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    link.interface = Some(0);
    let mut ask = Ask::new(MessageType::Discover, 1).giaddr(Ipv4Addr::UNSPECIFIED);
    let offer = link.send(&ask);
    assert_eq!(
        offer.to,
        Destination::Raw {
            interface: 0,
            mac: mac(1),
            address: ip("10.0.1.0")
        }
    );
    ask.broadcast = true;
    assert_eq!(link.send(&ask).to, Destination::Broadcast { interface: 0 });
    let wrong = Ask::new(MessageType::Request, 1)
        .giaddr(Ipv4Addr::UNSPECIFIED)
        .requested(ip("192.168.1.5"));
    let nak = link.send(&wrong);
    assert_eq!(
        (nak.kind(), nak.to),
        (MessageType::Nak, Destination::Broadcast { interface: 0 })
    );
    assert_eq!(link.reason(), "nak_wrong_network");
}

#[test]
fn the_client_identifier_is_the_client() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    let by_id = |n: u8| Ask::new(MessageType::Discover, n).with(code::CLIENT_ID, *b"\xffone-machine");
    let first = link.send(&by_id(1));
    let second = link.send(&by_id(2));
    assert_eq!(first.address(), second.address(), "two NICs, one identifier");
    assert_eq!(
        second.message().client_id(),
        Some(&b"\xffone-machine"[..]),
        "RFC 6842"
    );
    assert_ne!(
        link.send(&Ask::new(MessageType::Discover, 1)).address(),
        first.address()
    );
}

#[test]
fn rapid_commit_binds_in_one_exchange() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    let ack = link.send(&Ask::new(MessageType::Discover, 1).with(code::RAPID_COMMIT, []));
    assert_eq!(
        (ack.kind(), ack.verdict),
        (MessageType::Ack, Verdict::CommitThenReply)
    );
    assert!(ack.message().rapid_commit());
}

#[test]
fn inform_gives_options_and_no_lease() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    let ack = link.send(&Ask::new(MessageType::Inform, 1).ciaddr(ip("10.0.3.3")));
    assert_eq!(ack.kind(), MessageType::Ack);
    assert_eq!(
        (ack.address(), ack.message().lease_time()),
        (Ipv4Addr::UNSPECIFIED, None)
    );
    assert!(link.journal.is_empty());
}

#[test]
fn a_bootp_client_that_repeats_itself_waits_for_its_record_too() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings.bootp = true;
    let mut link = Link::new(&settings);
    link.log.durable = link.now.wall;
    let mut ask = Ask::new(MessageType::Discover, 1);
    ask.kind = None;
    assert_eq!(link.send(&ask).verdict, Verdict::CommitThenReply);
    assert_eq!(link.send(&ask).verdict, Verdict::CommitThenReply);
    link.pass(2);
    link.log.durable = link.now.wall;
    assert_eq!(link.send(&ask).verdict, Verdict::WriteThenReply);
}

#[test]
fn bootp_is_served_only_when_switched_on() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    let mut ask = Ask::new(MessageType::Discover, 1);
    ask.kind = None;
    let mut link = Link::new(&settings);
    assert_eq!(link.send(&ask).verdict, Verdict::Silent);
    assert_eq!(link.reason(), "bootp_off");
    settings.bootp = true;
    let mut link = Link::new(&settings);
    let reply = link.send(&ask);
    assert_eq!((reply.address(), reply.bytes.len()), (ip("10.0.1.0"), 300));
    let told = link
        .engine
        .find_decisions(&crate::view::DecisionQuery::default())
        .pop();
    let told = told.expect("a decision");
    assert_eq!((told.event, told.answer), ("BOOTP", "BOOTREPLY"));
    link.pass(100_000_000);
    assert_eq!(link.send(&ask).address(), ip("10.0.1.0"));
}

#[test]
fn a_firmware_gets_the_file_of_its_architecture() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    let entry = |arch: u16, user: Option<&str>, file: &str| BootEntry {
        architectures: vec![arch],
        user_class: user.map(str::to_owned),
        file: file.into(),
        next_server: Some(ip("10.0.0.9")),
        ..BootEntry::default()
    };
    settings.networks[0].scope.boot = vec![
        entry(7, Some("iPXE"), "menu.ipxe"),
        entry(7, None, "ipxe.efi"),
        entry(16, None, "http://10.0.0.9/ipxe.efi"),
    ]
    .into();
    let mut link = Link::new(&settings);
    let ask = |arch: u8| Ask::new(MessageType::Discover, 1).with(code::CLIENT_ARCH, [0, arch]);
    let uefi = link.send(&ask(7).with(code::VENDOR_CLASS, *b"PXEClient:Arch:00007"));
    assert!(uefi.message().file().starts_with(b"ipxe.efi"));
    assert_eq!(uefi.message().siaddr(), ip("10.0.0.9"));
    let ipxe = link.send(&ask(7).with(code::USER_CLASS, *b"iPXE"));
    assert!(ipxe.message().file().starts_with(b"menu.ipxe"));
    let http = link.send(&ask(16).with(code::VENDOR_CLASS, *b"HTTPClient:Arch:00016"));
    assert_eq!(http.message().vendor_class(), Some(&b"HTTPClient"[..]));
    assert_eq!(
        http.message().whole(code::BOOT_FILE_NAME),
        Some(&b"http://10.0.0.9/ipxe.efi"[..])
    );
}

#[test]
fn a_flooding_client_is_held_back_alone() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings.limits = Limits {
        per_client: 3,
        per_relay: 0,
    };
    let mut link = Link::new(&settings);
    let answered =
        (0..10).filter(|_| link.send(&Ask::new(MessageType::Discover, 1)).verdict == Verdict::Reply);
    assert_eq!(answered.count(), 3);
    assert_eq!(link.reason(), "rate_limited_client");
    link.dora(2);
}

#[test]
fn a_probe_that_is_answered_takes_the_address_out_of_use() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings.conflict_check = ConflictCheck::Ping;
    let mut link = Link::new(&settings);
    let Verdict::Probe(first) = link.send(&Ask::new(MessageType::Discover, 1)).verdict else {
        panic!("a probe is due")
    };
    assert_eq!(first.address, ip("10.0.1.0"));
    let Verdict::Probe(second) = link.probed(first.token, true).verdict else {
        panic!("another is tried")
    };
    assert_eq!(second.address, ip("10.0.1.1"));
    let offer = link.probed(second.token, false);
    assert_eq!(
        (offer.kind(), offer.address()),
        (MessageType::Offer, ip("10.0.1.1"))
    );
    assert_eq!(link.journal.len(), 1, "the quarantine is durable");
}

#[test]
fn a_probe_does_not_make_an_address_the_client_s_own() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings.conflict_check = ConflictCheck::Ping;
    let mut link = Link::new(&settings);
    let asked = |link: &mut Link, ask: &Ask| {
        let Verdict::Probe(probe) = link.send(ask).verdict else {
            panic!("a probe is due")
        };
        assert_eq!(link.probed(probe.token, false).kind(), MessageType::Offer);
        link.reason()
    };
    let discover = |n| Ask::new(MessageType::Discover, n);
    assert_eq!(asked(&mut link, &discover(1)), "offered_fresh");
    assert_eq!(asked(&mut link, &discover(1)), "offered_own", "it asks again");
    let wish = discover(2).requested(ip("10.0.1.7"));
    assert_eq!(asked(&mut link, &wish), "offered_requested");
}

#[test]
fn hostile_packets_are_counted_and_explained() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    for payload in [&[][..], &[1; 50], &[1; 240], &[2; 300]] {
        assert_eq!(link.send_bytes(payload).verdict, Verdict::Silent);
    }
    let mut looped = Ask::new(MessageType::Discover, 1).bytes();
    looped[3] = 200;
    assert_eq!(link.send_bytes(&looped).verdict, Verdict::Silent);
    assert_eq!(link.reason(), "too_many_hops");
    let dropped: u64 = link.engine.counters().reasons().map(|(_, n)| n).sum();
    assert_eq!(dropped, 5);
}
