//! The options a server reads, as values.
//!
//! Fixed-length values are taken from the first instance and are `None` when absent or of another length: such a
//! value means nothing. Values of any length are `None` here when split over instances (RFC 3396); whoever must
//! have those too uses [`Message::concat`].

use super::vendor::Enterprises;
use super::{Message, RelayAgent, Suboptions};
use crate::code;
use crate::{Arch, MessageType};
use std::net::Ipv4Addr;

impl<'a> Message<'a> {
    #[inline]
    fn fixed<const N: usize>(&self, code: u8) -> Option<[u8; N]> {
        self.option(code)?.first().try_into().ok()
    }

    /// A one-octet option.
    #[must_use]
    #[inline]
    pub fn u8(&self, code: u8) -> Option<u8> {
        self.fixed::<1>(code).map(|[octet]| octet)
    }

    /// A two-octet option.
    #[must_use]
    #[inline]
    pub fn u16(&self, code: u8) -> Option<u16> {
        self.fixed(code).map(u16::from_be_bytes)
    }

    /// A four-octet option.
    #[must_use]
    #[inline]
    pub fn u32(&self, code: u8) -> Option<u32> {
        self.fixed(code).map(u32::from_be_bytes)
    }

    /// An option of one address.
    #[must_use]
    #[inline]
    pub fn ip(&self, code: u8) -> Option<Ipv4Addr> {
        self.fixed::<4>(code).map(Ipv4Addr::from)
    }

    /// An option of addresses; octets of an incomplete last one are left out.
    pub fn ips(&self, code: u8) -> impl Iterator<Item = Ipv4Addr> + use<'a> {
        let octets = self.whole(code).unwrap_or_default();
        octets.as_chunks::<4>().0.iter().map(|&chunk| chunk.into())
    }

    /// A text option without the NULs some clients append (RFC 2132, section 2); `None` when nothing is left.
    #[must_use]
    pub fn text(&self, code: u8) -> Option<&'a [u8]> {
        let value = self.whole(code)?;
        let end = value.iter().rposition(|&octet| octet != 0)?;
        Some(&value[..=end])
    }

    /// Option 53 (RFC 2132, 9.6); `None` also for an octet that is not assigned, see [`Message::is_bootp`].
    #[must_use]
    #[inline]
    pub fn message_type(&self) -> Option<MessageType> {
        self.u8(code::MESSAGE_TYPE).and_then(MessageType::from_octet)
    }

    /// Option 50: the address the client wants (RFC 2132, 9.1).
    #[must_use]
    pub fn requested_address(&self) -> Option<Ipv4Addr> {
        self.ip(code::REQUESTED_ADDRESS)
    }

    /// Option 51: the lease in seconds the client wants or gets; `u32::MAX` is for ever (RFC 2132, 9.2).
    #[must_use]
    pub fn lease_time(&self) -> Option<u32> {
        self.u32(code::LEASE_TIME)
    }

    /// Option 54: the server the client speaks to (RFC 2132, 9.7).
    #[must_use]
    pub fn server_id(&self) -> Option<Ipv4Addr> {
        self.ip(code::SERVER_ID)
    }

    /// Option 55: the codes the client wants, in its order of preference (RFC 2132, 9.8); empty when absent.
    #[must_use]
    pub fn parameter_requests(&self) -> &'a [u8] {
        self.option(code::PARAMETER_REQUESTS)
            .map(|option| option.first())
            .unwrap_or_default()
    }

    /// Whether option 55 names `wanted`.
    #[must_use]
    pub fn requests(&self, wanted: u8) -> bool {
        self.option(code::PARAMETER_REQUESTS)
            .is_some_and(|option| option.parts().any(|part| part.contains(&wanted)))
    }

    /// Option 57: the longest message the client accepts, IP and UDP headers included; values below 576 are not
    /// legal and read as 576 (RFC 2132, 9.10).
    #[must_use]
    pub fn max_message_size(&self) -> Option<u16> {
        self.u16(code::MAX_MESSAGE_SIZE).map(|size| size.max(576))
    }

    /// Option 12: the client's host name (RFC 2132, 3.14).
    #[must_use]
    pub fn host_name(&self) -> Option<&'a [u8]> {
        self.text(code::HOST_NAME)
    }

    /// Option 60: what the client is, `PXEClient:Arch:00007:…`, `MSFT 5.0`, `udhcp 1.35` (RFC 2132, 9.13).
    #[must_use]
    pub fn vendor_class(&self) -> Option<&'a [u8]> {
        self.text(code::VENDOR_CLASS)
    }

    /// Option 61: the client identifier with its type octet; `None` when empty (RFC 2132, 9.14; RFC 4361).
    #[must_use]
    pub fn client_id(&self) -> Option<&'a [u8]> {
        self.whole(code::CLIENT_ID).filter(|id| !id.is_empty())
    }

    /// Option 43: vendor information as suboptions, for PXE those of the PXE specification (RFC 2132, 8.4).
    #[must_use]
    pub fn vendor_information(&self) -> Option<Suboptions<'a>> {
        self.whole(code::VENDOR_INFORMATION).map(Suboptions::framed)
    }

    /// Option 77: the user classes (RFC 3004, section 4), or the bare string that iPXE and others send.
    #[must_use]
    pub fn user_classes(&self) -> UserClasses<'a> {
        UserClasses::new(self.whole(code::USER_CLASS).unwrap_or_default())
    }

    /// Option 80: whether the client would take an ACK at once (RFC 4039, section 4).
    #[must_use]
    pub fn rapid_commit(&self) -> bool {
        self.has(code::RAPID_COMMIT)
    }

    /// Option 81: the client's full name and who is to update the DNS (RFC 4702, section 2).
    #[must_use]
    pub fn client_fqdn(&self) -> Option<ClientFqdn<'a>> {
        let &[flags, _rcode1, _rcode2, ref name @ ..] = self.whole(code::CLIENT_FQDN)? else {
            return None;
        };
        Some(ClientFqdn { flags, name })
    }

    /// Option 82: relay agent information; `None` when absent or split (RFC 3046).
    ///
    /// A broken tail (some access nodes append a pad octet) does not make the suboptions before it unreadable, and
    /// the echo of the whole value is owed all the same; [`RelayAgent::parse`] is for those who want to know.
    #[must_use]
    pub fn relay_agent(&self) -> Option<RelayAgent<'a>> {
        self.whole(code::RELAY_AGENT).map(RelayAgent::new)
    }

    /// Option 93: the client's architectures, preferred first (RFC 4578, 2.1).
    pub fn architectures(&self) -> impl Iterator<Item = Arch> + use<'a> {
        let octets = self.whole(code::CLIENT_ARCH).unwrap_or_default();
        octets
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&chunk| Arch(u16::from_be_bytes(chunk)))
    }

    /// Option 97: the machine's UUID when it is of type 0 (RFC 4578, 2.3).
    #[must_use]
    pub fn uuid(&self) -> Option<[u8; 16]> {
        let [kind, uuid @ ..] = self.fixed::<17>(code::CLIENT_UUID)?;
        (kind == 0).then_some(uuid)
    }

    /// Option 116: whether the client may configure a link-local address by itself (RFC 2563, section 2).
    #[must_use]
    pub fn auto_configure(&self) -> Option<bool> {
        self.u8(code::AUTO_CONFIGURE).map(|octet| octet == 1)
    }

    /// Option 118: the subnet to choose from instead of giaddr's (RFC 3011, section 2).
    #[must_use]
    pub fn subnet_selection(&self) -> Option<Ipv4Addr> {
        self.ip(code::SUBNET_SELECTION)
    }

    /// Option 124: vendor classes by enterprise (RFC 3925, section 3).
    #[must_use]
    pub fn vendor_classes(&self) -> Enterprises<'a> {
        Enterprises::new(self.whole(code::VENDOR_CLASSES).unwrap_or_default())
    }

    /// Option 125: vendor options by enterprise (RFC 3925, section 4).
    #[must_use]
    pub fn vendor_options(&self) -> Enterprises<'a> {
        Enterprises::new(self.whole(code::VENDOR_OPTIONS).unwrap_or_default())
    }

    /// Option 151: status code and its text (RFC 6926, 6.2.2).
    #[must_use]
    pub fn status(&self) -> Option<(u8, &'a [u8])> {
        self.whole(code::STATUS_CODE)?
            .split_first()
            .map(|(&status, text)| (status, text))
    }
}

