//! Hardware and IPv4 addresses, ranges and prefixes, with the one text form each that Purlin reads and writes.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A 48-bit hardware address, written `02:00:00:00:00:01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for Mac {
    type Err = ClientIdError;

    /// Reads `02:00:00:00:00:01`, `02-00-00-00-00-01`, `0200.0000.0001` or `020000000001`.
    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        let bytes = hex_octets(text)?;
        <[u8; 6]>::try_from(bytes.as_slice())
            .map(Self)
            .map_err(|_| ClientIdError::Length(bytes.len()))
    }
}

/// The octets of a DHCP client identifier (option 61), written as hex pairs with colons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub Vec<u8>);

/// Why a text is no hardware address or client identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientIdError {
    Digit(char),
    OddDigits,
    Length(usize),
}

impl fmt::Display for ClientIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digit(c) => write!(f, "expected hexadecimal digits separated by ':', found {c:?}"),
            Self::OddDigits => f.write_str("expected pairs of hexadecimal digits, found an odd number"),
            Self::Length(n) => write!(f, "wrong length: {n} octets"),
        }
    }
}

impl std::error::Error for ClientIdError {}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, octet) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(":")?;
            }
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        let octets = hex_octets(text)?;
        if octets.is_empty() || octets.len() > 255 {
            return Err(ClientIdError::Length(octets.len()));
        }
        Ok(Self(octets))
    }
}

/// Hex pairs with or without `:`, `-` or `.` between them.
fn hex_octets(text: &str) -> Result<Vec<u8>, ClientIdError> {
    let mut nibbles = Vec::with_capacity(text.len());
    for c in text.chars() {
        match c.to_digit(16) {
            Some(digit) => nibbles.push(digit as u8),
            None if matches!(c, ':' | '-' | '.') => {}
            None => return Err(ClientIdError::Digit(c)),
        }
    }
    if nibbles.len() % 2 != 0 {
        return Err(ClientIdError::OddDigits);
    }
    Ok(nibbles.chunks(2).map(|pair| (pair[0] << 4) | pair[1]).collect())
}

/// An inclusive range of IPv4 addresses, `first <= last`, written `10.1.0.0-10.1.255.255`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ipv4Range {
    first: u32,
    last: u32,
}

/// Why a text or a pair of addresses is no range or prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeError {
    /// `first` is above `last`; the addresses are as given.
    Reversed(Ipv4Addr, Ipv4Addr),
    Syntax,
    /// The prefix has bits set behind its length; the value is what it should say.
    HostBits(Ipv4Addr, u8),
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reversed(first, last) => {
                write!(
                    f,
                    "the range is reversed: {first} is above {last}; write {last}-{first}"
                )
            }
            Self::Syntax => f.write_str("expected FIRST-LAST, ADDRESS/LENGTH or one IPv4 address"),
            Self::HostBits(network, length) => {
                write!(f, "host bits are set; the network is {network}/{length}")
            }
        }
    }
}

impl std::error::Error for RangeError {}

impl Ipv4Range {
    /// The range from `first` to `last`, both included.
    ///
    /// # Errors
    /// [`RangeError::Reversed`] when `first` is above `last`.
    pub fn try_new(first: Ipv4Addr, last: Ipv4Addr) -> Result<Self, RangeError> {
        if u32::from(first) > u32::from(last) {
            return Err(RangeError::Reversed(first, last));
        }
        Ok(Self {
            first: first.into(),
            last: last.into(),
        })
    }

    #[must_use]
    pub fn first(&self) -> Ipv4Addr {
        self.first.into()
    }

    #[must_use]
    pub fn last(&self) -> Ipv4Addr {
        self.last.into()
    }

    /// How many addresses; at least 1, at most 2^32.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::from(self.last) - u64::from(self.first) + 1
    }

    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&u32::from(address))
    }

    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl fmt::Display for Ipv4Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first(), self.last())
    }
}

impl FromStr for Ipv4Range {
    type Err = RangeError;

