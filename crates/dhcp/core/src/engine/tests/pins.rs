//! Addresses that another part of the installation gives to machines.

use super::conversation::{Ask, Link, SERVER, mac, network, reserve, settings};
use crate::Plan;
use crate::pin::{Pin, PinTrouble};
use crate::settings::Settings;
use crate::step::Verdict;
use crate::view::LeaseState;
use proptest::prelude::*;
use purlin_dhcp_proto::MessageType;
use purlin_types::Mac;
use std::collections::HashMap;
use std::net::Ipv4Addr;

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);
const SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 1);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

fn pin(n: u8, address: Ipv4Addr) -> Pin {
    Pin {
        mac: Mac(mac(n)),
        address,
        within: GATEWAY,
        by: format!("port {n}"),
    }
}

fn put(link: &mut Link, pins: &[Pin]) {
    let plan = link.engine.plan().pinned(pins.into());
    link.engine.pin(plan);
}

fn ask(kind: MessageType, n: u8) -> Ask {
    Ask::new(kind, n)
}

fn renew(link: &mut Link, n: u8, address: Ipv4Addr) -> MessageType {
    link.send(&ask(MessageType::Request, n).ciaddr(address)).kind()
}

#[test]
fn a_pinned_address_goes_to_its_machine_and_to_nobody_else() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.2"]));
    let outside = Ipv4Addr::new(10, 0, 9, 9);
    put(&mut link, &[pin(1, SECOND), pin(2, outside)]);
    assert_eq!(link.dora(1).address(), SECOND);
    assert_eq!(link.reason(), "bound_new");
    assert_eq!(
        link.dora(2).address(),
        outside,
        "in no pool, as reservations may be"
    );
    // Others ask for it by name, and exhaust the pool.
    let asked = link.send(&ask(MessageType::Discover, 3).requested(SECOND));
    assert_eq!(asked.address(), FIRST);
    let others = [3, 4].map(|n| link.dora(n).address());
    assert!(!others.contains(&SECOND), "{others:?}");
    let none = link.send(&ask(MessageType::Discover, 5));
    assert_eq!(none.verdict, Verdict::Silent);
    assert_eq!(link.reason(), "pool_exhausted");
    let stolen = link.send(&ask(MessageType::Request, 5).requested(SECOND).server(SERVER));
    assert_eq!(stolen.kind(), MessageType::Nak);
    assert_eq!(renew(&mut link, 5, SECOND), MessageType::Nak);
}

#[test]
fn an_address_under_a_lease_of_another_waits_for_its_end() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    assert_eq!(link.dora(1).address(), FIRST);
    put(&mut link, &[pin(2, FIRST)]);
    assert_eq!(link.dora(2).address(), SECOND, "it is promised to another");
    let offer = link.send(&ask(MessageType::Discover, 2));
    assert_eq!((offer.address(), link.reason()), (SECOND, "reservation_taken"));
    let taken = link.send(&ask(MessageType::Request, 2).requested(FIRST).server(SERVER));
    assert_eq!(taken.kind(), MessageType::Nak);
    assert_eq!(link.reason(), "nak_taken");
    link.pass(1800);
    assert_eq!(
        renew(&mut link, 2, SECOND),
        MessageType::Ack,
        "it goes on with what it has"
    );
    // Whoever has it does not get it for longer. It has the rest of what it was promised.
    assert_eq!(renew(&mut link, 1, FIRST), MessageType::Nak);
    assert_eq!(link.reason(), "nak_not_admitted");
    link.pass(1799);
    assert_eq!(renew(&mut link, 2, SECOND), MessageType::Ack);
    link.pass(2);
    assert_eq!(renew(&mut link, 2, SECOND), MessageType::Nak);
    assert_eq!(link.reason(), "nak_reserved");
    assert_eq!(link.dora(2).address(), FIRST);
}

