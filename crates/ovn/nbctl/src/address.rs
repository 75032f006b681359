//! Addresses as the commands take them: what is accepted, and the one form in which it is stored and compared.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address with the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The address, bits of the host included.
    pub address: IpAddr,
    /// Bits of the network.
    pub bits: u8,
}

impl Cidr {
    /// The address of the network.
    #[must_use]
    pub fn network(self) -> IpAddr {
        match self.address {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & mask4(self.bits)).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & mask6(self.bits)).into(),
        }
    }

    /// Whether an address is in the network.
    #[must_use]
    pub fn holds(self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && self.network() == Self { address, ..self }.network()
    }

    /// The network, without a prefix where it is one address.
    #[must_use]
    pub fn normal(self) -> String {
        let whole = if self.address.is_ipv4() { 32 } else { 128 };
        match self.bits {
            bits if bits == whole => self.network().to_string(),
            bits => format!("{}/{bits}", self.network()),
        }
    }
}

const fn mask4(bits: u8) -> u32 {
    if bits == 0 { 0 } else { u32::MAX << (32 - bits) }
}

const fn mask6(bits: u8) -> u128 {
    if bits == 0 { 0 } else { u128::MAX << (128 - bits) }
}

/// `A.B.C.D`, also with `/BITS` or `/MASK`.
#[must_use]
pub fn cidr4(text: &str) -> Option<Cidr> {
    let (cidr, rest) = leading4(text)?;
    rest.is_empty().then_some(cidr)
}

/// An IPv6 address, also with `/BITS` or `/MASK`.
#[must_use]
pub fn cidr6(text: &str) -> Option<Cidr> {
    let (cidr, rest) = leading6(text)?;
    rest.is_empty().then_some(cidr)
}

/// Either.
#[must_use]
pub fn cidr(text: &str) -> Option<Cidr> {
    cidr4(text).or_else(|| cidr6(text))
}

/// The network of an address with a prefix, in the form in which it is compared.
#[must_use]
pub fn normal_prefix(text: &str) -> Option<String> {
    cidr(text).map(Cidr::normal)
}

/// An address without a prefix, in the form in which it is compared.
#[must_use]
pub fn normal_address(text: &str) -> Option<String> {
    let v4 = text.parse::<Ipv4Addr>().map(|address| address.to_string());
    let v6 = || text.parse::<Ipv6Addr>().map(|address| address.to_string());
    v4.or_else(|_| v6()).ok()
}

/// An IPv4 address with its prefix at the beginning of a text, and what follows.
fn leading4(text: &str) -> Option<(Cidr, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let (address, rest) = quad(text)?;
    let cidr = |bits| Cidr {
        address: IpAddr::V4(address),
        bits,
    };
    let Some(after) = rest.strip_prefix('/') else {
        return Some((cidr(32), rest));
    };
    if let Some((mask, rest)) = quad(after) {
        let bits = u8::try_from(mask.to_bits().leading_ones()).ok()?;
        return (mask.to_bits() == mask4(bits)).then(|| (cidr(bits), rest));
    }
    match number(after) {
        Some((bits, rest)) => Some((cidr(u8::try_from(bits).ok().filter(|bits| *bits <= 32)?), rest)),
        // Without a number after it, the slash is what follows.
        None => Some((cidr(32), rest)),
    }
}

fn leading6(text: &str) -> Option<(Cidr, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let (address, rest) = six(text)?;
    let cidr = |bits| Cidr {
        address: IpAddr::V6(address),
        bits,
    };
    let Some(after) = rest.strip_prefix('/') else {
        return Some((cidr(128), rest));
    };
    if let Some((mask, rest)) = six(after) {
        let bits = u8::try_from(mask.to_bits().leading_ones()).ok()?;
        return (mask.to_bits() == mask6(bits)).then(|| (cidr(bits), rest));
    }
    match number(after) {
        Some((bits, rest)) => Some((cidr(u8::try_from(bits).ok().filter(|bits| *bits <= 128)?), rest)),
        None => Some((cidr(128), rest)),
    }
}

/// Four numbers below 256 with dots between them.
fn quad(text: &str) -> Option<(Ipv4Addr, &str)> {
    let mut octets = [0; 4];
    let mut rest = text;
    for (at, octet) in octets.iter_mut().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix('.')?;
        }
        let (value, after) = number(rest)?;
        *octet = u8::try_from(value).ok()?;
        rest = after;
    }
    Some((Ipv4Addr::from(octets), rest))
}

