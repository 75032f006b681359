//! What is chosen for a switch, and whom it reaches.

use super::{CHOSEN, OPTIONS, PORT, PORT_BY, SWITCH, Server, options_of};
use crate::model::State;
use purlin_ovsdb::Uuid;
use std::collections::BTreeMap;

/// How DHCP stands on a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub server: Server,
    /// The options with which OVN answers.
    pub options: Option<Uuid>,
    pub cidr: String,
    /// By name, as OVN has them.
    pub values: BTreeMap<String, String>,
    /// The port behind which Purlin answers.
    pub port: Option<Uuid>,
    /// Ports that OVN answers with these options.
    pub served: usize,
    /// Names of ports that have options of somebody else.
    pub others: Vec<String>,
    /// Names of ports that OVN does not answer although it should: nobody completed them.
    pub missing: Vec<String>,
}

/// Looks at a switch.
#[must_use]
pub fn found(state: &State<'_>, switch: Uuid) -> Found {
    let ids = state.map(SWITCH, switch, "external_ids");
    let chosen = ids.get(CHOSEN).and_then(|word| Server::parse(word));
    let options = options_of(state, switch);
    let port = ids.get(PORT_BY).and_then(|text| Uuid::parse(text));
    let mut found = Found {
        server: chosen.unwrap_or(Server::Nobody),
        cidr: options
            .and_then(|uuid| state.text(OPTIONS, uuid, "cidr"))
            .unwrap_or_default()
            .to_owned(),
        values: options
            .map(|uuid| state.map(OPTIONS, uuid, "options"))
            .unwrap_or_default(),
        options,
        port: port.filter(|port| state.contains(PORT, *port)),
        served: 0,
        others: Vec::new(),
        missing: Vec::new(),
    };
    for port in clients(state, switch) {
        let has = state.targets(PORT, port, "dhcpv4_options");
        match (has.first(), options) {
            (Some(has), Some(ours)) if *has == ours => found.served += 1,
            (Some(_), _) => found.others.push(state.label(PORT, port)),
            (None, Some(_)) => found.missing.push(state.label(PORT, port)),
            (None, None) => {}
        }
    }
    found
}

/// The switch's ports behind which machines are.
pub(super) fn clients(state: &State<'_>, switch: Uuid) -> impl Iterator<Item = Uuid> {
    let ports = state.targets(SWITCH, switch, "ports").into_iter();
    ports.filter(|port| state.text(PORT, *port, "type").unwrap_or_default().is_empty())
}
