//! What goes into a decision and what comes out: the vocabulary between the pure core and its shell.
//!
//! ```text
//!   Arrival ──► Engine::step ──► Verdict ─┬─ Reply            send `reply` now
//!                    │                    ├─ WriteThenReply   append `records`, then send
//!                    │                    ├─ CommitThenReply  append `records`, send once they are durable
//!                    ├──► Reply (buffer)  ├─ CopyThenReply    the same, once a second copy has them
//!                    └──► records (bytes) ├─ Commit           append `records`, nothing to send
//!                                         ├─ Probe            ask the link, then Engine::probed
//!                                         ├─ Forward          give the packet to the node that holds the slot
//!                                         └─ Silent           nothing
//! ```

use purlin_types::{Slot, WallTime};
use std::net::{Ipv4Addr, SocketAddrV4};

/// Largest reply the core composes: an Ethernet MTU less the IP and UDP headers.
pub const REPLY_MAX: usize = 1472;

/// One datagram as it came in. Everything in it is the sender's word.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    pub payload: &'a [u8],
    pub source: SocketAddrV4,
    /// The address it was sent to; for a broadcast, the receiving interface's own (first) address.
    pub local: Ipv4Addr,
    /// The port it was sent to: on any other than 67, relays are answered at the port they sent from.
    pub port: u16,
    /// Position in `Settings::interfaces` when it came over a local segment, else `None`.
    pub interface: Option<u16>,
    /// Whether it was sent to everybody on that segment instead of to one of our addresses.
    pub broadcast: bool,
    /// 0 for a packet from a client or relay. Of one that another node has forwarded, the `attempt` of its
    /// [`Verdict::Forward`].
    pub attempt: u8,
}

/// What the shell knows of its journal when it asks for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// Whether records can be appended. When not, nothing is promised (silence, with the reason).
    pub writable: bool,
    /// Every record that was appended in an earlier millisecond than this one is durable.
    pub durable: WallTime,
    /// How far a second copy of the store is, when there is one that follows in its own time and may take the store's
    /// place (fabric.md 2.3, durability `db`). `None` when what is durable cannot be lost to a failover.
    pub copy: Option<Copied>,
}

/// A standby that commits do not wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Every record that was appended in an earlier millisecond than this one is on the copy.
    pub upto: WallTime,
    /// Whether the copy follows at this moment: where not, nothing that must be on it can be promised.
    pub follows: bool,
}

/// What the shell must do with the outcome of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The reply promises nothing new: send it now.
    Reply,
    /// Append the records, then send: what the reply promises beyond them is within the client lead time.
    WriteThenReply,
    /// Append the records and send the reply once they are durable.
    CommitThenReply,
    /// Append the records and send the reply once they are on the second copy too ([`Log::copy`]).
    CopyThenReply,
    /// Append the records; nothing is sent.
    Commit,
    /// Find out whether somebody uses the address, then call `Engine::probed` with the token.
    Probe(Probe),
    /// Give the packet, as it came and with this `attempt`, to the node that holds `slot`, or drop it. One node alone
    /// never says this.
    Forward { slot: Slot, attempt: u8 },
    /// Do nothing.
    Silent,
}

/// A question to the link before an address is offered for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    pub token: u64,
    pub address: Ipv4Addr,
    /// ARP on this local segment (position in `Settings::interfaces`); `None` is ICMP echo.
    pub arp_on: Option<u16>,
}

/// Where a reply goes (RFC 2131, section 4.1, and RFC 8357 for relays on other ports).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// An ordinary datagram from the socket that received the request.
    Udp(SocketAddrV4),
    /// A frame to a client that has no address yet: this hardware and IP address, port 68.
    Raw {
        interface: u16,
        mac: [u8; 6],
        address: Ipv4Addr,
    },
    /// A broadcast frame on a local segment, port 68.
    Broadcast { interface: u16 },
}

/// The reply being composed. Owned by the shell and used again for every packet.
#[derive(Debug)]
pub struct Reply {
    pub bytes: [u8; REPLY_MAX],
    pub len: usize,
    pub to: Destination,
    /// Source address for a raw frame (the server identifier).
    pub from: Ipv4Addr,
}

impl Default for Reply {
    fn default() -> Self {
        Self {
            bytes: [0; REPLY_MAX],
            len: 0,
            to: Destination::Udp(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)),
            from: Ipv4Addr::UNSPECIFIED,
        }
    }
}

impl Reply {
    /// The composed message.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
