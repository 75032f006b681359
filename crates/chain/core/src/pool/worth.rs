//! Which transactions go first when there is no room: the order of their worth, kept only while it is needed.
//!
//! Worth depends on the base fee, which moves with every block. So the order is made when the pool is full for the first
//! time at a base fee (n log n), follows every change in log n while that base fee holds, and is thrown away with it. A
//! pool that is never full never pays for it.

use super::pooled::{Origin, Pooled};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How much a transaction is worth to the producer of the next block; the least goes first.
///
/// Compared field by field: kept before all others; whether it covers the base fee; what it pays above the base fee (or
/// how far it comes); its fees; the older one is worth more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worth {
    kept: bool,
    covers: bool,
    pays: u128,
    fee_cap: u128,
    tip_cap: u128,
    arrival: Reverse<u64>,
}

impl Worth {
    pub(super) fn of(transaction: &Pooled, base_fee: u64, locals_first: bool) -> Self {
        let tip = transaction.effective_tip(base_fee);
        Self {
            kept: locals_first && transaction.origin() == Origin::Local,
            covers: tip.is_some(),
            pays: tip.unwrap_or_else(|| transaction.fee_cap()),
            fee_cap: transaction.fee_cap(),
            tip_cap: transaction.tip_cap(),
            arrival: Reverse(transaction.arrival()),
        }
    }

    pub(super) const fn kept(&self) -> bool {
        self.kept
    }

    /// Whether it pays more than `other`: who came first does not count.
    pub(super) fn more_than(&self, other: &Self) -> bool {
        let price = |one: &Self| (one.kept, one.covers, one.pays, one.fee_cap, one.tip_cap);
        price(self) > price(other)
    }
}

/// All transactions by worth at one base fee.
#[derive(Debug)]
pub(super) struct ByWorth {
    base_fee: u64,
    locals_first: bool,
    pub(super) pending: BTreeMap<Worth, Arc<Pooled>>,
    pub(super) queued: BTreeMap<Worth, Arc<Pooled>>,
}

impl ByWorth {
    pub(super) const fn new(base_fee: u64, locals_first: bool) -> Self {
        Self {
            base_fee,
            locals_first,
            pending: BTreeMap::new(),
            queued: BTreeMap::new(),
        }
    }

    pub(super) fn worth(&self, transaction: &Pooled) -> Worth {
        Worth::of(transaction, self.base_fee, self.locals_first)
    }

    pub(super) fn insert(&mut self, transaction: &Arc<Pooled>, pending: bool) {
        let worth = self.worth(transaction);
        self.half(pending).insert(worth, Arc::clone(transaction));
    }

    pub(super) fn remove(&mut self, transaction: &Pooled, pending: bool) {
        let worth = self.worth(transaction);
        self.half(pending).remove(&worth);
    }

    const fn half(&mut self, pending: bool) -> &mut BTreeMap<Worth, Arc<Pooled>> {
        if pending {
            &mut self.pending
        } else {
            &mut self.queued
        }
    }
}
