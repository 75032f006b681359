//! How many nodes there are to be, glued as `fabric/runtime/src/scaling` glues it: every node looks, the leader decides,
//! writes down what it does, and does it. The nodes that come and go are a fleet of their own, under a load that stays the
//! same but for noise and spikes: what is asked for is asked for once.

use super::{LOOK, Query, World};
use crate::clock::{SECOND, true_wall};
use crate::database::Deed;
use crate::mutation::Mutation;
use crate::random::Random;
use purlin_fabric::scaling::{
    Direction, History, NodeLoad, Observation, Recommendation, ScalingSettings, decide,
};
use purlin_types::{BootTime, Epoch, Now, WallTime};
use std::time::Duration;

/// What a node that was ordered needs until it serves.
const STARTING: u64 = 3 * SECOND;

/// A wall clock that is further off is found and its node gives everything away; cooldowns of rows count by it.
const CLOCK_OFF_MS: u64 = 2_000;

/// What takes a moment is no load.
const SPIKE: u64 = 2 * SECOND;

/// The nodes that the autoscaler orders.
#[derive(Debug)]
pub(crate) struct Fleet {
    settings: ScalingSettings,
    /// Of all nodes together, in percent of one.
    load: f64,
    /// As a part of it, either way.
    noise: f64,
    ordered: u16,
    serving: u16,
    serving_from: u64,
    spike_until: u64,
    next_spike: u64,
    /// What was done: when, by which right, and what; and whether its clock was right then.
    done: Vec<(u64, Deed, bool)>,
}

impl Fleet {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let settings = ScalingSettings {
            enabled: true,
            min_nodes: 3,
            max_nodes: random.between(6, 11) as u16,
            cooldown: Duration::from_secs(20),
            stabilisation: Duration::from_secs(20),
            sustain: Duration::from_secs(6),
            ..ScalingSettings::default()
        };
        let start = random.between(3, u64::from(settings.max_nodes) + 1) as u16;
        Self {
            settings,
            load: random.below(1200) as f64,
            noise: random.below(100) as f64 / 1000.0,
            ordered: start,
            serving: start,
            serving_from: 0,
            spike_until: 0,
            next_spike: SECOND * random.between(8, 40),
            done: Vec::new(),
        }
    }

    fn loads(&mut self, real: u64, random: &mut Random) -> Vec<NodeLoad> {
        if real >= self.serving_from {
            self.serving = self.ordered;
        }
        if real >= self.next_spike {
            self.spike_until = real + SPIKE;
            self.next_spike = real + SECOND * random.between(8, 40);
        }
        let serving = self.serving.min(self.ordered).max(1);
        let spike = if real < self.spike_until { 4.0 } else { 1.0 };
        let each = self.load * spike / f64::from(serving);
        let node = |n| {
            let noise = 1.0 + self.noise * (random.below(2001) as f64 / 1000.0 - 1.0);
            NodeLoad {
                ready: n < serving,
                cpu: Some((each * noise).min(100.0)),
                memory: Some(10.0),
                requests: None,
                queue: None,
            }
        };
        (0..self.ordered).map(node).collect()
    }
}

/// What a node knows of it.
#[derive(Debug)]
pub(crate) struct SizeDesk {
    history: History,
    /// The right under which it looked back.
    led: Option<Epoch>,
    /// Under which it looks back, or acts, right now.
    asking: Option<Epoch>,
    deed: Option<Deed>,
    /// Its wall clock was right when it looked back: it knows how long ago everything was.
    dated: bool,
}

impl SizeDesk {
    pub(super) const fn new() -> Self {
        Self {
            history: History::new(Duration::from_nanos(LOOK)),
            led: None,
            asking: None,
            deed: None,
            dated: true,
        }
    }

    pub(super) const fn wait_no_more(&mut self) {
        self.asking = None;
    }

    /// Somebody else acted, or nobody knows: the next look looks back.
    pub(super) const fn look_back(&mut self) {
        (self.led, self.asking) = (None, None);
    }
}

impl World {
    pub(super) fn look_at_size(&mut self, node: usize) {
        let now = self.nodes[node].machine.clock.now(self.real);
        let right = self.leads(node, &now);
        let it = &mut self.aside.desks[node].size;
        if it.asking.is_some() {
            return;
        }
        match right {
            None => it.led = None,
            Some(epoch) if it.led != Some(epoch) => {
                it.asking = Some(epoch);
                self.query(node, Query::Deeds);
                return;
            }
            Some(_) => {}
        }
        let said = self.decide_size(node, &now);
        let it = &mut self.aside.desks[node].size;
        let Some(epoch) = right.filter(|right| said.acts && it.led == Some(*right)) else {
            return;
        };
        it.asking = Some(epoch);
        let deed = Deed {
            number: 0,
            epoch,
            up: said.direction == Direction::ScaleUp,
            to: said.target_nodes,
            at: now.wall,
        };
        if self.mutation == Some(Mutation::UnwrittenDeed) {
            self.act(node, deed);
        }
        self.query(node, Query::Begin(deed));
    }

    fn leads(&self, node: usize, now: &Now) -> Option<Epoch> {
        let fence = self.nodes[node].coordinator.leadership(now.boot);
        fence.map(|fence| fence.epoch)
    }

