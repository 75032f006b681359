//! The transaction pool: what waits to be mined.
//!
//! A stepped core: the caller brings the time, the sender's account and the next block's head; what happened comes back
//! as [`Event`]s. Nothing is executed here: whether a transaction still works is the executor's word, given back by
//! [`Pool::refused`].
//!
//! ```text
//!            insert ──check──► room ──► Sender (by nonce) ──┬─ pending ──best()──► a block ──on_block──► mined
//!              │                │                           └─ queued ──(gap filled, funds came)──► pending
//!              ▼ Refusal        ▼ the least worth is evicted         └──(too old)──► dropped
//! ```
//!
//! Costs, with n transactions here and k of one sender: `insert` log n; `best` makes a heap of one transaction per sender
//! and takes log n for each that it gives; `on_block` log n for each mined transaction and k for each changed sender that
//! has transactions here; the first eviction at a new base fee n log n, each further one log n. Everything is kept in
//! ordered maps, so that no stranger can choose keys that collide, and the same calls give the same result everywhere.

mod advance;
#[cfg(test)]
mod audit;
mod best;
mod check;
mod delegation;
mod departed;
mod event;
pub mod gas;
mod head;
mod index;
mod insert;
pub mod journal;
mod pooled;
mod refusal;
mod room;
mod sender;
mod settings;
mod view;
mod why;
mod worth;

pub use advance::NewBlock;
pub use best::Best;
pub use departed::Departure;
pub use event::{Dropped, Event, Place};
pub use head::Head;
pub use insert::Inserted;
pub use pooled::{AccountState, Origin, Pooled};
pub use refusal::Refusal;
pub use settings::{SLOT_BYTES, Settings};
pub use view::{ByNonce, Content, Inspection, Status};
pub use why::{Price, Standing, Why};

use alloy_primitives::{Address, B256};
use delegation::Authorities;
use departed::Departed;
use sender::Sender;
use std::collections::BTreeMap;
use std::sync::Arc;
use worth::ByWorth;

/// The transactions that wait.
///
/// The pool believes [`Pool::on_block`] about the accounts of senders that it holds; the account that
/// [`Pool::insert`] is given counts for a sender it does not hold. Read it under the same lock, at the head that
/// `on_block` was told last.
#[derive(Debug)]
pub struct Pool {
    settings: Settings,
    head: Head,
    by_hash: BTreeMap<B256, Arc<Pooled>>,
    senders: BTreeMap<Address, Sender>,
    pending: usize,
    slots: usize,
    arrivals: u64,
    /// Queued ones that can grow too old, in the order of arrival.
    aging: BTreeMap<u64, Arc<Pooled>>,
    /// Made when there is no room, for one base fee.
    by_worth: Option<ByWorth>,
    authorities: Authorities,
    departed: Departed,
}

impl Pool {
    /// An empty pool for transactions of the block that follows `head`.
    #[must_use]
    pub fn new(settings: Settings, head: Head) -> Self {
        Self {
            settings,
            head,
            by_hash: BTreeMap::new(),
            senders: BTreeMap::new(),
            pending: 0,
            slots: 0,
            arrivals: 0,
            aging: BTreeMap::new(),
            by_worth: None,
            authorities: Authorities::new(),
            departed: Departed::default(),
        }
    }

    /// The limits in force.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The next block, as it was told last.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The transaction with this hash, pending or queued.
    #[must_use]
    pub fn get(&self, hash: &B256) -> Option<&Arc<Pooled>> {
        self.by_hash.get(hash)
    }

    /// How many there are, pending and queued.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Slots in use, of [`Settings::slots_max`].
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// The nonce that follows the pending transactions of `address` (`eth_getTransactionCount` at `pending`); nothing when
    /// it has none here, and the account's own nonce is the answer.
    #[must_use]
    pub fn next_nonce(&self, address: &Address) -> Option<u64> {
        self.senders.get(address).map(Sender::next)
    }
}