    /// Reads `a-b`, `a - b`, a prefix `a/n` (all its addresses) or one address.
    fn from_str(text: &str) -> Result<Self, RangeError> {
        if let Some((first, last)) = text.split_once('-') {
            let first = first.trim().parse().map_err(|_| RangeError::Syntax)?;
            let last = last.trim().parse().map_err(|_| RangeError::Syntax)?;
            return Self::try_new(first, last);
        }
        if text.contains('/') {
            return text.parse::<Prefix4>().map(|prefix| prefix.range());
        }
        let one = text.trim().parse::<Ipv4Addr>().map_err(|_| RangeError::Syntax)?;
        Self::try_new(one, one)
    }
}

/// An IPv4 network, host bits zero, written `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix4 {
    network: u32,
    length: u8,
}

impl Prefix4 {
    /// The network `address/length`.
    ///
    /// # Errors
    /// When the length is above 32 or host bits are set.
    pub fn try_new(address: Ipv4Addr, length: u8) -> Result<Self, RangeError> {
        if length > 32 {
            return Err(RangeError::Syntax);
        }
        let network = u32::from(address) & mask_bits(length);
        if network != u32::from(address) {
            return Err(RangeError::HostBits(network.into(), length));
        }
        Ok(Self { network, length })
    }

    #[must_use]
    pub fn network(&self) -> Ipv4Addr {
        self.network.into()
    }

    #[must_use]
    pub fn length(&self) -> u8 {
        self.length
    }

    /// The subnet mask as sent in option 1.
    #[must_use]
    pub fn mask(&self) -> Ipv4Addr {
        mask_bits(self.length).into()
    }

    /// The all-ones address of the network.
    #[must_use]
    pub fn broadcast(&self) -> Ipv4Addr {
        (self.network | !mask_bits(self.length)).into()
    }

    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask_bits(self.length) == self.network
    }

    /// Every address of the network, network and broadcast address included.
    #[must_use]
    pub fn range(&self) -> Ipv4Range {
        Ipv4Range {
            first: self.network,
            last: self.broadcast().into(),
        }
    }
}

const fn mask_bits(length: u8) -> u32 {
    if length == 0 {
        0
    } else {
        u32::MAX << (32 - length as u32)
    }
}

impl fmt::Display for Prefix4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network(), self.length)
    }
}

impl FromStr for Prefix4 {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let (address, length) = text.trim().split_once('/').ok_or(RangeError::Syntax)?;
        let address = address.parse().map_err(|_| RangeError::Syntax)?;
        let length = length.parse().map_err(|_| RangeError::Syntax)?;
        Self::try_new(address, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_are_read_in_every_common_form() {
        for text in [
            "02:00:00:00:00:0a",
            "02-00-00-00-00-0A",
            "0200.0000.000a",
            "02000000000a",
        ] {
            assert_eq!(
                text.parse::<Mac>().map(|m| m.to_string()),
                Ok("02:00:00:00:00:0a".into())
            );
        }
        assert_eq!("02:00".parse::<Mac>(), Err(ClientIdError::Length(2)));
        assert_eq!("02:0x".parse::<Mac>(), Err(ClientIdError::Digit('x')));
    }

    #[test]
    fn a_reversed_range_says_which_way_is_right() {
        let fault = "10.0.0.9-10.0.0.1".parse::<Ipv4Range>().unwrap_err();
        assert_eq!(
            fault.to_string(),
            "the range is reversed: 10.0.0.9 is above 10.0.0.1; write 10.0.0.1-10.0.0.9"
        );
    }

    #[test]
    fn host_bits_are_a_fault_with_the_right_network() {
        let fault = "10.0.0.5/24".parse::<Prefix4>().unwrap_err();
        assert_eq!(fault, RangeError::HostBits(Ipv4Addr::new(10, 0, 0, 0), 24));
    }

    #[test]
    fn the_whole_space_is_one_range() {
        let all: Ipv4Range = "0.0.0.0/0".parse().unwrap();
        assert_eq!(all.count(), 1 << 32);
        assert!(all.contains(Ipv4Addr::BROADCAST));
    }
}
