//! Leading: the claim to it, and the plans that follow from it.

use super::table::Owner;
use super::{Action, Coordinator, LifeKey, life_key};
use crate::event::Event;
use crate::observe::after;
use crate::plan::{Plan, PlanMember, PlanSettings, plan};
use crate::port::{ClaimKey, Fence, NodeRow, NodeState, Version, Wish};
use crate::right::{Holder, Right, right};
use purlin_types::{BootTime, Epoch};
use std::sync::Arc;

/// The leader's claim as the newest look showed it, and what this node has planned.
#[derive(Debug, Clone)]
pub(super) struct Leading {
    settings: PlanSettings,
    /// Held by this node.
    epoch: Option<Epoch>,
    row: Version,
    owner: Owner,
    /// The newest epoch that was let go of: a late grant of it comes to nothing.
    closed: Epoch,
    /// Plan number and members for which there was nothing to change.
    fits: Option<(u64, Vec<PlanMember>)>,
    /// To be published.
    pending: Option<Plan>,
}

impl Leading {
    pub(super) const fn new(settings: PlanSettings) -> Self {
        Self {
            settings,
            epoch: None,
            row: Version {
                epoch: Epoch {
                    timeline: 0,
                    counter: 0,
                },
                step: 0,
            },
            owner: Owner::Nobody,
            closed: Epoch {
                timeline: 0,
                counter: 0,
            },
            fits: None,
            pending: None,
        }
    }

    /// Other settings: what fitted is looked at anew. A plan is a wish, so that this is safe at any time.
    pub(super) fn replan(&mut self, settings: PlanSettings) {
        (self.settings, self.fits) = (settings, None);
    }

    pub(super) fn fence(&self) -> Option<Fence> {
        self.epoch.map(|epoch| Fence {
            key: ClaimKey::Leader,
            epoch,
        })
    }

    pub(super) const fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    pub(super) fn win(&mut self, epoch: Epoch) {
        (self.epoch, self.owner) = (Some(epoch), Owner::Me);
        self.row = Version { epoch, step: 0 };
    }

    pub(super) fn lose(&mut self) {
        self.closed = self.closed.max(self.epoch.unwrap_or_default());
        (self.epoch, self.fits, self.pending) = (None, None, None);
    }

    pub(super) fn shown(&mut self, row: Version, owner: Owner) {
        (self.row, self.owner) = (row, owner);
        if self.epoch.is_some_and(|mine| row.epoch > mine) {
            self.lose();
        }
    }

    pub(super) fn is_closed(&self, epoch: Epoch) -> bool {
        epoch <= self.closed
    }

    /// This life's by the store's word, under an epoch that the store accepts no more, not even to give it back.
    pub(super) fn is_stuck(&self, lossy_below: u32) -> bool {
        self.epoch.is_none() && self.owner == Owner::Me && self.row.epoch.timeline < lossy_below
    }

    /// This life's by the store's word, without being held: to be given back.
    pub(super) fn unwanted(&mut self) -> Option<Fence> {
        if self.epoch.is_some() || self.owner != Owner::Me {
            return None;
        }
        self.closed = self.closed.max(self.row.epoch);
        Some(Fence {
            key: ClaimKey::Leader,
            epoch: self.row.epoch,
        })
    }

    pub(super) const fn has_pending(&self) -> bool {
        self.pending.is_some()
    }
}

impl Coordinator {
    /// Any node that may own may lead, when nobody does.
    pub(super) fn wish_to_lead(&self) -> Option<Wish> {
        let holder = match (self.leading.epoch, self.leading.owner) {
            (Some(mine), _) if self.is_doomed(mine) => Holder::MyselfStill,
            (Some(_), _) => return None,
            (None, Owner::Nobody) => Holder::Nobody,
            (None, Owner::Me) => Holder::Myself { flushed: true },
            (None, Owner::Other(life)) => Holder::Other {
                lapsed: self.roster.is_lapsed(life),
            },
        };
        let row = self.leading.row;
        let right = right(holder, self.observer.settled(), self.is_doomed(row.epoch))?;
        Some(Wish {
            key: ClaimKey::Leader,
            seen: row,
            by_force: right == Right::ByForce,
        })
    }

