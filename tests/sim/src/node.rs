//! One life of one node: the fabric's task, the loader and the packet thread, glued as `fabric/runtime` and `dhcp/server`
//! glue them, around the product's own coordinator, engine and row log.
//!
//! ```text
//!   answers, time ─► drive ─► Coordinator ─► requests, holdings, tenure
//!                                               │ holdings
//!                               loader ◄────────┘──► rows ─► thread: Engine::adopt, resign
//!   packets ─► thread: Engine::step ─► RowLog ─► replies, when R0 still holds
//! ```

// The packet thread's own bookkeeping, as `dhcp/server` has it.
#[path = "../../../crates/dhcp/server/src/worker/copies.rs"]
mod copies;
#[path = "../../../crates/dhcp/server/src/worker/ledger.rs"]
mod ledger;
mod loader;
mod port;
mod thread;

pub(crate) use loader::{Body, Continued, Loader, Next};
pub(crate) use port::{Ask, Outbox, Waiting, unknown};
pub(crate) use thread::{Job, Leaving, Out, Thread};

use crate::clock::Clock;
use crate::mutation::Mutation;
use purlin_dhcp_core::Plan;
use purlin_fabric::port::{Candidate, NodeFacts};
use purlin_fabric::{Coordinator, Holdings, Timing};
use purlin_types::{Epoch, Incarnation, NodeId, Slot, SlotSet, Tenure};
use std::sync::Arc;

/// What every node of a cluster is started with.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) plan: Arc<Plan>,
    /// In place of `plan` while an address is chosen for another client: a rule left out.
    pub(crate) hasty: Option<Arc<Plan>>,
    pub(crate) timing: Timing,
    pub(crate) keyspace: SlotSet,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) outbox: Outbox,
}

/// The machine under a node: it outlives the node's lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    pub(crate) clock: Clock,
    /// Real time until which it does not reach the database, and until which not its peers.
    pub(crate) cut_until: u64,
    pub(crate) alone_until: u64,
    /// Real time until which nothing gets to it from the database or its peers, while they hear it.
    pub(crate) deaf_until: u64,
    /// The database that its connections go to.
    pub(crate) database: usize,
}

impl Machine {
    pub(crate) const fn new(clock: Clock, database: usize) -> Self {
        Self {
            clock,
            cut_until: 0,
            alone_until: 0,
            deaf_until: 0,
            database,
        }
    }
}

/// Slots that are given back, with the epochs under which they were held.
pub(crate) type Given = Vec<(Slot, Option<Epoch>)>;

pub(crate) struct Node {
    pub(crate) me: Candidate,
    pub(crate) machine: Machine,
    pub(crate) alive: bool,
    /// It was started while another of its name was alive.
    pub(crate) twin_of: Option<usize>,
    /// Real time until which nothing runs here.
    pub(crate) paused_until: u64,
    pub(crate) coordinator: Coordinator,
    /// As services see them.
    pub(crate) holdings: Arc<Holdings>,
    pub(crate) tenure: Tenure,
    /// The tick that is scheduled, in real time.
    pub(crate) tick: u64,
    pub(crate) loader: Loader,
    pub(crate) thread: Thread,
    /// Slots being given up, until the log has come this far.
    pub(crate) flushing: Vec<(u64, Given)>,
    /// Attempts of the log's writer that failed in a row.
    pub(crate) failures: u32,
}

impl Node {
    pub(crate) fn new(start: &Start, index: usize, name: &str, machine: Machine, entropy: u64) -> Self {
        let me = Candidate {
            id: NodeId::parse(name).expect("a node's name"),
            incarnation: Incarnation(index as u64 + 1),
        };
        let facts = NodeFacts {
            weight: 100,
            ..NodeFacts::default()
        };
        let coordinator =
            Coordinator::new(start.timing, me.clone(), facts).confined_to(start.keyspace.clone());
        Self {
            me,
            machine,
            alive: true,
            twin_of: None,
            paused_until: 0,
            holdings: Arc::clone(coordinator.holdings()),
            tenure: coordinator.tenure(),
            coordinator,
            tick: u64::MAX,
            loader: Loader::new(start.mutation),
            thread: Thread::new(start, index, entropy),
            flushing: Vec::new(),
            failures: 0,
        }
    }

    /// Under which epoch it may decide about a slot at this real instant, by its own lights.
    pub(crate) fn may_decide(&self, real: u64, slot: Slot) -> Option<Epoch> {
        let holds = self.alive && self.tenure.holds(self.machine.clock.boot(real));
        self.holdings.epoch(slot).filter(|_| holds)
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}
