//! Who has which address, over the whole northbound database, and who would collide with whom.
//!
//! The book is kept as the rows change and asked for one candidate at a time: a question costs what the candidate's own
//! addresses and neighbours cost, whatever the size of the database. As a cache's states, books share what they have in
//! common, so that each state of the database may have its own.
//!
//! A *place* is a switch or a router. An address on a switch must be unique on it and on every switch that one router
//! joins with it; not beyond: two tenants behind their own routers may both have 10.0.0.5.

use super::Network;
use crate::problem::{Problem, Severity};
use purlin_ovsdb::Uuid;
use purlin_ovsdb::cache::{Relation, Trie};
use purlin_types::Mac;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// In which role somebody has an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A switch port, by `addresses` or by OVN's choice.
    Port,
    /// A router port, which is the gateway of its switch.
    RouterPort,
    /// External address of `snat` rows: shared by design.
    Snat,
    /// External address of `dnat` and `dnat_and_snat` rows.
    Dnat,
    /// Virtual address of a load balancer.
    Vip,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::RouterPort => "router port",
            Self::Snat => "SNAT rule",
            Self::Dnat => "NAT rule",
            Self::Vip => "load balancer",
        }
    }

    /// How bad it is when both have one IP address.
    fn against(self, other: Self) -> Option<Severity> {
        use Role::{Dnat, Port, RouterPort, Snat, Vip};
        match (self.min(other), self.max(other)) {
            (Port | RouterPort, Port | RouterPort) => Some(Severity::Error),
            (Port, Snat | Dnat) | (Dnat, Dnat) => Some(Severity::Error),
            (Port, Vip) | (RouterPort, Dnat) | (Dnat, Vip) => Some(Severity::Warning),
            // The router's own address is the usual one for SNAT and load balancers; SNAT rules share theirs.
            _ => None,
        }
    }
}

/// Somebody with addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its row.
    pub row: Uuid,
    pub role: Role,
    /// How it is called.
    pub name: String,
    /// Switches and routers that it is on.
    pub places: BTreeSet<Uuid>,
    pub macs: Vec<Mac>,
    pub ips: Vec<IpAddr>,
}

/// Two that have one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    pub severity: Severity,
    pub address: Shared,
    pub with: Uuid,
    pub with_name: String,
    pub with_role: Role,
    /// On different switches that a router joins.
    pub joined: bool,
}

/// The address that both have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shared {
    Mac(Mac),
    Ip(IpAddr),
}

/// The book. A copy costs a few pointers, and what is written into it is not in the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Book {
    holders: Trie<Arc<Holder>>,
    by_mac: Relation,
    by_ip: Relation,
    by_place: Relation,
    /// Router ports by the places that they join.
    gates: Relation,
    networks: Trie<Network>,
}

impl Book {
    /// The network that a switch gives addresses from.
    pub fn network(&mut self, place: Uuid, network: Option<Network>) {
        match network {
            Some(network) => drop(self.networks.insert(place, network)),
            None => drop(self.networks.remove(&place)),
        }
    }

    /// Writes somebody in, in place of what the same row had before.
    pub fn put(&mut self, holder: Holder) {
        if self.holders.get(&holder.row).is_some_and(|held| **held == holder) {
            return;
        }
        self.remove(holder.row);
        for mac in &holder.macs {
            self.by_mac.insert(mac_key(*mac), holder.row);
        }
        for ip in &holder.ips {
            self.by_ip.insert(ip_key(*ip), holder.row);
        }
        for place in &holder.places {
            self.by_place.insert(*place, holder.row);
            if holder.role == Role::RouterPort {
                self.gates.insert(*place, holder.row);
            }
        }
        self.holders.insert(holder.row, Arc::new(holder));
    }

    /// Strikes a row out.
    pub fn remove(&mut self, row: Uuid) -> Option<Arc<Holder>> {
        let holder = self.holders.remove(&row)?;
        for mac in &holder.macs {
            self.by_mac.remove(mac_key(*mac), row);
        }
        for ip in &holder.ips {
            self.by_ip.remove(ip_key(*ip), row);
        }
        for place in &holder.places {
            self.by_place.remove(*place, row);
            self.gates.remove(*place, row);
        }
        Some(holder)
    }

    /// Everybody, by row.
    pub fn holders(&self) -> impl Iterator<Item = &Holder> {
        self.holders.iter().map(|(_, holder)| &**holder)
    }

    /// Who has this row.
    pub fn get(&self, row: Uuid) -> Option<&Holder> {
        self.holders.get(&row).map(|holder| &**holder)
    }

    /// Everybody on a place, by row.
    pub fn on(&self, place: Uuid) -> impl Iterator<Item = &Holder> {
        self.by_place.of(place).map(|row| self.holder(row))
    }

    fn holder(&self, row: Uuid) -> &Holder {
        self.get(row)
            .expect("whoever is found by something is written in")
    }

    /// Whether anybody on the place or on one that a router joins with it has the address.
    pub fn is_used(&self, place: Uuid, ip: IpAddr) -> bool {
        let near = self.near(place);
        self.by_ip.of(ip_key(ip)).any(|row| {
            let holder = self.holder(row);
            holder.ips.contains(&ip) && holder.places.iter().any(|place| near.contains(place))
        })
    }

