//! Switches, their ports, and ports of routers.

use crate::address::{Element, Network, Pool, parse_addresses, parse_port_security};
use crate::model::State;
use crate::problem::Problem;
use purlin_ovsdb::{Atom, Datum, Uuid};
use purlin_types::Mac;
use std::net::IpAddr;

pub(super) fn switch(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    Pool::parse(&state.map("Logical_Switch", uuid, "other_config")).1
}

/// Types of switch ports.
///
/// Source: ovn-nb(5), `Logical_Switch_Port`, column `type`; the last are of newer releases.
const TYPES: &[&str] = &[
    "",
    "router",
    "localnet",
    "localport",
    "l2gateway",
    "vtep",
    "external",
    "virtual",
    "remote",
    "switch",
];

/// What a type cannot be without.
const NEEDED: &[(&str, &[&str])] = &[
    ("router", &["router-port"]),
    ("localnet", &["network_name"]),
    ("l2gateway", &["network_name"]),
    ("vtep", &["vtep-physical-switch", "vtep-logical-switch"]),
    ("virtual", &["virtual-ip", "virtual-parents"]),
];

pub(super) fn switch_port(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let table = "Logical_Switch_Port";
    let Some(row) = state.seen(table, uuid) else {
        return Vec::new();
    };
    let value = |column: &str| row.get(column).unwrap_or(&Datum::EMPTY);
    let text = |column: &str| row.get(column)?.one()?.as_str();
    let texts = |column: &str| value(column).atoms().iter().filter_map(Atom::as_str);
    let kind = text("type").unwrap_or_default();
    let options = value("options");
    let mut problems = Vec::new();
    if !TYPES.contains(&kind) {
        let message = format!("there is no type `{kind}` of ports");
        problems.push(Problem::error("port-type", "type", message).nearest(kind, TYPES.iter().copied()));
    }
    let needed = NEEDED
        .iter()
        .find(|(of, _)| *of == kind)
        .map_or(&[][..], |(_, keys)| keys);
    for key in needed.iter().filter(|key| options.get_str(key).is_none()) {
        let message = format!("a port of type `{kind}` needs `options:{key}`");
        problems.push(Problem::error("port-option-missing", "options", message));
    }
    if let (Some(peer), "router") = (options.get_str("router-port"), kind)
        && state.by_name("Logical_Router_Port", peer).is_none()
    {
        let message = format!("there is no router port `{peer}`");
        problems.push(Problem::warning(
            "port-peer-missing",
            "options:router-port",
            message,
        ));
    }
    if let Some(peer) = options.get_str("router-port") {
        problems.extend(peering(state, uuid, kind, peer));
    }
    let (elements, found) = parse_addresses(kind, texts("addresses"));
    problems.extend(found);
    problems.extend(parse_port_security(texts("port_security")).1);
    problems.extend(dynamic(state, uuid, &elements));
    problems.extend(dhcp(state, uuid));
    if kind == "localnet" {
        problems.extend(one_wire(state, uuid));
    }
    if let Some(parent) = text("parent_name").filter(|parent| !parent.is_empty()) {
        if state.by_name(table, parent).is_none() {
            let message = format!("there is no port `{parent}`");
            problems.push(Problem::warning("port-parent-missing", "parent_name", message));
        }
        if ["tag", "tag_request"]
            .iter()
            .all(|column| value(column).is_empty())
        {
            let message = "a port within another one needs a `tag` or a `tag_request`";
            problems.push(Problem::error("port-tag-missing", "tag", message));
        }
    }
    problems
}

/// Two switches on one physical network with one tag are one network, whatever their names say: what is sent on either
/// reaches both, with the same addresses twice where one is a copy of the other.
fn one_wire(state: &State<'_>, uuid: Uuid) -> Option<Problem> {
    let table = "Logical_Switch_Port";
    let network = state.map(table, uuid, "options").remove("network_name")?;
    let tag_of = |port: Uuid| {
        let tag = state.value(table, port, "tag").and_then(Datum::one);
        tag.and_then(Atom::as_integer)
    };
    let switch_of = |port: Uuid| state.parent(table, port).map(|(.., switch)| switch);
    let (tag, switch) = (tag_of(uuid), switch_of(uuid)?);
    let others = state.find_key(table, "options", "network_name", &network);
    let other = others
        .into_iter()
        .filter(|port| state.text(table, *port, "type") == Some("localnet") && tag_of(*port) == tag)
        .find_map(|port| switch_of(port).filter(|other| *other != switch))?;
    let tag = tag.map_or_else(|| "without a tag".to_owned(), |tag| format!("with tag {tag}"));
    let message = format!(
        "switch {} is on the physical network `{network}` {tag}, too: both are one network",
        state.label("Logical_Switch", other)
    );
    Some(
        Problem::warning("localnet-shared", "options:network_name", message)
            .help("give one of them another network or another `tag`, or keep one switch"),
    )
}

