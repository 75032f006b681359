//! What happens on connections, told as it happens.

use alloy_primitives::Address;
use bytes::Bytes;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Takes what happens. It is called from the task of the connection, which reads on only when it returns: it must not
/// block for long. For one peer the order is always `Up`, its messages, `Down`.
pub type Events = Arc<dyn Fn(Event) + Send + Sync>;

/// Who made a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The other side.
    Inbound,
    /// This node.
    Outbound,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        })
    }
}

/// What happened on a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Both sides have shown who they are.
    Up(PeerInfo),
    /// The peer that was up is no more; `why` is one line for people.
    Down { id: Address, why: String },
    /// One whole message, never empty, at most `message_max` octets.
    Message { from: Address, octets: Bytes },
    /// No connection came of it. A reason that repeats itself is told once per dialled node, and of strangers only a
    /// few each second.
    Refused(Refused),
}

/// A meeting that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub direction: Direction,
    /// Where the other side is: what was dialled, or whence the stranger came.
    pub address: String,
    /// Who it is, where that is proven.
    pub id: Option<Address>,
    /// One line for people.
    pub why: String,
}

/// A peer that is up.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerInfo {
    /// The address of its node key.
    pub id: Address,
    /// The other end of the connection.
    pub address: SocketAddr,
    /// The port at which it says that it awaits others; `None`: it only dials.
    pub listen_port: Option<u16>,
    pub direction: Direction,
    /// The software that it says it is: printable ASCII.
    pub name: String,
    /// What it says that it is; the meaning is the caller's.
    pub role: u8,
    pub since: Instant,
    /// Of the last ping that was answered.
    pub round_trip: Option<Duration>,
    pub octets_in: u64,
    pub octets_out: u64,
    pub messages_in: u64,
    pub messages_out: u64,
    /// Octets that wait to be sent to it.
    pub octets_waiting: usize,
}

/// How often what happened since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections on which both sides had shown who they are.
    pub met: u64,
    /// Inbound ones that came to nothing.
    pub refused_inbound: u64,
    /// Outbound ones that came to nothing.
    pub refused_outbound: u64,
    /// Peers that were dropped because too much waited for them.
    pub overrun: u64,
    /// Inbound connections whose sides are being shown right now.
    pub pending: usize,
}
