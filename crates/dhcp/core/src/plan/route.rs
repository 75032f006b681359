//! From an address in a packet to the subnet it selects.

use super::{Plan, SubnetPlan};
use crate::step::Arrival;
use purlin_dhcp_proto::message::{Message, RelayAgent};
use purlin_types::{Ipv4Range, Prefix4};
use std::net::Ipv4Addr;

/// Disjoint ranges in ascending order, each with the subnet it selects.
#[derive(Debug)]
pub(crate) struct Routes {
    ranges: Vec<(u32, u32, u16)>,
}

impl Routes {
    /// A subnet's own addresses select it; its `relays` do as well where no subnet has the address.
    pub(crate) fn new(subnets: &[SubnetPlan]) -> Self {
        let mut ranges: Vec<(u32, u32, u16)> = Vec::new();
        for (i, subnet) in subnets.iter().enumerate() {
            let own = subnet.prefix.range();
            ranges.push((own.first().into(), own.last().into(), i as u16));
        }
        ranges.sort_unstable();
        for (i, subnet) in subnets.iter().enumerate() {
            for relay in &subnet.relays {
                for gap in gaps(&ranges, relay.first().into(), relay.last().into()) {
                    let at = ranges.partition_point(|r| r.0 < gap.0);
                    ranges.insert(at, (gap.0, gap.1, i as u16));
                }
            }
        }
        Self { ranges }
    }

    pub(crate) fn subnet_of(&self, address: u32) -> Option<u16> {
        let at = self.ranges.partition_point(|r| r.0 <= address).checked_sub(1)?;
        let (_, last, subnet) = self.ranges[at];
        (address <= last).then_some(subnet)
    }

    pub(crate) fn ranges(&self) -> impl Iterator<Item = (Ipv4Range, u16)> + '_ {
        self.ranges.iter().map(|&(first, last, subnet)| {
            (
                Ipv4Range::try_new(first.into(), last.into()).expect("kept in order"),
                subnet,
            )
        })
    }
}

/// Whether an address is neither the network's own nor its broadcast address (RFC 3021: a /31 has neither).
fn is_host(prefix: Prefix4, address: Ipv4Addr) -> bool {
    prefix.length() >= 31 || (address != prefix.network() && address != prefix.broadcast())
}

/// The parts of `first..=last` that no range of the sorted list covers.
fn gaps(ranges: &[(u32, u32, u16)], first: u32, last: u32) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    let mut from = Some(first);
    for &(lo, hi, _) in ranges.iter().filter(|r| r.0 <= last && r.1 >= first) {
        let Some(start) = from else { break };
        if start < lo {
            found.push((start, lo - 1));
        }
        from = hi.checked_add(1).filter(|&next| next <= last);
    }
    if let Some(start) = from {
        found.push((start, last));
    }
    found
}

impl Plan {
    /// The subnet a request belongs to, by the first of these that says one: link selection (RFC 3527), subnet
    /// selection (RFC 3011), the relay's address, the client's own address, the segment it came over. A broadcast
    /// proves on which segment the client is, whatever address it claims.
    pub(crate) fn select(
        &self,
        message: &Message<'_>,
        relay: Option<&RelayAgent<'_>>,
        arrival: &Arrival<'_>,
    ) -> Option<u16> {
        if let Some(link) = relay
            .and_then(RelayAgent::link_selection)
            .or_else(|| message.subnet_selection())
        {
            return self.routes.subnet_of(link.into());
        }
        if !message.giaddr().is_unspecified() {
            return self.routes.subnet_of(message.giaddr().into());
        }
        let own = (!message.ciaddr().is_unspecified() && !arrival.broadcast)
            .then(|| self.routes.subnet_of(message.ciaddr().into()))
            .flatten();
        own.or_else(|| self.select_segment(arrival))
    }

    /// The name of the network that an address lies in; empty when no subnet has it.
    pub(crate) fn network_of(&self, address: u32) -> &str {
        let subnet = self.routes.subnet_of(address);
        let network = subnet.map(|s| self.subnets[usize::from(s)].network);
        network.map_or("", |n| self.networks[usize::from(n)].name.as_str())
    }

    /// Whether a reply may be sent to this giaddr at all: one host, and none that the sender could only mean in order
    /// to have a third party flooded or our own services disturbed.
    pub(crate) fn can_relay(&self, giaddr: Ipv4Addr, arrival: &Arrival<'_>) -> bool {
        let group = giaddr.is_multicast() || giaddr.octets()[0] == 0 || giaddr.octets()[0] >= 240;
        let ours_alone = giaddr.is_loopback() && !arrival.local.is_loopback();
        let subnet = self.routes.subnet_of(giaddr.into());
        let all_hosts = subnet.is_some_and(|s| !is_host(self.subnets[usize::from(s)].prefix, giaddr));
        !group && !ours_alone && !all_hosts
    }

    /// Whether a relay that needs no address of ours, because it selects a link by option, is one that the
    /// configuration knows or answers for its giaddr itself; else anybody could have replies sent to anybody. On
    /// other ports than 67 replies go back to where the packet came from in any case.
    pub(crate) fn knows_relay(&self, giaddr: Ipv4Addr, arrival: &Arrival<'_>) -> bool {
        let subnet = self.routes.subnet_of(giaddr.into());
        // That a subnet holds every address says nothing about this one.
        let known = subnet.is_some_and(|s| self.subnets[usize::from(s)].prefix.length() > 0);
        arrival.port != 67 || *arrival.source.ip() == giaddr || known
    }

    /// Whether an address is one host's in a subnet of the network.
    pub(crate) fn is_host_of(&self, network: u16, address: Ipv4Addr) -> bool {
        let subnet = self.subnet_containing(network, address.into());
        subnet.is_some_and(|s| is_host(self.subnets[usize::from(s)].prefix, address))
    }

    fn select_segment(&self, arrival: &Arrival<'_>) -> Option<u16> {
        let name = arrival
            .interface
            .and_then(|i| self.settings().interfaces.get(usize::from(i)));
        let named = name.and_then(|name| self.subnets.iter().position(|s| s.interfaces.contains(name)));
        named
            .map(|i| i as u16)
            .or_else(|| self.routes.subnet_of(arrival.local.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_what_no_range_covers() {
        let taken = [(10, 19, 0), (30, 39, 1)];
        assert_eq!(gaps(&taken, 5, 45), [(5, 9), (20, 29), (40, 45)]);
        assert_eq!(gaps(&taken, 12, 18), []);
        assert_eq!(gaps(&taken, 15, 35), [(20, 29)]);
        assert_eq!(gaps(&[], 1, 2), [(1, 2)]);
    }
}
