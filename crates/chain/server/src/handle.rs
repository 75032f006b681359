//! What others hold of a running chain.

use crate::agreement::diagnosis;
use crate::consensus::report;
use crate::fault::Fault;
use crate::health;
use crate::metrics::ChainMetrics;
use crate::node::Node;
use crate::settings::Pace;
use crate::source::NewHead;
use crate::story::Story;
use crate::why::{self, Told};
use purlin_chain_core::pool::Status;
use purlin_chain_evm::{Chain, Head};
use purlin_chain_proto::{B256, Recovered};
use purlin_telemetry::health::Check;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::broadcast;

/// The running chain: cheap to clone, every clone is the same service.
#[derive(Debug, Clone)]
pub struct Handle {
    node: Arc<Node>,
    http: Option<SocketAddr>,
    ws: Option<SocketAddr>,
}

impl Handle {
    pub(crate) fn new(node: Arc<Node>, http: Option<SocketAddr>, ws: Option<SocketAddr>) -> Self {
        Self { node, http, ws }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Where JSON-RPC over HTTP is served.
    #[must_use]
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where JSON-RPC over WebSocket is served.
    #[must_use]
    pub fn ws(&self) -> Option<SocketAddr> {
        self.ws
    }

    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.node.source.0
    }

    #[must_use]
    pub fn head(&self) -> Arc<Head> {
        self.node.head()
    }

    /// Every head from now on. A receiver that falls behind by more than 256 is told that it did.
    #[must_use]
    pub fn heads(&self) -> broadcast::Receiver<Arc<NewHead>> {
        self.node.heads.subscribe()
    }

    #[must_use]
    pub fn pool(&self) -> Status {
        self.node.pool_sizes()
    }

    /// Takes a transaction into the pool, like `eth_sendRawTransaction`. It reads state: call it where blocking is fine.
    ///
    /// # Errors
    /// In geth's words why not.
    pub fn insert(&self, transaction: Recovered) -> Result<B256, Fault> {
        self.node.insert(transaction, None)
    }

    /// What became of a transaction. It reads the store: call it where blocking is fine.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn why(&self, transaction: B256) -> Result<Told, Fault> {
        why::transaction(&self.node, transaction)
    }

    /// How the node stands among validators; `None` for a chain without.
    #[must_use]
    pub fn consensus(&self) -> Option<serde_json::Value> {
        self.node
            .consensus()
            .map(|consensus| report::consensus(&consensus))
    }

    /// Who decides, who of them is here, and whether those are enough; `None` for a chain without validators.
    #[must_use]
    pub fn validators(&self) -> Option<serde_json::Value> {
        self.node
            .consensus()
            .map(|consensus| report::validators(&consensus, None))
    }

    /// What is wrong with agreement, as this node sees it; `None` for a chain without validators.
    #[must_use]
    pub fn diagnosis(&self) -> Option<serde_json::Value> {
        self.node.consensus().map(|consensus| diagnosis::of(&consensus))
    }

    /// What was told of agreement, peers and storage.
    pub(crate) fn story(&self) -> &Arc<Story> {
        &self.node.story
    }

    /// What the node is to a chain that nobody shares with it, in the words of `chain.role`.
    pub(crate) fn role_alone(&self) -> &'static str {
        match self.node.settings.production.pace {
            Pace::Off => "blockchain",
            Pace::Instant | Pace::Every { .. } => "solo",
        }
    }

    /// From now on the chain's directory may take so many octets; `None`: as many as the disk has. What stood still for
    /// want of room goes on by itself.
    pub fn limit_storage(&self, limit: Option<u64>) {
        self.node.storage.allow(limit);
    }

    /// What the chain's directory takes of the disk, and what it may take; both in octets.
    #[must_use]
    pub fn storage(&self) -> (u64, Option<u64>) {
        let quota = self.node.storage.quota();
        (quota.used(), quota.limit())
    }

    /// The nodes that this one is connected with, and the last meetings that came to nothing.
    #[must_use]
    pub fn peers(&self) -> serde_json::Value {
        let among = self.node.consensus();
        let (peers, refused) = among.map_or_else(Default::default, |consensus| {
            (report::peers(&consensus), report::refusals(&consensus))
        });
        serde_json::json!({ "items": peers, "refused": refused })
    }

    /// How many nodes this one is connected with.
    #[must_use]
    pub fn peer_count(&self) -> usize {
        self.node
            .consensus()
            .map_or(0, |consensus| consensus.peers().len())
    }

    /// Where other nodes of the chain reach this one.
    #[must_use]
    pub fn listens(&self) -> Option<SocketAddr> {
        self.node.consensus()?.listens()
    }

    /// To be registered at the metrics.
    #[must_use]
    pub fn metrics(&self) -> ChainMetrics {
        ChainMetrics(Arc::clone(&self.node))
    }

    /// How the chain is now.
    #[must_use]
    pub fn health(&self) -> Vec<Check> {
        health::checks(&self.node)
    }
}
