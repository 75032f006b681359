//! What a node is told about its connections, with the bounds that hold whatever strangers do.

use crate::PeerAddress;
use alloy_primitives::B256;
use std::net::SocketAddr;
use std::time::Duration;

/// Octets of a message of which one copy is sent as it is; longer ones go in pieces between which others pass.
pub(crate) const PIECE: usize = 64 * 1024;
/// Octets of the longest name of a software.
pub(crate) const NAME_MAX: usize = 64;

/// The chain that all nodes of a network share. Nodes of another one are refused and told why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The hash of block 0.
    pub genesis: B256,
    /// The number that transactions are signed for (EIP-155).
    pub chain_id: u64,
}

/// How a node meets others. The memory that peers may take is about
/// `(limit + precious peers) * (message_max + queue_octets)` at worst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where others are awaited; port 0 takes any free one. `None` only dials.
    pub listen: Option<SocketAddr>,
    /// Nodes to be connected with always. They count towards `limit` and are never refused for it.
    pub dial: Vec<PeerAddress>,
    /// `host:port`: every address that the name has is a node to dial.
    pub discovery: Vec<PeerAddress>,
    /// Peers at most, of those that are not precious ([`crate::Admission::precious`]); default 50.
    pub limit: usize,
    /// Strangers at most that have connected and not yet shown who they are; default 30. When one more comes, the
    /// oldest has to go: honest nodes need milliseconds, those that only hold places need them for long.
    pub pending: usize,
    /// For a connection to stand, and again for both sides to show who they are; default 10 s.
    pub connect_timeout: Duration,
    /// Octets of the longest message, sent or received; default 16 MiB.
    pub message_max: usize,
    /// Octets at most that wait to be sent to one peer; one that falls further behind is dropped. Default 64 MiB.
    pub queue_octets: usize,
    /// Messages at most that wait to be sent to one peer; default 4,096.
    pub queue_messages: usize,
    /// What others see as this node's software, at most 64 printable ASCII characters.
    pub name: String,
    /// What this node is to others; its meaning is the caller's.
    pub role: u8,
    /// The port at which others reach this node, where it is not the one it listens at (port forwarding).
    pub told_port: Option<u16>,
    pub pace: Pace,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: None,
            dial: Vec::new(),
            discovery: Vec::new(),
            limit: 50,
            pending: 30,
            connect_timeout: Duration::from_secs(10),
            message_max: 16 * 1024 * 1024,
            queue_octets: 64 * 1024 * 1024,
            queue_messages: 4096,
            name: concat!("purlin/", env!("CARGO_PKG_VERSION")).to_owned(),
            role: 0,
            told_port: None,
            pace: Pace::default(),
        }
    }
}

/// How often what is repeated is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// A ping this often; default 5 s.
    pub ping: Duration,
    /// A peer of which nothing whole came for so long, or that took nothing, is dropped; default 15 s.
    pub silence: Duration,
    /// The wait before the first redial; it doubles, with jitter, up to `redial_max`. Default 0.2 s.
    pub redial_min: Duration,
    /// Default 10 s.
    pub redial_max: Duration,
    /// The names of `discovery` are looked up this often; default 10 s.
    pub discovery: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(5),
            silence: Duration::from_secs(15),
            redial_min: Duration::from_millis(200),
            redial_max: Duration::from_secs(10),
            discovery: Duration::from_secs(10),
        }
    }
}
