//! Giving slots away: at once when they are lost, in order in every other case.

use super::table::{Cell, Mine, Owner};
use super::{Action, Coordinator, LifeKey};
use crate::event::Event;
use crate::port::{ClaimKey, Fence};
use purlin_types::{BootTime, Epoch, Slot};
use std::collections::VecDeque;

/// The most slots that are being given away at a time: what a service flushes in one go.
const LEAVING_MAX: u16 = 512;

/// The most claims in one request.
pub(super) const BATCH: usize = 512;

/// The pace of moves, and what waits to be released.
#[derive(Debug, Clone, Default)]
pub(super) struct Giving {
    /// Moves that may be made now, in 60,000ths: a move each millisecond for a pace of 60,000 in a minute.
    tokens: u64,
    filled: BootTime,
    /// Flushed, or this node's by the store's word only.
    queue: VecDeque<Fence>,
}

const TOKEN: u64 = 60_000;

impl Giving {
    /// How many moves the pace allows now; never more than a tenth of a minute's at once.
    fn allowance(&mut self, now: BootTime, per_minute: u16) -> u16 {
        let pace = u64::from(per_minute);
        let most = pace.div_ceil(10).max(1) * TOKEN;
        let earned = now.millis_since(self.filled).saturating_mul(pace);
        if earned > 0 {
            self.tokens = self.tokens.saturating_add(earned).min(most);
            self.filled = now;
        }
        u16::try_from(self.tokens / TOKEN).unwrap_or(u16::MAX)
    }

    fn spend(&mut self, moves: usize) {
        self.tokens = self.tokens.saturating_sub(moves as u64 * TOKEN);
    }

    pub(super) fn enqueue(&mut self, fence: Fence) {
        if !self.queue.contains(&fence) {
            self.queue.push_back(fence);
        }
    }
}

impl Coordinator {
    /// Deals with leases that have ended by `now`.
    pub(super) fn lapse(&mut self, now: BootTime, out: &mut Vec<Action>) {
        if let Some(frozen) = self.frozen
            && (now >= frozen || !self.holds_doomed())
        {
            self.frozen = None;
            self.drop_doomed();
        }
        let end = self.lease.until();
        if self.lapsed == end || self.lease.holds(now) {
            return;
        }
        self.lapsed = end;
        self.leading.lose();
        Self::tell(out, Event::Lapsed);
        let held = self.table.select(|cell| matches!(cell.mine, Mine::Held { .. }));
        self.give_up(held, out);
    }

    pub(super) const fn is_doomed(&self, epoch: Epoch) -> bool {
        epoch.timeline < self.lossy_below
    }

    /// Whether something is held of a history before this one that is not known to be doomed.
    pub(super) fn holds_before(&self, timeline: u32) -> bool {
        let former = |epoch: Epoch| epoch.timeline < timeline && !self.is_doomed(epoch);
        let slots = self.table.select(|cell| cell.mine.epoch().is_some_and(former));
        !slots.is_empty() || self.leading.epoch().is_some_and(former)
    }

    fn holds_doomed(&self) -> bool {
        let slots = self.table.select(|cell| self.is_doomed_cell(cell));
        !slots.is_empty() || self.leading.epoch().is_some_and(|epoch| self.is_doomed(epoch))
    }

    fn is_doomed_cell(&self, cell: &Cell) -> bool {
        cell.mine.epoch().is_some_and(|epoch| self.is_doomed(epoch))
    }

    /// Claims of a lost history end with the tenure that they had when it was lost: they can be neither renewed nor
    /// flushed.
    fn drop_doomed(&mut self) {
        if self.leading.epoch().is_some_and(|epoch| self.is_doomed(epoch)) {
            self.leading.lose();
        }
        for slot in self.table.select(|cell| self.is_doomed_cell(cell)) {
            self.table.set(slot, Mine::Not);
        }
    }

    /// Asks the services to let go of slots that are held.
    pub(super) fn give_up(&mut self, slots: Vec<Slot>, out: &mut Vec<Action>) {
        for &slot in &slots {
            if let Mine::Held { epoch, .. } = self.table.cell(slot).mine {
                self.table.set(slot, Mine::Leaving { epoch });
            }
        }
        if !slots.is_empty() {
            out.push(Action::GiveUp(slots));
        }
    }