#[test]
fn an_address_that_is_let_go_is_given_to_whoever_comes() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.2"]));
    let third = Ipv4Addr::new(10, 0, 1, 2);
    put(&mut link, &[pin(1, FIRST), pin(2, SECOND)]);
    assert_eq!(link.dora(2).address(), SECOND);
    assert_eq!(link.dora(3).address(), third, "the others were passed over");
    assert_eq!(link.send(&ask(MessageType::Discover, 4)).verdict, Verdict::Silent);
    put(&mut link, &[]);
    assert_eq!(link.dora(4).address(), FIRST, "nobody ever came for it");
    // A lease that runs goes on, and ends as others do.
    assert_eq!(renew(&mut link, 2, SECOND), MessageType::Ack);
    link.send(&ask(MessageType::Release, 2).ciaddr(SECOND).server(SERVER));
    assert_eq!(link.dora(5).address(), SECOND);
}

#[test]
fn an_address_that_was_kept_while_its_lease_ended_is_found_again() {
    let mut link = Link::new(&settings(&["10.0.1.0"]));
    assert_eq!(link.dora(1).address(), FIRST);
    put(&mut link, &[pin(1, FIRST)]);
    link.pass(8000);
    // It waits among the ended ones, and is passed over there.
    assert_eq!(link.send(&ask(MessageType::Discover, 2)).verdict, Verdict::Silent);
    link.pass(700_000);
    assert_eq!(link.send(&ask(MessageType::Discover, 2)).verdict, Verdict::Silent);
    put(&mut link, &[]);
    assert_eq!(link.dora(2).address(), FIRST);
}

#[test]
fn a_machine_whose_address_changes_gets_the_new_one_at_its_next_word() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    put(&mut link, &[pin(1, FIRST)]);
    assert_eq!(link.dora(1).address(), FIRST);
    put(&mut link, &[pin(1, SECOND)]);
    assert_eq!(renew(&mut link, 1, FIRST), MessageType::Nak);
    assert_eq!(link.dora(1).address(), SECOND);
    let former = link.engine.lease(&link.now, FIRST).expect("it is remembered");
    assert_eq!(
        former.state,
        LeaseState::Released,
        "given back by taking the other"
    );
}

fn troubles(plan: &Plan) -> Vec<(Ipv4Addr, PinTrouble)> {
    let conflicts = plan.pin_conflicts().iter();
    conflicts
        .map(|found| (found.pin.address, found.trouble.clone()))
        .collect()
}

#[test]
fn what_the_configuration_reserves_goes_before() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    let fifth = Ipv4Addr::new(10, 0, 1, 5);
    reserve(&mut settings, 1, "10.0.1.5");
    let mut link = Link::new(&settings);
    put(&mut link, &[pin(1, fifth), pin(1, SECOND), pin(2, fifth)]);
    assert_eq!(
        troubles(link.engine.plan()),
        [
            (SECOND, PinTrouble::MachineHas(fifth)),
            (fifth, PinTrouble::Reserved)
        ]
    );
    assert_eq!(link.dora(1).address(), fifth);
    let second = link.dora(2).address();
    assert_ne!(second, fifth, "and no offer that would be refused");
    assert_ne!(
        link.send(&ask(MessageType::Discover, 3).requested(SECOND))
            .address(),
        SECOND
    );
}

#[test]
fn a_pin_gives_the_address_where_the_configuration_gives_the_rest() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    reserve(&mut settings, 1, "10.0.1.5");
    settings.networks[0].subnets[0].reservations[0].address = None;
    let mut link = Link::new(&settings);
    put(&mut link, &[pin(1, SECOND)]);
    assert!(link.engine.plan().pin_conflicts().is_empty());
    assert_eq!(link.dora(1).address(), SECOND);
}

#[test]
fn an_address_of_two_machines_stays_with_the_one_that_has_it() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    put(&mut link, &[pin(2, FIRST)]);
    assert_eq!(link.dora(2).address(), FIRST);
    put(&mut link, &[pin(1, FIRST), pin(2, FIRST)]);
    assert_eq!(
        troubles(link.engine.plan()),
        [(FIRST, PinTrouble::Shared("port 1".into()))]
    );
    assert_eq!(link.dora(1).address(), SECOND);
    assert_eq!(renew(&mut link, 2, FIRST), MessageType::Ack);
    link.send(&ask(MessageType::Release, 2).ciaddr(FIRST).server(SERVER));
    assert_ne!(link.dora(3).address(), FIRST);
    assert_eq!(renew(&mut link, 1, SECOND), MessageType::Nak);
    assert_eq!(link.dora(1).address(), FIRST);
}