fn six(text: &str) -> Option<(Ipv6Addr, &str)> {
    let part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let end = text.find(|c| !part(c)).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// The number at the beginning of a text; what follows does not matter.
#[must_use]
pub fn leading_integer(text: &str) -> Option<i64> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (value, _) = number(digits)?;
    Some(sign * i64::try_from(value).ok()?)
}

/// Six hexadecimal numbers with colons between them at the beginning of a text, and what follows.
#[must_use]
pub fn leading_mac(text: &str) -> Option<([u8; 6], &str)> {
    let mut octets = [0; 6];
    let mut rest = text.trim_start_matches(|c: char| c.is_ascii_whitespace());
    for (at, octet) in octets.iter_mut().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(':')?;
        }
        let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        *octet = u8::from_str_radix(rest.get(..end)?, 16).ok()?;
        rest = &rest[end..];
    }
    Some((octets, rest))
}

/// An Ethernet address and nothing else.
#[must_use]
pub fn mac(text: &str) -> Option<[u8; 6]> {
    let (mac, rest) = leading_mac(text)?;
    rest.is_empty().then_some(mac)
}

/// The IP addresses after the Ethernet address of a port's `addresses`; `None` where it begins with none.
#[must_use]
pub fn port_addresses(text: &str) -> Option<Vec<IpAddr>> {
    let (_, mut rest) = leading_mac(text)?;
    let mut found = Vec::new();
    while let Some((cidr, after)) = leading4(rest).or_else(|| leading6(rest)) {
        found.push(cidr.address);
        rest = after;
    }
    Some(found)
}

/// Whether a port's address is given out by OVN: `dynamic [IP [IP]]`, `MAC dynamic`.
#[must_use]
pub fn is_dynamic(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("dynamic") {
        let rest = match rest.strip_prefix(' ').map(quad) {
            Some(Some((_, rest))) => rest,
            _ => rest,
        };
        let six = rest.strip_prefix(' ').and_then(six);
        return rest.is_empty() || six.is_some_and(|(_, rest)| rest.is_empty());
    }
    leading_mac(text).is_some_and(|(_, rest)| rest.trim() == "dynamic")
}

/// Whether `lsp-set-addresses` takes this.
#[must_use]
pub fn is_port_address(text: &str) -> bool {
    let after = || text.strip_prefix("dynamic ").map(str::trim_start);
    let six = |text: &str| text.starts_with(|c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.'));
    matches!(text, "unknown" | "dynamic" | "router")
        || leading_mac(text).is_some()
        || after().is_some_and(six)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_have_one_form() {
        for (text, normal) in [
            ("10.0.0.1", Some("10.0.0.1")),
            ("10.0.0.1/24", Some("10.0.0.0/24")),
            ("10.0.0.1/255.255.255.0", Some("10.0.0.0/24")),
            ("10.0.0.1/32", Some("10.0.0.1")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("2001:DB8:0::1/64", Some("2001:db8::/64")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("10.0.0.1/33", None),
            ("10.0.0.1/255.0.255.0", None),
            ("10.0.0.1/24a", None),
            ("10.0.0.111a", None),
            ("10.0.0", None),
            ("", None),
        ] {
            assert_eq!(normal_prefix(text).as_deref(), normal, "{text}");
        }
    }

    #[test]
    fn numbers_and_ethernet_addresses_are_read_as_far_as_they_go() {
        assert_eq!(leading_integer("12ab"), Some(12));
        assert_eq!(leading_integer(" -3"), Some(-3));
        assert_eq!(leading_integer("ab"), None);
        assert_eq!(mac("00:11:22:33:44:ff"), Some([0, 0x11, 0x22, 0x33, 0x44, 0xff]));
        assert_eq!(mac("00:11:22:33:44"), None);
        assert_eq!(mac("00:11:22:33:44:55 x"), None);
        assert_eq!(
            port_addresses("00:11:22:33:44:55 10.0.0.1 fe80::1 x")
                .unwrap()
                .len(),
            2
        );
        assert!(is_dynamic("dynamic") && is_dynamic("dynamic 10.0.0.1 fe80::1"));
        assert!(is_dynamic("00:11:22:33:44:55 dynamic") && !is_dynamic("dynamic x"));
    }
}
