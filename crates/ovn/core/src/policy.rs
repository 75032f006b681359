//! What the ACLs say about a packet, without asking OVN: which rule of which list decides at which end.
//!
//! Only ACLs are judged, for the first packet of a connection: where a packet is routed, balanced or translated is a
//! trace's question. That is enough to ask thousands of pairs of ports at once who may talk with whom.
//!
//! Source: ovn-nb(5), table `ACL`; `NB_Global`.`options:default_acl_drop`.

mod exact;

use crate::expr::{Formula, Packet, annotate, lower, parse};
use crate::model::State;
use crate::trace::{Protocol, Query};
use purlin_ovsdb::{Atom, Uuid};
use purlin_types::Mac;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

/// The ACLs of all switches, read once.
#[derive(Debug)]
pub struct Policy {
    /// By switch; of each list the higher tiers and priorities first.
    lists: BTreeMap<Uuid, Lists>,
    /// Switch of each port, by the port's name.
    switches: BTreeMap<String, Uuid>,
    /// Whether a switch with ACLs drops what none of them matches.
    drops: bool,
}

#[derive(Debug, Default)]
struct Lists {
    from_port: Vec<Rule>,
    to_port: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    uuid: Uuid,
    label: String,
    tier: i64,
    priority: i64,
    action: String,
    after_lb: bool,
    formula: Formula,
}

/// What the ACLs of both ends say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub allowed: bool,
    /// Where the packet enters; none where no rule matched.
    pub leaving: Option<Decided>,
    /// Where it arrives; not asked when it does not leave.
    pub arriving: Option<Decided>,
}

/// A rule that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    pub acl: String,
    pub label: String,
    pub priority: i64,
    pub action: String,
}

/// What drops a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    By(Decided),
    /// No rule allows it, and `default_acl_drop` is set.
    ByDefault,
}

impl Policy {
    /// Reads all ACLs. A match that cannot be read matches nothing, as in OVN.
    pub fn new(state: &State<'_>) -> Self {
        let mut policy = Self {
            lists: BTreeMap::new(),
            switches: BTreeMap::new(),
            drops: drops(state),
        };
        let mut groups: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
        for group in state.uuids("Port_Group") {
            for port in state.targets("Port_Group", group, "ports") {
                groups.entry(port).or_default().insert(group);
            }
        }
        for switch in state.uuids("Logical_Switch") {
            policy.read(state, switch, |port| {
                groups.get(&port).cloned().unwrap_or_default()
            });
        }
        policy
    }

    /// Reads the ACLs of one switch only.
    pub fn of_switch(state: &State<'_>, switch: Uuid) -> Self {
        let mut policy = Self {
            lists: BTreeMap::new(),
            switches: BTreeMap::new(),
            drops: drops(state),
        };
        policy.read(state, switch, |port| {
            let groups = state.find("Port_Group", "ports", &Atom::Uuid(port));
            groups.into_iter().collect()
        });
        policy
    }

    fn read(&mut self, state: &State<'_>, switch: Uuid, groups: impl Fn(Uuid) -> BTreeSet<Uuid>) {
        let mut holders = BTreeSet::from([("Logical_Switch", switch)]);
        for port in state.targets("Logical_Switch", switch, "ports") {
            let name = state.label("Logical_Switch_Port", port);
            self.switches.insert(name, switch);
            holders.extend(groups(port).into_iter().map(|group| ("Port_Group", group)));
        }
        let acls = holders
            .iter()
            .flat_map(|(table, uuid)| state.targets(table, *uuid, "acls"));
        let acls: BTreeSet<Uuid> = acls.collect();
        self.lists.insert(switch, Lists::new(state, &acls));
    }

    /// Which ACL keeps a port's DHCPv4 (its DISCOVER) from leaving it; `None` when it leaves.
    ///
    /// OVN answers behind these rules: what they drop, neither it nor anybody else hears.
    pub fn dhcp_dropped(&self, port: &str, mac: Mac) -> Option<Dropped> {
        let lists = self.lists.get(self.switches.get(port)?)?;
        let query = Query {
            switch: String::new(),
            port: port.to_owned(),
            source: (mac, IpAddr::from([0; 4])),
            destination: (Mac([0xff; 6]), IpAddr::from([0xff; 4])),
            protocol: Protocol::Udp(68, 67),
            conntrack: Vec::new(),
        };
        match lists.decide(&lists.from_port, &packet(&query)) {
            Some(rule) if rule.action.starts_with("allow") => None,
            Some(rule) => Some(Dropped::By(rule.decided())),
            None => (self.drops && lists.some()).then_some(Dropped::ByDefault),
        }
    }

    /// What becomes of the packet that a question sends to a port. None when one of the ports is on no switch.
    pub fn verdict(&self, query: &Query, to: &str) -> Option<Verdict> {
        let from = self.lists.get(self.switches.get(&query.port)?)?;
        let into = self.lists.get(self.switches.get(to)?)?;
        let mut packet = packet(query);
        let leaving = from.decide(&from.from_port, &packet);
        let passes = |decided: Option<&Rule>, lists: &Lists| match decided {
            Some(rule) => rule.action.starts_with("allow"),
            None => !(self.drops && lists.some()),
        };
        if !passes(leaving, from) {
            return Some(Verdict {
                allowed: false,
                leaving: leaving.map(Rule::decided),
                arriving: None,
            });
        }
        packet.set_port("outport", to);
        let arriving = into.decide(&into.to_port, &packet);
        Some(Verdict {
            allowed: passes(arriving, into),
            leaving: leaving.map(Rule::decided),
            arriving: arriving.map(Rule::decided),
        })
    }

