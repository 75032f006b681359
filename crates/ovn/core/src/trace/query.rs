//! A question to `ovn-trace`, from checked values.

use crate::address::Network;
use crate::model::State;
use purlin_ovsdb::{Atom, Uuid};
use purlin_types::Mac;
use std::fmt;
use std::net::IpAddr;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Ports of source and destination.
    Tcp(u16, u16),
    Udp(u16, u16),
    Sctp(u16, u16),
    /// An echo request.
    Ping,
}

/// What connection tracking says of the packet, time after time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conntrack {
    New,
    Established,
    Reply,
    Related,
}

impl Conntrack {
    fn flags(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Established => "est",
            Self::Reply => "est,rpl",
            Self::Related => "rel",
        }
    }
}

/// A packet that enters at a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub switch: String,
    pub port: String,
    pub source: (Mac, IpAddr),
    pub destination: (Mac, IpAddr),
    pub protocol: Protocol,
    pub conntrack: Vec<Conntrack>,
}

/// Why a question cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryError {
    NoPort(String),
    NoAddress(String),
    /// The two are not on one switch, and no router is on the first one's.
    NoWay(String),
    Families,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPort(port) => write!(f, "there is no switch port `{port}`"),
            Self::NoAddress(port) => write!(f, "port `{port}` has no MAC and IP address to send from or to"),
            Self::NoWay(switch) => write!(f, "no router has a port on switch `{switch}`"),
            Self::Families => f.write_str("source and destination have no IP version in common"),
        }
    }
}

impl std::error::Error for QueryError {}

const PORT: &str = "Logical_Switch_Port";

impl Query {
    /// The packet that one port would send to another: over its router when they are on different switches.
    pub fn between(state: &State<'_>, from: &str, to: &str, protocol: Protocol) -> Result<Self, QueryError> {
        let (from_mac, from_ips, switch) = endpoint(state, from)?;
        let (to_mac, to_ips, to_switch) = endpoint(state, to)?;
        let pair = from_ips
            .iter()
            .find_map(|ip| Some((*ip, *to_ips.iter().find(|to| to.is_ipv4() == ip.is_ipv4())?)));
        let (from_ip, to_ip) = pair.ok_or(QueryError::Families)?;
        let next = match switch == to_switch {
            true => to_mac,
            false => gateway(state, switch, from_ip)
                .ok_or_else(|| QueryError::NoWay(state.label("Logical_Switch", switch)))?,
        };
        Ok(Self {
            switch: state.label("Logical_Switch", switch),
            port: from.to_owned(),
            source: (from_mac, from_ip),
            destination: (next, to_ip),
            protocol,
            conntrack: vec![Conntrack::New; 4],
        })
    }

    /// The packet in OVN's expression language; names are in quotes, so that they are never more than names.
    pub fn microflow(&self) -> String {
        let version = if self.source.1.is_ipv4() { 4 } else { 6 };
        let port = self.port.replace('\\', "\\\\").replace('"', "\\\"");
        let payload = match self.protocol {
            Protocol::Tcp(from, to) => format!("tcp && tcp.src == {from} && tcp.dst == {to}"),
            Protocol::Udp(from, to) => format!("udp && udp.src == {from} && udp.dst == {to}"),
            Protocol::Sctp(from, to) => format!("sctp && sctp.src == {from} && sctp.dst == {to}"),
            Protocol::Ping if version == 4 => "icmp4.type == 8 && icmp4.code == 0".to_owned(),
            Protocol::Ping => "icmp6.type == 128 && icmp6.code == 0".to_owned(),
        };
        format!(
            "inport == \"{port}\" && eth.src == {} && eth.dst == {} && ip{version}.src == {} && ip{version}.dst == {} \
             && ip.ttl == 64 && {payload}",
            self.source.0, self.destination.0, self.source.1, self.destination.1
        )
    }

    /// The arguments behind the program's name; `database` is the southbound one.
    pub fn arguments(&self, database: &str) -> Vec<String> {
        let mut arguments = vec![format!("--db={database}"), "--detailed".to_owned()];
        arguments.extend(
            self.conntrack
                .iter()
                .map(|state| format!("--ct={}", state.flags())),
        );
        // Behind this nothing is an option, whatever it starts with.
        arguments.extend(["--".to_owned(), self.switch.clone(), self.microflow()]);
        arguments
    }
}

fn endpoint(state: &State<'_>, name: &str) -> Result<(Mac, Vec<IpAddr>, Uuid), QueryError> {
    let none = || QueryError::NoPort(name.to_owned());
    let port = state.by_name(PORT, name).ok_or_else(none)?;
    let (_, _, switch) = state.parent(PORT, port).ok_or_else(none)?;
    let (macs, ips) = state.port_addresses(port);
    match macs.first() {
        Some(mac) if !ips.is_empty() => Ok((*mac, ips, switch)),
        _ => Err(QueryError::NoAddress(name.to_owned())),
    }
}

/// The MAC of a router port on the switch: the one whose network the address is in, else any.
fn gateway(state: &State<'_>, switch: Uuid, address: IpAddr) -> Option<Mac> {
    let ports = state.targets("Logical_Switch", switch, "ports").into_iter();
    let peers = ports.filter_map(|port| state.map(PORT, port, "options").remove("router-port"));
    let peers: Vec<Uuid> = peers
        .flat_map(|peer| state.find("Logical_Router_Port", "name", &Atom::from(peer)))
        .collect();
    let near = |port: &&Uuid| {
        let networks = state.texts("Logical_Router_Port", **port, "networks");
        networks
            .iter()
            .any(|text| Network::parse(text).is_ok_and(|network| network.contains(address)))
    };
    let port = peers.iter().find(near).or(peers.first())?;
    state.text("Logical_Router_Port", *port, "mac")?.parse().ok()
}
