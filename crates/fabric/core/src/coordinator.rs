//! The coordinator: one node's part in sharing the slots.
//!
//! It is driven: [`Coordinator::step`] takes the time and what happened, and says what to do. Requests go to the claim
//! store; what comes back is fed in again. All it decides rests on its own lease ([`crate::lease`]), on what it watched
//! of the others ([`crate::observe`]) and on claims that were granted to *this* life of the node: what a look at the
//! store shows as this node's is never taken for held.
//!
//! ```text
//!            claim                     plan moves on, drain, lapse             records durable
//!   nobody's ─────► held (suspect?) ──────────────────────────────► leaving ──────────────────► released
//!      ▲             │ lease lapsed elsewhere: by force,  ▲                                        │
//!      └─────────────┘ suspect until MCLT is over, settle └─ fence lost, superseded: gone at once  └─► next in plan
//! ```

mod action;
mod answers;
mod claiming;
mod giving;
mod input;
mod leading;
mod life;
mod look;
mod rate;
mod readiness;
mod requests;
mod roster;
mod table;

pub use action::Action;
pub use input::{Denied, Input};
pub(crate) use table::Origin;

use crate::event::Event;
use crate::holdings::Holdings;
use crate::lease::Lease;
use crate::member::{Member, NotReady};
use crate::observe::Observer;
use crate::plan::PlanSettings;
use crate::port::{Candidate, Durability, NodeFacts, NodeState};
use crate::settings::Timing;
use claiming::Wishes;
use giving::Giving;
use leading::Leading;
use life::Life;
use purlin_types::{BootTime, Incarnation, NodeId, Now, SlotSet, Tenure};
use rate::Rate;
use requests::Requests;
use roster::Roster;
use std::sync::Arc;
use table::Table;

/// A life of a node, as an observer names it.
type LifeKey = (NodeId, u64);

fn life_key(id: &NodeId, incarnation: Incarnation) -> LifeKey {
    (id.clone(), incarnation.0)
}

/// One node's membership, lease and claims. See the module.
#[derive(Debug, Clone)]
pub struct Coordinator {
    timing: Timing,
    me: Candidate,
    facts: NodeFacts,
    /// Slots that this coordinator looks at; all but in tests.
    keyspace: SlotSet,
    life: Life,
    /// The state that this node asked for last.
    advancing: Option<NodeState>,
    lease: Lease,
    /// After a failover that may have lost commits: claims of the older history hold until here and no longer.
    frozen: Option<BootTime>,
    durability: Option<Durability>,
    /// Claims of a timeline below this one were made before a failover that may have lost commits.
    lossy_below: u32,
    /// The lease end whose passing has been dealt with.
    lapsed: BootTime,
    /// When the enrolment was answered, and the last history in which the store was known to have it.
    enrolled: (BootTime, u32),
    /// The former life that this one has replaced.
    replaced: Option<Incarnation>,
    observer: Observer<LifeKey>,
    table: Table,
    roster: Roster,
    leading: Leading,
    wishes: Wishes,
    giving: Giving,
    requests: Requests,
    /// Gives everything away and takes nothing.
    draining: bool,
    /// Leaves for good once everything is given away.
    leaving: bool,
    /// When it was told to take part again, until the store has been heard since.
    resumed: Option<BootTime>,
    /// How far the wall clock is ahead of the store's, when that is too far.
    skew: Option<i64>,
    /// Wall time less boot time in milliseconds, as of the last comparison with the store's clock that found nothing wrong.
    distance: Option<i64>,
    rate: Rate,
    behind: Option<(u32, u32)>,
    holdings: Arc<Holdings>,
    /// What was told last.
    told: Option<Result<(), NotReady>>,
}

