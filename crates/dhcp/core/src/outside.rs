//! Which leases a change of the settings leaves without a place, judged by address: names may change freely.

use crate::pin::Pin;
use crate::settings::Settings;
use purlin_types::Ipv4Range;
use std::collections::HashSet;
use std::net::Ipv4Addr;

/// How well an address is served; the later, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// In no subnet: its lease is not extended any more.
    Nowhere,
    /// In a subnet, but nobody's by configuration: whoever renews it is refused and asks anew.
    NoPool,
    Served,
}

/// The addresses that settings serve.
#[derive(Debug, Clone)]
pub struct Served {
    /// Ascending and disjoint.
    subnets: Vec<Ipv4Range>,
    pools: Vec<Ipv4Range>,
    /// Of one client each.
    reserved: HashSet<Ipv4Addr>,
}

impl Served {
    #[must_use]
    pub fn new(settings: &Settings, pins: &[Pin]) -> Self {
        let networks = settings.networks.iter().filter(|_| settings.enabled);
        let subnets: Vec<_> = networks.flat_map(|network| &network.subnets).collect();
        let of_subnets = subnets.iter().flat_map(|subnet| &subnet.reservations);
        let reservations = of_subnets.chain(&settings.reservations);
        let reserved = reservations.filter_map(|reservation| reservation.address);
        let sorted = |mut ranges: Vec<Ipv4Range>| {
            ranges.sort_unstable_by_key(Ipv4Range::first);
            ranges
        };
        let pools = subnets.iter().flat_map(|subnet| &subnet.pools);
        Self {
            subnets: sorted(subnets.iter().map(|subnet| subnet.network.range()).collect()),
            pools: sorted(pools.map(|pool| pool.range).collect()),
            reserved: reserved.chain(pins.iter().map(|pin| pin.address)).collect(),
        }
    }

    fn place(&self, address: Ipv4Addr) -> Place {
        if !is_in(&self.subnets, address) {
            Place::Nowhere
        } else if is_in(&self.pools, address) || self.reserved.contains(&address) {
            Place::Served
        } else {
            Place::NoPool
        }
    }
}

fn is_in(ranges: &[Ipv4Range], address: Ipv4Addr) -> bool {
    let behind = ranges.partition_point(|range| range.first() <= address);
    behind > 0 && ranges[behind - 1].contains(address)
}

/// Leases that a change leaves worse than they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outside {
    /// In no subnet any more.
    pub subnets: u64,
    /// In a subnet still, but in no pool and reserved for nobody.
    pub pools: u64,
}

impl Outside {
    /// Counts the lease of an address, which is served as `before` says and shall be as `after` says.
    pub fn count(&mut self, address: Ipv4Addr, before: &Served, after: &Served) {
        let place = after.place(address);
        if place >= before.place(address) {
            return;
        }
        match place {
            Place::Nowhere => self.subnets += 1,
            Place::NoPool => self.pools += 1,
            Place::Served => {}
        }
    }
}
