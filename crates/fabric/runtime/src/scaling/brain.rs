//! The task: look, decide, tell, act.

use super::acting::Deeds;
use super::action::Action;
use super::gauge::{Machine, Meter};
use super::loads::{Desk, Gathered, NodeInput};
use super::rows::Rows;
use super::{Policy, Pulse, ScalerSetup, Verdict, View};
use crate::drive::Clock;
use crate::handle::Snapshot;
use purlin_fabric::plan::PlanSettings;
use purlin_fabric::scaling::{Direction, History, Hold, Observation, Recommendation, decide};
use purlin_types::{Now, Slot};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior};

/// Looks between two writings of what has not changed.
const REFRESH: u32 = 3;
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// A verdict that is older is nobody's word.
const VERDICT_AGE_MAX_MS: u64 = 60_000;

pub(super) struct Brain {
    setup: ScalerSetup,
    clock: Clock,
    rows: Rows,
    policies: watch::Receiver<Policy>,
    pulses: watch::Sender<Pulse>,
    views: watch::Sender<Arc<View>>,
    meter: Meter,
    history: History,
    deeds: Deeds,
    looks: u32,
    /// Nodes that stayed at the last look.
    stayed: Option<u16>,
    told: Option<Verdict>,
}

impl Brain {
    pub(super) fn new(
        setup: ScalerSetup,
        clock: Clock,
        rows: Rows,
        policies: watch::Receiver<Policy>,
        pulses: watch::Sender<Pulse>,
        views: watch::Sender<Arc<View>>,
        told: broadcast::Sender<Action>,
    ) -> Self {
        Self {
            deeds: Deeds::new(rows.clone(), Arc::clone(&clock), told),
            history: History::new(setup.every),
            setup,
            clock,
            rows,
            policies,
            pulses,
            views,
            meter: Meter::default(),
            looks: 0,
            stayed: None,
            told: None,
        }
    }

