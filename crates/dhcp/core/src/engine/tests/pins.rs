//! Addresses that another part of the node gives to machines.

use super::conversation::{Ask, Link, mac, reserve, settings};
use crate::Plan;
use crate::settings::Pin;
use purlin_dhcp_proto::MessageType;
use purlin_types::Mac;
use std::net::Ipv4Addr;

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);
const SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 1);

fn pin(n: u8, address: Ipv4Addr) -> Pin {
    Pin {
        mac: Mac(mac(n)),
        address,
        by: format!("port {n}"),
    }
}

fn pinned(link: &mut Link, pins: &[Pin]) {
    let plan = link.engine.plan().pinned(pins);
    link.engine.pin(plan);
}

#[test]
fn a_pinned_address_goes_to_its_machine_and_to_nobody_else() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.2"]));
    let outside = Ipv4Addr::new(10, 0, 9, 9);
    pinned(&mut link, &[pin(1, SECOND), pin(2, outside)]);
    assert_eq!(link.dora(1).address(), SECOND);
    assert_eq!(link.reason(), "bound_new");
    assert_eq!(
        link.dora(2).address(),
        outside,
        "in no pool, as reservations may be"
    );
    // Others ask for it by name, and exhaust the pool.
    let asked = link.send(&Ask::new(MessageType::Discover, 3).requested(SECOND));
    assert_eq!(asked.address(), FIRST);
    let others = [3, 4].map(|n| link.dora(n).address());
    assert!(!others.contains(&SECOND), "{others:?}");
    let none = link.send(&Ask::new(MessageType::Discover, 5));
    assert!(none.bytes.is_empty() || none.address() != SECOND);
    let stolen = link.send(&Ask::new(MessageType::Request, 5).requested(SECOND));
    assert_eq!(stolen.kind(), MessageType::Nak);
}

#[test]
fn pins_come_and_go_while_leases_run() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    assert_eq!(link.dora(1).address(), FIRST);
    pinned(&mut link, &[pin(2, FIRST)]);
    // It is another machine's from now on: who has it loses it at its next renewal, and the other gets it then.
    let renewal = Ask::new(MessageType::Request, 1).ciaddr(FIRST);
    assert_eq!(link.send(&renewal).kind(), MessageType::Nak);
    assert_eq!(link.reason(), "nak_not_admitted");
    assert_eq!(link.dora(1).address(), SECOND);
    link.pass(8000);
    assert_eq!(link.dora(2).address(), FIRST);
    pinned(&mut link, &[]);
    let renewal = Ask::new(MessageType::Request, 2).ciaddr(FIRST);
    assert_eq!(link.send(&renewal).kind(), MessageType::Ack, "it may keep it");
}

#[test]
fn what_the_configuration_reserves_goes_before() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    reserve(&mut settings, 1, "10.0.1.5");
    let mut link = Link::new(&settings);
    let fifth = Ipv4Addr::new(10, 0, 1, 5);
    pinned(&mut link, &[pin(1, SECOND), pin(2, fifth)]);
    assert_eq!(link.dora(1).address(), fifth);
    assert_ne!(link.dora(2).address(), fifth);
    // The address of the pin is nobody's then.
    let asked = link.send(&Ask::new(MessageType::Discover, 3).requested(SECOND));
    assert_ne!(asked.address(), SECOND);
}

#[test]
fn pins_hold_over_a_change_of_the_configuration() {
    let with = settings(&["10.0.1.0-10.0.1.9"]);
    let mut link = Link::new(&with);
    pinned(&mut link, &[pin(2, FIRST)]);
    let mut other = with.clone();
    other.decline_hold *= 2;
    let plan = Plan::compile(&other, Some(link.engine.plan()));
    link.engine.apply(plan, &link.now);
    assert_eq!(link.dora(1).address(), SECOND);
    assert_eq!(link.dora(2).address(), FIRST);
}

#[test]
fn of_several_addresses_of_a_machine_the_first_is_given() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    pinned(&mut link, &[pin(1, SECOND), pin(1, FIRST)]);
    assert_eq!(link.dora(1).address(), SECOND);
    assert_eq!(link.dora(2).address(), Ipv4Addr::new(10, 0, 1, 2));
}
