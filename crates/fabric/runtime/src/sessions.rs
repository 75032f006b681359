//! Sessions of clients across the nodes of a cluster.
//!
//! ```text
//!   draining node                    client                     another node
//!   hand_over(id) ── token, after a delay ──► close 1012
//!     note and ring kept in the hints   ──► connects, token ──► resume(token, cursor)
//!                                                                 move_session, generation + 1: works once
//!                                       ◄── new id, the events after its cursor, or a plain gap
//! ```
//!
//! While the hints are away sessions go on where they are; nobody finds them from elsewhere, and they are registered
//! again when they are heard of next.

mod ending;
mod moving;
mod odd;

pub use moving::Resumed;
pub use odd::Odd;

use crate::entropy;
use crate::local::ReadClock;
use purlin_fabric::backoff::Jitter;
use purlin_fabric::port::{HintFault, Hints, SessionRow};
use purlin_fabric::session::{Figures, Parting, SessionError, SessionSettings, Sessions};
use purlin_types::{BootTime, NodeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Nodes whose migrations are counted by name.
const NODES_MAX: usize = 256;

/// One node's sessions, and the way to those of others. Cheap to clone.
#[derive(Clone)]
pub struct SessionStore(Arc<Inner>);

struct Inner {
    node: NodeId,
    hints: Arc<dyn Hints>,
    clock: ReadClock,
    sessions: Mutex<Sessions>,
    away: AtomicBool,
    /// Sessions that came, by the node that they came from.
    migrations: Mutex<BTreeMap<String, u64>>,
    /// Sessions have gone.
    went: Notify,
    oddities: odd::Oddities,
}

/// Whether sessions can be found from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Cluster,
    /// The hints did not answer the last question.
    ThisNode,
}

impl SessionStore {
    /// No sessions yet.
    #[must_use]
    pub fn new(settings: SessionSettings, node: NodeId, hints: Arc<dyn Hints>, clock: ReadClock) -> Self {
        let sessions = Sessions::new(settings, node.clone(), clock().boot);
        Self(Arc::new(Inner {
            node,
            hints,
            clock,
            sessions: Mutex::new(sessions),
            away: AtomicBool::new(false),
            migrations: Mutex::default(),
            went: Notify::new(),
            oddities: odd::Oddities::default(),
        }))
    }

    /// A new session id: 128 random bits, in hexadecimal.
    #[must_use]
    pub fn new_id() -> String {
        format!("{:032x}", entropy::token())
    }

    /// Registers a session of `user` on this node.
    ///
    /// # Errors
    /// [`SessionError::Taken`] here or elsewhere, [`SessionError::Full`].
    pub async fn register(&self, id: &str, user: &str) -> Result<SessionRow, SessionError> {
        let now = self.now();
        let row = self.sessions().register(now, id, user)?;
        match self.tell(&row).await {
            Err(SessionError::Moved { id }) => Err(SessionError::Taken { id }),
            Err(error) => Err(error),
            Ok(()) => Ok(row),
        }
    }

    /// The node where the session lives.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when nobody knows it; [`SessionError::Away`] when it is not here and nobody can be asked.
    pub async fn node_for_session(&self, id: &str) -> Result<NodeId, SessionError> {
        if self.sessions().generation(id).is_ok() {
            return Ok(self.0.node.clone());
        }
        let unknown = || SessionError::Unknown { id: id.to_owned() };
        let row = self.heard(self.0.hints.session(id).await)?;
        let node = row.ok_or_else(unknown)?.node;
        // Nothing but a node's id is ever written there, unless the service behind it was written to by hand.
        NodeId::parse(&node).map_err(|_| unknown())
    }

    /// Something was heard of the client. Tells the registry now and then.
    ///
    /// # Errors
    /// [`SessionError::Unknown`], or [`SessionError::Moved`] when the registry says that it lives elsewhere: the
    /// connection is to be closed.
    pub async fn touch(&self, id: &str) -> Result<(), SessionError> {
        let now = self.now();
        let due = self.sessions().touch(now, id)?;
        match due {
            Some(row) => self.tell(&row).await,
            None => Ok(()),
        }
    }

    /// Whether a write under this generation may be taken.
    ///
    /// # Errors
    /// [`SessionError::Unknown`], [`SessionError::Moved`].
    pub fn check(&self, id: &str, generation: u64) -> Result<(), SessionError> {
        self.sessions().check(id, generation)
    }

    /// Keeps an event for the client; its number goes along with it.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when it does not live here.
    pub fn event(&self, id: &str, body: Vec<u8>) -> Result<u64, SessionError> {
        self.sessions().event(id, body)
    }

    /// The client has all events up to `cursor`.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when it does not live here.
    pub fn confirm(&self, id: &str, cursor: u64) -> Result<(), SessionError> {
        self.sessions().confirm(id, cursor)
    }

    /// The events after `cursor`, for a client that has come back to the same node.
    ///
    /// # Errors
    /// [`SessionError::Unknown`]; [`SessionError::Gap`] when some are not kept any more.
    pub fn replay(&self, id: &str, cursor: u64) -> Result<Vec<(u64, Vec<u8>)>, SessionError> {
        self.sessions().replay(id, cursor)
    }

