//! What happened to whom. The pool returns these; metrics, subscriptions, the journal and `why` are made of them.

use super::pooled::Pooled;
use super::refusal::Refusal;
use alloy_primitives::{B256, U256};
use std::fmt;
use std::sync::Arc;

/// Which half of the pool a transaction is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Its nonce is next, or all before it are here, and the balance covers them.
    Pending,
    /// It waits for an earlier nonce, or for funds.
    Queued,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// It came in.
    Added { transaction: Arc<Pooled>, place: Place },
    /// It was queued and is pending now.
    Promoted { transaction: Arc<Pooled> },
    /// It was pending and is queued now.
    Demoted { transaction: Arc<Pooled> },
    /// Another one with its nonce, which pays more, took its place.
    Replaced { transaction: Arc<Pooled>, by: B256 },
    /// It left without being mined.
    Dropped {
        transaction: Arc<Pooled>,
        reason: Dropped,
    },
    /// It is in a block.
    Mined { transaction: Arc<Pooled> },
}

impl Event {
    /// The transaction that it happened to.
    #[must_use]
    pub const fn transaction(&self) -> &Arc<Pooled> {
        match self {
            Self::Added { transaction, .. }
            | Self::Promoted { transaction }
            | Self::Demoted { transaction }
            | Self::Replaced { transaction, .. }
            | Self::Dropped { transaction, .. }
            | Self::Mined { transaction } => transaction,
        }
    }
}

/// Why a transaction left without being mined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dropped {
    /// Another transaction with its nonce is in a block.
    NonceUsed { next: u64 },
    /// The balance does not cover it alone any more.
    Unpayable { balance: U256, cost: U256 },
    /// The pool was full, and this was the cheapest.
    Evicted,
    /// It waited for too long.
    Expired,
    /// The rules or limits changed, and it breaks them now.
    Invalid(Refusal),
    /// The executor refused it: what it said.
    Refused(String),
}

impl Dropped {
    /// A short name that stays the same: for metrics and decisions.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NonceUsed { .. } => "nonce-used",
            Self::Unpayable { .. } => "unpayable",
            Self::Evicted => "evicted",
            Self::Expired => "expired",
            Self::Invalid(_) => "invalid",
            Self::Refused(_) => "refused",
        }
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NonceUsed { next } => {
                write!(f, "another transaction used its nonce: the next one is {next}")
            }
            Self::Unpayable { balance, cost } => {
                write!(
                    f,
                    "the balance of {balance} wei does not cover its cost of {cost} wei any more"
                )
            }
            Self::Evicted => f.write_str("the pool was full, and it was the least worth"),
            Self::Expired => f.write_str("it could not be executed for longer than the pool keeps such"),
            Self::Invalid(refusal) => write!(f, "the rules changed: {refusal}"),
            Self::Refused(said) => write!(f, "it could not be executed: {said}"),
        }
    }
}
