//! What everybody else holds of the fabric.

use crate::drive::{Clock, Driver, chain};
use crate::tenant::{SharedTenure, Tenant};
use purlin_fabric::plan::{Plan, PlanSettings};
use purlin_fabric::port::{Candidate, ClaimStore, Fault, Fence, NodeState, Refusal};
use purlin_fabric::{Coordinator, Event, Holdings, Input, Member, NotReady, Timing};
use purlin_types::{BootTime, NodeId, Slot, Tenure, WallTime};
use std::fmt;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

/// Events kept for a listener that is behind; it is told how many it missed.
const EVENTS: usize = 1024;
/// Commands under way at most; who gives one waits.
const COMMANDS: usize = 256;

/// An event with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub at: WallTime,
    pub event: Event,
}

/// The cluster as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// By id.
    pub members: Vec<Member>,
    pub leader: Option<NodeId>,
    /// Whether this node may own, and why not.
    pub readiness: Result<(), NotReady>,
    pub tenure: Tenure,
    /// The right to what only the leader may do, while this node leads.
    pub leadership: Option<Fence>,
    /// The plan in force, as far as this node has read it.
    pub plan: Option<Arc<Plan>>,
    /// Parts in a million that this node's boot clock is faster than the store's, when that is more than claims allow for.
    pub clock_rate: Option<i64>,
}

impl Snapshot {
    /// The right to what only the leader may do, if it holds at `now`: a snapshot is as old as the fabric's last step, and a
    /// machine may have slept since.
    #[must_use]
    pub fn leads(&self, now: BootTime) -> Option<&Fence> {
        self.leadership.as_ref().filter(|_| self.tenure.holds(now))
    }
}

/// Where the task puts what it knows.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    pub(crate) tenure: SharedTenure,
    pub(crate) holdings: watch::Sender<Arc<Holdings>>,
    pub(crate) snapshot: watch::Sender<Arc<Snapshot>>,
    pub(crate) trouble: watch::Sender<Option<String>>,
    events: broadcast::Sender<Told>,
}

impl Board {
    /// Nobody may be listening.
    pub(crate) fn tell(&self, told: Told) {
        let _ = self.events.send(told);
    }

    /// A refusal is an answer; everything else is trouble with the store.
    pub(crate) fn note_trouble(&self, fault: &Fault) {
        if !matches!(fault, Fault::Refused(_)) {
            self.trouble.send_replace(Some(chain(fault)));
        }
    }

    pub(crate) fn note_silence(&self, limit: Duration) {
        let text = format!("the claim store has not answered for {} s", limit.as_secs_f32());
        self.trouble.send_replace(Some(text));
    }
}

/// What a node's fabric is started with.
#[derive(Clone)]
pub struct Setup {
    pub me: Candidate,
    pub timing: Timing,
    pub claims: Arc<dyn ClaimStore>,
    pub tenants: Vec<Arc<dyn Tenant>>,
    /// What packet threads look at; made before so that they can be, too.
    pub tenure: SharedTenure,
    pub clock: Clock,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

/// The fabric of one node. Cheap to clone; the task ends with the last clone.
#[derive(Debug, Clone)]
pub struct Fabric {
    me: Candidate,
    claims: Arc<dyn ClaimStore>,
    board: Board,
    commands: mpsc::Sender<Input>,
}

impl Fabric {
    /// Starts the task for `coordinator`.
    #[must_use]
    pub fn start(setup: Setup, coordinator: Coordinator) -> (Self, JoinHandle<()>) {
        let (commands, inputs) = mpsc::channel(COMMANDS);
        let snapshot = Snapshot {
            members: coordinator.members((setup.clock)().boot),
            leader: None,
            readiness: coordinator.readiness(),
            tenure: coordinator.tenure(),
            leadership: None,
            plan: None,
            clock_rate: None,
        };
        let board = Board {
            tenure: setup.tenure,
            holdings: watch::Sender::new(Arc::clone(coordinator.holdings())),
            snapshot: watch::Sender::new(Arc::new(snapshot)),
            trouble: watch::Sender::new(None),
            events: broadcast::Sender::new(EVENTS),
        };
        let fabric = Self {
            me: setup.me.clone(),
            claims: Arc::clone(&setup.claims),
            board: board.clone(),
            commands,
        };
        let driver = Driver {
            coordinator,
            me: setup.me,
            timing: setup.timing,
            claims: setup.claims,
            tenants: setup.tenants,
            clock: setup.clock,
            board,
            inputs,
            calls: JoinSet::new(),
        };
        (fabric, tokio::spawn(driver.run()))
    }

