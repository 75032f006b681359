//! What goes into a block: transactions in the pool's order, as long as gas, octets, number and time allow.
//!
//! [`Filling`] is asked before each transaction and told after it, because a block's gas is what execution uses and not
//! what senders allow: `offer` reserves the gas limit, `executed` gives back what was not used. [`choose`] does without an
//! executor and counts gas limits in full.

use crate::pool::{Best, Pooled};
use alloy_consensus::Typed2718 as _;
use alloy_primitives::{Address, B256};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The largest RLP encoding of a block since Osaka, in octets: 10 MiB less 2 MiB for what wraps it (EIP-7934).
pub const BLOCK_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What header, list heads and withdrawals of a block may take of that.
const OVERHEAD: usize = 4 * 1024;
/// The most that RLP puts before a typed transaction in a block's list.
const PREFIX: usize = 4;
/// Less gas than this no transaction needs.
const TRANSACTION_GAS: u64 = 21_000;

/// The bounds of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Gas of all transactions together.
    pub gas: u64,
    /// Octets of all transactions together, as they stand in the block.
    pub bytes: usize,
    /// How many transactions.
    pub count: usize,
    /// When to stop, on the clock of `now`; `None` for no limit.
    pub until: Option<Duration>,
}

impl Limits {
    /// The limits of the protocol alone.
    #[must_use]
    pub const fn of_gas(gas: u64) -> Self {
        Self {
            gas,
            bytes: BLOCK_BYTES_MAX - OVERHEAD,
            count: usize::MAX,
            until: None,
        }
    }
}

/// Why a transaction is not in the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its gas limit does not fit into what is left.
    Gas { needs: u64, left: u64 },
    /// Its encoding does not fit into what is left.
    Bytes { needs: usize, left: usize },
    /// The block holds as many transactions as it may.
    Count { max: usize },
    /// The time for making the block is over.
    Time,
    /// It carries blobs.
    Blobs,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gas { needs, left } => write!(f, "it may use {needs} gas, and the block has {left} left"),
            Self::Bytes { needs, left } => {
                write!(
                    f,
                    "it takes {needs} octets, and the block has {left} left (EIP-7934)"
                )
            }
            Self::Count { max } => write!(f, "the block holds {max} transactions, as many as it may"),
            Self::Time => f.write_str("the time for making the block was over"),
            Self::Blobs => f.write_str("it carries blobs, and this chain has none"),
        }
    }
}

/// A block on the way: what it holds already.
#[derive(Debug, Clone)]
pub struct Filling {
    limits: Limits,
    gas: u64,
    bytes: usize,
    count: usize,
    reserved: u64,
    reserved_bytes: usize,
}

impl Filling {
    /// An empty block.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            gas: 0,
            bytes: 0,
            count: 0,
            reserved: 0,
            reserved_bytes: 0,
        }
    }

    /// Whether the transaction goes in. If so its gas limit is reserved until [`Self::executed`] or
    /// [`Self::not_executed`] is called, which must come before the next offer.
    pub fn offer(&mut self, now: Duration, transaction: &Pooled) -> Result<(), Reason> {
        if self.limits.until.is_some_and(|until| now >= until) {
            return Err(Reason::Time);
        }
        if self.count >= self.limits.count {
            return Err(Reason::Count {
                max: self.limits.count,
            });
        }
        if transaction.transaction().ty() == 3 {
            return Err(Reason::Blobs);
        }
        let (needs, left) = (transaction.gas_limit(), self.limits.gas - self.gas);
        if needs > left {
            return Err(Reason::Gas { needs, left });
        }
        self.reserved = needs;
        let (needs, left) = (transaction.bytes() + PREFIX, self.limits.bytes - self.bytes);
        if needs > left {
            return Err(Reason::Bytes { needs, left });
        }
        self.reserved_bytes = needs;
        Ok(())
    }

    /// The offered transaction is in the block and used so much gas.
    pub const fn executed(&mut self, gas_used: u64) {
        // An executor that used more than the limit would be wrong; the block's limit is kept all the same.
        self.gas += if gas_used < self.reserved {
            gas_used
        } else {
            self.reserved
        };
        self.bytes += self.reserved_bytes;
        self.count += 1;
    }

    /// The offered transaction could not be executed and is not in the block.
    pub const fn not_executed(&mut self) {
        self.reserved = 0;
        self.reserved_bytes = 0;
    }

    /// Whether nothing more can go in at `now`.
    #[must_use]
    pub fn is_full(&self, now: Duration) -> bool {
        let late = self.limits.until.is_some_and(|until| now >= until);
        late || self.count >= self.limits.count || self.limits.gas - self.gas < TRANSACTION_GAS
    }

    /// Gas used so far.
    #[must_use]
    pub const fn gas(&self) -> u64 {
        self.gas
    }

    /// Transactions so far.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }
}

/// A transaction that was next and did not go in; its sender's later ones were not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    pub hash: B256,
    pub sender: Address,
    pub nonce: u64,
    pub reason: Reason,
}

/// What goes into a block.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// In the order of the block.
    pub transactions: Vec<Arc<Pooled>>,
    /// What was looked at and left out.
    pub left_out: Vec<LeftOut>,
    /// The sum of gas limits.
    pub gas: u64,
}

/// Takes from `best` what fits, with gas limits counted in full.
#[must_use]
pub fn choose(mut best: Best<'_>, limits: Limits, now: Duration) -> Chosen {
    let mut filling = Filling::new(limits);
    let mut chosen = Chosen::default();
    while let Some(one) = best.next() {
        match filling.offer(now, one) {
            Ok(()) => {
                filling.executed(one.gas_limit());
                chosen.transactions.push(Arc::clone(one));
            }
            Err(reason) => {
                best.skip_sender();
                let (hash, sender, nonce) = (one.hash(), one.sender(), one.nonce());
                chosen.left_out.push(LeftOut {
                    hash,
                    sender,
                    nonce,
                    reason,
                });
                if filling.is_full(now) {
                    break;
                }
            }
        }
    }
    chosen.gas = filling.gas();
    chosen
}
