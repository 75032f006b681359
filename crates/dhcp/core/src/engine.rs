//! The engine: all networks of one packet thread, driven by packets, probes and time.
//!
//! ```text
//!   step(packet) ─► admit ─► identify ─► turn ─┬ discover ┐
//!    (malformed, loops,      (client, class,   ├ request  ├─► Verdict + reply + records + Decision
//!     limits, no subnet)      reservation)     └ others   ┘
//! ```

mod admit;
mod beside;
mod bind;
mod clock;
mod discover;
mod identify;
mod others;
mod own;
mod probe;
mod query;
mod replay;
mod reply;
mod request;
mod route;
mod sweep;
mod tell;
#[cfg(test)]
mod tests;
mod turn;

use crate::boot::Memory;
use crate::counters::Counters;
use crate::expr;
use crate::hold::{Hold, HoldView};
use crate::limit::{Declines, Limiter};
use crate::network::Network;
use crate::plan::Plan;
use crate::share::Share;
use crate::template::Templates;
use crate::unclean::Unclean;
use probe::Probes;
use purlin_telemetry::DecisionRing;
use purlin_types::Now;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use own::Takeover;
pub(crate) use replay::encode;

/// One packet thread's leases and the rules over them.
#[derive(Debug)]
pub struct Engine {
    plan: Arc<Plan>,
    shard: u16,
    shards: u16,
    entropy: u64,
    /// By network index of the plan; `None` for networks of other threads.
    networks: Vec<Option<Network>>,
    /// The slots that are held; `None` is all of them, shared with nobody.
    share: Option<Box<Share>>,
    ring: DecisionRing,
    counters: Counters,
    templates: Templates,
    client_limit: Limiter,
    relay_limit: Limiter,
    declines: Declines,
    /// What booting clients said last.
    boots: Memory,
    probes: Probes,
    scratch: expr::Scratch,
    /// Records of addresses that no network has (their subnet was removed): kept until it comes back.
    orphans: replay::Orphans,
    /// Every window that a record tells of, first address to end: pools may be cut otherwise since, and back again.
    windows: BTreeMap<u32, u32>,
    sweep: sweep::Progress,
    /// Wall time less boot time in milliseconds, when last compared.
    clock_offset: Option<i64>,
    /// The wall clock was set or a hold has become longer, and the journal still says the former times.
    clock_set: bool,
    unclean: Unclean,
    /// What a restore from a backup leaves in doubt.
    hold: Hold,
    /// The newest stamp of all replayed leases, whoever's they are.
    newest: u32,
}

impl Engine {
    /// An engine for thread `shard` of `shards`. `entropy` seeds hashes and must not be guessable from outside.
    #[must_use]
    pub fn new(plan: Arc<Plan>, shard: u16, shards: u16, entropy: u64) -> Self {
        let settings = plan.settings();
        let mut engine = Self {
            shard,
            shards,
            entropy,
            networks: Vec::new(),
            share: None,
            ring: DecisionRing::new(settings.decisions as usize),
            counters: Counters::default(),
            templates: Templates::default(),
            client_limit: Limiter::new(settings.limits.per_client),
            relay_limit: Limiter::new(settings.limits.per_relay),
            declines: Declines::default(),
            boots: Memory::default(),
            probes: Probes::default(),
            scratch: expr::Scratch::default(),
            orphans: replay::Orphans::default(),
            windows: BTreeMap::new(),
            sweep: sweep::Progress::default(),
            clock_offset: None,
            clock_set: false,
            unclean: Unclean::default(),
            hold: Hold::default(),
            newest: 0,
            plan,
        };
        engine.networks = (0..engine.plan.networks.len() as u16)
            .map(|i| engine.new_network(i))
            .collect();
        engine
    }

    fn new_network(&self, index: u16) -> Option<Network> {
        let mine = self.plan.shard_of_network(index, self.shards) == self.shard;
        mine.then(|| Network::new(&self.plan, index, self.entropy, self.share.is_some()))
    }

    /// Moves to a new plan. Leases stay; those whose subnet is gone are kept aside until it comes back.
    pub fn apply(&mut self, plan: Arc<Plan>, now: &Now) {
        let limits = plan.settings().limits;
        if limits != self.plan.settings().limits {
            self.client_limit = Limiter::new(limits.per_client);
            self.relay_limit = Limiter::new(limits.per_relay);
        }
        let former_plan = std::mem::replace(&mut self.plan, plan);
        let windows = self.windows();
        let former = std::mem::take(&mut self.networks);
        self.templates.clear();
        self.probes.clear();
        let mut kept: HashMap<String, Network> = HashMap::new();
        for (index, network) in former.into_iter().enumerate() {
            if let Some(network) = network {
                kept.insert(former_plan.networks[index].name.clone(), network);
            }
        }
        let mut strays = vec![windows];
        for index in 0..self.plan.networks.len() as u16 {
            let plan = Arc::clone(&self.plan);
            let network = match kept.remove(&plan.networks[usize::from(index)].name) {
                Some(mut network) => {
                    network.lay_out(&plan, index);
                    strays.push(network.take_strays(&plan));
                    Some(network)
                }
                None => self.new_network(index),
            };
            self.networks.push(network);
        }
        self.rehome(kept.into_values(), strays, now);
    }

    /// Moves to a plan that [`Plan::pinned`] made of the present one. Networks and pools are the same, so nothing is laid
    /// out anew, and what is under way goes on.
    pub fn pin(&mut self, plan: Arc<Plan>) {
        let former = std::mem::replace(&mut self.plan, plan);
        for network in self.networks.iter_mut().flatten() {
            let (index, pins) = (network.index, &self.plan.pins);
            network.let_go(former.pins.kept(index).filter(|&a| !pins.keeps(index, a)));
        }
    }

    /// The decisions of this thread.
    #[must_use]
    pub fn decisions(&self) -> &DecisionRing {
        &self.ring
    }

    /// What this thread has counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What is held back after a restore from a backup, while it is.
    #[must_use]
    pub fn hold(&self, now: &Now) -> Option<HoldView> {
        self.hold.view(now.wall.secs())
    }

    /// Whether the wall clock was set, or a hold became longer, since this was last asked: the journal says former
    /// times and should be written anew.
    pub fn take_clock_set(&mut self) -> bool {
        std::mem::take(&mut self.clock_set)
    }

    /// Whether options that were encoded for one kind of client are kept for the next of that kind, as they are
    /// unless told otherwise. Replies are the same either way.
    pub fn keep_templates(&mut self, keep: bool) {
        self.templates.keep(keep);
    }

    /// Hits and misses of reply templates.
    #[must_use]
    pub fn template_use(&self) -> (u64, u64) {
        (self.templates.hits, self.templates.misses)
    }

    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }
}