#[test]
fn only_addresses_of_the_same_link_hold() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings
        .networks
        .push(network("lab", "10.7.0.0/16", &["10.7.1.0-10.7.1.9"]));
    let mut link = Link::new(&settings);
    let (lab, nowhere) = (Ipv4Addr::new(10, 7, 1, 0), Ipv4Addr::new(10, 9, 1, 0));
    let broadcast = Ipv4Addr::new(10, 0, 255, 255);
    put(&mut link, &[pin(1, lab), pin(2, nowhere), pin(3, broadcast)]);
    let why = [PinTrouble::OtherLink, PinTrouble::NoSubnet, PinTrouble::NoSubnet];
    assert_eq!(
        troubles(link.engine.plan()),
        [lab, nowhere, broadcast].into_iter().zip(why).collect::<Vec<_>>()
    );
    let there = ask(MessageType::Discover, 4)
        .giaddr(Ipv4Addr::new(10, 7, 0, 1))
        .requested(lab);
    assert_eq!(link.send(&there).address(), lab, "free for whoever comes");
    assert_eq!(link.dora(3).address(), FIRST);
}

#[test]
fn pins_go_on_over_a_change_of_the_configuration() {
    let with = settings(&["10.0.1.0-10.0.1.9"]);
    let mut link = Link::new(&with);
    put(&mut link, &[pin(2, FIRST)]);
    let mut other = with.clone();
    other.decline_hold *= 2;
    let plan = Plan::compile(&other, Some(link.engine.plan()));
    link.engine.apply(plan, &link.now);
    assert_eq!(link.dora(1).address(), SECOND);
    assert_eq!(link.dora(2).address(), FIRST);
}

#[test]
fn of_several_addresses_of_a_machine_the_first_is_given_and_the_others_are_kept() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    put(&mut link, &[pin(1, SECOND), pin(1, FIRST)]);
    assert!(link.engine.plan().pin_conflicts().is_empty());
    assert_eq!(link.dora(1).address(), SECOND);
    assert_eq!(link.dora(2).address(), Ipv4Addr::new(10, 0, 1, 2));
}

#[test]
fn a_subnet_for_known_clients_serves_machines_with_a_pin_and_counts_them() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings.networks[0].subnets[0].reserved_only = true;
    let mut link = Link::new(&settings);
    put(&mut link, &[pin(1, SECOND), pin(2, FIRST)]);
    assert_eq!(link.dora(1).address(), SECOND);
    assert_eq!(link.send(&ask(MessageType::Discover, 3)).verdict, Verdict::Silent);
    assert_eq!(link.engine.usage(&link.now)[0].reserved, 2);
    let lease = link.engine.lease(&link.now, SECOND).expect("a lease");
    assert!(lease.reserved);
}

/// One thing that happens on the link.
#[derive(Debug, Clone)]
enum Event {
    Dora(u8),
    Renew(u8),
    Release(u8),
    Pass(u16),
    Pins(Vec<(u8, u8)>),
    Apply,
}

fn event() -> impl Strategy<Value = Event> {
    let n = 1..7u8;
    let pins = prop::collection::vec((n.clone(), 0..6u8), 0..5);
    prop_oneof![
        6 => n.clone().prop_map(Event::Dora),
        3 => n.clone().prop_map(Event::Renew),
        1 => n.prop_map(Event::Release),
        3 => (0..4000u16).prop_map(Event::Pass),
        3 => pins.prop_map(Event::Pins),
        1 => Just(Event::Apply),
    ]
}

/// What clients believe: address and end of the promise in seconds of boot time.
#[derive(Default)]
struct Life {
    believed: HashMap<u8, (Ipv4Addr, u64)>,
    pins: Vec<Pin>,
}