    fn decide_size(&mut self, node: usize, now: &Now) -> Recommendation {
        let aside = &mut self.aside;
        let settings = match self.mutation {
            Some(Mutation::NoLimits) => ScalingSettings {
                min_nodes: 1,
                max_nodes: 1000,
                ..aside.fleet.settings
            },
            Some(Mutation::NoWindows) => ScalingSettings {
                sustain: Duration::ZERO,
                stabilisation: Duration::ZERO,
                ..aside.fleet.settings
            },
            _ => aside.fleet.settings,
        };
        let loads = aside.fleet.loads(self.real, &mut aside.random);
        let it = &mut aside.desks[node].size;
        let age = |deed: &Deed| Duration::from_millis(now.wall.0.saturating_sub(deed.at.0));
        let young = it.deed.filter(|deed| age(deed) < settings.cooldown);
        let target = young.map_or(loads.len() as u16, |deed| deed.to);
        it.history.note_floor(now.boot, target < settings.min_nodes);
        let seen = Observation {
            nodes: &loads,
            target,
            hold: None,
        };
        let said = decide(&settings, &seen, &it.history, now.boot);
        it.history.note(now.boot, said.desired, &settings);
        said
    }

    /// What predecessors did counts for this node too.
    pub(super) fn looked_back(&mut self, node: usize, deeds: &[Deed]) {
        let now = self.nodes[node].machine.clock.now(self.real);
        let forgets = self.mutation == Some(Mutation::ForgetfulLeader);
        let it = &mut self.aside.desks[node].size;
        it.dated = is_right(now.wall, self.real);
        it.led = it.asking.take();
        if forgets {
            return;
        }
        for deed in deeds {
            it.history.acted(then(deed.at, &now), direction(deed));
        }
        it.deed = deeds.first().copied();
    }

    /// It is written down, or somebody else has acted.
    pub(super) fn begun(&mut self, node: usize, deed: Option<Deed>) {
        let now = self.nodes[node].machine.clock.now(self.real);
        let Some(deed) = deed else {
            self.aside.desks[node].size.look_back();
            return;
        };
        let still = self.leads(node, &now) == Some(deed.epoch);
        let it = &mut self.aside.desks[node].size;
        it.asking = None;
        it.deed = Some(deed);
        it.history.acted(now.boot, direction(&deed));
        if still && self.mutation != Some(Mutation::UnwrittenDeed) {
            self.act(node, deed);
        }
    }

    /// The driver is told.
    fn act(&mut self, node: usize, deed: Deed) {
        let real = self.real;
        let shown = self.nodes[node].machine.clock.now(real).wall;
        let right = is_right(shown, real) && self.aside.desks[node].size.dated;
        self.judge_deed((real, right), deed);
        let fleet = &mut self.aside.fleet;
        (fleet.ordered, fleet.serving_from) = (deed.to, real + STARTING);
        fleet.done.push((real, deed, right));
        self.trace.say(real, || {
            format!("node {node} orders {} nodes, action {}", deed.to, deed.number)
        });
    }

    /// I11: within the limits, once for a decision, and not to and fro under a load that stays.
    fn judge_deed(&mut self, (real, right): (u64, bool), deed: Deed) {
        let fleet = &self.aside.fleet;
        let (min, max) = (fleet.settings.min_nodes, fleet.settings.max_nodes);
        // Where a failover may lose what was written, the next leader knows nothing of it.
        let known = !self.databases.iter().any(crate::database::Database::may_forget);
        let twice = fleet.done.iter().any(|(_, other, _)| other.number == deed.number);
        let turned = fleet.done.iter().find(|(_, other, _)| other.up != deed.up);
        let last = fleet
            .done
            .iter()
            .rev()
            .find(|(_, other, _)| other.up == deed.up || !deed.up);
        // Counted from decision to decision: the record of the first may have taken its time.
        let cooldown = fleet.settings.cooldown.as_millis() as u64 * 95 / 100;
        let hasty = last.filter(|(_, other, was)| right && *was && deed.at.0 < other.at.0 + cooldown);
        let (to, number) = (deed.to, deed.number);
        if !(min..=max).contains(&to) {
            self.check.fail(real, "I11", || {
                format!("{to} nodes are ordered, of {min} to {max}")
            });
        } else if known && twice && number > 0 {
            self.check
                .fail(real, "I11", || format!("action {number} is done twice"));
        } else if let Some((at, other, _)) = hasty.filter(|_| known) {
            let (after, before) = ((real - at) as f64 / 1e9, other.to);
            self.check.fail(real, "I11", || {
                format!("{to} nodes are ordered {after:.3} s after {before}, within the cooldown")
            });
        } else if let Some((_, other, _)) = turned.filter(|_| known) {
            let before = other.to;
            self.check.fail(real, "I11", || {
                format!("{to} nodes are ordered after {before}, under one and the same load")
            });
        }
    }
}

const fn direction(deed: &Deed) -> Direction {
    if deed.up {
        Direction::ScaleUp
    } else {
        Direction::ScaleDown
    }
}

fn is_right(shown: WallTime, real: u64) -> bool {
    shown.0.abs_diff(true_wall(real).0) <= CLOCK_OFF_MS
}

/// When an action was, on this machine's own clock.
fn then(at: WallTime, now: &Now) -> BootTime {
    let ago = now.wall.0.saturating_sub(at.0);
    BootTime(now.boot.0.saturating_sub(ago.saturating_mul(1_000_000)))
}
