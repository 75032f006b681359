//! Classes: configured and built in, as guards of pools and subnets, as sources of options, as reasons for silence.

use super::changes::apply;
use super::conversation::{Ask, Link, mac, reserve, settings};
use crate::settings::{Class, OptionValue, ReservedFor, Scope, Settings};
use crate::step::Verdict;
use purlin_dhcp_proto::{MessageType, code};
use purlin_types::Mac;
use std::net::Ipv4Addr;

fn ip(text: &str) -> Ipv4Addr {
    text.parse().expect("an address")
}

#[test]
fn a_class_guards_a_pool_and_changes_options() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9", "10.0.2.0-10.0.2.9"]);
    settings.classes.push(Class {
        name: "phones".into(),
        test: Some("option[60].text == 'phone'".into()),
        scope: Scope {
            options: vec![OptionValue {
                code: 150,
                data: vec![1, 2, 3, 4],
                always: true,
            }],
            ..Scope::default()
        },
        drop: false,
    });
    settings.networks[0].subnets[0].pools[1].classes = vec!["phones".into()];
    settings.networks[0].subnets[0].pools[0].classes = vec!["nobody".into(), "phones".into()];
    settings.networks[0].subnets[0].pools[0].classes = Vec::new();
    let mut link = Link::new(&settings);
    for n in 1..=10 {
        link.dora(n);
    }
    assert_eq!(
        link.send(&Ask::new(MessageType::Discover, 11)).verdict,
        Verdict::Silent
    );
    let offer = link.send(&Ask::new(MessageType::Discover, 12).with(code::VENDOR_CLASS, *b"phone"));
    assert_eq!(offer.address(), ip("10.0.2.0"));
    assert_eq!(offer.message().whole(150), Some(&[1, 2, 3, 4][..]));
}

/// Two pools: one for clients with a reservation, one for all others.
fn known_and_unknown() -> Settings {
    let mut settings = settings(&["10.0.1.0-10.0.1.9", "10.0.2.0-10.0.2.9"]);
    let subnet = &mut settings.networks[0].subnets[0];
    subnet.pools[0].classes = vec!["KNOWN".into()];
    subnet.pools[1].classes = vec!["UNKNOWN".into()];
    reserve(&mut settings, 1, "10.0.5.5");
    settings.networks[0].subnets[0].reservations[0].address = None;
    settings
}

#[test]
fn pools_tell_known_clients_from_unknown_ones() {
    let mut link = Link::new(&known_and_unknown());
    assert_eq!(link.dora(1).address(), ip("10.0.1.0"));
    assert_eq!(link.dora(2).address(), ip("10.0.2.0"));
    let wanted = link.send(&Ask::new(MessageType::Discover, 3).requested(ip("10.0.1.5")));
    assert_eq!(
        wanted.address(),
        ip("10.0.2.1"),
        "a stranger stays out of the pool"
    );
}

#[test]
fn a_client_that_becomes_known_leaves_the_pool_of_strangers() {
    let mut settings = known_and_unknown();
    let mut link = Link::new(&settings);
    link.dora(2);
    let mut known = settings.networks[0].subnets[0].reservations[0].clone();
    known.client = ReservedFor::Mac(Mac(mac(2)));
    settings.networks[0].subnets[0].reservations.push(known);
    apply(&mut link, &settings);
    let renew = Ask::new(MessageType::Request, 2).ciaddr(ip("10.0.2.0"));
    assert_eq!(link.send(&renew).kind(), MessageType::Nak);
    assert_eq!(link.dora(2).address(), ip("10.0.1.0"));
}

#[test]
fn a_subnet_for_the_unknown_needs_no_reservation_to_be_there() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings.networks[0].subnets[0].classes = vec!["UNKNOWN".into()];
    Link::new(&settings).dora(1);
    settings.networks[0].subnets[0].classes = vec!["KNOWN".into()];
    let mut link = Link::new(&settings);
    let silent = link.send(&Ask::new(MessageType::Discover, 1));
    assert_eq!(silent.verdict, Verdict::Silent);
    assert_eq!(link.reason(), "no_pool_for_classes");
}

#[test]
fn a_pool_for_bootp_is_for_nobody_else() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9", "10.0.2.0-10.0.2.9"]);
    settings.bootp = true;
    settings.networks[0].subnets[0].pools[0].classes = vec!["BOOTP".into()];
    let mut link = Link::new(&settings);
    assert_eq!(link.dora(1).address(), ip("10.0.2.0"));
    let mut old = Ask::new(MessageType::Discover, 2);
    old.kind = None;
    assert_eq!(link.send(&old).address(), ip("10.0.1.0"));
}

#[test]
fn a_dropped_class_gets_silence() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings.classes.push(Class {
        name: "blocked".into(),
        test: Some("pkt4.mac == 0x020000000001".into()),
        scope: Scope::default(),
        drop: true,
    });
    let mut link = Link::new(&settings);
    assert_eq!(
        link.send(&Ask::new(MessageType::Discover, 1)).verdict,
        Verdict::Silent
    );
    assert_eq!(link.reason(), "class_drop");
    link.dora(2);
}