impl Life {
    fn is_anothers(&self, n: u8, address: Ipv4Addr) -> bool {
        let mut of = self.pins.iter().filter(|pin| pin.address == address).peekable();
        of.peek().is_some() && !of.any(|pin| pin.mac == Mac(mac(n)))
    }

    /// An ACK of an address, from which its client counts from now on.
    fn acked(&mut self, n: u8, address: Ipv4Addr, secs: u32, now: u64) -> Result<(), TestCaseError> {
        prop_assert!(
            !self.is_anothers(n, address),
            "{} is pinned to others than {}",
            address,
            n
        );
        for (other, (held, until)) in &self.believed {
            prop_assert!(
                *other == n || *held != address || *until <= now,
                "{} still has {}",
                other,
                address
            );
        }
        self.believed.insert(n, (address, now + u64::from(secs)));
        Ok(())
    }
}

fn play(link: &mut Link, life: &mut Life, with: &Settings, event: &Event) -> Result<(), TestCaseError> {
    let now = link.now.boot.0 / 1_000_000_000;
    let (n, answer) = match event {
        Event::Pass(secs) => {
            link.pass(u64::from(*secs));
            return Ok(());
        }
        Event::Pins(pins) => {
            let address = |octet: u8| Ipv4Addr::new(10, 0, 1, octet);
            life.pins = pins.iter().map(|&(n, octet)| pin(n, address(octet))).collect();
            put(link, &life.pins);
            return Ok(());
        }
        Event::Apply => {
            let plan = Plan::compile(with, Some(link.engine.plan()));
            link.engine.apply(plan, &link.now);
            return Ok(());
        }
        Event::Release(n) => {
            if let Some((address, _)) = life.believed.remove(n) {
                link.send(&ask(MessageType::Release, *n).ciaddr(address).server(SERVER));
            }
            return Ok(());
        }
        Event::Renew(n) => {
            let Some(&(address, until)) = life.believed.get(n) else {
                return Ok(());
            };
            if until <= now {
                return Ok(());
            }
            (*n, link.send(&ask(MessageType::Request, *n).ciaddr(address)))
        }
        Event::Dora(n) => {
            let offer = link.send(&ask(MessageType::Discover, *n));
            if offer.verdict == Verdict::Silent {
                return Ok(());
            }
            let address = offer.address();
            prop_assert!(!life.is_anothers(*n, address), "{} is offered to {}", address, n);
            let request = ask(MessageType::Request, *n).requested(address).server(SERVER);
            (*n, link.send(&request))
        }
    };
    if answer.verdict == Verdict::Silent {
        return Ok(());
    }
    if answer.kind() == MessageType::Nak {
        life.believed.remove(&n);
        return Ok(());
    }
    life.acked(n, answer.address(), answer.lease(), now)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Whatever comes and goes: no address is promised to two, none to whom it is not pinned, and in the end each pinned
    /// machine gets its own and what is free is found.
    #[test]
    fn pins_never_break_a_promise_and_always_hold_in_the_end(events in prop::collection::vec(event(), 1..60)) {
        let with = settings(&["10.0.1.0-10.0.1.4"]);
        let mut link = Link::new(&with);
        let mut life = Life::default();
        for event in &events {
            play(&mut link, &mut life, &with, event)?;
        }
        // All that was promised ends, and with it all memory of who had what.
        link.pass(8000);
        link.pass(700_000);
        for n in 1..7 {
            let mut own = life.pins.iter().filter(|pin| pin.mac == Mac(mac(n)));
            let Some(first) = own.next() else { continue };
            if life.pins.iter().any(|pin| pin.address == first.address && pin.mac != first.mac) {
                continue;
            }
            prop_assert_eq!(link.dora(n).address(), first.address);
        }
        put(&mut link, &[]);
        link.pass(8000);
        link.pass(700_000);
        let mut free: Vec<Ipv4Addr> = (20..25).map(|n| link.dora(n).address()).collect();
        free.sort_unstable();
        let pool: Vec<Ipv4Addr> = (0..5).map(|octet| Ipv4Addr::new(10, 0, 1, octet)).collect();
        prop_assert_eq!(free, pool);
    }
}
