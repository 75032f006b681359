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
    /// It offers too little for the next block.
    Price(Price),
    /// An earlier transaction of its sender offers too little for the next block.
    Behind {
        nonce: u64,
        waits_for: u64,
        price: Price,
    },
    /// An earlier nonce of its sender is missing.
    Nonce { nonce: u64, waits_for: u64 },
    /// An earlier one of its sender is in flight, whose code is delegated.
    Delegated { nonce: u64, waits_for: u64 },
    /// The balance does not cover it together with those that go before it.
    Funds { covered: usize, of: usize },
    /// It is not here any more.
    Gone(Departure),
}

/// What is too little, in wei per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// The fee cap, for the base fee.
    Fee { fee_cap: u128, base_fee: u64 },
    /// What the fee cap leaves of the tip above the base fee, for the producer.
    Tip { tip: u128, least: u128 },
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Fee { fee_cap, base_fee } => {
                write!(
                    f,
                    "fee {} is below the base fee of {}",
                    Wei(fee_cap),
                    Wei(base_fee.into())
                )
            }
            Self::Tip { tip, least } => {
                write!(f, "tip {} is below the least tip of {}", Wei(tip), Wei(least))
            }
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("it goes into the next block that has room for it"),
            Self::Price(price) => price.fmt(f),
            Self::Behind {
                nonce,
                waits_for,
                price,
            } => {
                write!(f, "nonce {nonce} waits for {waits_for}, whose {price}")
            }
            Self::Nonce { nonce, waits_for } => write!(f, "nonce {nonce} waits for {waits_for}"),
            Self::Delegated { nonce, waits_for } => write!(
                f,
                "nonce {nonce} waits for {waits_for}: an account with delegated code has one in flight (EIP-7702)"
            ),
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
            Some((_, why @ (Why::Nonce { .. } | Why::Behind { .. } | Why::Delegated { .. }))) => {
                write!(f, "; {why}")
            }
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
        let poor = sender.pending().find(|(_, one)| self.too_little(one).is_some());
        let obstacle = poor.or_else(|| sender.queued().next());
        Some(Standing {
            account: sender.state(),
            next: sender.next(),
            pending,
            queued: sender.len() - pending,
            obstacle: obstacle.map(|(nonce, one)| (*nonce, self.reason(sender, one))),
        })
    }

    fn reason(&self, sender: &Sender, one: &Pooled) -> Why {
        let nonce = one.nonce();
        if nonce >= sender.next() {
            return waiting(sender, nonce);
        }
        let mut until_here = sender.range(..=nonce);
        let poor = until_here.find_map(|(first, earlier)| Some((*first, self.too_little(earlier)?)));
        match poor {
            None => Why::Ready,
            Some((first, price)) if first == nonce => Why::Price(price),
            Some((waits_for, price)) => Why::Behind {
                nonce,
                waits_for,
                price,
            },
        }
    }

    fn too_little(&self, one: &Pooled) -> Option<Price> {
        let (base_fee, least) = (self.head.base_fee, self.settings.tip_min);
        match one.effective_tip(base_fee) {
            None => Some(Price::Fee {
                fee_cap: one.fee_cap(),
                base_fee,
            }),
            Some(tip) if tip < least && !self.settings.keeps(one) => Some(Price::Tip { tip, least }),
            Some(_) => None,
        }
    }
}

/// A queued one: the run before it ends at a gap, at its one of a delegated account, or where the balance ends.
fn waiting(sender: &Sender, nonce: u64) -> Why {
    if sender.get(sender.next()).is_none() {
        return Why::Nonce {
            nonce,
            waits_for: sender.next(),
        };
    }
    if sender.is_held() {
        return Why::Delegated {
            nonce,
            waits_for: sender.next() - 1,
        };
    }
    Why::Funds {
        covered: sender.pending().count(),
        of: sender.range(..=nonce).count(),
    }
}