impl Coordinator {
    /// A coordinator that knows nothing yet; its first step looks at the store.
    #[must_use]
    pub fn new(timing: Timing, me: Candidate, facts: NodeFacts) -> Self {
        Self {
            timing,
            me,
            facts,
            keyspace: SlotSet::FULL,
            life: Life::Looking,
            advancing: None,
            lease: Lease::default(),
            frozen: None,
            durability: None,
            lossy_below: 0,
            lapsed: BootTime::default(),
            enrolled: (BootTime::default(), 0),
            replaced: None,
            wishes: Wishes::default(),
            giving: Giving::default(),
            observer: Observer::default(),
            table: Table::new(),
            roster: Roster::default(),
            leading: Leading::new(PlanSettings::default()),
            requests: Requests::default(),
            draining: false,
            leaving: false,
            resumed: None,
            skew: None,
            distance: None,
            rate: Rate::default(),
            behind: None,
            holdings: Arc::default(),
            told: None,
        }
    }

    /// Plans, while it leads, by these settings.
    #[must_use]
    pub fn planning(mut self, settings: PlanSettings) -> Self {
        self.leading = Leading::new(settings);
        self
    }

    /// Looks at some of the slots only, so that tests and simulators with few slots are fast.
    #[must_use]
    pub fn confined_to(mut self, keyspace: SlotSet) -> Self {
        self.keyspace = keyspace;
        self
    }

    /// Takes in what happened and appends what is to be done, in order. `now` never goes back.
    pub fn step(&mut self, now: &Now, input: Input, out: &mut Vec<Action>) {
        if self.life.is_over() {
            return;
        }
        self.lapse(now.boot, out);
        self.forget_leader(now.boot, out);
        self.take_in(now, input, out);
        if !self.life.is_over() {
            self.request(now.boot, out);
        }
        self.publish(now.boot, out);
    }

    /// When to step next with [`Input::Tick`], if nothing else happens.
    #[must_use]
    pub fn next_deadline(&self) -> BootTime {
        if self.life.is_over() {
            return BootTime::MAX;
        }
        let next = self.requests.next(self.life.state().is_some());
        let next = next.min(self.named_until());
        if !self.table.holds_any() {
            return next;
        }
        let settle = self.table.next_settle().max(self.requests.settle.next());
        next.min(self.tenure().valid_until).min(settle)
    }

    /// Until when this node may decide about what it holds, and the newest epoch among it.
    #[must_use]
    pub fn tenure(&self) -> Tenure {
        let until = if self.life.is_over() {
            BootTime::default()
        } else {
            self.lease.until()
        };
        Tenure {
            valid_until: self.frozen.map_or(until, |frozen| frozen.min(until)),
            epoch: self.table.newest_epoch(),
        }
    }

    /// What the services see. Replaced whole with every [`Action::Holdings`].
    #[must_use]
    pub const fn holdings(&self) -> &Arc<Holdings> {
        &self.holdings
    }

    /// Every node that the newest look showed, in order of their ids.
    #[must_use]
    pub fn members(&self, now: BootTime) -> Vec<Member> {
        roster::members(self, now)
    }

    /// Who leads, as far as is known here; nobody from the moment on in which the last leader's lease has lapsed.
    #[must_use]
    pub fn leader(&self) -> Option<&NodeId> {
        let leader = self.roster.leader.as_ref().filter(|_| !self.life.is_over());
        leader.map(|life| &life.0)
    }

    /// The fence for what only the leader may do, while this node leads and its lease holds.
    #[must_use]
    pub fn leadership(&self, now: BootTime) -> Option<crate::port::Fence> {
        self.leading.fence().filter(|_| self.tenure().holds(now))
    }

    /// Parts in a million that this node's boot clock is faster than the store's, when that is more than claims allow for.
    #[must_use]
    pub const fn clock_rate(&self) -> Option<i64> {
        self.rate.off()
    }

    /// The plan in force.
    #[must_use]
    pub const fn plan(&self) -> Option<&Arc<crate::plan::Plan>> {
        self.table.plan()
    }

    /// Slots that this node still has to give away: held, or not yet released.
    #[must_use]
    pub fn slots_left(&self) -> usize {
        self.table.occupied()
    }

    /// Whether this node may own, as of the last step.
    ///
    /// # Errors
    /// Why it may not.
    pub const fn readiness(&self) -> Result<(), NotReady> {
        match self.told {
            Some(told) => told,
            None => Err(NotReady::Starting),
        }
    }

    fn tell(out: &mut Vec<Action>, event: Event) {
        out.push(Action::Tell(event));
    }
}

#[cfg(test)]
mod tests;
