//! Where a switch's dynamic addresses come from: `other_config` of a switch.
//!
//! Source: ovn-nb(5), table `Logical_Switch`, "IP Address Assignment".

use super::Network;
use crate::problem::Problem;
use purlin_types::Mac;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a switch gives out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pool {
    pub subnet: Option<Network>,
    /// First and last of each range that is not given out.
    pub excluded: Vec<(Ipv4Addr, Ipv4Addr)>,
    pub ipv6_prefix: Option<Network>,
    pub mac_only: bool,
}

impl Pool {
    /// Reads `other_config` of a switch. All problems are found.
    pub fn parse(other_config: &BTreeMap<String, String>) -> (Self, Vec<Problem>) {
        let mut pool = Self::default();
        let mut problems = Vec::new();
        let mut fault = |key: &str, message: String, help: &str| {
            problems.push(Problem::error("ipam", format!("other_config:{key}"), message).help(help));
        };
        if let Some(text) = other_config.get("subnet") {
            match Network::parse(text) {
                Ok(subnet) if subnet.is_v4() && subnet.length() <= 30 => pool.subnet = Some(subnet),
                Ok(_) => fault(
                    "subnet",
                    format!("`{text}` is no IPv4 network with room for ports"),
                    "as in `10.0.0.0/24`",
                ),
                Err(why) => fault("subnet", why, "as in `10.0.0.0/24`"),
            }
        }
        if let Some(text) = other_config.get("ipv6_prefix") {
            // OVN takes `2001:db8::` without a length and means 64.
            let whole = if text.contains('/') {
                text.clone()
            } else {
                format!("{text}/64")
            };
            match Network::parse(&whole) {
                Ok(prefix) if !prefix.is_v4() && prefix.length() == 64 => pool.ipv6_prefix = Some(prefix),
                Ok(_) => fault(
                    "ipv6_prefix",
                    format!("`{text}` is no /64 of IPv6"),
                    "as in `2001:db8::/64`",
                ),
                Err(why) => fault("ipv6_prefix", why, "as in `2001:db8::/64`"),
            }
        }
        for part in other_config
            .get("exclude_ips")
            .into_iter()
            .flat_map(|text| text.split_whitespace())
        {
            match range(part) {
                Some((first, last)) if first <= last => match pool.subnet {
                    Some(subnet) if !(subnet.contains(first.into()) && subnet.contains(last.into())) => {
                        fault(
                            "exclude_ips",
                            format!("`{part}` is outside of {subnet}"),
                            "exclude addresses of the subnet only",
                        );
                    }
                    _ => pool.excluded.push((first, last)),
                },
                _ => fault(
                    "exclude_ips",
                    format!("`{part}` is no address and no range"),
                    "as in `10.0.0.1 10.0.0.10..10.0.0.20`",
                ),
            }
        }
        pool.mac_only = other_config.get("mac_only").is_some_and(|text| text == "true");
        if pool.subnet.is_none()
            && other_config.contains_key("exclude_ips")
            && !other_config.contains_key("subnet")
        {
            fault(
                "exclude_ips",
                "there is no `subnet` to exclude from".to_owned(),
                "set `subnet`",
            );
        }
        (pool, problems)
    }

    pub fn is_excluded(&self, address: Ipv4Addr) -> bool {
        self.excluded
            .iter()
            .any(|(first, last)| (first..=last).contains(&&address))
    }

    /// The address that OVN keeps for a router: the first one of the subnet.
    pub fn gateway(&self) -> Option<Ipv4Addr> {
        let IpAddr::V4(first) = self.subnet?.first() else {
            return None;
        };
        Some(Ipv4Addr::from(u32::from(first) + 1))
    }

    /// Addresses that may be given out, in order.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        let bounds = self
            .subnet
            .and_then(|subnet| match (subnet.first(), subnet.last()) {
                (IpAddr::V4(first), IpAddr::V4(last)) => Some((u32::from(first) + 2, u32::from(last))),
                _ => None,
            });
        let (first, end) = bounds.unwrap_or((0, 0));
        (first..end)
            .map(Ipv4Addr::from)
            .filter(|address| !self.is_excluded(*address))
    }

    /// The lowest free address.
    pub fn next(&self, used: impl Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        self.addresses().find(|address| !used(*address))
    }
}

fn range(text: &str) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// The address that a MAC makes in a /64.
///
/// Source: RFC 4291, appendix A.
pub fn eui64(prefix: &Network, mac: Mac) -> Option<Ipv6Addr> {
    let IpAddr::V6(network) = prefix.first() else {
        return None;
    };
    let [a, b, c, d, e, f] = mac.0;
    let low = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    Some(Ipv6Addr::from(u128::from(network) | u128::from(low)))
}
