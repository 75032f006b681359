//! Where a node is reached, and who has to answer there.

use alloy_primitives::Address;
use std::fmt;
use std::str::FromStr;

/// Octets of the longest host name (RFC 1035, section 2.3.4).
const HOST_MAX: usize = 253;

/// A node to dial: `0xADDRESS@host:port`, or `host:port` where anybody of the chain may answer. The host is a name or
/// an IP address, one of version 6 in brackets.
///
/// ```
/// use purlin_chain_peers::PeerAddress;
///
/// let address: PeerAddress = "[::1]:30400".parse().unwrap();
/// assert_eq!((address.host.as_str(), address.port, address.id), ("::1", 30400, None));
/// assert_eq!(address.to_string(), "[::1]:30400");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerAddress {
    /// Who has to answer; somebody else is refused.
    pub id: Option<Address>,
    /// A name or an IP address, without brackets.
    pub host: String,
    pub port: u16,
}

/// A text is no address of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    #[error("the node before \"@\" is not 0x and 40 hexadecimal digits")]
    Id,
    #[error(
        "the host is missing or has characters that no name and no IP address has (form: [0xADDRESS@]host:port)"
    )]
    Host,
    #[error("the port is missing or not between 1 and 65535 (form: [0xADDRESS@]host:port)")]
    Port,
}

impl FromStr for PeerAddress {
    type Err = AddressFault;

    fn from_str(text: &str) -> Result<Self, AddressFault> {
        let (id, place) = match text.trim().split_once('@') {
            Some((id, place)) => (Some(node(id)?), place),
            None => (None, text.trim()),
        };
        let (host, port) = place.rsplit_once(':').ok_or(AddressFault::Port)?;
        let port = port.parse().map_err(|_| AddressFault::Port)?;
        if port == 0 {
            return Err(AddressFault::Port);
        }
        let host = bare(host).ok_or(AddressFault::Host)?.to_owned();
        Ok(Self { id, host, port })
    }
}

fn node(text: &str) -> Result<Address, AddressFault> {
    // Without 0x a name of 40 letters could be meant.
    let digits = text.strip_prefix("0x").ok_or(AddressFault::Id)?;
    digits.parse().map_err(|_| AddressFault::Id)
}

fn bare(host: &str) -> Option<&str> {
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']')?;
        return inner.parse::<std::net::Ipv6Addr>().is_ok().then_some(inner);
    }
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let fits = !host.is_empty() && host.len() <= HOST_MAX && host.chars().all(letters);
    fits.then_some(host)
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = self.id {
            write!(f, "{id:#x}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";

    #[test]
    fn an_address_is_written_as_it_is_read() {
        for text in [
            "node-1.chain.svc:30400",
            "127.0.0.1:1",
            "[::1]:65535",
            &format!("{NODE}@validator_2:30400"),
            &format!("{NODE}@[fe80::1]:30400"),
        ] {
            let address: PeerAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(address.id.is_some(), text.contains('@'));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_part_that_is_wrong() {
        use AddressFault::{Host, Id, Port};
        let long = format!("{}:1", "a".repeat(HOST_MAX + 1));
        for (text, fault) in [
            ("", Port),
            ("host", Port),
            ("host:", Port),
            ("host:0", Port),
            ("host:65536", Port),
            ("host:-1", Port),
            (":30400", Host),
            ("::1:30400", Host),
            ("[::1:30400", Host),
            ("[host]:30400", Host),
            ("ho st:30400", Host),
            ("http://host:30400", Host),
            (&long, Host),
            ("@host:1", Id),
            ("0x12@host:1", Id),
            ("f39fd6e51aad88f6f4ce6ab8827279cfffb92266@host:1", Id),
        ] {
            assert_eq!(text.parse::<PeerAddress>(), Err(fault), "{text}");
        }
    }
}
