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
    /// The words of `--ct`.
    pub fn flags(self) -> &'static str {
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

/// Where a packet is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A switch port or a router port, by name.
    Port(String),
    /// Whoever has this address: a port, a load balancer, somebody outside.
    Address(IpAddr),
}

/// What the asker says himself; everything else is read from the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    pub source_mac: Option<Mac>,
    pub source_ip: Option<IpAddr>,
    pub destination_mac: Option<Mac>,
    pub destination_ip: Option<IpAddr>,
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
const ROUTER_PORT: &str = "Logical_Router_Port";

/// Looks at connection tracking that one packet may need: two for each pipeline of a long way.
const LOOKS: usize = 16;

impl Query {
    /// The packet that one port would send to another: over its router when they are on different switches.
    pub fn between(state: &State<'_>, from: &str, to: &str, protocol: Protocol) -> Result<Self, QueryError> {
        Self::ask(
            state,
            from,
            &Target::Port(to.to_owned()),
            &Given::default(),
            protocol,
        )
    }

    /// The first packet that a port would send to a target. Addresses that are not given are those of the rows; the
    /// packet goes to the target's MAC on the same switch, else to the router's.
    pub fn ask(
        state: &State<'_>,
        from: &str,
        to: &Target,
        given: &Given,
        protocol: Protocol,
    ) -> Result<Self, QueryError> {
        let source = endpoint(state, from)?;
        let target = target(state, to)?;
        let family = |ip: &&IpAddr| {
            given
                .source_ip
                .is_none_or(|source| source.is_ipv4() == ip.is_ipv4())
        };
        let wanted = given.destination_ip.map(|ip| vec![ip]);
        let wanted = wanted.unwrap_or_else(|| target.ips.clone());
        let own = given.source_ip.map(|ip| vec![ip]);
        let own = own.unwrap_or_else(|| source.ips.clone());
        if own.is_empty() || given.source_mac.or(source.mac).is_none() {
            return Err(QueryError::NoAddress(from.to_owned()));
        }
        if wanted.is_empty() {
            let Target::Port(name) = to else {
                return Err(QueryError::Families);
            };
            return Err(QueryError::NoAddress(name.clone()));
        }
        let mut pairs = own.iter().filter(family).filter_map(|from| {
            let to = wanted.iter().find(|to| to.is_ipv4() == from.is_ipv4())?;
            Some((*from, *to))
        });
        let (from_ip, to_ip) = pairs.next().ok_or(QueryError::Families)?;
        let switch = source.switch;
        let near = match (target.switch == Some(switch), target.mac) {
            (true, Some(mac)) => Some(mac),
            (true, None) if given.destination_mac.is_none() => {
                return Err(QueryError::NoAddress(named(to)));
            }
            // A port of another switch may share its address with one of this switch.
            _ if target.switch.is_some() => None,
            _ => neighbour(state, switch, to_ip),
        };
        let mac = given.destination_mac.or(near);
        let mac = mac.or_else(|| gateway(state, switch, from_ip));
        Ok(Self {
            switch: state.label("Logical_Switch", switch),
            port: from.to_owned(),
            source: (given.source_mac.or(source.mac).unwrap_or(Mac([0; 6])), from_ip),
            destination: (
                mac.ok_or_else(|| QueryError::NoWay(state.label("Logical_Switch", switch)))?,
                to_ip,
            ),
            protocol,
            conntrack: vec![Conntrack::New; LOOKS],
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

struct End {
    mac: Option<Mac>,
    ips: Vec<IpAddr>,
    switch: Uuid,
}

fn endpoint(state: &State<'_>, name: &str) -> Result<End, QueryError> {
    let none = || QueryError::NoPort(name.to_owned());
    let port = state.by_name(PORT, name).ok_or_else(none)?;
    let (_, _, switch) = state.parent(PORT, port).ok_or_else(none)?;
    let (macs, ips) = state.port_addresses(port);
    Ok(End {
        mac: macs.first().copied(),
        ips,
        switch,
    })
}

struct Found {
    mac: Option<Mac>,
    ips: Vec<IpAddr>,
    /// Of a switch port.
    switch: Option<Uuid>,
}

fn target(state: &State<'_>, to: &Target) -> Result<Found, QueryError> {
    let name = match to {
        Target::Address(ip) => {
            return Ok(Found {
                mac: None,
                ips: vec![*ip],
                switch: None,
            });
        }
        Target::Port(name) => name,
    };
    if let Some(port) = state.by_name(ROUTER_PORT, name) {
        let networks = state.texts(ROUTER_PORT, port, "networks").into_iter();
        return Ok(Found {
            mac: None,
            ips: networks
                .filter_map(|text| Some(Network::parse(&text).ok()?.address()))
                .collect(),
            switch: None,
        });
    }
    let end = endpoint(state, name)?;
    Ok(Found {
        mac: end.mac,
        ips: end.ips,
        switch: Some(end.switch),
    })
}

fn named(to: &Target) -> String {
    match to {
        Target::Port(name) => name.clone(),
        Target::Address(ip) => ip.to_string(),
    }
}

/// The MAC of whoever on the switch has the address: a port of it, or a router's.
fn neighbour(state: &State<'_>, switch: Uuid, address: IpAddr) -> Option<Mac> {
    let ports = state.targets("Logical_Switch", switch, "ports");
    let own = ports.iter().find_map(|port| {
        let (macs, ips) = state.port_addresses(*port);
        ips.contains(&address).then(|| macs.first().copied()).flatten()
    });
    own.or_else(|| {
        let has = |port: &Uuid| {
            let networks = state.texts(ROUTER_PORT, *port, "networks");
            networks
                .iter()
                .any(|text| Network::parse(text).is_ok_and(|network| network.address() == address))
        };
        let port = router_ports(state, switch).into_iter().find(has)?;
        state.text(ROUTER_PORT, port, "mac")?.parse().ok()
    })
}

fn router_ports(state: &State<'_>, switch: Uuid) -> Vec<Uuid> {
    let ports = state.targets("Logical_Switch", switch, "ports").into_iter();
    let peers = ports.filter_map(|port| state.map(PORT, port, "options").remove("router-port"));
    peers
        .flat_map(|peer| state.find(ROUTER_PORT, "name", &Atom::from(peer)))
        .collect()
}

/// The MAC of a router port on the switch: the one whose network the address is in, else any.
fn gateway(state: &State<'_>, switch: Uuid, address: IpAddr) -> Option<Mac> {
    let peers = router_ports(state, switch);
    let near = |port: &&Uuid| {
        let networks = state.texts(ROUTER_PORT, **port, "networks");
        networks
            .iter()
            .any(|text| Network::parse(text).is_ok_and(|network| network.contains(address)))
    };
    let port = peers.iter().find(near).or(peers.first())?;
    state.text(ROUTER_PORT, *port, "mac")?.parse().ok()
}
