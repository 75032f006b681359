//! The addresses of the ports that Purlin answers: whose they are, and nobody else's.

use super::{CHOSEN, PORT, SWITCH, Server};
use crate::address::{Element, Network, parse_addresses};
use crate::model::State;
use purlin_ovsdb::Uuid;
use purlin_types::Mac;
use std::net::{IpAddr, Ipv4Addr};

/// An address that a port has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Names, so that a list of them is in an order that everybody makes alike.
    pub switch: String,
    pub port: String,
    pub mac: Mac,
    pub address: Ipv4Addr,
}

/// The IPv4 addresses of all ports of switches whose ports Purlin answers; those of routers and of Purlin's own ports
/// too, because no client may get them. In the order of the names; of a port the addresses in that of its rows.
pub fn held(state: &State<'_>) -> Vec<Held> {
    let switches = state.uuids(SWITCH).into_iter();
    let mut all = Vec::new();
    for switch in switches.filter(|switch| chosen(state, *switch) == Some(Server::Purlin)) {
        let name = state.label(SWITCH, switch);
        for port in state.targets(SWITCH, switch, "ports") {
            let label = state.label(PORT, port);
            let own = addresses(state, port).into_iter();
            all.extend(own.map(|(mac, address)| Held {
                switch: name.clone(),
                port: label.clone(),
                mac,
                address,
            }));
        }
    }
    // Stable: the addresses of a port stay as they are.
    all.sort_by(|a, b| (&a.switch, &a.port).cmp(&(&b.switch, &b.port)));
    all
}

/// What is chosen for a switch.
pub fn chosen(state: &State<'_>, switch: Uuid) -> Option<Server> {
    let ids = state.value(SWITCH, switch, "external_ids")?;
    ids.get_str(CHOSEN).and_then(Server::parse)
}

fn addresses(state: &State<'_>, port: Uuid) -> Vec<(Mac, Ipv4Addr)> {
    let kind = state.text(PORT, port, "type").unwrap_or_default();
    let mut texts = state.texts(PORT, port, "addresses");
    // What OVN has chosen for `dynamic`.
    texts.extend(state.texts(PORT, port, "dynamic_addresses"));
    let (elements, _) = parse_addresses(kind, texts.iter().map(|text| &**text));
    let mut all = Vec::new();
    for element in elements {
        match element {
            Element::Static(owned) => all.extend(v4(owned.mac, owned.ips)),
            Element::Dynamic { mac: Some(mac), ips } => all.extend(v4(mac, ips)),
            Element::Router => all.extend(of_router(state, port)),
            Element::Dynamic { mac: None, .. } | Element::Unknown => {}
        }
    }
    all
}

fn v4(mac: Mac, ips: Vec<IpAddr>) -> impl Iterator<Item = (Mac, Ipv4Addr)> {
    ips.into_iter().filter_map(move |ip| match ip {
        IpAddr::V4(address) => Some((mac, address)),
        IpAddr::V6(_) => None,
    })
}

/// What the router's port on the other side has.
fn of_router(state: &State<'_>, port: Uuid) -> Vec<(Mac, Ipv4Addr)> {
    const ROUTER_PORT: &str = "Logical_Router_Port";
    let told = || {
        let peer = state
            .value(PORT, port, "options")?
            .get_str("router-port")?
            .to_owned();
        let peer = state.by_name(ROUTER_PORT, &peer)?;
        let mac: Mac = state.text(ROUTER_PORT, peer, "mac")?.parse().ok()?;
        let networks = state.texts(ROUTER_PORT, peer, "networks");
        let ips = networks.iter().filter_map(|text| Network::parse(text).ok());
        Some(v4(mac, ips.map(|network| network.address()).collect()).collect())
    };
    told().unwrap_or_default()
}
