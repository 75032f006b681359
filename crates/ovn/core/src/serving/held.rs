//! The addresses of the ports that Purlin answers: whose they are, and nobody else's.

use super::{ADDRESS_KEY, CHOSEN, PORT, SWITCH, Server};
use crate::address::{Element, Network, parse_addresses};
use crate::model::State;
use purlin_ovsdb::Uuid;
use purlin_types::Mac;
use std::net::{IpAddr, Ipv4Addr};

/// An address that a port has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Names, so that everybody puts them into the same order.
    pub switch: String,
    pub port: String,
    /// Position among the addresses of the port.
    pub at: usize,
    pub mac: Mac,
    pub address: Ipv4Addr,
    /// The address that Purlin answers from on this switch.
    pub within: Ipv4Addr,
}

/// The IPv4 addresses of all ports of switches whose ports Purlin answers, sorted; those of routers and of Purlin's own
/// ports too, because no machine may get them.
pub fn held(state: &State<'_>) -> Vec<Held> {
    let mut all = Vec::new();
    for switch in state.uuids(SWITCH) {
        let Some(within) = answers_from(state, switch) else {
            continue;
        };
        let name = state.label(SWITCH, switch);
        for port in state.targets(SWITCH, switch, "ports") {
            let label = state.label(PORT, port);
            let own = addresses(state, port).into_iter().enumerate();
            all.extend(own.map(|(at, (mac, address))| Held {
                switch: name.clone(),
                port: label.clone(),
                at,
                mac,
                address,
                within,
            }));
        }
    }
    all.sort_unstable();
    all
}

/// What is chosen for a switch.
pub fn chosen(state: &State<'_>, switch: Uuid) -> Option<Server> {
    let ids = state.value(SWITCH, switch, "external_ids")?;
    ids.get_str(CHOSEN).and_then(Server::parse)
}

/// The address that Purlin answers from, if it does.
fn answers_from(state: &State<'_>, switch: Uuid) -> Option<Ipv4Addr> {
    let ids = state.value(SWITCH, switch, "external_ids")?;
    let purlin = ids.get_str(CHOSEN).and_then(Server::parse) == Some(Server::Purlin);
    ids.get_str(ADDRESS_KEY).filter(|_| purlin)?.parse().ok()
}

fn addresses(state: &State<'_>, port: Uuid) -> Vec<(Mac, Ipv4Addr)> {
    let kind = state.text(PORT, port, "type").unwrap_or_default();
    let mut texts = state.texts(PORT, port, "addresses");
    // What OVN has chosen for `dynamic`.
    texts.extend(state.texts(PORT, port, "dynamic_addresses"));
    let (elements, _) = parse_addresses(kind, texts.iter().map(|text| &**text));
    let mut all: Vec<(Mac, Ipv4Addr)> = Vec::new();
    for element in elements {
        let own: Vec<_> = match element {
            Element::Static(owned) => v4(owned.mac, owned.ips).collect(),
            Element::Dynamic { mac: Some(mac), ips } => v4(mac, ips).collect(),
            Element::Router => of_router(state, port).unwrap_or_default(),
            Element::Dynamic { mac: None, .. } | Element::Unknown => Vec::new(),
        };
        for one in own {
            // `dynamic` with an address of its own is said by both columns.
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    all
}

pub(super) fn v4(mac: Mac, ips: Vec<IpAddr>) -> impl Iterator<Item = (Mac, Ipv4Addr)> {
    ips.into_iter().filter_map(move |ip| match ip {
        IpAddr::V4(address) => Some((mac, address)),
        IpAddr::V6(_) => None,
    })
}

/// What the router's port on the other side has.
fn of_router(state: &State<'_>, port: Uuid) -> Option<Vec<(Mac, Ipv4Addr)>> {
    const ROUTER_PORT: &str = "Logical_Router_Port";
    let options = state.value(PORT, port, "options")?;
    let peer = state.by_name(ROUTER_PORT, options.get_str("router-port")?)?;
    let mac: Mac = state.text(ROUTER_PORT, peer, "mac")?.parse().ok()?;
    let networks = state.texts(ROUTER_PORT, peer, "networks");
    let ips = networks.iter().filter_map(|text| Network::parse(text).ok());
    Some(v4(mac, ips.map(|network| network.address()).collect()).collect())
}
