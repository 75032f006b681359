//! A network of either IP version.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address with a prefix length. The bits behind the prefix may be set: a router port's `10.0.0.1/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// Reads `10.0.0.0/24`. The length is demanded.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((address, length)) = text.split_once('/') else {
            return Err(format!("`{text}` has no prefix length"));
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("`{address}` is no address"))?;
        let max = if address.is_ipv4() { 32 } else { 128 };
        match length.parse() {
            Ok(length) if length <= max => Ok(Self { address, length }),
            _ => Err(format!("`{length}` is no prefix length from 0 to {max}")),
        }
    }

    /// A single address.
    pub fn host(address: IpAddr) -> Self {
        let length = if address.is_ipv4() { 32 } else { 128 };
        Self { address, length }
    }

    /// The address as it was written.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    pub fn length(&self) -> u8 {
        self.length
    }

    pub fn is_v4(&self) -> bool {
        self.address.is_ipv4()
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.is_v4() && self.first() == Self { address, ..*self }.first()
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }

    /// The lowest address.
    pub fn first(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) & self.mask4()).into(),
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & self.mask6()).into(),
        }
    }

    /// The highest address.
    pub fn last(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) | !self.mask4()).into(),
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) | !self.mask6()).into(),
        }
    }

    fn mask4(&self) -> u32 {
        u32::MAX.checked_shl(u32::from(32 - self.length)).unwrap_or(0)
    }

    fn mask6(&self) -> u128 {
        u128::MAX.checked_shl(u32::from(128 - self.length)).unwrap_or(0)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_only() {
        let net = Network::parse("10.0.1.7/23").unwrap();
        assert_eq!(
            (net.first().to_string(), net.last().to_string()),
            ("10.0.0.0".into(), "10.0.1.255".into())
        );
        assert!(net.contains("10.0.0.1".parse().unwrap()) && !net.contains("10.0.2.0".parse().unwrap()));
        assert!(!net.contains("::a00:1".parse().unwrap()));
        let all = Network::parse("::/0").unwrap();
        assert!(
            all.contains("ff::1".parse().unwrap()) && all.overlaps(&Network::parse("2001:db8::/64").unwrap())
        );
        assert!(!all.overlaps(&Network::parse("0.0.0.0/0").unwrap()));
    }
}
