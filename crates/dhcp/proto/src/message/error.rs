//! Why octets are no DHCP message.

use std::fmt;

/// The part of a message in which options were being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Area {
    /// The options field behind the cookie.
    Options,
    /// The `file` field, overloaded by option 52.
    File,
    /// The `sname` field, overloaded by option 52.
    Sname,
}

impl Area {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Options => "options",
            Self::File => "file",
            Self::Sname => "sname",
        }
    }
}

/// Why a payload is refused. Every variant is the sender's fault, none is ours; such packets are counted and dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParseError {
    /// Fewer octets than the fixed header (236).
    TooShort { len: usize },
    /// More octets than a UDP datagram can carry.
    TooLong { len: usize },
    /// Neither BOOTREQUEST (1) nor BOOTREPLY (2).
    Op(u8),
    /// `hlen` above the 16 octets of `chaddr`.
    HardwareLength(u8),
    /// An option's length octet is missing or points behind the end of its field; `at` is the offset of its code.
    TruncatedOption { code: u8, at: u16, area: Area },
    /// More option instances than any client sends ([`super::OPTIONS_MAX`]); `at` is where the first too many begins.
    TooManyOptions { at: u16 },
    /// Option 52 is not one octet of 1, 2 or 3 (RFC 2132, 9.3); the value is its first octet or 0.
    Overload { value: u8 },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { len } => write!(f, "{len} octets are too few; a DHCP header alone has 236"),
            Self::TooLong { len } => write!(f, "{len} octets are more than a datagram can carry"),
            Self::Op(op) => write!(f, "op is {op}, neither 1 (request) nor 2 (reply)"),
            Self::HardwareLength(len) => write!(f, "hardware address length is {len}, above 16"),
            Self::TruncatedOption { code, at, area } => {
                write!(
                    f,
                    "option {code} at offset {at} reaches beyond the {} field",
                    area.as_str()
                )
            }
            Self::TooManyOptions { at } => {
                write!(
                    f,
                    "more than {} options, the rest from offset {at}",
                    super::OPTIONS_MAX
                )
            }
            Self::Overload { value } => {
                write!(f, "option overload (52) says {value}; 1, 2 and 3 are defined")
            }
        }
    }
}

impl std::error::Error for ParseError {}
