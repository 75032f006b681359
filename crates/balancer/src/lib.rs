//! Fronts: what stands before the nodes and gives each client to one of them.
//!
//! ```text
//!   TcpFront   accept ─► Pool::choose ─► connect (another one if that fails) ─► [PROXY v1] ─► copy both ways
//!   UdpFront   datagram ─► flow of its client ─► backend     answers ─► client, or past the front (DHCP)
//!   check      every interval: TCP connect, or HTTP GET with the expected status ─► health
//! ```
//!
//! All choice and health is [`purlin_fabric::balance`]; here are sockets only. The front knows no service: what of a
//! datagram tells clients apart is a setting ([`ClientKey`]), and so is the way that answers take ([`Answers`]).
//!
//! **Whom the backends see.** Over TCP the front's address, unless [`TcpSettings::proxy_protocol`] tells them the client's.
//! Over UDP with [`Answers::Through`] the front's address and a port of the flow's own; with [`Answers::Direct`] the
//! front's listening address. A DHCP server answers a relay at giaddr and a renewing client at ciaddr (RFC 2131, section
//! 4.1), never the sender, so that DHCP wants `Direct`; TFTP wants `Through`.

mod check;
mod flow;
mod pool;
mod proxy;
mod splice;
mod tcp;
mod udp;

pub use check::Check;
pub use pool::{FrontBackend, Pool, PoolSettings};
pub use tcp::{TcpFront, TcpSettings};
pub use udp::{Answers, ClientKey, UdpFront, UdpSettings};

use purlin_types::Now;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reads both clocks.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// What a front has done so far. Each only rises.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections or datagrams of clients.
    pub taken: Counter,
    /// Given to another backend after the first could not be reached.
    pub retried: Counter,
    /// Turned away because no backend could take them.
    pub refused: Counter,
    /// Turned away because a limit of the front was reached.
    pub full: Counter,
}

/// A number that rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// How often.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
