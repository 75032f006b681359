//! Free addresses of one pool, found in constant time.
//!
//! Addresses are taken in this order: offers that nobody took up, addresses never used, then those whose lease
//! ended longest ago (so that a former client finds its own address for as long as possible).

#[cfg(test)]
mod tests;

use crate::hold::Hold;
use crate::lease::{FLAG_LAPSED, FLAG_QUEUED};
use crate::table::Table;
use crate::view::LeaseState;
use purlin_types::WallTime;
use std::collections::VecDeque;

/// How many never-used addresses lead mode may give out ahead of a durable record (rule R2).
const WINDOW: u32 = 8192;

#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) subnet: u16,
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// Classes of which a client must be in one; 0 admits all.
    pub(crate) guard: u128,
    /// Index within its subnet's plan.
    pub(crate) index: u16,
    /// The next address that was never used, or `None` when all were.
    fresh: Option<u32>,
    lapsed: Vec<u32>,
    ended: VecDeque<u32>,
    /// Addresses on offer, roughly oldest first; those that are not any more are dropped on the way.
    offers: VecDeque<u32>,
    pub(crate) window: Window,
    /// How many leases of each state lie in it.
    pub(crate) counts: [u64; 6],
    /// What a restore leaves in doubt.
    pub(crate) hold: Hold,
}

/// The stretch of never-used addresses that lead mode may bind before their records are durable.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    /// First address behind the window; 0 when there is none.
    pub(crate) end: u32,
    /// Up to here the window counts: its record is known to be durable.
    durable_end: u32,
    /// When the window's record was appended; `end` counts once that is durable.
    written: WallTime,
    /// Until when unrecorded addresses below `end` are left alone (rule R4).
    pub(crate) quarantine_until: u32,
}

impl Window {
    /// The window as far as it lies in a pool that ends at `last`.
    pub(crate) fn cut(self, last: u32) -> Self {
        let bound = last.saturating_add(1);
        Self {
            end: self.end.min(bound),
            durable_end: self.durable_end.min(bound),
            ..self
        }
    }
}

impl Pool {
    pub(crate) fn new(subnet: u16, index: u16, first: u32, last: u32, guard: u128) -> Self {
        Self {
            subnet,
            index,
            first,
            last,
            guard,
            fresh: Some(first),
            lapsed: Vec::new(),
            ended: VecDeque::new(),
            offers: VecDeque::new(),
            window: Window::default(),
            counts: [0; 6],
            hold: Hold::default(),
        }
    }

    pub(crate) fn contains(&self, address: u32) -> bool {
        (self.first..=self.last).contains(&address)
    }

    pub(crate) fn size(&self) -> u64 {
        u64::from(self.last) - u64::from(self.first) + 1
    }

    pub(crate) fn admits(&self, classes: u128) -> bool {
        self.guard == 0 || self.guard & classes != 0
    }

    /// An address that was never used, or whose offer lapsed. `skip` says which addresses are not for this client.
    pub(crate) fn take_fresh(
        &mut self,
        table: &mut Table,
        now: u32,
        mclt: u32,
        skip: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        if self.hold.is_on(now) {
            // Whatever has no record here is in doubt.
            return None;
        }
        while let Some(address) = self.lapsed.pop() {
            let slot = table.slot_or_new(address);
            table.update(slot, |l| l.flags &= !FLAG_LAPSED);
            let free = table.lease(slot).reusable(now, mclt);
            if free && !skip(address) && !self.quarantined(address, now) {
                return Some(address);
            }
        }
        let quarantine = now < self.window.quarantine_until;
        let mut from = self.fresh?;
        if quarantine {
            from = from.max(self.window.end);
        }
        loop {
            let found = (from <= self.last)
                .then(|| table.next_unoccupied(from, self.last))
                .flatten();
            let next = found
                .and_then(|address| address.checked_add(1))
                .filter(|&next| next <= self.last);
            if !quarantine {
                self.fresh = next;
            }
            match found {
                Some(address) if !skip(address) => return Some(address),
                _ => from = next?,
            }
        }
    }

    /// The address whose lease ended longest ago.
    pub(crate) fn take_ended(
        &mut self,
        table: &mut Table,
        now: u32,
        mclt: u32,
        skip: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        for _ in 0..self.ended.len().min(64) {
            let address = self.ended.pop_front()?;
            let slot = table.slot_or_new(address);
            table.update(slot, |l| l.flags &= !FLAG_QUEUED);
            let lease = table.lease(slot);
            if lease.reusable(now, mclt) && !self.hold.doubts(Some(lease), now) && !skip(address) {
                return Some(address);
            }
            // What is bound, offered or declined comes back when that ends.
            if matches!(
                table.lease(slot).state,
                LeaseState::Free | LeaseState::Expired | LeaseState::Released
            ) {
                self.put_ended(table, address);
            }
        }
        None
    }

