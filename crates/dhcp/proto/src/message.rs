//! A received DHCP or BOOTP message, read in place.
//!
//! ```text
//!    0                   1                   2                   3
//!    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!   +---------------+---------------+---------------+---------------+
//!   |     op (1)    |   htype (1)   |   hlen (1)    |   hops (1)    |   0
//!   +---------------+---------------+---------------+---------------+
//!   |                            xid (4)                            |   4
//!   +-------------------------------+-------------------------------+
//!   |           secs (2)            |B|        flags (2)            |   8
//!   +-------------------------------+-------------------------------+
//!   |                          ciaddr  (4)                          |  12
//!   |                          yiaddr  (4)                          |  16
//!   |                          siaddr  (4)                          |  20
//!   |                          giaddr  (4)                          |  24
//!   +---------------------------------------------------------------+
//!   |                          chaddr  (16)                         |  28
//!   |                          sname   (64)                         |  44
//!   |                          file    (128)                        | 108
//!   +---------------------------------------------------------------+
//!   |              magic cookie 63 82 53 63 (4)                     | 236
//!   |                          options (variable)                   | 240
//!   +---------------------------------------------------------------+
//! ```
//!
//! All numbers are big-endian. Source: RFC 2131 section 2 (figure 1) and section 3 (the cookie); RFC 951 for BOOTP.

mod error;
mod fields;
mod index;
mod option_ref;
mod relay;
mod suboptions;
mod vendor;

pub use error::{Area, ParseError};
pub use fields::{ClientFqdn, UserClasses};
pub use index::OPTIONS_MAX;
pub use option_ref::OptionRef;
pub use relay::{RelayAgent, suboption as relay_suboption};
pub use suboptions::{Suboption, Suboptions, SuboptionsError};
pub use vendor::{Enterprise, Enterprises};

use crate::code::CodeSet;
use index::Index;
use purlin_types::Mac;
use std::fmt;
use std::net::Ipv4Addr;

/// Octets before the magic cookie; what a BOOTP message without a vendor area has.
pub const HEADER_LEN: usize = 236;
/// Where options start when the cookie is there.
pub const OPTIONS_AT: usize = 240;
/// What says that the vendor area holds options (RFC 2131, section 3; RFC 1497).
pub const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
/// `op` of a message from a client.
pub const BOOTREQUEST: u8 = 1;
/// `op` of a message from a server.
pub const BOOTREPLY: u8 = 2;
/// `htype` of Ethernet (IANA "Hardware Types").
pub const HTYPE_ETHERNET: u8 = 1;
/// The broadcast bit of `flags` (RFC 2131, figure 2).
pub const FLAG_BROADCAST: u16 = 0x8000;
/// Longest value that the splitting of RFC 3396 can bring together out of one message we accept.
pub const VALUE_MAX: usize = OPTIONS_MAX * 255;

/// A checked view of a received message. Nothing is copied; the options are indexed by one pass.
///
/// ```
/// use purlin_dhcp_proto::{Message, MessageType};
/// let mut payload = [0u8; 244];
/// payload[0] = 1; // BOOTREQUEST
/// payload[236..].copy_from_slice(&[0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255]);
/// let message = Message::parse(&payload)?;
/// assert_eq!(message.message_type(), Some(MessageType::Discover));
/// # Ok::<(), purlin_dhcp_proto::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Message<'a> {
    payload: &'a [u8],
    header: &'a [u8; HEADER_LEN],
    index: Index,
}

impl<'a> Message<'a> {
    /// Reads the payload of a datagram.
    ///
    /// Accepted are 236 octets and more: a BOOTP message may have no cookie and then has no options. Octets behind
    /// the end option are ignored, a missing end option is tolerated (RFC 2131, 4.1 asks for one, some boot ROMs
    /// forget it).
    ///
    /// # Errors
    /// When it cannot be a DHCP message, an option reaches beyond its field, or limits are passed; see [`ParseError`].
    #[inline]
    pub fn parse(payload: &'a [u8]) -> Result<Self, ParseError> {
        let Some(header) = payload.first_chunk::<HEADER_LEN>() else {
            return Err(ParseError::TooShort { len: payload.len() });
        };
        if payload.len() > usize::from(u16::MAX) {
            return Err(ParseError::TooLong { len: payload.len() });
        }
        if !matches!(header[0], BOOTREQUEST | BOOTREPLY) {
            return Err(ParseError::Op(header[0]));
        }
        if header[2] > 16 {
            return Err(ParseError::HardwareLength(header[2]));
        }
        let mut message = Self {
            payload,
            header,
            index: Index::new(),
        };
        if payload[HEADER_LEN..].first_chunk::<4>() == Some(&COOKIE) {
            message.index.fill(payload)?;
        }
        Ok(message)
    }

