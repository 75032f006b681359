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

pub(crate) use loader::{Body, Continued, Gained, Loader, Next};
pub(crate) use port::{Ask, Outbox, Waiting, unknown};
pub(crate) use thread::{Job, Leaving, Out, Thread, Wish};

use crate::clock::Clock;
use crate::mutation::Mutation;
use purlin_dhcp_core::Plan;
use purlin_fabric::port::{Candidate, NodeFacts};
use purlin_fabric::{Coordinator, Holdings, NotReady, Timing};
use purlin_types::{Epoch, Incarnation, NodeId, Slot, SlotSet, Tenure};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What every node of a cluster is started with.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) plan: Arc<Plan>,
    pub(crate) timing: Timing,
    pub(crate) keyspace: SlotSet,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) outbox: Outbox,
}

/// A way between a machine and others, as faults cut it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the database and back.
    Database,
    /// The same for claims only, or for rows only: each has connections of its own.
    Claims,
    Rows,
    /// To other nodes and back.
    Peers,
    /// What comes in from the database and from other nodes, which hear this one.
    In,
    /// What goes out to the database, to other nodes and to clients, which this one hears.
    Out,
    /// To Redis and back.
    Redis,
}

const WAYS: usize = 7;

/// The machine under a node: it outlives the node's lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    pub(crate) clock: Clock,
    /// By [`Way`]: cut until then, in real time.
    cuts: [u64; WAYS],
    /// The database that its connections go to.
    pub(crate) database: usize,
}

impl Machine {
    pub(crate) const fn new(clock: Clock, database: usize) -> Self {
        Self {
            clock,
            cuts: [0; WAYS],
            database,
        }
    }

    pub(crate) fn cut(&mut self, way: Way, until: u64) {
        let cut = &mut self.cuts[way as usize];
        *cut = until.max(*cut);
    }

    pub(crate) fn is_cut(&self, way: Way, real: u64) -> bool {
        self.cuts[way as usize] > real
    }

    pub(crate) fn mend(&mut self) {
        self.cuts = [0; WAYS];
    }
}

/// What a node may be stopped right before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A packet was decided about; its records and the last look at the tenure come next.
    Check,
    /// The reply was checked; it leaves next.
    Send,
    /// The database has answered: to a renewal or a claim, to a write, with rows.
    Claims,
    Written,
    Loaded,
    /// The packet thread has something to take or to give.
    Job,
}

/// Slots that are given back, with the epochs under which they were held.
pub(crate) type Given = Vec<(Slot, Option<Epoch>)>;

pub(crate) struct Node {
    pub(crate) me: Candidate,
    pub(crate) machine: Machine,
    pub(crate) alive: bool,
    /// Real time until which the packet thread stands still, and until which all else does: the fabric's task, the loader
    /// and the log's writer.
    pub(crate) thread_until: u64,
    pub(crate) fabric_until: u64,
    /// Clients and their addresses, of slots that were held all the while and are now under another epoch.
    pub(crate) remembered: Vec<(u16, Ipv4Addr)>,
    /// Where it is to stop for how long.
    pub(crate) trip: Option<(Step, u64)>,
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
            thread_until: 0,
            fabric_until: 0,
            remembered: Vec::new(),
            trip: None,
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

    /// Nothing runs here until then.
    pub(crate) fn stop_until(&mut self, until: u64) {
        self.thread_until = self.thread_until.max(until);
        self.fabric_until = self.fabric_until.max(until);
    }

    /// Its life has ended: it runs on and will never hold anything.
    pub(crate) fn is_over(&self) -> bool {
        let readiness = self.coordinator.readiness();
        matches!(readiness, Err(NotReady::Left | NotReady::Superseded))
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