    /// Ends a session of this node.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when it does not live here.
    pub async fn end(&self, id: &str) -> Result<(), SessionError> {
        let generation = self.sessions().end(id)?;
        self.0.went.notify_waiters();
        // One that cannot be told lapses there.
        let _lapses = self.heard(self.0.hints.end_session(id, generation).await);
        Ok(())
    }

    /// Takes out what has lapsed, if a sweep is due; how many they were.
    pub async fn sweep(&self) -> usize {
        let swept = self.sessions().sweep(self.now());
        self.0.went.notify_waiters();
        for (id, generation) in &swept {
            let _lapses = self.heard(self.0.hints.end_session(id, *generation).await);
        }
        swept.len()
    }

    /// Sweeps for as long as the task is not aborted.
    #[must_use]
    pub fn start_sweeping(&self) -> JoinHandle<()> {
        let store = self.clone();
        tokio::spawn(async move {
            loop {
                let next = store.sessions().next_sweep();
                let wait = Duration::from_nanos(next.0.saturating_sub(store.now().0));
                // Timers have milliseconds: one more, so that it is due then.
                tokio::time::sleep(wait + Duration::from_millis(1)).await;
                store.sweep().await;
            }
        })
    }

    /// How a draining node is to close its sessions: each after its delay, with the token of [`Self::hand_over`].
    #[must_use]
    pub fn partings(&self) -> Vec<Parting> {
        self.sessions().drain(entropy::seed())
    }

    /// When one session of a draining node is to be closed, counted from now.
    #[must_use]
    pub fn parting_delay(&self) -> Duration {
        let spread = self.sessions().settings().close_spread;
        Jitter::new(entropy::seed()).up_to(spread)
    }

    /// How it was set up.
    #[must_use]
    pub fn settings(&self) -> SessionSettings {
        self.sessions().settings().clone()
    }

    /// The session of this node as the registry has it; `None` when it does not live here.
    #[must_use]
    pub fn here(&self, id: &str) -> Option<SessionRow> {
        self.sessions().here(id)
    }

    /// At most `limit` sessions of the whole cluster, with ids above `after`.
    ///
    /// # Errors
    /// [`SessionError::Away`].
    pub async fn page(&self, after: &str, limit: usize) -> Result<Vec<SessionRow>, SessionError> {
        self.heard(self.0.hints.sessions(after, limit).await)
    }

    /// All of this node, and those of which something was heard within `recent`.
    #[must_use]
    pub fn count(&self, recent: Duration) -> (usize, usize) {
        self.sessions().count(self.now(), recent)
    }

    #[must_use]
    pub fn figures(&self) -> Figures {
        self.sessions().figures()
    }

    /// How many sessions have come from which nodes.
    #[must_use]
    pub fn migrations(&self) -> BTreeMap<String, u64> {
        self.0
            .migrations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Counts something that whoever serves the client has noticed.
    pub fn note(&self, odd: Odd) {
        self.0.oddities.count(odd);
    }

    /// How often it was noticed since the start.
    #[must_use]
    pub fn noted(&self, odd: Odd) -> u64 {
        self.0.oddities.of(odd)
    }

    fn count_migration(&self, from: &str) {
        let mut migrations = self.0.migrations.lock().unwrap_or_else(PoisonError::into_inner);
        // Names come from others: beyond some, they count as one.
        let known = migrations.len() < NODES_MAX || migrations.contains_key(from);
        let from = if known { from } else { "other" };
        *migrations.entry(from.to_owned()).or_default() += 1;
    }

    #[must_use]
    pub fn reach(&self) -> Reach {
        if self.0.away.load(Ordering::Relaxed) {
            Reach::ThisNode
        } else {
            Reach::Cluster
        }
    }

    fn now(&self) -> BootTime {
        (self.0.clock)().boot
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It lives elsewhere now.
    fn lose(&self, id: &str) {
        self.sessions().lost(id);
        self.0.went.notify_waiters();
    }

    fn ttl(&self) -> Duration {
        self.sessions().settings().ttl
    }

    /// Tells the registry of a session of this node. Without an answer it hears later.
    async fn tell(&self, row: &SessionRow) -> Result<(), SessionError> {
        let told = self.0.hints.put_session(row, self.ttl()).await;
        match self.heard(told) {
            Ok(()) => Ok(()),
            Err(SessionError::Away) => {
                self.sessions().untold(&row.id);
                Ok(())
            }
            Err(_) => {
                self.lose(&row.id);
                Err(SessionError::Moved { id: row.id.clone() })
            }
        }
    }

    /// Notes whether the hints answer. A conflict reads as a spent token; callers that mean something else say so.
    fn heard<T>(&self, outcome: Result<T, HintFault>) -> Result<T, SessionError> {
        let away = matches!(outcome, Err(HintFault::Away(_)));
        let was_away = self.0.away.swap(away, Ordering::Relaxed);
        if was_away && !away {
            // It may have forgotten everything.
            self.sessions().all_untold();
        }
        outcome.map_err(|fault| match fault {
            HintFault::Away(_) => SessionError::Away,
            HintFault::Conflict => SessionError::TokenSpent,
        })
    }
}

impl fmt::Debug for SessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionStore")
            .field("node", &self.0.node)
            .field("reach", &self.reach())
            .finish_non_exhaustive()
    }
}