    /// Whom the candidate would collide with. Its own row, if it is written in already, is not counted.
    pub fn collisions(&self, candidate: &Holder) -> Vec<Collision> {
        let macs = candidate
            .macs
            .iter()
            .flat_map(|mac| self.by_mac.of(mac_key(*mac)));
        let ips = candidate.ips.iter().flat_map(|ip| self.by_ip.of(ip_key(*ip)));
        let others: BTreeSet<Uuid> = macs.chain(ips).collect();
        let others = others.into_iter().filter(|row| *row != candidate.row);
        others
            .flat_map(|row| self.between(candidate, self.holder(row)))
            .collect()
    }

    /// The addresses that two have both, where they would see each other.
    fn between(&self, candidate: &Holder, other: &Holder) -> Vec<Collision> {
        let seen = self.seen(candidate);
        let others = self.seen(other);
        let same = !others.is_disjoint(&seen);
        let joins = matches!(candidate.role, Role::Port | Role::RouterPort);
        let joined = joins && seen.iter().any(|place| !self.near(*place).is_disjoint(&others));
        if !(same || joined) {
            return Vec::new();
        }
        let of_mac = if same { Severity::Error } else { Severity::Warning };
        let macs = candidate.macs.iter().filter(|mac| other.macs.contains(mac));
        let mut found: Vec<Collision> = macs
            .map(|mac| collision(of_mac, Shared::Mac(*mac), other, !same))
            .collect();
        if let Some(severity) = candidate.role.against(other.role) {
            let ips = candidate.ips.iter().filter(|ip| other.ips.contains(ip));
            found.extend(ips.map(|ip| collision(severity, Shared::Ip(*ip), other, !same)));
        }
        found
    }

    /// All that is to be said about a candidate: collisions, and addresses outside of its switch's network.
    pub fn check(&self, candidate: &Holder) -> Vec<Problem> {
        let collided = self.collided(candidate).into_iter();
        let mut problems: Vec<Problem> = collided.map(|(_, problem)| problem).collect();
        if candidate.role == Role::Port {
            problems.extend(self.outside(candidate));
        }
        problems
    }

    /// Each collision with its other side.
    pub(crate) fn collided(&self, candidate: &Holder) -> Vec<(Uuid, Problem)> {
        let collisions = self.collisions(candidate).into_iter();
        collisions
            .map(|collision| (collision.with, problem(candidate, &collision)))
            .collect()
    }

    /// Places that are one router away from any of the holders.
    pub(crate) fn near_all(&self, holders: &[&Holder]) -> BTreeSet<Uuid> {
        let places = holders.iter().flat_map(|holder| &holder.places);
        places.flat_map(|place| self.near(*place)).collect()
    }

    fn outside(&self, candidate: &Holder) -> Vec<Problem> {
        let Some(network) = candidate.places.iter().find_map(|place| self.networks.get(place)) else {
            return Vec::new();
        };
        let outside = |ip: &&IpAddr| ip.is_ipv4() == network.is_v4() && !network.contains(**ip);
        let said = |ip: &IpAddr| {
            let message = format!("{ip} is outside of the switch's {network}");
            Problem::warning("address-outside", place(candidate), message)
        };
        candidate.ips.iter().filter(outside).map(said).collect()
    }

    /// Switches whose frames reach the holder: its own, and those of its routers.
    fn seen(&self, holder: &Holder) -> BTreeSet<Uuid> {
        let mut seen = holder.places.clone();
        if !matches!(holder.role, Role::Port | Role::RouterPort) {
            seen.extend(holder.places.iter().flat_map(|place| self.linked(*place)));
        }
        seen
    }

    /// The routers of a switch, the switches of a router.
    fn linked(&self, place: Uuid) -> impl Iterator<Item = Uuid> + '_ {
        let gates = self.gates.of(place).map(|row| self.holder(row));
        let places = gates.flat_map(|gate| gate.places.iter().copied());
        places.filter(move |other| *other != place)
    }

    /// The place and those that are one router away.
    fn near(&self, place: Uuid) -> BTreeSet<Uuid> {
        let mut near = BTreeSet::from([place]);
        for router in self.linked(place) {
            near.insert(router);
            near.extend(self.linked(router));
        }
        near
    }
}

/// The last octets differ most: they come first, so that the tries stay flat, and the very last one second, so that
/// neighbours, who mostly come together, lie together.
fn mac_key(mac: Mac) -> Uuid {
    let mut octets = [0; 16];
    octets[..6].copy_from_slice(&mac.0);
    octets[..6].reverse();
    octets.swap(0, 1);
    Uuid::from_bytes(octets)
}

/// An IPv4 address shares its key with the IPv6 address that stands for it: whoever asks looks at the addresses too.
fn ip_key(ip: IpAddr) -> Uuid {
    let ip = match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let mut octets = u128::from(ip).to_le_bytes();
    octets.swap(0, 1);
    Uuid::from_bytes(octets)
}

fn place(holder: &Holder) -> String {
    format!("{} {}", holder.role.word(), holder.name)
}

fn problem(candidate: &Holder, collision: &Collision) -> Problem {
    Problem {
        severity: collision.severity,
        code: "address-taken",
        place: place(candidate),
        message: collision.to_string(),
        help: None,
    }
}

fn collision(severity: Severity, address: Shared, with: &Holder, joined: bool) -> Collision {
    Collision {
        severity,
        address,
        with: with.row,
        with_name: with.name.clone(),
        with_role: with.role,
        joined,
    }
}

impl fmt::Display for Collision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Shared::Mac(mac) => write!(f, "{mac}")?,
            Shared::Ip(ip) => write!(f, "{ip}")?,
        }
        write!(f, " belongs to {} {}", self.with_role.word(), self.with_name)?;
        match self.joined {
            true => f.write_str(" on another switch of the same router"),
            false => Ok(()),
        }
    }
}
