//! The autoscaler of this node: what it measures, what the configuration means to it, whom it tells.

use super::hook::Hook;
use super::{Cluster, Inner};
use crate::log;
use crate::services::Services;
use crate::settings::Settings;
use purlin_fabric::plan::PlanSettings;
use purlin_fabric::scaling::ScalingSettings;
use purlin_fabric_runtime::Fabric;
use purlin_fabric_runtime::scaling::{
    Action, ActionState, Driver, Gauge, Held, Machine, Policy, Scaler, ScalerSetup, View,
};
use purlin_fabric_runtime::sessions::SessionStore;
use purlin_netio::now;
use purlin_store::Records;
use purlin_telemetry::{Event, EventLog};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// Between two looks, whatever heartbeats do.
const EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Where programs lie that a configuration may name, and the variable that says otherwise.
const HOOKS: &str = "/etc/purlin/hooks";
const HOOKS_VARIABLE: &str = "PURLIN_HOOKS_DIR";

/// What the configuration says about the number of nodes and their shares.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    pub(crate) scaling: ScalingSettings,
    pub(crate) planning: PlanSettings,
    pub(crate) required_copies: Option<u8>,
    /// A program in the folder of hooks, and how long it may take.
    pub(crate) hook: Option<(String, Duration)>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            scaling: ScalingSettings {
                min_nodes: 1,
                ..ScalingSettings::default()
            },
            planning: PlanSettings::default(),
            required_copies: None,
            hook: None,
        }
    }
}

impl Wishes {
    fn policy(self) -> Policy {
        let folder = std::env::var_os(HOOKS_VARIABLE).map_or_else(|| PathBuf::from(HOOKS), PathBuf::from);
        let driver = self
            .hook
            .map(|(name, timeout)| Arc::new(Hook::new(folder.join(name), timeout)) as Arc<dyn Driver>);
        Policy {
            scaling: self.scaling,
            planning: self.planning,
            required_copies: self.required_copies,
            driver,
        }
    }
}

/// Reads the machine and the services.
#[derive(Debug)]
pub(super) struct NodeGauge {
    services: Services,
    /// Set once sessions are kept.
    sessions: OnceLock<SessionStore>,
}

impl NodeGauge {
    pub(super) fn new(services: Services) -> Arc<Self> {
        Arc::new(Self {
            services,
            sessions: OnceLock::new(),
        })
    }

    pub(super) fn count_sessions(&self, sessions: &SessionStore) {
        // Set once.
        let _ = self.sessions.set(sessions.clone());
    }
}

impl Gauge for NodeGauge {
    fn machine(&self) -> Machine {
        Machine::read()
    }

    fn requests(&self) -> u64 {
        self.services.iter().map(|service| service.work().requests).sum()
    }

    fn shortage(&self) -> Option<String> {
        self.services.iter().find_map(|service| service.shortage())
    }

    fn held(&self) -> Held {
        let leases = self.services.iter().filter_map(|service| service.work().leases);
        Held {
            leases: leases.reduce(|a, b| a + b),
            sessions: self
                .sessions
                .get()
                .map(|sessions| sessions.count(Duration::ZERO).0 as u64),
        }
    }
}

/// Starts to look, to say, and where this node leads to decide. `alone` are the records of a node without others.
pub(super) fn start(
    inner: &Inner,
    fabric: &Fabric,
    gauge: Arc<NodeGauge>,
    wishes: Wishes,
    alone: Arc<dyn Records>,
) -> Scaler {
    let (engines, policy) = (&inner.engines, wishes.policy());
    replan(fabric, policy.planning);
    let setup = ScalerSetup {
        fabric: fabric.clone(),
        hints: Arc::clone(&engines.hints),
        hints_reach: engines.coordination == "redis",
        records_reach: engines.records.is_some(),
        records: engines.records.clone().unwrap_or(alone),
        every: inner.settings.heartbeat_interval.clamp(EVERY.0, EVERY.1),
        gauge,
        policy,
    };
    Scaler::start(setup, Arc::new(now))
}

fn replan(fabric: &Fabric, planning: PlanSettings) {
    let fabric = fabric.clone();
    tokio::spawn(async move { fabric.replan(planning).await });
}

impl Cluster {
    /// Other settings, in effect at once.
    pub(crate) fn apply(&self, settings: &Settings) {
        if let (Some(scaler), Some(fabric)) = (self.0.scaler.get(), self.0.fabric.get()) {
            let policy = settings.services.wishes().policy();
            replan(fabric, policy.planning);
            scaler.apply(policy);
        }
    }

    /// Puts what is decided here and what comes of it into the event log.
    pub(crate) fn tell_scaling(&self, log: &Arc<EventLog>) {
        if let Some(scaler) = self.0.scaler.get() {
            tokio::spawn(tell_actions(scaler.clone(), Arc::clone(log)));
            let me = self.0.me.id.to_string();
            tokio::spawn(tell_verdicts(scaler.clone(), me, Arc::clone(log)));
        }
    }
}

async fn tell_actions(scaler: Scaler, log: Arc<EventLog>) {
    let mut actions = scaler.acted();
    loop {
        match actions.recv().await {
            Ok(action) => tell_action(&action, &log),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn tell_action(action: &Action, log: &EventLog) {
    let Action {
        number,
        from,
        to,
        reason,
        driver,
        output,
        ..
    } = action;
    let change = format!("scaling decision {number}, {from} to {to} nodes");
    let text = match action.state {
        ActionState::Recommended => format!("{change}, recommended: {reason}"),
        ActionState::Running => format!("{change}, begun by {driver}: {reason}"),
        ActionState::Done => format!("{change}, done by {driver}: {output}"),
        ActionState::Failed | ActionState::Lost => {
            format!("{change}, {} with {driver}: {output}", action.state.as_str())
        }
    };
    if matches!(action.state, ActionState::Failed | ActionState::Lost) {
        log::warn(&format!("{text}; purlin scale history"));
    }
    let subject = number.to_string();
    let kind = action.state.as_str();
    log.push(Event::new(now().wall, "scaling.decision", kind, subject, text));
}

/// The leader's word, whenever it is another one.
async fn tell_verdicts(scaler: Scaler, me: String, log: Arc<EventLog>) {
    let mut views = scaler.views();
    let mut told = None;
    while views.changed().await.is_ok() {
        let view: Arc<View> = Arc::clone(&views.borrow_and_update());
        let verdict = &view.verdict;
        let new = (verdict.direction, verdict.target);
        let first_and_quiet = told.is_none() && verdict.direction.as_str() == "maintain";
        if !view.of_leader || verdict.by != me || told == Some(new) {
            continue;
        }
        told = Some(new);
        if first_and_quiet {
            continue;
        }
        let text = format!(
            "{} nodes, and there should be {}: {}",
            verdict.nodes, verdict.target, verdict.reason
        );
        let kind = verdict.direction.as_str();
        log.push(Event::new(
            now().wall,
            "scaling.recommendation",
            kind,
            me.clone(),
            text,
        ));
    }
}
