//! Why a transaction is where it is, in one sentence.

use super::Pool;
use super::departed::Departure;
use super::pooled::{AccountState, Pooled};
use super::sender::Sender;
use crate::words::Wei;
use alloy_primitives::{Address, B256};
use std::fmt;

/// What a transaction waits for, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Nothing is in its way.
    Ready,
    /// It offers less per gas than the next block demands.
    Fee { fee_cap: u128, base_fee: u64 },
    /// An earlier transaction of its sender offers less per gas than the next block demands.
    BehindFee {
        nonce: u64,
        waits_for: u64,
        fee_cap: u128,
        base_fee: u64,
    },
    /// An earlier nonce of its sender is missing.
    Nonce { nonce: u64, waits_for: u64 },
    /// The balance does not cover it together with those that go before it.
    Funds { covered: usize, of: usize },
    /// It is not here any more.
    Gone(Departure),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = |f: &mut fmt::Formatter<'_>, fee_cap: u128, base_fee: u64| {
            let (fee, base) = (Wei(fee_cap), Wei(base_fee.into()));
            write!(f, "fee {fee} is below the base fee of {base}")
        };
        match self {
            Self::Ready => f.write_str("it goes into the next block that has room for it"),
            Self::Fee { fee_cap, base_fee } => below(f, *fee_cap, *base_fee),
            Self::BehindFee {
                nonce,
                waits_for,
                fee_cap,
                base_fee,
            } => {
                write!(f, "nonce {nonce} waits for {waits_for}, whose ")?;
                below(f, *fee_cap, *base_fee)
            }
            Self::Nonce { nonce, waits_for } => write!(f, "nonce {nonce} waits for {waits_for}"),
            Self::Funds { covered, of } => write!(f, "balance covers {covered} of {of}"),
            Self::Gone(departure) => departure.fmt(f),
        }
    }
}

/// How a sender stands: [`Pool::why_sender`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its account, as the pool knows it.
    pub account: AccountState,
    /// The nonce after its pending transactions.
    pub next: u64,
    pub pending: usize,
    pub queued: usize,
    /// Its first transaction that is not ready, and why.
    pub obstacle: Option<(u64, Why)>,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account,
            next,
            pending,
            queued,
            obstacle,
        } = self;
        write!(
            f,
            "{pending} pending from nonce {} on, {queued} queued, next nonce {next}",
            account.nonce
        )?;
        match obstacle {
            None => Ok(()),
            Some((_, why @ (Why::Nonce { .. } | Why::BehindFee { .. }))) => write!(f, "; {why}"),
            Some((nonce, why)) => write!(f, "; nonce {nonce}: {why}"),
        }
    }
}

impl Pool {
    /// Why the transaction with this hash is where it is; nothing when the pool has not heard of it, or has forgotten.
    #[must_use]
    pub fn why(&self, hash: &B256) -> Option<Why> {
        let Some(one) = self.by_hash.get(hash) else {
            return self.departed.get(hash).cloned().map(Why::Gone);
        };
        let sender = self.senders.get(&one.sender())?;
        Some(self.reason(sender, one))
    }

    /// How the sender stands; nothing when the pool holds nothing of it.
    #[must_use]
    pub fn why_sender(&self, address: &Address) -> Option<Standing> {
        let sender = self.senders.get(address)?;
        let pending = sender.pending().count();
        let fee = sender.pending().find(|(_, one)| self.below_base_fee(one));
        let obstacle = fee.or_else(|| sender.queued().next());
        Some(Standing {
            account: sender.state(),
            next: sender.next(),
            pending,
            queued: sender.len() - pending,
            obstacle: obstacle.map(|(nonce, one)| (*nonce, self.reason(sender, one))),
        })
    }

    fn reason(&self, sender: &Sender, one: &Pooled) -> Why {
        let (nonce, base_fee) = (one.nonce(), self.head.base_fee);
        if nonce >= sender.next() {
            return waiting(sender, nonce);
        }
        let earlier = sender
            .range(..=nonce)
            .find(|(_, earlier)| self.below_base_fee(earlier));
        match earlier {
            None => Why::Ready,
            Some((first, _)) if *first == nonce => Why::Fee {
                fee_cap: one.fee_cap(),
                base_fee,
            },
            Some((first, earlier)) => Why::BehindFee {
                nonce,
                waits_for: *first,
                fee_cap: earlier.fee_cap(),
                base_fee,
            },
        }
    }

    fn below_base_fee(&self, one: &Pooled) -> bool {
        one.fee_cap() < u128::from(self.head.base_fee)
    }
}

/// A queued one: the run before it ends at a gap, or where the balance ends.
fn waiting(sender: &Sender, nonce: u64) -> Why {
    if sender.get(sender.next()).is_none() {
        return Why::Nonce {
            nonce,
            waits_for: sender.next(),
        };
    }
    Why::Funds {
        covered: sender.pending().count(),
        of: sender.range(..=nonce).count(),
    }
}