    /// Gives up what others should have, at the pace that is set; everything, when this node drains.
    pub(super) fn give_away(&mut self, now: BootTime, out: &mut Vec<Action>) {
        let room = LEAVING_MAX.saturating_sub(self.table.leaving() + self.table.releasing());
        if room == 0 || !self.table.holds_any() {
            return;
        }
        let all = self.gives_all_away();
        let paced = self.giving.allowance(now, self.timing.moves_per_minute);
        let most = if all { room } else { room.min(paced) };
        let held = |cell: &Cell| matches!(cell.mine, Mine::Held { .. });
        let slots: Vec<Slot> = self
            .table
            .iter()
            .filter(|(slot, cell)| held(cell) && (all || self.is_elsewhere(*slot)))
            .map(|(slot, _)| slot)
            .take(usize::from(most))
            .collect();
        if !all {
            self.giving.spend(slots.len());
        }
        self.give_up(slots, out);
    }

    pub(super) const fn gives_all_away(&self) -> bool {
        self.draining || self.skew.is_some()
    }

    /// The services have let go and everything is durable.
    pub(super) fn flushed(&mut self, slots: &[Slot]) {
        for &slot in slots {
            if let Mine::Leaving { epoch } = self.table.cell(slot).mine {
                self.table.flushed(slot, epoch);
                self.table.set(slot, Mine::Releasing { epoch });
                self.giving.enqueue(Fence {
                    key: ClaimKey::Slot(slot),
                    epoch,
                });
            }
        }
    }

    /// The next claims to give back.
    pub(super) fn next_release(&mut self) -> Vec<Fence> {
        let n = self.giving.queue.len().min(BATCH);
        self.giving.queue.drain(..n).collect()
    }

    pub(super) fn has_releases(&self) -> bool {
        !self.giving.queue.is_empty()
    }

    /// Given back, or nobody knows: in either case no longer this node's. The next look tells what is left to release.
    pub(super) fn released(&mut self, now: BootTime, held: &[Fence], done: bool, out: &mut Vec<Action>) {
        self.requests
            .release
            .done(if done { now } else { self.soon(now) });
        for fence in held {
            let ClaimKey::Slot(slot) = fence.key else { continue };
            if self.table.cell(slot).mine == (Mine::Releasing { epoch: fence.epoch }) {
                self.table.set(slot, Mine::Not);
                let (row, suspect) = (self.table.cell(slot).row, self.table.cell(slot).suspect);
                let owner = if done { Owner::Nobody } else { Owner::Me };
                self.table.row(slot, row, owner, suspect);
            }
        }
        self.requests.view.hasten(self.soon(now));
        if self.gives_all_away() {
            self.give_away(now, out);
        }
    }

    /// The store refused a write: somebody else has these slots.
    pub(super) fn fence_lost(&mut self, now: BootTime, slots: &[Slot], out: &mut Vec<Action>) {
        if slots.is_empty() {
            return;
        }
        let mut lost = 0;
        for &slot in slots {
            lost += u16::from(self.table.cell(slot).mine != Mine::Not);
            self.table.set(slot, Mine::Not);
        }
        self.requests.view.hasten(now);
        if lost > 0 {
            Self::tell(out, Event::FenceLost { slots: lost });
        }
    }

    pub(super) fn drain(&mut self, now: BootTime, out: &mut Vec<Action>) {
        self.draining = true;
        self.step_down();
        self.give_away(now, out);
    }

    pub(super) fn leave(&mut self, now: BootTime, out: &mut Vec<Action>) {
        self.leaving = true;
        self.drain(now, out);
    }

    /// Gives the lead back.
    pub(super) fn step_down(&mut self) {
        if let Some(fence) = self.leading.fence() {
            self.leading.lose();
            self.giving.enqueue(fence);
        }
    }

    /// The life that a row names.
    pub(super) fn is_lapsed(&self, life: &LifeKey) -> bool {
        self.observer.lapsed(life)
    }
}
