//! Networks, prefixes of hardware addresses and ports as people write them.

use super::{MacPrefix, Network, Ports};
use std::fmt;
use std::net::IpAddr;

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or one address.
    ///
    /// # Errors
    /// A sentence saying what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("expected a network such as \"10.0.0.0/8\" or \"2001:db8::/32\", found {text:?}");
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|length| *length <= widest)
                .ok_or_else(wrong)?,
            None => widest,
        };
        let base = Self::masked(address, length);
        match base == address {
            true => Ok(Self { address, length }),
            false => Err(format!("{text} has host bits; write {base}/{length}")),
        }
    }

    fn masked(address: IpAddr, length: u8) -> IpAddr {
        match address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & mask).into())
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::V6((u128::from(v6) & mask).into())
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl fmt::Display for MacPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, octet) in self.octets.iter().take(usize::from(self.count)).enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02x}")?;
        }
        Ok(())
    }
}

impl Ports {
    /// Reads `single`, `ephemeral` (the kernel chooses) or `FIRST-LAST`.
    ///
    /// # Errors
    /// A sentence saying what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("expected \"single\", \"ephemeral\" or a range such as \"10000-20000\", found {text:?}")
        };
        match text {
            "single" => return Ok(Self::Single),
            "ephemeral" => return Ok(Self::Range { first: 0, last: 0 }),
            _ => {}
        }
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let port = |text: &str| {
            text.trim()
                .parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(wrong)
        };
        let (first, last) = (port(first)?, port(last)?);
        match first <= last {
            true => Ok(Self::Range { first, last }),
            false => Err(format!(
                "the range is reversed: {first} is above {last}; write {last}-{first}"
            )),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("single"),
            Self::Range { first: 0, last: 0 } => f.write_str("ephemeral"),
            Self::Range { first, last } => write!(f, "{first}-{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_and_written_alike() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "192.0.2.1/32", "::/0"] {
            assert_eq!(
                Network::parse(text).map(|network| network.to_string()),
                Ok(text.to_owned())
            );
        }
        assert_eq!(Network::parse("192.0.2.1").map(|network| network.length), Ok(32));
        assert!(
            Network::parse("10.0.0.1/8")
                .unwrap_err()
                .contains("write 10.0.0.0/8")
        );
        for text in ["", "10.0.0.0/33", "x/8", "2001:db8::/129", "10.0.0.0/"] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ports_are_read_and_a_reversed_range_is_refused() {
        for text in ["single", "ephemeral", "10000-20000"] {
            assert_eq!(
                Ports::parse(text).map(|ports| ports.to_string()),
                Ok(text.to_owned())
            );
        }
        assert!(
            Ports::parse("20000-10000")
                .unwrap_err()
                .contains("write 10000-20000")
        );
        for text in ["", "69", "0-5", "1-99999"] {
            assert!(Ports::parse(text).is_err(), "{text}");
        }
    }
}
