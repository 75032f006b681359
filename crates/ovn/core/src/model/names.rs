//! Ports, address sets and port groups of a state, for match expressions.

use super::State;
use crate::address::{Element, parse_addresses};
use crate::expr::{Kind, Names, Number};
use purlin_ovsdb::cache::RowRef;
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::net::IpAddr;
use std::sync::Arc;

impl State<'_> {
    /// MACs and addresses of a switch port, those that OVN chose included.
    pub fn port_addresses(&self, port: Uuid) -> (Vec<purlin_types::Mac>, Vec<IpAddr>) {
        self.seen("Logical_Switch_Port", port)
            .map(|port| addresses_of(&port))
            .unwrap_or_default()
    }

    /// Names of a group's ports.
    fn group_ports(&self, group: Uuid) -> Vec<Arc<str>> {
        let ports = self.targets("Port_Group", group, "ports").into_iter();
        ports
            .filter_map(|port| self.text("Logical_Switch_Port", port, "name").map(Arc::from))
            .collect()
    }

    /// The addresses of a group's ports: OVN keeps `NAME_ip4` and `NAME_ip6` beside each group.
    fn group_addresses(&self, name: &str) -> Option<Vec<Number>> {
        let (group, v4) = match (name.strip_suffix("_ip4"), name.strip_suffix("_ip6")) {
            (Some(group), _) => (group, true),
            (_, Some(group)) => (group, false),
            _ => return None,
        };
        let group = self.by_name("Port_Group", group)?;
        let ports = self.targets("Port_Group", group, "ports").into_iter();
        let ips = ports.flat_map(|port| self.port_addresses(port).1);
        let of_version = ips.filter(|ip| ip.is_ipv4() == v4);
        Some(
            of_version
                .filter_map(|ip| Number::parse(&ip.to_string()).ok())
                .collect(),
        )
    }
}

/// MACs and addresses of a switch port, those that OVN chose included.
pub(crate) fn addresses_of(port: &RowRef<'_>) -> (Vec<purlin_types::Mac>, Vec<IpAddr>) {
    let texts = ["addresses", "dynamic_addresses"].into_iter();
    let texts = texts.flat_map(|column| port.get(column).map(Datum::atoms).unwrap_or_default());
    let kind = port.get("type").and_then(|kind| kind.one()?.as_str());
    let (elements, _) = parse_addresses(kind.unwrap_or_default(), texts.filter_map(Atom::as_str));
    let (mut macs, mut ips) = (Vec::new(), Vec::new());
    for element in elements {
        match element {
            Element::Static(owned) => {
                macs.push(owned.mac);
                ips.extend(owned.ips);
            }
            Element::Dynamic { mac, ips: wanted } => {
                macs.extend(mac);
                ips.extend(wanted);
            }
            Element::Unknown | Element::Router => {}
        }
    }
    macs.sort_unstable_by_key(|mac| mac.0);
    macs.dedup();
    ips.sort_unstable();
    ips.dedup();
    (macs, ips)
}

impl Names for State<'_> {
    fn address_set(&self, name: &str) -> Option<Vec<Number>> {
        match self.by_name("Address_Set", name) {
            Some(set) => {
                let members = self.texts("Address_Set", set, "addresses");
                // As OVN: what is no address is left out.
                Some(
                    members
                        .iter()
                        .filter_map(|member| Number::parse(member).ok())
                        .collect(),
                )
            }
            None => self.group_addresses(name),
        }
    }

    fn port_group(&self, name: &str) -> Option<Vec<Arc<str>>> {
        self.by_name("Port_Group", name)
            .map(|group| self.group_ports(group))
    }

    fn has_port(&self, name: &str) -> bool {
        let router_port = name.strip_prefix("cr-").unwrap_or(name);
        self.by_name("Logical_Switch_Port", name).is_some()
            || self.by_name("Logical_Router_Port", router_port).is_some()
    }

    fn all(&self, kind: Kind) -> Vec<String> {
        let tables: &[&str] = match kind {
            Kind::Port => &["Logical_Switch_Port", "Logical_Router_Port"],
            Kind::AddressSet => &["Address_Set"],
            Kind::PortGroup => &["Port_Group"],
        };
        let names = tables.iter().flat_map(|table| {
            let rows = self.uuids(table).into_iter();
            rows.filter_map(|uuid| self.text(table, uuid, "name").map(str::to_owned))
        });
        names.collect()
    }
}