    /// The octets this view was made from.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&self.header[at..at + N]);
        field
    }

    /// 1 from clients ([`BOOTREQUEST`]), 2 from servers ([`BOOTREPLY`]).
    #[must_use]
    pub fn op(&self) -> u8 {
        self.header[0]
    }

    /// Hardware type as in ARP; 1 is Ethernet, 32 is InfiniBand (RFC 4390).
    #[must_use]
    pub fn htype(&self) -> u8 {
        self.header[1]
    }

    /// Octets of `chaddr` in use, 0 to 16. InfiniBand clients say 0 (RFC 4390, section 2.1).
    #[must_use]
    pub fn hlen(&self) -> u8 {
        self.header[2]
    }

    /// Relays passed so far; relays drop a message above 16 (RFC 1542, 4.1.1).
    #[must_use]
    pub fn hops(&self) -> u8 {
        self.header[3]
    }

    /// The client's transaction number, echoed in every reply.
    #[must_use]
    pub fn xid(&self) -> u32 {
        u32::from_be_bytes(self.field(4))
    }

    /// Seconds since the client began, as the client says. Some Windows versions send it little-endian.
    #[must_use]
    pub fn secs(&self) -> u16 {
        u16::from_be_bytes(self.field(8))
    }

    /// All 16 flags; only [`FLAG_BROADCAST`] is defined.
    #[must_use]
    pub fn flags(&self) -> u16 {
        u16::from_be_bytes(self.field(10))
    }

    /// Whether the client cannot receive unicast before it is configured (RFC 2131, 4.1).
    #[must_use]
    pub fn broadcast(&self) -> bool {
        self.flags() & FLAG_BROADCAST != 0
    }

    /// The address the client already uses and answers for, else 0.0.0.0.
    #[must_use]
    pub fn ciaddr(&self) -> Ipv4Addr {
        self.field::<4>(12).into()
    }

    /// "Your" address: what the server gives; 0.0.0.0 in requests.
    #[must_use]
    pub fn yiaddr(&self) -> Ipv4Addr {
        self.field::<4>(16).into()
    }

    /// The next server of the boot sequence, not the DHCP server (RFC 2131, section 2).
    #[must_use]
    pub fn siaddr(&self) -> Ipv4Addr {
        self.field::<4>(20).into()
    }

    /// The relay agent's address on the client's link, else 0.0.0.0.
    #[must_use]
    pub fn giaddr(&self) -> Ipv4Addr {
        self.field::<4>(24).into()
    }

    /// The hardware address: the first `hlen` octets of the field.
    #[must_use]
    pub fn chaddr(&self) -> &'a [u8] {
        &self.header[28..28 + usize::from(self.hlen())]
    }

    /// The whole 16-octet `chaddr` field, as a reply echoes it.
    #[must_use]
    pub fn chaddr_field(&self) -> [u8; 16] {
        self.field(28)
    }

    /// The hardware address when it is a 48-bit one.
    #[must_use]
    pub fn mac(&self) -> Option<Mac> {
        (self.hlen() == 6).then(|| Mac(self.field(28)))
    }

    /// The server host name up to its first NUL; empty when the field carries options.
    #[must_use]
    pub fn sname(&self) -> &'a [u8] {
        if self.overload() & 2 != 0 {
            &[]
        } else {
            until_nul(&self.header[44..108])
        }
    }

    /// The boot file name up to its first NUL; empty when the field carries options.
    #[must_use]
    pub fn file(&self) -> &'a [u8] {
        if self.overload() & 1 != 0 {
            &[]
        } else {
            until_nul(&self.header[108..236])
        }
    }

    /// Whether the magic cookie is there; without it there are no options.
    #[must_use]
    pub fn has_cookie(&self) -> bool {
        self.payload[HEADER_LEN..].first_chunk::<4>() == Some(&COOKIE)
    }

    /// Whether this is plain BOOTP: no message type (RFC 1534, section 2).
    #[must_use]
    pub fn is_bootp(&self) -> bool {
        !self.has(crate::code::MESSAGE_TYPE)
    }

    fn overload(&self) -> u8 {
        self.index.overload()
    }

    /// Whether the option occurs.
    #[must_use]
    #[inline]
    pub fn has(&self, code: u8) -> bool {
        self.index.has(code)
    }

    /// The codes that occur.
    #[must_use]
    pub fn codes(&self) -> &CodeSet {
        self.index.present()
    }

    /// How many option instances the message has, pad and end not counted.
    #[must_use]
    pub fn option_count(&self) -> usize {
        self.index.len()
    }

    /// The option, however many instances it is split over; `None` when absent.
    #[must_use]
    #[inline]
    pub fn option(&self, code: u8) -> Option<OptionRef<'_, 'a>> {
        let first = self.index.first(code)?;
        Some(OptionRef::new(self.payload, &self.index, first))
    }

    /// The value when it is in one piece, which nearly every value is; `None` when absent or split (RFC 3396).
    #[must_use]
    #[inline]
    pub fn whole(&self, code: u8) -> Option<&'a [u8]> {
        self.option(code)?.whole()
    }

    /// The value in one slice: in place when it is in one piece, else put together in `buffer`.
    ///
    /// `None` when absent or when a split value is longer than `buffer`. Source: RFC 3396, section 7.
    #[must_use]
    pub fn concat<'b>(&self, code: u8, buffer: &'b mut [u8]) -> Option<&'b [u8]>
    where
        'a: 'b,
    {
        self.option(code)?.concat(buffer)
    }

    /// Every option instance in the order of RFC 3396: options field, then `file`, then `sname`.
    pub fn options(&self) -> impl Iterator<Item = (u8, &'a [u8])> + '_ {
        self.index
            .entries()
            .iter()
            .map(|entry| (entry.code, entry.value(self.payload)))
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("op", &self.op())
            .field("message_type", &self.message_type())
            .field("xid", &format_args!("{:08x}", self.xid()))
            .field("chaddr", &format_args!("{:02x?}", self.chaddr()))
            .field("ciaddr", &self.ciaddr())
            .field("yiaddr", &self.yiaddr())
            .field("giaddr", &self.giaddr())
            .field(
                "options",
                &self.options().map(|(code, _)| code).collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}

fn until_nul(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&octet| octet == 0).unwrap_or(field.len());
    &field[..end]
}

#[cfg(test)]
mod tests;
