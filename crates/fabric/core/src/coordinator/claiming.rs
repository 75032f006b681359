//! Claiming: what this node should have and may take.

use super::giving::BATCH;
use super::table::{Cell, Mine, Origin, Owner};
use super::{Action, Coordinator};
use crate::observe::after;
use crate::port::{ClaimKey, Fence, Version, Wish};
use crate::right::{Holder, Right, right};
use purlin_types::{BootTime, Epoch, Slot};
use std::collections::VecDeque;

/// Claims to ask for, from the newest look.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    queue: VecDeque<Wish>,
    /// By the plan's node index: whether that node may own, so that who stands behind it has to wait.
    pub(super) standing: Vec<bool>,
    /// This node's index in the plan.
    pub(super) me: Option<usize>,
}

impl Coordinator {
    /// Goes through all slots after a look: what may be taken is queued, what is this node's without being held is
    /// given back.
    pub(super) fn reckon(&mut self, now: BootTime) {
        self.wishes.queue.clear();
        let (may_own, may_claim) = (self.may_own(now), self.may_claim(now));
        let mut wishes = VecDeque::new();
        let mut unwanted = Vec::new();
        for (slot, cell) in self.table.iter() {
            let wanted = (may_own && self.is_mine_by_plan(slot)) || (may_claim && self.is_unclean(cell));
            if let Some(wish) = self.wish(slot, cell).filter(|_| wanted) {
                wishes.push_back(wish);
            } else if !wanted
                && cell.mine == Mine::Not
                && cell.owner == Owner::Me
                && !cell.is_unflushed(self.lossy_below > 0)
            {
                unwanted.push((slot, cell.row.epoch));
            }
        }
        for (slot, epoch) in unwanted {
            // The grant may still be on its way here: it must not be taken up after this.
            self.table.close(slot, epoch);
            self.giving.enqueue(Fence {
                key: ClaimKey::Slot(slot),
                epoch,
            });
        }
        if may_own || (may_claim && self.leading.is_stuck(self.lossy_below)) {
            wishes.extend(self.wish_to_lead());
        } else if let Some(fence) = self.leading.unwanted() {
            self.giving.enqueue(fence);
        }
        self.wishes.queue = wishes;
    }

    /// A claim of this node that must not wait for the plan: one that a failover has made useless, or one by the
    /// store's word that cannot be given back in order. Even a draining node takes the latter, by force, so that it can
    /// give it back as suspect.
    fn is_unclean(&self, cell: &Cell) -> bool {
        match cell.mine {
            Mine::Held { epoch, .. } => self.is_doomed(epoch),
            Mine::Not => {
                cell.owner == Owner::Me
                    && (cell.is_unflushed(self.lossy_below > 0) || self.is_doomed(cell.row.epoch))
            }
            Mine::Leaving { .. } | Mine::Releasing { .. } => false,
        }
    }

    fn wish(&self, slot: Slot, cell: &Cell) -> Option<Wish> {
        let holder = match (cell.mine, cell.owner) {
            (Mine::Held { epoch, .. }, _) if self.is_doomed(epoch) => Holder::MyselfStill,
            (Mine::Not, Owner::Nobody) => Holder::Nobody,
            (Mine::Not, Owner::Me) => Holder::Myself {
                flushed: !cell.is_unflushed(self.lossy_below > 0),
            },
            (Mine::Not, Owner::Other(life)) => Holder::Other {
                lapsed: self.roster.is_lapsed(life),
            },
            _ => return None,
        };
        let right = right(holder, self.observer.settled(), self.is_doomed(cell.row.epoch))?;
        Some(Wish {
            key: ClaimKey::Slot(slot),
            seen: cell.row,
            by_force: right == Right::ByForce,
        })
    }

    /// This node is the first in the plan that stands.
    pub(super) fn is_mine_by_plan(&self, slot: Slot) -> bool {
        self.wishes.me.is_some() && self.first(slot) == self.wishes.me
    }

    /// Somebody else is the first in the plan that stands.
    pub(super) fn is_elsewhere(&self, slot: Slot) -> bool {
        self.first(slot)
            .is_some_and(|first| Some(first) != self.wishes.me)
    }

    fn first(&self, slot: Slot) -> Option<usize> {
        if !self.keyspace.contains(slot) {
            return None;
        }
        let preference = self
            .table
            .preference(slot)
            .iter()
            .map(|&index| usize::from(index));
        preference
            .into_iter()
            .find(|&index| self.wishes.standing.get(index).copied().unwrap_or(false))
    }

    /// The next claims to ask for.
    pub(super) fn next_wishes(&mut self) -> Vec<Wish> {
        let n = self.wishes.queue.len().min(BATCH);
        self.wishes.queue.drain(..n).collect()
    }