    /// Names who holds the claim to leading, unless its lease has lapsed: it leads no more, though nobody else does yet.
    pub(super) fn name_leader(&mut self, now: BootTime, holder: Owner, out: &mut Vec<Action>) {
        let holder = match (self.leading.epoch, holder) {
            (Some(_), _) => Owner::Me,
            (None, Owner::Me) => Owner::Nobody,
            (None, other) => other,
        };
        let me = life_key(&self.me.id, self.me.incarnation);
        let leader = self.roster.life_of(holder, &me);
        let leader = leader.filter(|life| now < self.leads_until(life));
        if leader != self.roster.leader {
            let node = leader.as_ref().map(|life| life.0.clone());
            self.roster.leader = leader;
            Self::tell(out, Event::Leader(node));
        }
    }

    /// Forgets a leader whose lease has lapsed since.
    pub(super) fn forget_leader(&mut self, now: BootTime, out: &mut Vec<Action>) {
        if self.roster.leader.is_some() && self.named_until() <= now {
            self.roster.leader = None;
            Self::tell(out, Event::Leader(None));
        }
    }

    /// When [`Coordinator::forget_leader`] has something to do, if nothing is heard before.
    pub(super) fn named_until(&self) -> BootTime {
        let leader = self.roster.leader.as_ref();
        leader.map_or(BootTime::MAX, |life| self.leads_until(life))
    }

    /// The end of a life's lease as far as this node can know: its newest renewal was sent before it was seen here.
    fn leads_until(&self, life: &LifeKey) -> BootTime {
        if *life == life_key(&self.me.id, self.me.incarnation) {
            let leads = self.leading.epoch.is_some();
            return if leads {
                self.tenure().valid_until
            } else {
                BootTime::default()
            };
        }
        let since = self.observer.since(life);
        since.map_or(BootTime::default(), |since| after(since, self.timing.tenure()))
    }

    /// Makes a new plan if the members changed.
    pub(super) fn make_plan(&mut self, now: BootTime) {
        if self.leading.epoch.is_none() || self.leading.pending.is_some() || !self.may_own(now) {
            return;
        }
        let members = self.plan_members(now);
        let number = self.roster.plan.0;
        let memo = (number, members);
        if self.leading.fits.as_ref() == Some(&memo) || memo.1.is_empty() {
            return;
        }
        let previous = self.table.plan().map(Arc::as_ref);
        let mut next = plan(previous, &memo.1, &self.leading.settings);
        let stored = previous.filter(|previous| previous.number == number);
        if stored.is_some_and(|stored| stored.is_same_assignment(&next)) {
            self.leading.fits = Some(memo);
        } else {
            next.number = number + 1;
            self.leading.pending = Some(next);
        }
    }

    /// Who may own: active, and not silent for longer than is tolerated.
    fn plan_members(&self, now: BootTime) -> Vec<PlanMember> {
        let heard = |node: &NodeRow| {
            let since = self.observer.since(&life_key(&node.id, node.incarnation));
            node.id == self.me.id || since.is_some_and(|since| now < after(since, self.timing.node_timeout))
        };
        self.roster
            .nodes
            .iter()
            .filter(|node| node.state == NodeState::Active && heard(node))
            .map(|node| PlanMember {
                id: node.id.clone(),
                zone: node.facts.zone.clone(),
                weight: node.facts.weight,
            })
            .collect()
    }

    /// The plan to publish, with the right to.
    pub(super) fn next_plan(&mut self, out: &mut Vec<Action>) {
        if let (Some(leader), Some(plan)) = (self.leading.fence(), self.leading.pending.take()) {
            out.push(Action::PublishPlan {
                leader,
                number: plan.number,
                plan: plan.encode(),
            });
            Self::tell(out, Event::Planned { number: plan.number });
        }
    }

    pub(super) fn published(&mut self, now: BootTime, done: bool) {
        self.requests
            .publish
            .done(if done { now } else { self.soon(now) });
        self.requests.view.hasten(if done { now } else { self.soon(now) });
    }
}