    /// The address that has been on offer for longest, and is nobody's.
    pub(crate) fn take_offer(
        &mut self,
        table: &Table,
        now: u32,
        mclt: u32,
        skip: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        for _ in 0..self.offers.len() {
            let address = self.offers.pop_front()?;
            if !on_offer(table, address) {
                continue;
            }
            let lease = table.slot(address).map(|slot| table.lease(slot));
            let rests = lease.is_some_and(|lease| lease.rests(now, mclt));
            if !rests && !self.hold.doubts(lease, now) && !skip(address) {
                return Some(address);
            }
            self.offers.push_back(address);
        }
        None
    }

    /// An address is on offer from now on.
    pub(crate) fn put_offer(&mut self, table: &Table, address: u32) {
        let full = self.offers.len() as u64 >= self.size();
        // More leave than come, so that the list is no longer than what is on offer, and never than the pool.
        for _ in 0..2 {
            let stale = |&first: &u32| full || !on_offer(table, first);
            if self.offers.front().is_some_and(stale) {
                self.offers.pop_front();
            }
        }
        self.offers.push_back(address);
    }

    /// An offer of a never-bound address was not taken up.
    pub(crate) fn put_lapsed(&mut self, table: &mut Table, address: u32) {
        let slot = table.slot_or_new(address);
        if !table.lease(slot).has(FLAG_LAPSED) {
            table.update(slot, |l| l.flags |= FLAG_LAPSED);
            self.lapsed.push(address);
        }
    }

    /// Forgets what waits to be used again, and all counts; the caller has taken the flags off the leases.
    pub(crate) fn start_over(&mut self) {
        self.fresh = Some(self.first);
        self.lapsed.clear();
        self.ended.clear();
        self.offers.clear();
        self.counts = [0; 6];
    }

    /// A lease ended: the address may be used again once all fresher ones are gone.
    pub(crate) fn put_ended(&mut self, table: &mut Table, address: u32) {
        let slot = table.slot_or_new(address);
        if !table.lease(slot).has(FLAG_QUEUED) {
            table.update(slot, |l| l.flags |= FLAG_QUEUED);
            self.ended.push_back(address);
        }
    }

    /// A window that came from another pool counts once everything written up to now is durable.
    pub(crate) fn doubt_window(&mut self, now: WallTime) {
        if self.window.durable_end < self.window.end {
            self.window.written = now;
        }
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> (usize, usize) {
        (self.lapsed.len(), self.offers.len())
    }

    /// Whether an unrecorded address must not be touched yet (rule R4).
    pub(crate) fn quarantined(&self, address: u32, now: u32) -> bool {
        now < self.window.quarantine_until && self.contains(address) && address < self.window.end
    }

    /// Whether a first binding of `address` may be acknowledged before its record is durable (rule R2).
    pub(crate) fn leads(&mut self, address: u32, durable: WallTime) -> bool {
        if self.window.written < durable {
            self.window.durable_end = self.window.end;
        }
        address < self.window.durable_end
    }

    /// Moves the window on when it runs out; gives the record to write: first address and end.
    pub(crate) fn extend_window(&mut self, now: WallTime) -> Option<(u32, u32)> {
        let next = self.fresh?;
        let ahead = self.window.end.saturating_sub(next);
        let pending = self.window.durable_end < self.window.end;
        if ahead > WINDOW / 2 || self.window.end > self.last || pending {
            return None;
        }
        let end = next.saturating_add(WINDOW).min(self.last.saturating_add(1));
        self.window = Window {
            end,
            written: now,
            ..self.window
        };
        Some((self.first, end))
    }

    /// Takes as much of a window of addresses `first` to `end` as lies in this pool; after an unclean start the
    /// unrecorded ones among them are left alone for a while. The pool may have been cut otherwise when the window
    /// was written.
    pub(crate) fn restore_window(&mut self, first: u32, end: u32) {
        if first <= self.last && end > self.first {
            self.window.end = self.window.end.max(end.min(self.last.saturating_add(1)));
        }
    }
}

fn on_offer(table: &Table, address: u32) -> bool {
    let slot = table.slot(address);
    slot.is_some_and(|s| table.lease(s).state == LeaseState::Offered)
}
