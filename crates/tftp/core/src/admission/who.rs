//! Who is counted, and how nodes name them to each other.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// For `per_ip`.
    Address(IpAddr),
    /// For `per_client`, of a client whose hardware address is not known.
    Client(IpAddr),
    /// For `per_client`: a number that stands for a hardware address.
    Machine(u64),
}

/// As nodes write it to each other: `ip:10.0.0.1`, `client:10.0.0.1`, `machine:001122334455`.
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(ip) => write!(f, "ip:{ip}"),
            Self::Client(ip) => write!(f, "client:{ip}"),
            Self::Machine(number) => write!(f, "machine:{number:012x}"),
        }
    }
}

/// The text names nobody that this version counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownWho;

impl FromStr for Who {
    type Err = UnknownWho;

    fn from_str(text: &str) -> Result<Self, UnknownWho> {
        let (kind, value) = text.split_once(':').ok_or(UnknownWho)?;
        let ip = || value.parse().map_err(|_| UnknownWho);
        match kind {
            "ip" => ip().map(Self::Address),
            "client" => ip().map(Self::Client),
            "machine" => u64::from_str_radix(value, 16)
                .map(Self::Machine)
                .map_err(|_| UnknownWho),
            _ => Err(UnknownWho),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let v6 = "2001:db8::1".parse().expect("an address");
        for who in [
            Who::Address([10, 0, 0, 1].into()),
            Who::Client(v6),
            Who::Machine(0x11_2233_4455),
        ] {
            assert_eq!(who.to_string().parse(), Ok(who));
        }
        for text in ["", "ip", "ip:x", "user:10.0.0.1", "machine:zz"] {
            assert_eq!(text.parse::<Who>(), Err(UnknownWho), "{text}");
        }
    }
}
