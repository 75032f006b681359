//! The same packets to Purlin and to ISC Kea, configured alike: both must answer alike.
//!
//! Where the two differ, the RFC decides; [`neutral`] lists these places, docs/operating/beside-kea.md explains them.

mod packet;
mod world;

use packet::{ACK, Answer, DECLINE, DISCOVER, INFORM, NAK, OFFER, Packet, RELEASE, REQUEST};
use std::net::Ipv4Addr;
use world::{BOOTP, Both, ENDLESS, SERVERS, TIMED, World};

/// Options that an answer has whether they are asked for or not.
const PROTOCOL: [u8; 8] = [1, 51, 53, 56, 58, 59, 61, 82];
/// Options that Kea sends to everybody who has no say in it, and Purlin to those who ask.
const BASIC: [u8; 3] = [3, 6, 15];

/// An answer without what both servers may choose.
fn neutral(what: &str, wanted: Option<&[u8]>, answer: &Answer, server: usize) -> Answer {
    let mut neutral = answer.clone();
    if let Some(id) = neutral.options.remove(&54) {
        assert_eq!(id, SERVERS[server].octets(), "{what}: server identifier");
    }
    // RFC 2131, section 4.3.1: what is not asked for need not be sent, and may be.
    let asked = wanted.unwrap_or(&BASIC);
    neutral
        .options
        .retain(|code, _| PROTOCOL.contains(code) || asked.contains(code));
    // The same, section 4.4.5: without T1 and T2 a client takes parts of a time that has no end.
    if neutral.u32(51) == Some(u32::MAX) {
        neutral.options.retain(|code, _| ![58, 59].contains(code));
    }
    // Section 4.3.2: a NAK through a relay MUST have the broadcast bit; Kea leaves it as the client set it.
    if neutral.kind() == Some(NAK) {
        assert!(server != 0 || neutral.header[3] == 0x80, "{what}: broadcast bit");
        neutral.header[3] = 0;
    }
    // Words for people (option 56) may differ.
    neutral.options.remove(&56);
    // Which free address it is: pools are /24, reservations end in .5.5.
    let [a, b, c, d] = neutral.yiaddr.octets();
    neutral.yiaddr = Ipv4Addr::new(a, b, c, if c == 5 { d } else { 0 });
    let [a, b, c, _] = neutral.ciaddr.octets();
    neutral.ciaddr = Ipv4Addr::new(a, b, c, 0);
    neutral
}

/// Two answers agree: header, kind of address, every option.
fn alike(what: &str, wanted: Option<&[u8]>, answers: &[Option<Answer>; 2]) {
    let [Some(ours), Some(theirs)] = answers else {
        assert!(answers.iter().all(Option::is_none), "{what}: {answers:#?}");
        return;
    };
    assert_eq!(
        neutral(what, wanted, ours, 0),
        neutral(what, wanted, theirs, 1),
        "{what} (left: Purlin, right: Kea)"
    );
}

/// Sends one packet to both; they must answer alike.
fn same(both: &Both<'_>, what: &str, packet: &Packet) -> [Option<Answer>; 2] {
    let answers = [both.ask(0, packet), both.ask(1, packet)];
    alike(what, packet.wanted(), &answers);
    answers
}

/// Sends each what belongs to the address it has given; they must answer alike.
fn each(
    both: &Both<'_>,
    what: &str,
    granted: [Ipv4Addr; 2],
    packet: impl Fn(Ipv4Addr, Ipv4Addr) -> Packet,
) -> [Option<Answer>; 2] {
    let packets = [0, 1].map(|server| packet(granted[server], SERVERS[server]));
    let answers = [both.ask(0, &packets[0]), both.ask(1, &packets[1])];
    alike(what, packets[0].wanted(), &answers);
    answers
}

/// DISCOVER to ACK at both, with these parameters wanted; what each has given.
fn dora(both: &Both<'_>, client: u8, relay: Ipv4Addr, wanted: &[u8]) -> ([Ipv4Addr; 2], [Answer; 2]) {
    let what = format!("client {client} on {relay}");
    let discover = Packet::new(DISCOVER, client, relay).wants(wanted);
    let offers = same(both, &format!("OFFER to {what}"), &discover);
    let offers = offers.map(|offer| offer.expect("an offer"));
    assert!(offers.iter().all(|offer| offer.kind() == Some(OFFER)));
    let given = [offers[0].yiaddr, offers[1].yiaddr];
    let acks = each(both, &format!("ACK to {what}"), given, |address, server| {
        Packet::new(REQUEST, client, relay)
            .with(50, &address.octets())
            .with(54, &server.octets())
            .wants(wanted)
    });
    let acks = acks.map(|ack| ack.expect("an answer"));
    for (ack, address) in acks.iter().zip(given) {
        assert_eq!((ack.kind(), ack.yiaddr), (Some(ACK), address), "{what}");
    }
    (given, acks)
}

