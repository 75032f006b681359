//! Fronts: what stands before the nodes and gives each client to one of them.
//!
//! ```text
//!   TcpFront   accept ─► Pool::choose ─► connect (another one if that fails) ─► [PROXY v1] ─► copy both ways
//!   UdpFront   datagram ─► its client's backend     answers ─► client, or past the front (DHCP)
//!   check      every interval: TCP connect, or HTTP GET with the expected status ─► health
//! ```
//!
//! All choice and health is [`purlin_fabric::balance`]; here are sockets only. Of DHCP and TFTP it knows what tells
//! clients and conversations apart, and nothing more.
//!
//! **Whom the backends see.** Over TCP the front's address, unless [`TcpSettings::proxy_protocol`] tells them the client's.
//! Over UDP the front's address too: for DHCP its listening port, for others a port of the client's own. A DHCP server on
//! port 67 answers a relay at giaddr and a renewing client at ciaddr (RFC 2131, section 4.1), past the front.

mod check;
mod fronts;
mod members;
mod metrics;
mod pool;
mod proxy;
mod routes;
mod splice;
mod tcp;
mod udp;

pub use check::Check;
pub use fronts::{Front, FrontKind, FrontSpec, Fronts, NoSuch, StartFault};
pub use members::{MemberNode, MemberPorts, Members};
pub use metrics::BalancerMetrics;
pub use pool::{BackendView, FrontBackend, Pool, PoolSettings};
pub use routes::routes;
pub use tcp::{TcpFront, TcpKey, TcpSettings};
pub use udp::{DhcpKey, TftpKey, UdpFront, UdpService, UdpSettings};

use purlin_fabric::balance::key;
use purlin_types::Now;
use std::net::IpAddr;
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
    /// Turned away (DHCP: served and not remembered) because a limit of the front was reached.
    pub full: Counter,
    /// Datagrams of backends that were passed on to clients.
    pub answers: Counter,
    /// Datagrams that are not what the front is for.
    pub unreadable: Counter,
    /// DHCP messages of clients on the front's own segment, whom no backend could answer: they need a relay.
    pub unanswerable: Counter,
    /// Datagrams that the kernel would not send.
    pub lost: Counter,
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
    pub(crate) fn add_many(&self, many: u64) {
        if many > 0 {
            self.0.fetch_add(many, Ordering::Relaxed);
        }
    }
}

/// The same client has the same key, whether it comes as itself or as a mapped address.
pub(crate) fn key_of(client: IpAddr) -> u64 {
    match client.to_canonical() {
        IpAddr::V4(address) => key(&address.octets()),
        IpAddr::V6(address) => key(&address.octets()),
    }
}
