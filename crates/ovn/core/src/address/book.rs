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
        let mut found = Vec::new();
        let seen = self.seen(candidate);
        let near: BTreeSet<Uuid> = match candidate.role {
            Role::Port | Role::RouterPort => seen.iter().flat_map(|place| self.near(*place)).collect(),
            _ => seen.clone(),
        };
        for mac in &candidate.macs {
            for other in self.others(self.by_mac.get(&mac.0), candidate) {
                let others = self.seen(other);
                if !others.is_disjoint(&seen) {
                    found.push(collision(Severity::Error, Shared::Mac(*mac), other, false));
                } else if !others.is_disjoint(&near) {
                    found.push(collision(Severity::Warning, Shared::Mac(*mac), other, true));
                }
            }
        }
        for ip in &candidate.ips {
            for other in self.others(self.by_ip.get(ip), candidate) {
                let Some(severity) = candidate.role.against(other.role) else {
                    continue;
                };
                let others = self.seen(other);
                let same = !others.is_disjoint(&seen);
                if same || !others.is_disjoint(&near) {
                    found.push(collision(severity, Shared::Ip(*ip), other, !same));
                }
            }
        }
        found
    }

    /// All that is to be said about a candidate: collisions, and addresses outside of its switch's network.
    pub fn check(&self, candidate: &Holder) -> Vec<Problem> {
        let place = format!("{} {}", candidate.role.word(), candidate.name);
        let mut problems: Vec<Problem> = self
            .collisions(candidate)
            .iter()
            .map(|collision| Problem {
                severity: collision.severity,
                code: "address-taken",
                place: place.clone(),
                message: collision.to_string(),
                help: None,
            })
            .collect();
        if candidate.role == Role::Port {
            let network = candidate.places.iter().find_map(|place| self.networks.get(place));
            let outside = |ip: &&IpAddr| {
                network.is_some_and(|network| ip.is_ipv4() == network.is_v4() && !network.contains(**ip))
            };
            problems.extend(candidate.ips.iter().filter(outside).map(|ip| {
                let network = network.expect("an address is outside of it");
                Problem::warning(
                    "address-outside",
                    place.as_str(),
                    format!("{ip} is outside of the switch's {network}"),
                )
            }));
        }
        problems
    }

    fn others<'a>(
        &'a self,
        rows: Option<&'a BTreeSet<Uuid>>,
        candidate: &'a Holder,
    ) -> impl Iterator<Item = &'a Holder> {
        let others = rows.into_iter().flatten().filter(|row| **row != candidate.row);
        others.map(|row| &self.holders[row])
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
