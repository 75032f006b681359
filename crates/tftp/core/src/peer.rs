//! Who is on the other side, and which transfer is meant.

use std::net::{IpAddr, SocketAddr};

/// A client, and how its packets come here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Address and port of the client: its transfer identifier (RFC 1350, section 4).
    pub address: SocketAddr,
    /// The address of ours that it wrote to; answers come from there.
    pub local: Option<IpAddr>,
    /// It wrote to many: to a multicast group, or the broadcast address of a link or subnet.
    pub many: bool,
    /// Index of the interface that the packet came by, 0 when unknown.
    pub interface: u32,
    /// Index of the listening socket.
    pub port: u16,
}

impl Peer {
    /// Whether the packet went to more than one host (RFC 1123, 4.2.3.5: such requests are ignored).
    pub(crate) fn wrote_to_many(&self) -> bool {
        let is_many = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(address) => address.is_broadcast() || address.is_multicast(),
            IpAddr::V6(address) => address.is_multicast(),
        };
        self.many || self.local.is_some_and(is_many)
    }
}

/// One transfer of an engine. The turn tells it from others that had the place before, so that a completion which
/// comes too late changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    pub index: u32,
    pub turn: u32,
}