    pub(super) fn has_wishes(&self) -> bool {
        !self.wishes.queue.is_empty()
    }

    /// What was granted is held if the lease held all the while since the request was sent.
    pub(super) fn claimed(
        &mut self,
        now: BootTime,
        asked: BootTime,
        wishes: &[Wish],
        granted: Option<&[Option<Epoch>]>,
        out: &mut Vec<Action>,
    ) {
        self.requests.claim.done(now);
        let Some(granted) = granted else {
            self.wishes.queue.clear();
            self.requests.view.hasten(self.soon(now));
            return;
        };
        let covered = self.lease.covers(asked, now) && self.may_claim(now);
        for (wish, epoch) in wishes.iter().zip(granted) {
            let epoch = epoch.filter(|epoch| self.observer.foresaw(asked, epoch.timeline));
            let Some(epoch) = epoch else {
                self.requests.view.hasten(self.soon(now));
                continue;
            };
            match wish.key {
                ClaimKey::Slot(slot) => self.won(now, slot, wish, epoch, covered),
                ClaimKey::Leader => self.won_lead(now, epoch, covered, out),
                ClaimKey::Lock(_) => {}
            }
        }
        self.drop_overtaken();
        if self.gives_all_away() {
            self.give_away(now, out);
        }
    }

    /// Forgets wishes that a look before the grants made: claiming once more what is held by now would end that term in
    /// the store, and this node would learn of it only if the answer comes.
    fn drop_overtaken(&mut self) {
        let mut queue = std::mem::take(&mut self.wishes.queue);
        queue.retain(|wish| match wish.key {
            ClaimKey::Slot(slot) => self.wish(slot, self.table.cell(slot)).as_ref() == Some(wish),
            ClaimKey::Leader => self.wish_to_lead().as_ref() == Some(wish),
            ClaimKey::Lock(_) => false,
        });
        self.wishes.queue = queue;
    }

    fn won(&mut self, now: BootTime, slot: Slot, wish: &Wish, epoch: Epoch, covered: bool) {
        let cell = *self.table.cell(slot);
        let suspect = cell.suspect || wish.by_force;
        self.table
            .row(slot, Version { epoch, step: 0 }, Owner::Me, suspect);
        let free = match cell.mine {
            Mine::Not => true,
            Mine::Held { epoch: old, .. } => old < epoch,
            Mine::Leaving { .. } | Mine::Releasing { .. } => false,
        };
        if covered && free && !cell.is_closed(epoch) && !self.is_doomed(epoch) {
            let suspect_until = suspect.then(|| after(now, self.timing.mclt));
            let origin = match cell.mine {
                Mine::Held { epoch: old, .. } => Origin::Continued(old),
                _ if suspect || wish.seen == Version::default() => Origin::Taken,
                _ => Origin::GivenBack(wish.seen.epoch),
            };
            self.table.set(
                slot,
                Mine::Held {
                    epoch,
                    since: now,
                    suspect_until,
                    origin,
                },
            );
        } else {
            self.requests.view.hasten(self.soon(now));
        }
    }

    fn won_lead(&mut self, now: BootTime, epoch: Epoch, covered: bool, out: &mut Vec<Action>) {
        if covered && !self.leading.is_closed(epoch) && !self.is_doomed(epoch) && !self.gives_all_away() {
            self.leading.win(epoch);
            self.name_leader(now, Owner::Me, out);
        }
    }

    /// Ends quarantines that are over.
    pub(super) fn next_settled(&mut self, now: BootTime) -> Vec<Fence> {
        let mut next = BootTime::MAX;
        let mut over = Vec::new();
        for (slot, cell) in self.table.iter() {
            let Mine::Held {
                epoch,
                suspect_until: Some(until),
                ..
            } = cell.mine
            else {
                continue;
            };
            if until <= now && over.len() < BATCH {
                over.push(Fence {
                    key: ClaimKey::Slot(slot),
                    epoch,
                });
            } else {
                next = next.min(until);
            }
        }
        self.table.settle_at(next);
        over
    }

    pub(super) fn settled(&mut self, now: BootTime, held: &[Fence], done: bool) {
        let again = if done { now } else { self.soon(now) };
        self.requests.settle.done(again);
        for fence in held {
            let ClaimKey::Slot(slot) = fence.key else { continue };
            let cell = *self.table.cell(slot);
            match cell.mine {
                Mine::Held {
                    epoch, since, origin, ..
                } if epoch == fence.epoch && done => {
                    self.table.set(
                        slot,
                        Mine::Held {
                            epoch,
                            since,
                            suspect_until: None,
                            origin,
                        },
                    );
                }
                Mine::Held { epoch, .. } if epoch == fence.epoch => {
                    self.table.settle_at(self.table.next_settle().min(again));
                }
                _ => {}
            }
        }
    }
}
