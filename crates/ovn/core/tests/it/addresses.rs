//! Addresses: grammar, pools, and collisions over the whole database.

use purlin_ovn_core::address::{
    Book, Element, Holder, Network, Pool, Role, eui64, parse_addresses, parse_port_security,
};
use purlin_ovn_core::problem::Severity;
use purlin_ovsdb::Uuid;
use std::collections::BTreeMap;

fn said(kind: &str, column: &[&str]) -> Vec<String> {
    let (_, problems) = parse_addresses(kind, column.iter().copied());
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn every_form_of_an_address_is_read_and_printed() {
    for (text, printed) in [
        ("02:00:00:00:00:01", "02:00:00:00:00:01"),
        (
            "02:00:00:00:00:01  10.0.0.4 2001:DB8::4",
            "02:00:00:00:00:01 10.0.0.4 2001:db8::4",
        ),
        ("dynamic", "dynamic"),
        ("dynamic 10.0.0.4 2001:db8::4", "dynamic 10.0.0.4 2001:db8::4"),
        ("02:00:00:00:00:01 dynamic", "02:00:00:00:00:01 dynamic"),
        ("unknown", "unknown"),
    ] {
        let (elements, problems) = parse_addresses("", [text]);
        assert_eq!(problems, Vec::new(), "{text}");
        assert_eq!(elements[0].to_string(), printed);
    }
    assert_eq!(parse_addresses("router", ["router"]).0, [Element::Router]);
}

#[test]
fn what_is_no_address_is_named() {
    for (column, word) in [
        (vec!["10.0.0.4"], "`10.0.0.4` is no MAC address"),
        (
            vec!["02:00:00:00:00:01 10.0.0.400"],
            "`10.0.0.400` is no IP address",
        ),
        (vec!["ff:ff:ff:ff:ff:ff"], "address of a group"),
        (vec!["00:00:00:00:00:00"], "nobody's"),
        (vec![""], "empty"),
        (vec!["router"], "type `router` only"),
        (
            vec!["dynamic", "02:00:00:00:00:01 dynamic"],
            "more than one element",
        ),
        (vec!["dynamic 10.0.0.1 10.0.0.2"], "several addresses"),
        (vec!["Unknown"], "no MAC"),
    ] {
        let problems = said("", &column);
        assert_eq!(problems.len(), 1, "{column:?}: {problems:?}");
        assert!(problems[0].contains(word), "{}", problems[0]);
    }
}

#[test]
fn port_security_may_hold_networks() {
    let (allowed, problems) =
        parse_port_security(["02:00:00:00:00:01 192.168.1.10/24,10.0.0.1", "02:00:00:00:00:02"]);
    assert_eq!(problems, Vec::new());
    assert_eq!(allowed[0].networks[1], Network::parse("10.0.0.1/32").unwrap());
    for wrong in ["", "10.0.0.1", "02:00:00:00:00:01 10.0.0.0/33"] {
        assert_eq!(parse_port_security([wrong]).1.len(), 1, "{wrong}");
    }
}

fn pool(config: &[(&str, &str)]) -> (Pool, Vec<String>) {
    let config: BTreeMap<_, _> = config
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let (pool, problems) = Pool::parse(&config);
    (pool, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_pool_gives_the_lowest_free_address_and_keeps_its_gateway() {
    let (pool, problems) = pool(&[
        ("subnet", "10.0.0.0/29"),
        ("exclude_ips", "10.0.0.2..10.0.0.3 10.0.0.5"),
    ]);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(pool.gateway().unwrap().to_string(), "10.0.0.1");
    let all: Vec<String> = pool.addresses().map(|ip| ip.to_string()).collect();
    assert_eq!(all, ["10.0.0.4", "10.0.0.6"]);
    assert_eq!(pool.next(|ip| ip.octets()[3] == 4).unwrap().octets()[3], 6);
    assert_eq!(pool.next(|_| true), None);
}

#[test]
fn a_wrong_pool_names_its_keys() {
    for (config, word) in [
        (vec![("subnet", "10.0.0.0")], "no prefix length"),
        (vec![("subnet", "2001:db8::/64")], "no IPv4 network"),
        (
            vec![("subnet", "10.0.0.0/24"), ("exclude_ips", "10.0.1.1")],
            "outside of 10.0.0.0/24",
        ),
        (
            vec![("subnet", "10.0.0.0/24"), ("exclude_ips", "10.0.0.9..10.0.0.3")],
            "no address and no range",
        ),
        (vec![("exclude_ips", "10.0.0.1")], "no `subnet`"),
        (vec![("ipv6_prefix", "2001:db8::/80")], "no /64"),
    ] {
        let (_, problems) = pool(&config);
        assert!(
            problems.len() == 1 && problems[0].contains(word),
            "{config:?}: {problems:?}"
        );
    }
    assert_eq!(pool(&[("ipv6_prefix", "2001:db8::")]).1, Vec::<String>::new());
}

#[test]
fn a_mac_makes_an_address_in_a_prefix() {
    let prefix = Network::parse("2001:db8::/64").unwrap();
    let ip = eui64(&prefix, "02:00:00:12:34:56".parse().unwrap()).unwrap();
    assert_eq!(ip.to_string(), "2001:db8::ff:fe12:3456");
}

const fn id(n: u8) -> Uuid {
    Uuid::from_bytes([n; 16])
}

fn holder(row: u8, role: Role, place: u8, macs: &[&str], ips: &[&str]) -> Holder {
    Holder {
        row: id(row),
        role,
        name: format!("h{row}"),
        places: [id(place)].into(),
        macs: macs.iter().map(|mac| mac.parse().unwrap()).collect(),
        ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(),
    }
}

/// Switches 101 and 102 behind router 201, switch 103 behind router 202, both routers on switch 110.
fn two_tenants() -> Book {
    let mut book = Book::default();
    let ways = [(101, 201), (102, 201), (103, 202), (110, 201), (110, 202)];
    for (port, (switch, router)) in (71..).zip(ways) {
        let mut gate = holder(port, Role::RouterPort, switch, &[], &[]);
        gate.places.insert(id(router));
        book.put(gate);
    }
    book.network(id(101), Network::parse("10.0.0.0/24").ok());
    book
}

fn errors(book: &Book, holder: &Holder) -> Vec<(Severity, String)> {
    book.check(holder)
        .into_iter()
        .map(|p| (p.severity, p.message))
        .collect()
}

#[test]
fn an_address_is_unique_on_its_switch_and_on_those_of_its_routers() {
    let mut book = two_tenants();
    book.put(holder(1, Role::Port, 101, &["02:00:00:00:00:01"], &["10.0.0.5"]));
    let twin = |place| holder(2, Role::Port, place, &[], &["10.0.0.5"]);
    let taken = "10.0.0.5 belongs to port h1";
    assert_eq!(errors(&book, &twin(101)), [(Severity::Error, taken.to_owned())]);
    let joined = format!("{taken} on another switch of the same router");
    assert_eq!(errors(&book, &twin(102)), [(Severity::Error, joined)]);
    assert_eq!(
        errors(&book, &twin(103)),
        [],
        "another tenant behind its own router"
    );
    assert!(book.is_used(id(102), "10.0.0.5".parse().unwrap()));
    assert!(!book.is_used(id(103), "10.0.0.5".parse().unwrap()));
}

#[test]
fn a_row_does_not_collide_with_itself_and_is_forgotten_when_it_goes() {
    let mut book = two_tenants();
    let port = holder(1, Role::Port, 101, &["02:00:00:00:00:01"], &["10.0.0.5"]);
    book.put(port.clone());
    book.put(port.clone());
    assert_eq!(errors(&book, &port), []);
    let other = holder(2, Role::Port, 101, &["02:00:00:00:00:01"], &[]);
    assert_eq!(errors(&book, &other).len(), 1);
    book.remove(id(1));
    assert_eq!(errors(&book, &other), []);
    book.put(port);
    book.remove(id(72));
    assert_eq!(errors(&book, &holder(3, Role::Port, 102, &[], &["10.0.0.5"])), []);
}

#[test]
fn macs_must_differ_on_a_switch_and_should_behind_one_router() {
    let mut book = two_tenants();
    book.put(holder(
        1,
        Role::RouterPort,
        101,
        &["02:00:00:00:00:01"],
        &["10.0.0.1"],
    ));
    let at = |place| errors(&book, &holder(2, Role::Port, place, &["02:00:00:00:00:01"], &[]));
    assert_eq!(at(101)[0].0, Severity::Error);
    assert_eq!(at(102)[0].0, Severity::Warning);
    assert_eq!(at(103), []);
}

#[test]
fn gateways_nat_and_virtual_addresses_are_seen_on_the_switches_of_their_routers() {
    let mut book = two_tenants();
    book.put(holder(1, Role::RouterPort, 110, &[], &["192.0.2.1"]));
    book.put(holder(2, Role::Dnat, 201, &[], &["192.0.2.10"]));
    book.put(holder(3, Role::Snat, 201, &[], &["192.0.2.11"]));
    book.put(holder(4, Role::Vip, 201, &[], &["192.0.2.12"]));
    let severity = |candidate: &Holder| errors(&book, candidate).first().map(|(severity, _)| *severity);
    for (ip, expected) in [
        ("192.0.2.1", Some(Severity::Error)),
        ("192.0.2.10", Some(Severity::Error)),
        ("192.0.2.11", Some(Severity::Error)),
        ("192.0.2.12", Some(Severity::Warning)),
        ("192.0.2.13", None),
    ] {
        assert_eq!(
            severity(&holder(9, Role::Port, 110, &[], &[ip])),
            expected,
            "{ip}"
        );
    }
    // The other tenant's router is on the same outer switch.
    assert_eq!(
        severity(&holder(9, Role::Dnat, 202, &[], &["192.0.2.10"])),
        Some(Severity::Error)
    );
    assert_eq!(severity(&holder(9, Role::Snat, 202, &[], &["192.0.2.1"])), None);
    assert_eq!(severity(&holder(9, Role::Snat, 201, &[], &["192.0.2.11"])), None);
    assert_eq!(
        severity(&holder(9, Role::Dnat, 201, &[], &["192.0.2.1"])),
        Some(Severity::Warning)
    );
}

#[test]
fn an_address_outside_of_the_switchs_network_is_a_warning() {
    let book = two_tenants();
    let found = errors(
        &book,
        &holder(1, Role::Port, 101, &[], &["10.1.0.5", "2001:db8::5"]),
    );
    assert_eq!(
        found,
        [(
            Severity::Warning,
            "10.1.0.5 is outside of the switch's 10.0.0.0/24".to_owned()
        )]
    );
}