/// A router port has one port on the other side.
fn peering(state: &State<'_>, uuid: Uuid, kind: &str, peer: &str) -> Option<Problem> {
    let table = "Logical_Switch_Port";
    let place = "options:router-port";
    if kind != "router" {
        let message = format!("`router-port` counts for ports of type `router`, and this one's is `{kind}`");
        return Some(Problem::warning("port-option-unused", place, message).help("type = `router`"));
    }
    let ports = state.find_key(table, "options", "router-port", peer).into_iter();
    let other = ports
        .filter(|other| *other != uuid)
        .find(|other| state.text(table, *other, "type") == Some("router"))?;
    let message = format!(
        "router port `{peer}` is joined by port `{}` already",
        state.label(table, other)
    );
    Some(Problem::error("port-peer-taken", place, message))
}

/// `dynamic` gets an address only where the switch has some to give.
fn dynamic(state: &State<'_>, uuid: Uuid, elements: &[Element]) -> Option<Problem> {
    let wanted = elements.iter().find_map(|element| match element {
        Element::Dynamic { ips, .. } => Some(ips),
        _ => None,
    })?;
    let (_, _, switch) = state.parent("Logical_Switch_Port", uuid)?;
    let (pool, _) = Pool::parse(&state.map("Logical_Switch", switch, "other_config"));
    let name = state.label("Logical_Switch", switch);
    if pool.subnet.is_none() && pool.ipv6_prefix.is_none() && !pool.mac_only {
        let message =
            format!("`dynamic` stays without an address: switch {name} has no `other_config:subnet`");
        return Some(Problem::warning("address-no-pool", "addresses", message));
    }
    let excluded = wanted.iter().find(|ip| match ip {
        IpAddr::V4(ip) => pool.is_excluded(*ip),
        IpAddr::V6(_) => false,
    })?;
    let message = format!("switch {name} excludes {excluded} from what it gives out");
    Some(Problem::warning("address-excluded", "addresses", message))
}

/// OVN answers only where the port's address is in the options' network.
fn dhcp(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut known = None;
    for (column, v4) in [("dhcpv4_options", true), ("dhcpv6_options", false)] {
        for options in state.targets("Logical_Switch_Port", uuid, column) {
            let ips = known.get_or_insert_with(|| state.port_addresses(uuid).1);
            let cidr = state.text("DHCP_Options", options, "cidr").unwrap_or_default();
            let Ok(network) = Network::parse(cidr) else {
                continue;
            };
            if network.is_v4() != v4 {
                let message = format!("{cidr} is of the other IP version");
                problems.push(Problem::error("port-dhcp-family", column, message));
            } else if let Some(outside) = ips
                .iter()
                .find(|ip| ip.is_ipv4() == v4 && !network.contains(**ip))
            {
                let message = format!("{outside} is outside of {cidr}: OVN will not answer this port");
                problems.push(Problem::warning("port-dhcp-outside", column, message));
            }
        }
    }
    problems
}

pub(super) fn router_port(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let table = "Logical_Router_Port";
    let mut problems = Vec::new();
    let mac = state.text(table, uuid, "mac").unwrap_or_default();
    match mac.parse::<Mac>() {
        Ok(mac) if mac.0[0] & 1 == 0 => {}
        _ => problems.push(Problem::error(
            "router-port-mac",
            "mac",
            format!("`{mac}` is no MAC address of a port"),
        )),
    }
    let mut networks: Vec<Network> = Vec::new();
    for text in state.texts(table, uuid, "networks") {
        match Network::parse(&text) {
            Ok(network) => networks.push(network),
            Err(why) => {
                let problem = Problem::error("router-port-network", "networks", why);
                problems.push(
                    problem
                        .help("the port's own address with the length of its network, as in `10.0.0.1/24`"),
                );
            }
        }
    }
    if let Some(peer) = state.text(table, uuid, "peer").filter(|peer| !peer.is_empty())
        && state.by_name(table, peer).is_none()
    {
        let message = format!("there is no router port `{peer}`");
        problems.push(Problem::warning("port-peer-missing", "peer", message));
    }
    problems.extend(overlaps(state, uuid, &networks));
    problems
}

/// Two ports of one router in overlapping networks: the router cannot tell where an address is.
fn overlaps(state: &State<'_>, uuid: Uuid, networks: &[Network]) -> Vec<Problem> {
    let table = "Logical_Router_Port";
    let Some((_, _, router)) = state.parent(table, uuid) else {
        return Vec::new();
    };
    let ports = state
        .targets("Logical_Router", router, "ports")
        .into_iter()
        .filter(|port| *port != uuid);
    ports
        .filter_map(|port| {
            let texts = state.texts(table, port, "networks");
            let others: Vec<Network> = texts
                .iter()
                .filter_map(|text| Network::parse(text).ok())
                .collect();
            let pair =
                |network: &Network| Some((*network, *others.iter().find(|other| other.overlaps(network))?));
            let (network, other) = networks.iter().find_map(pair)?;
            let message = format!("{network} overlaps {other} of {}", state.label(table, port));
            Some(Problem::warning("router-port-overlap", "networks", message))
        })
        .collect()
}
