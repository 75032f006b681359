//! A share of the address space: the slots that this node holds, each with its term, and what may have been promised
//! there without a record.
//!
//! A *window* is a block of 64 addresses of which lead mode may give some out ahead of their records (rule R2). It is
//! itself a durable row of its slot, so whoever takes the slot over knows which unrecorded addresses may be somebody's
//! and leaves them alone for the client lead time (rule R4).

mod order;
#[cfg(test)]
mod tests;

pub(crate) use order::{Order, Pick, hash_of};

use purlin_types::{BLOCK_BITS, Epoch, Slot, SlotSet, WallTime};
use std::collections::{BTreeMap, HashMap};

/// Addresses of a block.
pub(crate) const BLOCK: u32 = 1 << BLOCK_BITS;

/// The block that an address lies in.
pub(crate) fn block_of(address: u32) -> u32 {
    address >> BLOCK_BITS
}

/// What this node holds.
#[derive(Debug, Default)]
pub(crate) struct Share {
    slots: SlotSet,
    terms: HashMap<Slot, Term>,
    /// Whether the node may decide at this moment (rule R0); where not, it still knows where packets belong.
    tenured: bool,
}

/// One slot under one claim. Times are Unix seconds.
#[derive(Debug)]
pub(crate) struct Term {
    epoch: Epoch,
    /// Until when unrecorded addresses of its windows are left alone; 0 when nothing is in doubt.
    quarantine_until: u32,
    /// Until when every unrecorded address is left alone, because records may be missing too.
    distrust_until: u32,
    /// When its rows were read: until the store's second copy is as far as that, it may lack any of them.
    since: WallTime,
    windows: BTreeMap<u32, Window>,
}

/// A block of which addresses may be given out without a record.
#[derive(Debug, Clone, Copy)]
enum Window {
    /// The store had it when the slot was taken over.
    Inherited,
    /// Its record was appended then; it counts once that is durable.
    Written(WallTime),
}

impl Term {
    pub(crate) fn new(epoch: Epoch, quarantine_until: u32, since: WallTime) -> Self {
        Self {
            epoch,
            quarantine_until,
            distrust_until: 0,
            since,
            windows: BTreeMap::new(),
        }
    }

    pub(crate) fn inherit_window(&mut self, block: u32) {
        self.windows.insert(block, Window::Inherited);
    }
}

impl Share {
    pub(crate) fn slots(&self) -> &SlotSet {
        &self.slots
    }

    /// Says whether the node's tenure holds, before each decision.
    pub(crate) fn set_tenured(&mut self, tenured: bool) {
        self.tenured = tenured;
    }

    pub(crate) fn tenured(&self) -> bool {
        self.tenured
    }

    /// Whether this node decides about a slot now.
    pub(crate) fn holds(&self, slot: Slot) -> bool {
        self.tenured && self.slots.contains(slot)
    }

    pub(crate) fn holds_address(&self, address: u32) -> bool {
        self.holds(Slot::of_block(block_of(address)))
    }

    pub(crate) fn epoch(&self, slot: Slot) -> Option<Epoch> {
        self.terms.get(&slot).map(|term| term.epoch)
    }

    pub(crate) fn take(&mut self, slot: Slot, term: Term) {
        self.slots.insert(slot);
        self.terms.insert(slot, term);
    }

    /// True when it was held.
    pub(crate) fn give_up(&mut self, slot: Slot) -> bool {
        self.terms.remove(&slot);
        self.slots.remove(slot)
    }

    /// Leaves every unrecorded address of a slot alone for a while.
    pub(crate) fn distrust(&mut self, slot: Slot, until: u32) {
        if let Some(term) = self.terms.get_mut(&slot) {
            term.distrust_until = term.distrust_until.max(until);
        }
    }

    /// Goes on with a slot under another epoch. True when it was held under `former`.
    pub(crate) fn renew_term(&mut self, slot: Slot, former: Epoch, epoch: Epoch) -> bool {
        let term = self.terms.get_mut(&slot).filter(|term| term.epoch == former);
        term.map(|term| term.epoch = epoch).is_some()
    }

    /// The windows of a slot, by block.
    pub(crate) fn windows(&self, slot: Slot) -> impl Iterator<Item = u32> + '_ {
        let term = self.terms.get(&slot);
        term.into_iter().flat_map(|term| term.windows.keys().copied())
    }

    /// When the rows of an address's slot were read.
    pub(crate) fn since(&self, address: u32) -> WallTime {
        self.term_of(address).map_or(WallTime(0), |term| term.since)
    }

    fn term_of(&self, address: u32) -> Option<&Term> {
        self.terms.get(&Slot::of_block(block_of(address)))
    }

    /// Seconds for which an unrecorded address must still be left alone (rule R4); 0 when it is free.
    pub(crate) fn quarantine(&self, address: u32, now: u32) -> u32 {
        let Some(term) = self.term_of(address) else {
            return 0;
        };
        let window = term.windows.get(&block_of(address));
        let until = match window {
            Some(Window::Inherited) => term.quarantine_until.max(term.distrust_until),
            _ => term.distrust_until,
        };
        until.saturating_sub(now)
    }

    /// Seconds for which a record of the address's slot may be older than what was promised last; 0 when none is.
    pub(crate) fn distrusts(&self, address: u32, now: u32) -> u32 {
        let until = self.term_of(address).map_or(0, |term| term.distrust_until);
        until.saturating_sub(now)
    }

    /// Whether a first binding of `address` may be acknowledged before its record is durable (rule R2). `durable` is
    /// [`crate::step::Log::durable`].
    pub(crate) fn leads(&self, address: u32, durable: WallTime) -> bool {
        let window = self
            .term_of(address)
            .and_then(|term| term.windows.get(&block_of(address)));
        match window {
            Some(Window::Inherited) => true,
            Some(Window::Written(at)) => *at < durable,
            None => false,
        }
    }

    /// Makes the address's block a window; gives the record to write, first address and end, when it was none.
    pub(crate) fn open_window(&mut self, address: u32, now: WallTime) -> Option<(u32, u32)> {
        let block = block_of(address);
        let term = self.terms.get_mut(&Slot::of_block(block))?;
        if term.windows.contains_key(&block) {
            return None;
        }
        term.windows.insert(block, Window::Written(now));
        let first = block << BLOCK_BITS;
        Some((first, first.saturating_add(BLOCK)))
    }

    /// The wall clock was set: `moved` says what became of a time.
    pub(crate) fn shift(&mut self, moved: impl Fn(u32) -> u32) {
        for term in self.terms.values_mut() {
            term.quarantine_until = moved(term.quarantine_until);
            term.distrust_until = moved(term.distrust_until);
        }
    }
}
