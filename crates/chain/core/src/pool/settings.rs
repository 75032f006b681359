//! The limits of the pool. Everything a stranger can make grow has one.

use super::pooled::{Origin, Pooled};
use std::time::Duration;

/// Octets of one slot: what a transaction takes of the limits is counted in these, as geth does.
pub const SLOT_BYTES: usize = 32 * 1024;

/// Limits and prices; [`Pool::reconfigure`](super::Pool::reconfigure) changes them at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Slots of all transactions together; a plain transfer takes one. The memory bound is this times 32 KiB.
    pub slots_max: usize,
    /// Slots of one sender, executable and waiting.
    pub sender_slots_max: usize,
    /// Slots of one sender's transactions that wait for an earlier nonce.
    pub sender_queued_slots_max: usize,
    /// How far a nonce may be ahead of the sender's next executable one.
    pub nonce_gap_max: u64,
    /// The least `maxPriorityFeePerGas` (or gas price) in wei that is taken in. Producers ask [`Pool::best`](super::Pool::best)
    /// for this too: what a fee cap leaves of a tip above the base fee may be less.
    pub tip_min: u128,
    /// How many percent more a replacement must offer, of both fees.
    pub price_bump_percent: u8,
    /// How long a transaction that cannot be executed is kept, from its arrival.
    pub queued_lifetime: Duration,
    /// The largest encoded transaction, in octets.
    pub transaction_bytes_max: usize,
    /// Whether what came in over this node's own RPC is kept before all else: never evicted for a stranger's, never too
    /// old, never below the least tip.
    pub locals_first: bool,
    /// Whether a legacy transaction without a chain id (before EIP-155) is taken in.
    pub unprotected_allowed: bool,
    /// How many departed transactions are remembered for [`Pool::why`](super::Pool::why).
    pub departed_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slots_max: 8192,
            sender_slots_max: 2048,
            sender_queued_slots_max: 1024,
            nonce_gap_max: 1024,
            tip_min: 0,
            price_bump_percent: 10,
            queued_lifetime: Duration::from_secs(3 * 60 * 60),
            transaction_bytes_max: 4 * SLOT_BYTES,
            locals_first: false,
            unprotected_allowed: false,
            departed_max: 4096,
        }
    }
}

impl Settings {
    /// Whether this one is kept before all else.
    pub(super) fn keeps(&self, transaction: &Pooled) -> bool {
        self.locals_first && transaction.origin() == Origin::Local
    }
}

/// Slots that so many octets take: at least one.
pub(super) fn slots_of(bytes: usize) -> usize {
    bytes.div_ceil(SLOT_BYTES).max(1)
}
