//! Who has which address, over the whole northbound database, and who would collide with whom.
//!
//! The book is kept as the rows change and asked for one candidate at a time: a question costs what the candidate's own
//! addresses and neighbours cost, whatever the size of the database.
//!
//! A *place* is a switch or a router. An address on a switch must be unique on it and on every switch that one router
//! joins with it; not beyond: two tenants behind their own routers may both have 10.0.0.5.

use super::Network;
use crate::problem::{Problem, Severity};
use purlin_ovsdb::Uuid;
use purlin_types::Mac;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

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

/// The book.
#[derive(Debug, Clone, Default)]
pub struct Book {
    holders: BTreeMap<Uuid, Holder>,
    by_mac: BTreeMap<[u8; 6], BTreeSet<Uuid>>,
    by_ip: BTreeMap<IpAddr, BTreeSet<Uuid>>,
    /// Switches and routers that touch.
    links: BTreeMap<Uuid, BTreeSet<Uuid>>,
    networks: BTreeMap<Uuid, Network>,
    names: BTreeMap<Uuid, String>,
}

impl Book {
    /// Names a switch or a router, with the network that it gives addresses from.
    pub fn place(&mut self, place: Uuid, name: &str, network: Option<Network>) {
        self.names.insert(place, name.to_owned());
        match network {
            Some(network) => self.networks.insert(place, network),
            None => self.networks.remove(&place),
        };
    }

    /// A router has a port on a switch.
    pub fn join(&mut self, switch: Uuid, router: Uuid) {
        self.links.entry(switch).or_default().insert(router);
        self.links.entry(router).or_default().insert(switch);
    }

    /// It has none any more.
    pub fn part(&mut self, switch: Uuid, router: Uuid) {
        for (a, b) in [(switch, router), (router, switch)] {
            if let Some(links) = self.links.get_mut(&a) {
                links.remove(&b);
            }
        }
    }

    /// Writes somebody in, in place of what the same row had before.
    pub fn put(&mut self, holder: Holder) {
        self.remove(holder.row);
        for mac in &holder.macs {
            self.by_mac.entry(mac.0).or_default().insert(holder.row);
        }
        for ip in &holder.ips {
            self.by_ip.entry(*ip).or_default().insert(holder.row);
        }
        self.holders.insert(holder.row, holder);
    }

    /// Strikes a row out.
    pub fn remove(&mut self, row: Uuid) -> Option<Holder> {
        let holder = self.holders.remove(&row)?;
        for mac in &holder.macs {
            strike(&mut self.by_mac, &mac.0, row);
        }
        for ip in &holder.ips {
            strike(&mut self.by_ip, ip, row);
        }
        Some(holder)
    }

    /// Everybody, by row.
    pub fn holders(&self) -> impl Iterator<Item = &Holder> {
        self.holders.values()
    }

    /// Whether anybody on the place or on one that a router joins with it has the address.
    pub fn is_used(&self, place: Uuid, ip: IpAddr) -> bool {
        let near = self.near(place);
        let used = |row: &Uuid| self.holders[row].places.iter().any(|place| near.contains(place));
        self.by_ip.get(&ip).is_some_and(|rows| rows.iter().any(used))
    }

    /// Whom the candidate would collide with. Its own row, if it is written in already, is not counted.
    pub fn collisions(&self, candidate: &Holder) -> Vec<Collision> {
        let macs = candidate.macs.iter().filter_map(|mac| self.by_mac.get(&mac.0));
        let ips = candidate.ips.iter().filter_map(|ip| self.by_ip.get(ip));
        let others: BTreeSet<Uuid> = macs.chain(ips).flatten().copied().collect();
        let others = others.iter().filter(|row| **row != candidate.row);
        others
            .flat_map(|row| self.between(candidate, &self.holders[row]))
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
        self.check_but(candidate, &BTreeSet::new())
    }

    /// The same, where some rows are known to be otherwise by now.
    pub(crate) fn check_but(&self, candidate: &Holder, but: &BTreeSet<Uuid>) -> Vec<Problem> {
        let collided = self.collided(candidate).into_iter();
        let mut problems: Vec<Problem> = collided
            .filter(|(with, _)| !but.contains(with))
            .map(|(_, problem)| problem)
            .collect();
        if candidate.role == Role::Port {
            problems.extend(self.outside(candidate));
        }
        problems
    }

    /// Two that are both new.
    pub(crate) fn check_pair(&self, candidate: &Holder, other: &Holder) -> Vec<Problem> {
        let collisions = self.between(candidate, other).into_iter();
        collisions
            .map(|collision| problem(candidate, &collision))
            .collect()
    }

    /// Each collision with its other side.
    pub(crate) fn collided(&self, candidate: &Holder) -> Vec<(Uuid, Problem)> {
        let collisions = self.collisions(candidate).into_iter();
        collisions
            .map(|collision| (collision.with, problem(candidate, &collision)))
            .collect()
    }

    /// Places that are one router away from any of the holders.
    pub(crate) fn near_all(&self, holders: &[Holder]) -> BTreeSet<Uuid> {
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
            let linked = holder.places.iter().filter_map(|place| self.links.get(place));
            seen.extend(linked.flatten());
        }
        seen
    }

    /// The place and those that are one router away.
    fn near(&self, place: Uuid) -> BTreeSet<Uuid> {
        let mut near = BTreeSet::from([place]);
        for router in self.links.get(&place).into_iter().flatten() {
            near.insert(*router);
            near.extend(self.links.get(router).into_iter().flatten());
        }
        near
    }
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

fn strike<K: Ord>(index: &mut BTreeMap<K, BTreeSet<Uuid>>, key: &K, row: Uuid) {
    if let Some(rows) = index.get_mut(key) {
        rows.remove(&row);
        if rows.is_empty() {
            index.remove(key);
        }
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
