//! Relay agent information, option 82.

use super::suboptions::{Suboptions, SuboptionsError};
use std::net::Ipv4Addr;

/// Suboption codes of option 82 (IANA "DHCP Relay Agent Sub-Option Codes").
pub mod suboption {
    /// RFC 3046, 3.1.
    pub const CIRCUIT_ID: u8 = 1;
    /// RFC 3046, 3.2.
    pub const REMOTE_ID: u8 = 2;
    /// RFC 3256.
    pub const DOCSIS_DEVICE_CLASS: u8 = 4;
    /// RFC 3527.
    pub const LINK_SELECTION: u8 = 5;
    /// RFC 3993.
    pub const SUBSCRIBER_ID: u8 = 6;
    /// RFC 4014.
    pub const RADIUS_ATTRIBUTES: u8 = 7;
    /// RFC 4030.
    pub const AUTHENTICATION: u8 = 8;
    /// RFC 4243.
    pub const VENDOR_SPECIFIC: u8 = 9;
    /// RFC 5010.
    pub const FLAGS: u8 = 10;
    /// RFC 5107.
    pub const SERVER_ID_OVERRIDE: u8 = 11;
    /// RFC 6925.
    pub const RELAY_ID: u8 = 12;
    /// RFC 8357.
    pub const SOURCE_PORT: u8 = 19;
    /// RFC 6607, section 3.2.
    pub const VIRTUAL_SUBNET: u8 = 151;
    /// RFC 6607, section 3.3.
    pub const VIRTUAL_SUBNET_CONTROL: u8 = 152;
}

/// The value of option 82: what the relay tells about where the client is. Trust it as far as the relay.
#[derive(Debug, Clone, Copy)]
pub struct RelayAgent<'a> {
    value: &'a [u8],
}

impl<'a> RelayAgent<'a> {
    /// Takes the value as it is; suboptions are read as far as they are complete.
    #[must_use]
    pub fn new(value: &'a [u8]) -> Self {
        Self { value }
    }

    /// Checks that every suboption is complete.
    ///
    /// # Errors
    /// Names the first suboption that reaches beyond the option.
    pub fn parse(value: &'a [u8]) -> Result<Self, SuboptionsError> {
        Suboptions::plain(value).checked().map(|_| Self { value })
    }

    /// The octets as they were received; a reply echoes them unchanged (RFC 3046, section 2.2).
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    #[must_use]
    pub fn suboptions(&self) -> Suboptions<'a> {
        Suboptions::plain(self.value)
    }

    /// The first suboption of that code.
    #[must_use]
    pub fn get(&self, code: u8) -> Option<&'a [u8]> {
        self.suboptions().find(code)
    }

    fn ip(&self, code: u8) -> Option<Ipv4Addr> {
        <[u8; 4]>::try_from(self.get(code)?).ok().map(Ipv4Addr::from)
    }

    /// The port or circuit the request came in on (RFC 3046, 3.1).
    #[must_use]
    pub fn circuit_id(&self) -> Option<&'a [u8]> {
        self.get(suboption::CIRCUIT_ID)
    }

    /// The remote end of the circuit (RFC 3046, 3.2).
    #[must_use]
    pub fn remote_id(&self) -> Option<&'a [u8]> {
        self.get(suboption::REMOTE_ID)
    }

    /// The link whose subnets apply instead of giaddr's (RFC 3527, section 3).
    #[must_use]
    pub fn link_selection(&self) -> Option<Ipv4Addr> {
        self.ip(suboption::LINK_SELECTION)
    }

    /// The customer, independent of where the line is plugged in (RFC 3993, section 3).
    #[must_use]
    pub fn subscriber_id(&self) -> Option<&'a [u8]> {
        self.get(suboption::SUBSCRIBER_ID)
    }

    /// The address to answer as, so that renewals go through the relay (RFC 5107, section 4).
    #[must_use]
    pub fn server_id_override(&self) -> Option<Ipv4Addr> {
        self.ip(suboption::SERVER_ID_OVERRIDE)
    }

    /// Whether the client's message reached the relay by unicast; `None` when the relay does not say (RFC 5010).
    #[must_use]
    pub fn came_by_unicast(&self) -> Option<bool> {
        self.get(suboption::FLAGS)?.first().map(|flags| flags & 0x80 != 0)
    }

    /// Whether the reply must go to the source port of the relay's datagram instead of 67 (RFC 8357).
    #[must_use]
    pub fn source_port(&self) -> bool {
        self.get(suboption::SOURCE_PORT).is_some()
    }

    /// Stable identifier of the relay, type octet included (RFC 6925, section 4).
    #[must_use]
    pub fn relay_id(&self) -> Option<&'a [u8]> {
        self.get(suboption::RELAY_ID)
    }

    /// Virtual subnet selection: VSS type octet and information (RFC 6607, section 3.2).
    #[must_use]
    pub fn virtual_subnet(&self) -> Option<&'a [u8]> {
        self.get(suboption::VIRTUAL_SUBNET)
    }

    /// Whether the relay asks to be told that VSS was understood: a server that used it drops this suboption from
    /// its echo (RFC 6607, section 3.3).
    #[must_use]
    pub fn virtual_subnet_control(&self) -> bool {
        self.get(suboption::VIRTUAL_SUBNET_CONTROL).is_some()
    }
}
