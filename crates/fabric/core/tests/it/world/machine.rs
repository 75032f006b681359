//! A machine that runs a node: its clocks, its process, and what its service believes.

use purlin_fabric::port::{Candidate, NodeFacts};
use purlin_fabric::{Coordinator, Holdings, Timing};
use purlin_types::{BootTime, Epoch, Incarnation, NodeId, Now, Slot, SlotSet, Tenure, WallTime};
use std::sync::Arc;

pub(crate) struct Machine {
    pub(crate) candidate: Candidate,
    pub(crate) coordinator: Coordinator,
    /// Parts in a million that its clock is fast.
    ppm: i64,
    booted: u64,
    pub(crate) wall_off_ms: i64,
    /// Real time until which nothing runs here.
    pub(crate) paused_until: u64,
    /// Real time until which nothing reaches the store, and until which no answer comes back.
    pub(crate) cut_until: u64,
    pub(crate) deaf_until: u64,
    pub(crate) alive: bool,
    /// The store has refused its log a row of every slot that it lets go of next.
    pub(crate) refused: bool,
    holdings: Arc<Holdings>,
    tenure: Tenure,
    /// The tick that is scheduled.
    pub(crate) tick: u64,
}

impl Machine {
    pub(crate) fn new(name: &str, incarnation: u64, ppm: i64, timing: Timing, keyspace: SlotSet) -> Self {
        let id = NodeId::parse(name).expect("a node id");
        let candidate = Candidate {
            id,
            incarnation: Incarnation(incarnation),
        };
        let facts = NodeFacts {
            weight: 100,
            ..NodeFacts::default()
        };
        let coordinator = Coordinator::new(timing, candidate.clone(), facts).confined_to(keyspace);
        Self {
            candidate,
            holdings: Arc::clone(coordinator.holdings()),
            tenure: coordinator.tenure(),
            coordinator,
            ppm,
            booted: incarnation * 1_000_000_000,
            wall_off_ms: 0,
            paused_until: 0,
            cut_until: 0,
            deaf_until: 0,
            alive: true,
            refused: false,
            tick: u64::MAX,
        }
    }

    pub(crate) fn now(&self, real: u64) -> Now {
        let wall = 1_800_000_000_000 + (real / 1_000_000).cast_signed() + self.wall_off_ms;
        Now {
            boot: self.local(real),
            wall: WallTime(wall.cast_unsigned()),
        }
    }

    /// From now on its boot clock is so many parts in a million fast.
    pub(crate) fn run_at(&mut self, real: u64, ppm: i64) {
        let shown = self.local(real).0;
        self.ppm = ppm;
        let run = i128::from(real) * i128::from(1_000_000 + ppm) / 1_000_000;
        self.booted = shown.saturating_sub(u64::try_from(run).expect("time goes forward"));
    }

    pub(crate) fn local(&self, real: u64) -> BootTime {
        let run = i128::from(real) * i128::from(1_000_000 + self.ppm) / 1_000_000;
        BootTime(self.booted + u64::try_from(run).expect("time goes forward"))
    }

    /// The first real instant at which the machine's clock shows `local`.
    pub(crate) fn real(&self, local: BootTime) -> u64 {
        if local == BootTime::MAX {
            return u64::MAX;
        }
        let run = i128::from(local.0.saturating_sub(self.booted));
        u64::try_from(run * 1_000_000 / i128::from(1_000_000 + self.ppm) + 2).expect("time goes forward")
    }

    pub(crate) fn publish_holdings(&mut self) {
        self.holdings = Arc::clone(self.coordinator.holdings());
    }

    pub(crate) fn publish_tenure(&mut self) {
        self.tenure = self.coordinator.tenure();
    }

    /// Rule R0, at this real instant.
    pub(crate) fn may_decide(&self, real: u64, slot: Slot) -> Option<Epoch> {
        let holds = self.alive && self.tenure.holds(self.local(real));
        self.holdings.epoch(slot).filter(|_| holds)
    }

    pub(crate) fn leaving(&self, slot: Slot) -> Option<Epoch> {
        self.holdings.leaving(slot)
    }

    pub(crate) fn epoch(&self, slot: Slot) -> Option<Epoch> {
        self.holdings.epoch(slot)
    }

    pub(crate) fn given_back(&self, slot: Slot) -> Option<Epoch> {
        self.holdings.given_back(slot)
    }

    pub(crate) fn wall_less_boot(&self) -> Option<i64> {
        self.holdings.wall_less_boot()
    }

    pub(crate) fn suspect_until(&self, slot: Slot) -> Option<BootTime> {
        self.holdings.suspect_until(slot)
    }
}