/// The classes of option 77. RFC 3004 puts a length before each; a value that is not tiled exactly by such lengths
/// is one bare class, as iPXE (`iPXE`), gPXE and older Windows clients send it.
#[derive(Debug, Clone, Copy)]
pub struct UserClasses<'a> {
    rest: &'a [u8],
    bare: bool,
}

impl<'a> UserClasses<'a> {
    /// Reads the value of the option.
    #[must_use]
    pub fn new(value: &'a [u8]) -> Self {
        let mut walk = Self {
            rest: value,
            bare: false,
        };
        while walk.next().is_some() {}
        Self {
            rest: value,
            bare: !walk.rest.is_empty(),
        }
    }

    /// Whether `class` is among them, octet for octet.
    #[must_use]
    pub fn has(mut self, class: &[u8]) -> bool {
        self.any(|member| member == class)
    }
}

impl<'a> Iterator for UserClasses<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.bare {
            self.bare = false;
            return Some(std::mem::take(&mut self.rest));
        }
        let (&len, behind) = self.rest.split_first()?;
        // A class of no octets is not legal (RFC 3004, section 4): the value is then no list.
        let (class, rest) = if len == 0 {
            return None;
        } else {
            behind.split_at_checked(usize::from(len))?
        };
        self.rest = rest;
        Some(class)
    }
}

/// The client's name for the DNS, option 81.
///
/// ```text
///   +-------+--------+--------+---------- - -+      flags: 0 0 0 0 N E O S
///   | flags | RCODE1 | RCODE2 | domain name  |
///   +-------+--------+--------+---------- - -+
/// ```
///
/// Source: RFC 4702, section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientFqdn<'a> {
    pub flags: u8,
    /// As on the wire: labels when [`ClientFqdn::is_wire_encoded`], else text.
    pub name: &'a [u8],
}

impl ClientFqdn<'_> {
    /// S: the server is to update the A record.
    pub const SERVER_UPDATES: u8 = 1;
    /// O: the server overrode the client's S.
    pub const OVERRIDE: u8 = 2;
    /// E: the name is in labels (RFC 1035, section 3.1).
    pub const ENCODED: u8 = 4;
    /// N: the server is to do no update at all.
    pub const NO_UPDATE: u8 = 8;

    #[must_use]
    pub fn is_wire_encoded(&self) -> bool {
        self.flags & Self::ENCODED != 0
    }

    /// The name as text without the final dot; `None` when it is broken or empty.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        let text = if self.is_wire_encoded() {
            crate::catalog::name_to_text(self.name)?
        } else {
            String::from_utf8_lossy(self.name)
                .trim_end_matches('\0')
                .to_owned()
        };
        let text = text.trim_end_matches('.');
        (!text.is_empty()).then(|| text.to_owned())
    }
}