    /// Every pair of different ports for every protocol: who may talk with whom. Pairs between which there is no way at
    /// all are left out.
    pub fn matrix(
        &self,
        state: &State<'_>,
        ports: &[&str],
        protocols: &[Protocol],
    ) -> Vec<(String, String, Protocol, Verdict)> {
        let mut matrix = Vec::new();
        for from in ports {
            for to in ports.iter().filter(|to| *to != from) {
                for protocol in protocols {
                    let verdict = Query::between(state, from, to, *protocol)
                        .ok()
                        .and_then(|query| self.verdict(&query, to));
                    if let Some(verdict) = verdict {
                        matrix.push(((*from).to_owned(), (*to).to_owned(), *protocol, verdict));
                    }
                }
            }
        }
        matrix
    }
}

fn drops(state: &State<'_>) -> bool {
    let globals = state.uuids("NB_Global").into_iter();
    let mut options = globals.map(|uuid| state.map("NB_Global", uuid, "options"));
    options.any(|options| options.get("default_acl_drop").is_some_and(|drop| drop == "true"))
}

impl Lists {
    fn new(state: &State<'_>, acls: &BTreeSet<Uuid>) -> Self {
        let mut lists = Self::default();
        for acl in acls {
            let Some(rule) = rule(state, *acl) else {
                continue;
            };
            match state.text("ACL", *acl, "direction") {
                Some("from-lport") => lists.from_port.push(rule),
                _ => lists.to_port.push(rule),
            }
        }
        for list in [&mut lists.from_port, &mut lists.to_port] {
            list.sort_by_key(|rule| (rule.tier, std::cmp::Reverse(rule.priority), rule.uuid));
        }
        lists
    }

    fn some(&self) -> bool {
        !(self.from_port.is_empty() && self.to_port.is_empty())
    }

    /// The first rule that matches; one that says `pass` leaves the decision to the next tier.
    fn decide<'l>(&self, list: &'l [Rule], packet: &Packet) -> Option<&'l Rule> {
        let mut tier = i64::MIN;
        for rule in list.iter() {
            if rule.tier >= tier && packet.satisfies(&rule.formula) {
                match rule.action.as_str() {
                    "pass" => tier = rule.tier + 1,
                    _ => return Some(rule),
                }
            }
        }
        None
    }
}

fn rule(state: &State<'_>, uuid: Uuid) -> Option<Rule> {
    let formula = lower(&parse(state.text("ACL", uuid, "match")?).ok()?, state).ok()?;
    let number = |column: &str| {
        state
            .value("ACL", uuid, column)
            .and_then(|value| value.one()?.as_integer())
    };
    Some(Rule {
        uuid,
        label: state.label("ACL", uuid),
        tier: number("tier").unwrap_or(0),
        priority: number("priority")?,
        action: state.text("ACL", uuid, "action")?.to_owned(),
        after_lb: state
            .map("ACL", uuid, "options")
            .get("apply-after-lb")
            .is_some_and(|after| after == "true"),
        formula: annotate(&formula),
    })
}

impl Rule {
    fn decided(&self) -> Decided {
        Decided {
            acl: self.uuid.to_string(),
            label: self.label.clone(),
            priority: self.priority,
            action: self.action.clone(),
        }
    }
}

/// The first packet of a connection.
fn packet(query: &Query) -> Packet {
    let mut packet = Packet::default();
    let number = |octets: [u8; 6]| {
        octets
            .iter()
            .fold(0u128, |number, octet| number << 8 | u128::from(*octet))
    };
    packet.set_port("inport", &query.port);
    packet.set("eth.src", number(query.source.0.0));
    packet.set("eth.dst", number(query.destination.0.0));
    packet.set("ip.ttl", 64);
    for (name, address) in [("src", query.source.1), ("dst", query.destination.1)] {
        match address {
            IpAddr::V4(address) => {
                packet.set("eth.type", 0x800);
                packet.set(&format!("ip4.{name}"), u32::from(address).into());
            }
            IpAddr::V6(address) => {
                packet.set("eth.type", 0x86dd);
                packet.set(&format!("ip6.{name}"), address.into());
            }
        }
    }
    for tracked in ["ct.trk", "ct.new"] {
        packet.set(tracked, 1);
    }
    let v4 = query.source.1.is_ipv4();
    let (number, name, ports) = match query.protocol {
        Protocol::Tcp(from, to) => (6, "tcp", Some((from, to))),
        Protocol::Udp(from, to) => (17, "udp", Some((from, to))),
        Protocol::Sctp(from, to) => (132, "sctp", Some((from, to))),
        Protocol::Ping if v4 => (1, "icmp4", None),
        Protocol::Ping => (58, "icmp6", None),
    };
    packet.set("ip.proto", number);
    match ports {
        Some((from, to)) => {
            packet.set(&format!("{name}.src"), from.into());
            packet.set(&format!("{name}.dst"), to.into());
        }
        None => {
            packet.set(&format!("{name}.type"), if v4 { 8 } else { 128 });
        }
    }
    packet
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |decided: &Option<Decided>| match decided {
            Some(rule) => format!("ACL {} ({}) says {}", rule.label, rule.priority, rule.action),
            None => "no ACL matches".to_owned(),
        };
        let allowed = if self.allowed { "allowed" } else { "dropped" };
        match self.allowed || self.arriving.is_some() {
            true => write!(
                f,
                "{allowed}: leaving, {}; arriving, {}",
                said(&self.leaving),
                said(&self.arriving)
            ),
            false => write!(f, "{allowed} where it leaves: {}", said(&self.leaving)),
        }
    }
}
