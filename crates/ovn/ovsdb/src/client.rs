//! A client of a whole cluster.
//!
//! ```text
//!   Client ─┬─ member 1 ── connection ── Session      each member is connected all the time and watched in _Server,
//!           ├─ member 2 ── connection ── Session      so that a new leader is known before a write fails
//!           ├─ member 3 ── connection ── Session
//!           ├─ committer: queue ─► groups ─► the leader       one answer for each write, whatever happens
//!           └─ replicas: a cache each, on any member          kept over reconnects, resumed by transaction id
//! ```

mod cluster;
mod commit;
mod config;
mod connection;
mod endpoint;
mod lock;
mod member;
mod replica;
mod stream;
mod tls;
pub mod unixctl;

pub use commit::{CommitError, Committed};
pub use config::{Config, Group};
pub use connection::Lost;
pub use endpoint::{Endpoint, NotAnEndpoint, parse_endpoints};
pub use lock::Lock;
pub use member::MemberStatus;
pub use replica::{Feed, Follow, Replica, Snapshot, Spec, State, TableSpec};
pub use tls::{Tls, TlsError};

use crate::operation::Transaction;
use crate::outcome::Refusal;
use crate::schema::DatabaseSchema;
use cluster::Cluster;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// A client of a database; copies are the same client. Its tasks end with the last copy.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    cluster: Cluster,
    jobs: mpsc::Sender<commit::Job>,
    over: watch::Sender<bool>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.over.send_replace(true);
    }
}

impl Client {
    /// Starts to connect to all members, and returns at once.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn start(config: Config) -> Self {
        let config = Arc::new(config);
        let (over, is_over) = watch::channel(false);
        let cluster = Cluster::new(config.endpoints.len(), is_over);
        for (at, endpoint) in config.endpoints.iter().enumerate() {
            tokio::spawn(member::run(at, endpoint.clone(), config.clone(), cluster.clone()));
        }
        let jobs = commit::start(config.clone(), cluster.clone());
        let inner = Arc::new(Inner {
            config,
            cluster,
            jobs,
            over,
        });
        Self { inner }
    }

    /// Carries a transaction out, once, and answers when it is.
    ///
    /// Small transactions that come at the same time travel to the server as one; when that is refused, each goes
    /// again by itself, so that no one suffers for another's mistake. When an answer is lost, the client finds out
    /// whether the transaction happened, and sends it again if not.
    ///
    /// # Errors
    ///
    /// The server's refusal; or that the time was over, or that nobody can know.
    pub async fn commit(&self, transaction: Transaction) -> Result<Committed, CommitError> {
        commit::submit(&self.inner.jobs, transaction, self.inner.config.write_timeout).await
    }

    /// The same, within a time of one's own.
    ///
    /// # Errors
    ///
    /// As [`Client::commit`].
    pub async fn commit_within(
        &self,
        transaction: Transaction,
        time: Duration,
    ) -> Result<Committed, CommitError> {
        commit::submit(&self.inner.jobs, transaction, time).await
    }

    /// Starts a copy of some tables that follows the database. Returns at once; the copy is empty at first.
    #[must_use]
    pub fn replicate(&self, spec: Spec) -> Replica {
        replica::start(spec, self.inner.config.clone(), self.inner.cluster.clone())
    }

    /// Asks for a lock, on whoever leads, until the handle is dropped.
    #[must_use]
    pub fn lock(&self, name: &str) -> Lock {
        lock::start(name, self.inner.cluster.clone())
    }

    /// The schema, as soon as a member answers.
    pub async fn schema(&self) -> Arc<DatabaseSchema> {
        loop {
            let chosen = self.inner.cluster.await_chosen(false).await;
            if let Some(schema) = chosen.status.schema {
                return schema;
            }
        }
    }

    /// Waits until there is someone who takes writes.
    pub async fn ready(&self) {
        self.inner.cluster.await_leader().await;
    }

    /// The members in the order of the endpoints.
    #[must_use]
    pub fn members(&self) -> Vec<(Endpoint, MemberStatus)> {
        let members = self.inner.cluster.members();
        self.inner.config.endpoints.iter().cloned().zip(members).collect()
    }

    /// Where the leader is among the endpoints.
    #[must_use]
    pub fn leader(&self) -> Option<usize> {
        self.inner.cluster.leader().map(|chosen| chosen.at)
    }

    /// Wakes whoever waits, each time something changes at a member.
    #[must_use]
    pub fn watch_members(&self) -> watch::Receiver<Vec<MemberStatus>> {
        self.inner.cluster.watch()
    }

    /// Any request, on the leader: `list_dbs`, `get_server_id`, `convert`, ... Sent once.
    ///
    /// # Errors
    ///
    /// The connection was lost, or what the server's `error` says.
    pub async fn call(
        &self,
        method: &'static str,
        params: &serde_json::Value,
    ) -> Result<serde_json::Value, Refusal> {
        let chosen = self.inner.cluster.await_leader().await;
        let result = member::request(&chosen.connection, method, params).await;
        let result = result.map_err(Refusal::protocol)?;
        serde_json::from_slice(&result).map_err(|cause| Refusal::protocol(cause.to_string()))
    }
}
