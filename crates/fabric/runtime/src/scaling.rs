//! The autoscaler of a cluster: every node says its load, the leader decides, and what is done is written down first.
//!
//! ```text
//!   gauge ─► pulse ─► heartbeats (or a record where those reach nobody) ─► loads of all nodes
//!                                                                            │ decide (purlin_fabric::scaling)
//!   everybody shows it ◄── verdict, a record ◄── leader ◄────────────────────┘
//!                                                  │ acts
//!                            action n, a record, once ─► driver ─► outcome, in the same record
//! ```
//!
//! Records say who may act: action `n + 1` is written only where it is not there yet, together with the highest right to
//! lead that ever acted. A leader that was replaced without knowing cannot write below that; whoever comes second finds
//! the action and its cooldown. The driver runs after its record, so that a decision is acted on once or, when its leader
//! dies in between, not at all until the cooldown is over; never twice.

mod acting;
mod action;
mod brain;
mod gauge;
mod loads;
mod pulse;
mod rows;
mod verdict;

pub use action::{Action, ActionState};
pub use gauge::{Gauge, Held, Machine};
pub use loads::{NodeInput, Source};
pub use pulse::Pulse;
pub use verdict::Verdict;

use crate::drive::Clock;
use crate::handle::Fabric;
use brain::Brain;
use purlin_fabric::plan::PlanSettings;
use purlin_fabric::port::{Hints, Later};
use purlin_fabric::scaling::ScalingSettings;
use purlin_store::{RecordError, Records};
use rows::Rows;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;

/// Actions kept for a listener that is behind.
const ACTIONS: usize = 64;

/// What a driver is told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Of the decision; a driver that is asked for the same one twice has been asked before.
    pub number: u64,
    pub from: u16,
    pub to: u16,
    pub reason: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub done: bool,
    /// What the driver said, shortened by it.
    pub output: String,
}

/// Who makes nodes come and go.
pub trait Driver: Send + Sync + fmt::Debug {
    /// Its name in configurations.
    fn name(&self) -> &'static str;

    /// Carries an order out, within a time of its own.
    fn act<'a>(&'a self, order: &'a Order) -> Later<'a, Outcome>;
}

/// What the configuration says about it.
#[derive(Debug, Clone)]
pub struct Policy {
    pub scaling: ScalingSettings,
    /// By which this node plans when it leads.
    pub planning: PlanSettings,
    /// Nodes that a removal must leave for each share, where somebody asked for so many.
    pub required_copies: Option<u8>,
    /// `None` only recommends.
    pub driver: Option<Arc<dyn Driver>>,
}

/// What an autoscaler is started with.
#[derive(Debug, Clone)]
pub struct ScalerSetup {
    pub fabric: Fabric,
    pub hints: Arc<dyn Hints>,
    /// Whether heartbeats reach other nodes at all.
    pub hints_reach: bool,
    pub records: Arc<dyn Records>,
    /// Whether the records are those of all nodes.
    pub records_reach: bool,
    /// Between two looks: 100 ms to 60 s.
    pub every: Duration,
    pub gauge: Arc<dyn Gauge>,
    pub policy: Policy,
}

/// What a node knows about the size of its cluster.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Every node that is there, in order of the ids.
    pub inputs: Vec<NodeInput>,
    /// The leader's word; this node's own opinion while none is heard.
    pub verdict: Verdict,
    /// Whether it is the leader's.
    pub of_leader: bool,
}

/// The autoscaler of this node. Clones share it; it ends with the last one.
#[derive(Debug, Clone)]
pub struct Scaler(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    policy: watch::Sender<Policy>,
    pulse: watch::Receiver<Pulse>,
    view: watch::Receiver<Arc<View>>,
    told: broadcast::Sender<Action>,
    rows: Rows,
    task: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scaler {
    /// Looks for the first time at once. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(setup: ScalerSetup, clock: Clock) -> Self {
        let rows = Rows::new(Arc::clone(&setup.records));
        let (policy, policies) = watch::channel(setup.policy.clone());
        let (pulses, pulse) = watch::channel(Pulse::default());
        let (views, view) = watch::channel(Arc::default());
        let told = broadcast::Sender::new(ACTIONS);
        let brain = Brain::new(setup, clock, rows.clone(), policies, pulses, views, told.clone());
        let task = tokio::spawn(brain.run()).abort_handle();
        Self(Arc::new(Shared {
            policy,
            pulse,
            view,
            told,
            rows,
            task,
        }))
    }

    /// Other settings, from the next look on.
    pub fn apply(&self, policy: Policy) {
        self.0.policy.send_replace(policy);
    }

    /// The settings in force.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.0.policy.borrow().clone()
    }

    /// What this node says of itself with its heartbeats.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.0.pulse.borrow().clone()
    }

    /// What is known now.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.0.view.borrow())
    }

    /// The same, as it changes.
    #[must_use]
    pub fn views(&self) -> watch::Receiver<Arc<View>> {
        self.0.view.clone()
    }

    /// Actions of this node from now on: when each is written down, and again with its outcome.
    #[must_use]
    pub fn acted(&self) -> broadcast::Receiver<Action> {
        self.0.told.subscribe()
    }

    /// The newest actions and recommendations, the newest first.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn actions(&self, limit: usize) -> Result<Vec<Action>, RecordError> {
        self.0.rows.actions(limit).await
    }
}