    #[must_use]
    pub fn me(&self) -> &Candidate {
        &self.me
    }

    /// For packet threads: until when this node may decide.
    #[must_use]
    pub fn tenure(&self) -> SharedTenure {
        self.board.tenure.clone()
    }

    /// The slots that this node holds, as they change.
    #[must_use]
    pub fn holdings(&self) -> watch::Receiver<Arc<Holdings>> {
        self.board.holdings.subscribe()
    }

    /// Where the node that holds a slot takes forwarded packets, as far as is known. Asked for single packets: it only
    /// looks.
    #[must_use]
    pub fn home(&self, slot: Slot) -> Option<SocketAddrV4> {
        let holdings = self.board.holdings.borrow();
        let home = holdings.home(slot)?;
        let snapshot = self.board.snapshot.borrow();
        let facts = &snapshot.members.iter().find(|member| member.id == *home)?.facts;
        Some(SocketAddrV4::new(facts.address.parse().ok()?, facts.peer_port))
    }

    /// Members, leader and readiness, as they change.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.board.snapshot.subscribe()
    }

    /// The same, now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.board.snapshot.borrow())
    }

    /// What is wrong with the claim store, while something is.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.board.trouble.borrow().clone()
    }

    /// Events from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Told> {
        self.board.events.subscribe()
    }

    /// A write was refused by its fence: these slots are somebody else's.
    pub async fn fence_lost(&self, slots: Vec<Slot>) {
        self.command(Input::FenceLost { slots }).await;
    }

    /// Somebody says that the store has changed.
    pub async fn hinted(&self) {
        self.command(Input::Hinted).await;
    }

    /// Plans by these settings from now on, whenever this node leads.
    pub async fn replan(&self, settings: PlanSettings) {
        self.command(Input::Replan(settings)).await;
    }

    /// Gives every slot away and takes none, until [`Self::resume`].
    pub async fn drain(&self) {
        self.command(Input::Drain).await;
    }

    /// Takes part again.
    pub async fn resume(&self) {
        self.command(Input::Resume).await;
    }

    /// Gives every slot away and leaves; ends when that is done or this life is over anyway.
    pub async fn leave(&self) {
        self.command(Input::Leave).await;
        let gone = |snapshot: &Arc<Snapshot>| {
            matches!(snapshot.readiness, Err(NotReady::Left | NotReady::Superseded))
        };
        // The task ends before the handles only by a panic; then there is nothing to wait for.
        let _ = self.snapshots().wait_for(gone).await;
    }

    /// Marks another node as draining: it gives its slots away when it sees that.
    ///
    /// # Errors
    /// When the store refuses or does not answer.
    pub async fn drain_other(&self, node: &Candidate) -> Result<(), Fault> {
        self.claims
            .advance(node, NodeState::Active, NodeState::Draining)
            .await
    }

    /// Marks a dead node's life as over: it can renew, claim and write no more. Its slots wait for its lease all the same.
    ///
    /// # Errors
    /// When the store refuses or does not answer.
    pub async fn remove_other(&self, node: &Candidate) -> Result<(), Fault> {
        for from in [NodeState::Active, NodeState::Draining, NodeState::Joining] {
            match self.claims.advance(node, from, NodeState::Removed).await {
                Err(Fault::Refused(Refusal::Stale)) => {}
                outcome => return outcome,
            }
        }
        Err(Fault::Refused(Refusal::Stale))
    }

    async fn command(&self, input: Input) {
        // A task that is gone has nothing to be told.
        let _ = self.commands.send(input).await;
    }
}
