//! The pool as geth's `txpool_` methods show it: pending apart from queued, by sender, by nonce.

use super::Pool;
use super::pooled::Pooled;
use super::sender::Sender;
use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use std::collections::BTreeMap;
use std::sync::Arc;

/// `txpool_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    pub pending: usize,
    pub queued: usize,
}

/// Transactions by nonce.
pub type ByNonce<T> = BTreeMap<u64, T>;

/// `txpool_content`; senders without transactions in a half are not in it.
#[derive(Debug, Clone, Default)]
pub struct Content {
    pub pending: BTreeMap<Address, ByNonce<Arc<Pooled>>>,
    pub queued: BTreeMap<Address, ByNonce<Arc<Pooled>>>,
}

/// `txpool_inspect`: one line for each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspection {
    pub pending: BTreeMap<Address, ByNonce<String>>,
    pub queued: BTreeMap<Address, ByNonce<String>>,
}

impl Pool {
    /// How many are pending and queued.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            pending: self.pending,
            queued: self.len() - self.pending,
        }
    }

    /// All of them.
    #[must_use]
    pub fn content(&self) -> Content {
        Content {
            pending: self.half(Sender::pending, Arc::clone),
            queued: self.half(Sender::queued, Arc::clone),
        }
    }

    /// Those of one sender (`txpool_contentFrom`): pending, then queued.
    #[must_use]
    pub fn content_from(&self, address: &Address) -> (ByNonce<Arc<Pooled>>, ByNonce<Arc<Pooled>>) {
        let Some(sender) = self.senders.get(address) else {
            return Default::default();
        };
        let copy = |(nonce, one): (&u64, &Arc<Pooled>)| (*nonce, Arc::clone(one));
        (
            sender.pending().map(copy).collect(),
            sender.queued().map(copy).collect(),
        )
    }

    /// All of them, each as a line of text.
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        Inspection {
            pending: self.half(Sender::pending, line),
            queued: self.half(Sender::queued, line),
        }
    }

    fn half<T>(
        &self,
        part: impl Fn(&Sender) -> std::collections::btree_map::Range<'_, u64, Arc<Pooled>>,
        show: impl Fn(&Arc<Pooled>) -> T,
    ) -> BTreeMap<Address, ByNonce<T>> {
        let of = |sender| part(sender).map(|(nonce, one)| (*nonce, show(one))).collect();
        let all = self
            .senders
            .iter()
            .map(|(address, sender)| (*address, of(sender)));
        all.filter(|(_, half): &(Address, ByNonce<T>)| !half.is_empty())
            .collect()
    }
}

/// Geth's line: whom to, how much, gas limit and price.
fn line(one: &Arc<Pooled>) -> String {
    let transaction = one.transaction();
    let to = transaction
        .to()
        .map_or_else(|| "contract creation".to_owned(), |to| to.to_string());
    let (value, gas, price) = (transaction.value(), one.gas_limit(), one.fee_cap());
    format!("{to}: {value} wei + {gas} gas × {price} wei")
}
