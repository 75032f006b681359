//! A copy of some tables that follows the database.
//!
//! ```text
//!              ┌────────── connected, all rows or what was missed ──────────┐
//!   Empty ─► Loading ─► Live ─► Stale (the rows stay, with the time since) ─┘
//! ```
//!
//! Each replica remembers the last transaction that it has, and asks whichever member it comes to for what happened
//! since (`monitor_cond_since`). Only when the member does not know that transaction any more, all rows come again; they
//! replace the old state at once, and watchers see what differs.

mod feed;
mod link;
mod spec;

pub use feed::Feed;
pub use spec::{Follow, Spec, TableSpec};

use super::cluster::Cluster;
use super::commit::Committed;
use super::config::Config;
use super::connection::{Connection, Lost, Topic};
use crate::cache::{Changes, Database, Layout, TableRef};
use crate::condition::Condition;
use crate::schema::Mismatch;
use crate::uuid::Uuid;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{broadcast, mpsc, watch};

/// How far a replica can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing was ever loaded, and nobody is connected.
    Empty,
    /// A member was asked for the rows.
    Loading,
    /// It follows the database.
    Live,
    /// It is as it was then; nobody is connected.
    Stale(Instant),
}

/// One state of a replica; a copy costs a few pointers and never changes.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The rows.
    pub database: Database,
    /// How far they can be trusted.
    pub state: State,
    /// The last transaction in it, where the server says so.
    pub txn: Option<Uuid>,
    /// Counts changes of the rows.
    pub generation: u64,
    /// What was asked for and this server does not have.
    pub missing: Arc<[Mismatch]>,
    /// How often all rows had to be loaded.
    pub reloads: u64,
    /// How often only what was missed had to be loaded.
    pub resumes: u64,
    /// Why it is not live.
    pub trouble: Option<Arc<str>>,
    link: Option<(u64, Arc<str>)>,
}

impl Snapshot {
    /// A table by name; `None` when it was not asked for, or the server does not have it.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<TableRef<'_>> {
        self.database.table(name)
    }

    /// Whether it follows the database.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.state == State::Live
    }
}

/// A copy of some tables that follows the database, until the last handle is dropped.
#[derive(Debug, Clone)]
pub struct Replica {
    snapshots: watch::Receiver<Snapshot>,
    changes: broadcast::WeakSender<Arc<(Snapshot, Changes)>>,
    orders: mpsc::Sender<Order>,
    connections: Cluster,
}

/// Conditions of a table, anew.
struct Order {
    table: String,
    conditions: Vec<Condition>,
    done: tokio::sync::oneshot::Sender<()>,
}

/// Changes that a watcher may be behind before it gets one difference instead of many.
const BEHIND_MAX: usize = 1024;

pub(super) fn start(spec: Spec, config: Arc<Config>, cluster: Cluster) -> Replica {
    let empty = Snapshot {
        database: Database::empty(Arc::new(Layout::default())),
        state: State::Empty,
        txn: None,
        generation: 0,
        missing: Arc::new([]),
        reloads: 0,
        resumes: 0,
        trouble: None,
        link: None,
    };
    let (publish, snapshots) = watch::channel(empty);
    let (feed, _) = broadcast::channel(BEHIND_MAX);
    let (orders, inbox) = mpsc::channel(16);
    let connections = cluster.clone();
    let changes = feed.downgrade();
    tokio::spawn(link::Follower::new(spec, config, cluster, Arc::new(publish), feed).run(inbox));
    Replica {
        snapshots,
        changes,
        orders,
        connections,
    }
}

impl Replica {
    /// The state as it is now. Never waits for an update.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.snapshots.borrow().clone()
    }

    /// Returns when it follows the database.
    pub async fn live(&self) -> Snapshot {
        self.when(Snapshot::is_live).await
    }

    /// Returns the first state for which this holds.
    pub async fn when(&self, holds: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let mut snapshots = self.snapshots.clone();
        let found = snapshots.wait_for(holds).await.map(|snapshot| snapshot.clone());
        match found {
            Ok(snapshot) => snapshot,
            // The client is gone: nothing will ever come.
            Err(_) => std::future::pending().await,
        }
    }

    /// Wakes whoever waits, each time the state changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Snapshot> {
        self.snapshots.clone()
    }

    /// The state as it is now, and every change from there on.
    #[must_use]
    pub fn feed(&self) -> Feed {
        Feed::new(&self.changes, self.snapshots.clone())
    }

    /// Returns when what this write did is in the replica, provided that the same connection brings both, as it does
    /// while the leader is followed; at once and `false` otherwise.
    pub async fn has_seen(&self, committed: &Committed) -> bool {
        let link = self.snapshots.borrow().link.clone();
        let Some((id, monitor)) = link.filter(|(id, _)| *id == committed.connection) else {
            return false;
        };
        let members = self.connections.members();
        let connection = members
            .into_iter()
            .filter_map(|member| member.connection)
            .find(|c| c.id == id);
        match connection {
            Some(connection) => settle(&connection, &monitor).await.is_ok(),
            None => false,
        }
    }

    /// Gives a table other conditions; rows come and go accordingly. Returns when they have.
    ///
    /// # Errors
    ///
    /// The client is gone.
    pub async fn set_conditions(&self, table: &str, conditions: Vec<Condition>) -> Result<(), Lost> {
        let (done, is_done) = tokio::sync::oneshot::channel();
        let order = Order {
            table: table.to_owned(),
            conditions,
            done,
        };
        self.orders.send(order).await.map_err(|_| Lost)?;
        is_done.await.map_err(|_| Lost)
    }
}

async fn settle(connection: &Connection, monitor: &str) -> Result<(), Lost> {
    connection.barrier(Topic::Monitor(monitor.to_owned())).await
}