#[test]
fn a_conversation_of_every_message_is_the_same() {
    let Some(world) = World::new() else { return };
    let both = &world.both();
    let wanted = [1, 3, 6, 15, 26];
    let (given, _) = dora(both, 1, TIMED, &wanted);
    let renew = |address: Ipv4Addr, _| Packet::new(REQUEST, 1, TIMED).ciaddr(address).wants(&wanted);
    each(both, "renewal", given, renew);
    let reboot = |address: Ipv4Addr, _| Packet::new(REQUEST, 1, TIMED).with(50, &address.octets());
    each(both, "reboot", given, reboot);
    let moved = Packet::new(REQUEST, 1, TIMED).with(50, &[192, 0, 2, 9]);
    let refused = same(both, "reboot on another network", &moved);
    assert!(refused.iter().flatten().all(|answer| answer.kind() == Some(NAK)));
    let other = Packet::new(REQUEST, 2, TIMED)
        .with(50, &[10, 77, 1, 200])
        .with(54, &[10, 77, 0, 99]);
    same(both, "another server's offer is taken", &other);
    let inform = Packet::new(INFORM, 3, TIMED)
        .ciaddr(Ipv4Addr::new(10, 77, 0, 3))
        .wants(&wanted);
    same(both, "INFORM", &inform);
    let id = |address: Ipv4Addr, server: Ipv4Addr| (address.octets(), server.octets());
    each(both, "RELEASE", given, |address, server| {
        Packet::new(RELEASE, 1, TIMED)
            .ciaddr(address)
            .with(54, &id(address, server).1)
    });
    let (given, _) = dora(both, 4, TIMED, &wanted);
    each(both, "DECLINE", given, |address, server| {
        let (address, server) = id(address, server);
        Packet::new(DECLINE, 4, TIMED)
            .with(50, &address)
            .with(54, &server)
    });
    let (again, _) = dora(both, 4, TIMED, &wanted);
    assert!(again.iter().zip(given).all(|(now, before)| *now != before));
}

#[test]
fn known_and_unknown_clients_get_the_same_pools() {
    let Some(world) = World::new() else { return };
    let both = &world.both();
    for (client, pool) in [(10, [10, 77, 1]), (200, [10, 77, 5]), (201, [10, 77, 2])] {
        let (given, _) = dora(both, client, TIMED, &[1, 3, 15]);
        assert!(
            given.iter().all(|address| address.octets()[..3] == pool),
            "{given:?}"
        );
    }
    let greedy = Packet::new(DISCOVER, 11, TIMED).with(50, &[10, 77, 2, 77]);
    same(both, "an unknown client asks for the pool of the known", &greedy);
    let greedy = Packet::new(DISCOVER, 11, TIMED).with(50, &[10, 77, 5, 5]);
    same(both, "an unknown client asks for a reserved address", &greedy);
}

#[test]
fn what_clients_send_along_is_answered_the_same() {
    let Some(world) = World::new() else { return };
    let both = &world.both();
    let discover = |client| Packet::new(DISCOVER, client, TIMED).wants(&[1, 3]);
    let id = [0xff, 0, 0, 0, 1, 0, 1, 7];
    same(both, "client identifier", &discover(20).with(61, &id));
    let circuit = [1, 4, b'e', b't', b'h', b'3', 2, 2, 0xde, 0xad];
    same(both, "relay agent information", &discover(21).with(82, &circuit));
    let mut broadcast = discover(22);
    broadcast.broadcast = true;
    same(both, "broadcast flag", &broadcast);
    same(both, "nothing wanted", &Packet::new(DISCOVER, 23, TIMED));
    same(
        both,
        "largest message",
        &discover(24).with(57, &1200_u16.to_be_bytes()),
    );
    same(both, "an option nobody knows", &discover(25).with(222, b"what"));
    same(
        both,
        "an unknown relay",
        &Packet::new(DISCOVER, 26, Ipv4Addr::new(10, 66, 0, 3)),
    );
}

#[test]
fn vendor_options_of_rfc_3925_are_the_same() {
    let Some(world) = World::new() else { return };
    let both = &world.both();
    let (_, acks) = dora(both, 30, TIMED, &[125]);
    let hex: String = acks[0].options[&125]
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    assert_eq!(hex, world::VIVSO);
    let (_, acks) = dora(both, 31, TIMED, &[1, 3]);
    assert!(!acks[0].options.contains_key(&125), "nobody asked for it");
}

#[test]
fn encrypted_resolvers_of_rfc_9463_are_the_same() {
    let Some(world) = World::new() else { return };
    let both = &world.both();
    let (_, acks) = dora(both, 40, TIMED, &[162, 6]);
    let hex: String = acks[0].options[&162]
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    assert_eq!(hex, world::DNR);
}

#[test]
fn times_set_by_hand_are_the_same() {
    let Some(world) = World::new() else { return };
    let both = &world.both();
    let (_, acks) = dora(both, 50, TIMED, &[51, 58, 59]);
    for ack in acks {
        let times = [51, 58, 59].map(|code| ack.u32(code));
        assert_eq!(times, [Some(3000), Some(900), Some(2100)]);
    }
    let wish = Packet::new(DISCOVER, 51, TIMED).with(51, &60_u32.to_be_bytes());
    same(both, "a shorter lease is asked for", &wish);
}

#[test]
fn leases_without_end_are_the_same() {
    let Some(world) = World::new() else { return };
    let both = &world.both();
    let (given, acks) = dora(both, 60, ENDLESS, &[1, 51]);
    assert!(acks.iter().all(|ack| ack.u32(51) == Some(u32::MAX)));
    each(both, "renewal", given, |address, _| {
        Packet::new(REQUEST, 60, ENDLESS).ciaddr(address)
    });
}

#[test]
fn bootp_clients_get_the_same() {
    let Some(world) = World::new() else { return };
    let both = &world.both();
    for (client, pool) in [(70, [10, 79, 1]), (202, [10, 79, 5])] {
        let mut packet = Packet::new(DISCOVER, client, BOOTP);
        packet.kind = None;
        let answers = same(both, &format!("BOOTP client {client}"), &packet);
        for answer in answers {
            let answer = answer.expect("an answer");
            assert_eq!(answer.yiaddr.octets()[..3], pool);
            assert_eq!((answer.kind(), answer.u32(51)), (None, None));
        }
    }
}
