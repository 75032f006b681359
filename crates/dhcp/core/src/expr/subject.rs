//! The packet as an expression sees it.

use super::ClassRef;
use super::vendor;
use std::net::Ipv4Addr;

/// What an expression is evaluated over. Whoever holds a received DHCPv4 message implements it.
///
/// All of it is the sender's word, so nothing may be assumed about lengths.
pub trait Subject {
    /// The value of an option, its parts joined (RFC 3396); `None` when it is absent.
    fn option(&self, code: u8) -> Option<&[u8]>;

    /// The value of a sub-option of the relay agent information (option 82, RFC 3046).
    fn relay_sub(&self, code: u8) -> Option<&[u8]> {
        vendor::sub_option(self.option(82)?, code)
    }

    /// The client's hardware address, `hlen` octets of `chaddr`.
    fn mac(&self) -> &[u8];
    fn htype(&self) -> u8;
    fn hlen(&self) -> u8;
    fn ciaddr(&self) -> Ipv4Addr;
    fn yiaddr(&self) -> Ipv4Addr;
    fn siaddr(&self) -> Ipv4Addr;
    fn giaddr(&self) -> Ipv4Addr;
    fn transid(&self) -> u32;

    /// The DHCP message type (option 53), 0 for BOOTP.
    fn msgtype(&self) -> u8 {
        self.option(53)
            .and_then(|value| value.first().copied())
            .unwrap_or(0)
    }

    /// Name of the interface it came in on, empty for relayed packets where that is not known.
    fn interface(&self) -> &str;
    fn source(&self) -> Ipv4Addr;
    fn destination(&self) -> Ipv4Addr;
    /// Octets of the whole message.
    fn length(&self) -> u32;

    /// Whether the client has been found a member of that class already.
    fn member(&self, class: &ClassRef) -> bool;
}
