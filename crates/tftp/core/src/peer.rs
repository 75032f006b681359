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

/// One transfer of an engine. The turn tells it from others that had the place before, so that a completion which
/// comes too late changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    pub index: u32,
    pub turn: u32,
}
