//! The transactions of one sender, by nonce.
//!
//! ```text
//!   account's nonce 5            next = 8
//!     │                            │
//!     5 ── 6 ── 7 ── (nothing) ── 9 ── 10
//!     └─ pending ─┘               └ queued ┘
//! ```
//!
//! Pending is the longest run of nonces without a gap, from the account's own, whose costs together the balance covers. Of an
//! account whose code is delegated (EIP-7702) the run is one long.

use super::pooled::{AccountState, Pooled};
use alloy_primitives::U256;
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::ops::RangeBounds;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Sender {
    state: AccountState,
    transactions: BTreeMap<u64, Arc<Pooled>>,
    /// The first nonce that is not pending.
    next: u64,
    pending_cost: U256,
    slots: usize,
    pending_slots: usize,
}

/// A transaction that left with its account's change.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) transaction: Arc<Pooled>,
    pub(super) was_pending: bool,
}

/// What an account's change did to its transactions.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) used: Vec<Left>,
    pub(super) unpayable: Vec<Left>,
    pub(super) demoted: Vec<Arc<Pooled>>,
    pub(super) promoted: Vec<Arc<Pooled>>,
}

impl Sender {
    pub(super) const fn new(state: AccountState) -> Self {
        Self {
            state,
            transactions: BTreeMap::new(),
            next: state.nonce,
            pending_cost: U256::ZERO,
            slots: 0,
            pending_slots: 0,
        }
    }

    pub(super) const fn state(&self) -> AccountState {
        self.state
    }

    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// Whether the run is as long as a delegated account's may be.
    pub(super) const fn is_held(&self) -> bool {
        self.state.delegated && self.next > self.state.nonce
    }

    pub(super) const fn pending_cost(&self) -> U256 {
        self.pending_cost
    }

    pub(super) const fn slots(&self) -> usize {
        self.slots
    }

    pub(super) const fn queued_slots(&self) -> usize {
        self.slots - self.pending_slots
    }

    pub(super) fn len(&self) -> usize {
        self.transactions.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    pub(super) fn get(&self, nonce: u64) -> Option<&Arc<Pooled>> {
        self.transactions.get(&nonce)
    }

    pub(super) fn range(&self, nonces: impl RangeBounds<u64>) -> Range<'_, u64, Arc<Pooled>> {
        self.transactions.range(nonces)
    }

    pub(super) fn pending(&self) -> Range<'_, u64, Arc<Pooled>> {
        self.range(..self.next)
    }

    pub(super) fn queued(&self) -> Range<'_, u64, Arc<Pooled>> {
        self.range(self.next..)
    }

    /// Puts it in; what had its nonce comes back. The run is not moved: [`Self::extend`] does that.
    pub(super) fn put(&mut self, transaction: Arc<Pooled>) -> Option<Arc<Pooled>> {
        let (nonce, cost, slots) = (transaction.nonce(), transaction.cost(), transaction.slots());
        self.slots += slots;
        let old = self.transactions.insert(nonce, transaction);
        if let Some(old) = &old {
            self.slots -= old.slots();
        }
        if nonce < self.next {
            let old = old.as_ref().expect("every nonce of the run is taken");
            self.pending_cost = self.pending_cost - old.cost() + cost;
            self.pending_slots = self.pending_slots - old.slots() + slots;
        }
        old
    }

    /// Takes it out. What is pending behind it is queued from now on, and comes back.
    pub(super) fn take(&mut self, nonce: u64) -> Option<(Arc<Pooled>, Vec<Arc<Pooled>>)> {
        let demoted = self.retreat(nonce);
        let transaction = self.transactions.remove(&nonce)?;
        self.slots -= transaction.slots();
        Some((
            transaction,
            demoted.into_iter().filter(|one| one.nonce() != nonce).collect(),
        ))
    }

    /// Lets the run grow as far as nonces and balance allow; what became pending comes back.
    pub(super) fn extend(&mut self) -> Vec<Arc<Pooled>> {
        let mut promoted = Vec::new();
        while let Some(transaction) = self.transactions.get(&self.next) {
            if self.is_held() {
                break;
            }
            let cost = self.pending_cost.saturating_add(transaction.cost());
            if cost > self.state.balance {
                break;
            }
            self.pending_cost = cost;
            self.pending_slots += transaction.slots();
            self.next += 1;
            promoted.push(Arc::clone(transaction));
        }
        promoted
    }

    /// The account is different now: used nonces and what it can never pay leave, and the run is made anew.
    ///
    /// Linear in the sender's transactions, once per block that changed the account.
    pub(super) fn settle(&mut self, state: AccountState) -> Settled {
        let before = self.next;
        let kept = self.transactions.split_off(&state.nonce);
        let used = std::mem::replace(&mut self.transactions, kept);
        let unpayable = self
            .transactions
            .extract_if(.., |_, one| one.cost() > state.balance);
        let left = |(nonce, one)| Left {
            transaction: one,
            was_pending: nonce < before,
        };
        let unpayable: Vec<_> = unpayable.map(left).collect();
        let used: Vec<_> = used.into_iter().map(left).collect();
        self.slots -= used
            .iter()
            .chain(&unpayable)
            .map(|one| one.transaction.slots())
            .sum::<usize>();
        self.state = state;
        self.next = state.nonce;
        self.pending_cost = U256::ZERO;
        self.pending_slots = 0;
        let run = self.extend();
        let demoted = self
            .range(self.next..before.max(self.next))
            .map(|(_, one)| Arc::clone(one));
        Settled {
            used,
            unpayable,
            demoted: demoted.collect(),
            promoted: run.into_iter().filter(|one| one.nonce() >= before).collect(),
        }
    }

    /// Ends the run before `nonce`; what was pending from there on comes back.
    fn retreat(&mut self, nonce: u64) -> Vec<Arc<Pooled>> {
        if nonce >= self.next {
            return Vec::new();
        }
        let demoted: Vec<_> = self
            .range(nonce..self.next)
            .map(|(_, one)| Arc::clone(one))
            .collect();
        for one in &demoted {
            self.pending_cost -= one.cost();
            self.pending_slots -= one.slots();
        }
        self.next = nonce;
        demoted
    }
}