    /// Runs until the handle is gone.
    pub(super) async fn run(mut self) {
        // Rates need two looks: the second comes soon.
        self.look().await;
        let first = Instant::now() + self.setup.every.min(SECOND_LOOK);
        let mut ticks = tokio::time::interval_at(first, self.setup.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                changed = self.policies.changed() => if changed.is_err() { return },
            }
            self.look().await;
        }
    }

    async fn look(&mut self) {
        let policy = self.policies.borrow_and_update().clone();
        let (now, snapshot) = ((self.clock)(), self.setup.fabric.snapshot());
        let pulse = self.feel(&now, &policy);
        self.pulses.send_replace(pulse.clone());
        let desk = Desk {
            me: self.setup.fabric.me(),
            hints: &self.setup.hints,
            rows: self.setup.records_reach.then_some(&self.rows),
            now: now.wall,
        };
        let gathered = desk.gather(&snapshot, &pulse).await;
        self.say(&pulse, &gathered).await;
        let right = snapshot.leads(now.boot);
        if let Some(right) = right {
            let (me, history) = (self.setup.fabric.me().id.as_str(), &mut self.history);
            self.deeds
                .lead(me, right.epoch, &gathered.inputs, &now, history)
                .await;
        } else {
            self.deeds.follow();
        }
        let (seen, recommended) = self.decide(&policy, &gathered.inputs, &snapshot, &now);
        let own = self.verdict(&policy, &recommended, &seen, &now);
        let view = if right.is_some() {
            self.tell(&own).await;
            let order = self
                .deeds
                .act(&policy, &recommended, &own, &snapshot, &now, &self.setup.fabric);
            if let Some(direction) = order.await {
                self.history.acted(now.boot, direction);
            }
            (own, true)
        } else {
            self.heard(&now)
                .await
                .map_or((own, false), |leaders| (leaders, true))
        };
        self.views.send_replace(Arc::new(View {
            inputs: gathered.inputs,
            verdict: view.0,
            of_leader: view.1,
        }));
        self.looks = self.looks.wrapping_add(1);
    }

    /// This node's own load.
    fn feel(&mut self, now: &Now, policy: &Policy) -> Pulse {
        let Machine { cpu, memory } = self.setup.gauge.machine();
        let (cpu, requests) = self.meter.read(now.boot, cpu, self.setup.gauge.requests());
        let held = self.setup.gauge.held();
        let holdings = Arc::clone(&self.setup.fabric.holdings().borrow());
        let doubtful = |slot: &Slot| {
            let until = holdings.suspect_until(*slot);
            until.is_some_and(|until| until > now.boot)
        };
        Pulse {
            cpu,
            memory,
            requests,
            leases: held.leases,
            sessions: held.sessions,
            suspect: holdings.slots().iter().filter(doubtful).count() as u16,
            planning: planning(&policy.planning),
            at: now.wall,
        }
    }

    /// Where heartbeats reach nobody, a record says it, and more seldom.
    async fn say(&self, pulse: &Pulse, gathered: &Gathered) {
        let needed = self.setup.records_reach && !(self.setup.hints_reach && gathered.heard);
        if needed && self.looks.is_multiple_of(REFRESH) {
            // Said again next time.
            let _ = self
                .rows
                .put_load(self.setup.fabric.me().id.as_str(), pulse)
                .await;
        }
        if !gathered.strangers.is_empty() {
            let _ = self.rows.forget_loads(gathered.strangers.clone()).await;
        }
    }

    fn decide(
        &mut self,
        policy: &Policy,
        inputs: &[NodeInput],
        snapshot: &Snapshot,
        now: &Now,
    ) -> (Seen, Recommendation) {
        let staying = inputs.iter().filter(|input| !input.is_leaving());
        let loads: Vec<_> = staying.map(NodeInput::load).collect();
        let nodes = loads.len() as u16;
        if policy.driver.is_none() {
            self.note_others_deed(nodes, now);
        }
        let target = self.deeds.target(policy, now).unwrap_or(nodes);
        let hold = hold(inputs, snapshot, self.setup.fabric.trouble().is_some());
        self.history
            .note_floor(now.boot, target < policy.scaling.min_nodes);
        let seen = Observation {
            nodes: &loads,
            target,
            hold,
        };
        let recommended = decide(&policy.scaling, &seen, &self.history, now.boot);
        self.history.note(now.boot, recommended.desired, &policy.scaling);
        (Seen { nodes, hold }, recommended)
    }

    /// Where nobody acts here, nodes that come or go are somebody's action.
    fn note_others_deed(&mut self, nodes: u16, now: &Now) {
        // Nobody at all is a node that has not looked around yet.
        let before = self
            .stayed
            .replace(nodes)
            .filter(|&before| before > 0)
            .unwrap_or(nodes);
        match nodes.cmp(&before) {
            std::cmp::Ordering::Greater => self.history.acted(now.boot, Direction::ScaleUp),
            std::cmp::Ordering::Less => self.history.acted(now.boot, Direction::ScaleDown),
            std::cmp::Ordering::Equal => {}
        }
    }

    fn verdict(&self, policy: &Policy, said: &Recommendation, seen: &Seen, now: &Now) -> Verdict {
        let left = |direction| {
            let left = self
                .history
                .cooldown_left(direction, now.boot, policy.scaling.cooldown);
            left.map_or(0, |left| left.as_secs())
        };
        Verdict {
            by: self.setup.fabric.me().id.to_string(),
            at: now.wall,
            direction: said.direction,
            nodes: seen.nodes,
            target: said.target_nodes,
            desired: said.desired,
            reason: said.reason.to_string(),
            acts: said.acts && policy.driver.is_some(),
            hold: seen.hold.map(|hold| hold.to_string()),
            shortage: self.setup.gauge.shortage(),
            up_left: left(Direction::ScaleUp),
            down_left: left(Direction::ScaleDown),
        }
    }

    /// Lets other nodes read it: at once when it changed, and now and then.
    async fn tell(&mut self, verdict: &Verdict) {
        let key = |verdict: &Verdict| {
            let short = verdict.shortage.is_some();
            (verdict.direction, verdict.target, verdict.nodes, short)
        };
        let same = self.told.as_ref().is_some_and(|told| key(told) == key(verdict));
        if !self.setup.records_reach || (same && !self.looks.is_multiple_of(REFRESH)) {
            return;
        }
        if self.rows.put_verdict(&verdict.to_json()).await.is_ok() {
            self.told = Some(verdict.clone());
        }
    }

    /// The leader's word, unless it is old.
    async fn heard(&self, now: &Now) -> Option<Verdict> {
        if !self.setup.records_reach {
            return None;
        }
        let stored = self.rows.verdict().await.ok().flatten()?;
        let verdict = Verdict::from_json(&stored)?;
        (now.wall.0.abs_diff(verdict.at.0) <= VERDICT_AGE_MAX_MS).then_some(verdict)
    }
}

/// What a verdict adds to a recommendation.
struct Seen {
    nodes: u16,
    hold: Option<Hold>,
}

/// Why no node may go now.
fn hold(inputs: &[NodeInput], snapshot: &Snapshot, trouble: bool) -> Option<Hold> {
    if trouble {
        return Some(Hold::StoreTrouble);
    }
    if inputs
        .iter()
        .any(|input| input.pulse.as_ref().is_some_and(|pulse| pulse.suspect > 0))
    {
        return Some(Hold::Quarantine);
    }
    let plan = snapshot.plan.as_ref()?;
    let mut planned: BTreeMap<&str, u16> = BTreeMap::new();
    for owner in Slot::all().filter_map(|slot| plan.owner(slot)) {
        *planned.entry(owner.as_str()).or_default() += 1;
    }
    let moving = |input: &NodeInput| planned.get(input.id.as_str()).copied().unwrap_or(0) != input.slots;
    inputs.iter().any(moving).then_some(Hold::Rebalance)
}

/// Planner settings in one word, to be compared.
fn planning(settings: &PlanSettings) -> String {
    let even = if settings.load_bound > 1.0 { "" } else { "/even" };
    format!(
        "{}/{}/{}{even}",
        settings.method.as_str(),
        settings.replication_factor,
        settings.virtual_nodes
    )
}
