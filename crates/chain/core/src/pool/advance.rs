//! The chain went on, the executor spoke, time passed, or the limits changed.

use super::event::{Dropped, Event};
use super::head::Head;
use super::pooled::{AccountState, Pooled};
use super::settings::Settings;
use super::{Pool, check};
use alloy_primitives::{Address, B256};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What the pool must know of a block that was decided. Blocks are final: none is ever taken back.
#[derive(Debug, Clone, Copy)]
pub struct NewBlock<'a> {
    /// The block that follows it, as far as it is known.
    pub head: Head,
    /// Hashes of its transactions.
    pub mined: &'a [B256],
    /// Accounts that it changed, as they are after it. A sender of `mined` that is not among them is taken to have used its
    /// nonces and kept its balance.
    pub accounts: &'a [(Address, AccountState)],
}

impl Pool {
    /// A block was decided.
    pub fn on_block(&mut self, now: Duration, block: &NewBlock<'_>) -> Vec<Event> {
        let mut events = Vec::new();
        if block.head.base_fee != self.head.base_fee {
            self.by_worth = None;
        }
        let known = block.mined.iter().filter(|hash| self.by_hash.contains_key(*hash));
        let mined: BTreeSet<B256> = known.copied().collect();
        for (address, state) in block.accounts {
            self.settle(address, *state, &mined, &mut events);
        }
        self.settle_rest(&mined, &mut events);
        self.follow(block.head, &mut events);
        self.expire_into(now, &mut events);
        events
    }

    /// An account changed in another way than by a block that the pool was told of.
    pub fn on_account(&mut self, address: &Address, state: AccountState) -> Vec<Event> {
        let mut events = Vec::new();
        self.settle(address, state, &BTreeSet::new(), &mut events);
        events
    }

    /// The executor refused this transaction, so it leaves; those behind it wait for its nonce from now on.
    pub fn refused(&mut self, hash: &B256, said: &str) -> Vec<Event> {
        self.drop_one(hash, Dropped::Refused(said.to_owned()))
    }

    /// Drops what has waited for too long. Call it now and then; [`Pool::on_block`] does it too.
    pub fn expire(&mut self, now: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        self.expire_into(now, &mut events);
        events
    }

    /// New limits, from now on. What breaks them leaves, the least worth first; a lower limit per sender or per gap counts
    /// for what comes.
    pub fn reconfigure(&mut self, settings: Settings) -> Vec<Event> {
        let mut events = Vec::new();
        self.settings = settings;
        self.by_worth = None;
        self.revalidate(&mut events);
        self.age_anew();
        self.shrink(&mut events);
        events
    }

    /// What is in the block and still here, because its sender was not named.
    fn settle_rest(&mut self, mined: &BTreeSet<B256>, events: &mut Vec<Event>) {
        for hash in mined {
            let Some((address, nonce)) = self.by_hash.get(hash).map(|one| (one.sender(), one.nonce())) else {
                continue;
            };
            let Some(sender) = self.senders.get(&address) else {
                continue;
            };
            let state = AccountState {
                nonce: nonce + 1,
                ..sender.state()
            };
            self.settle(&address, state, mined, events);
        }
    }

    fn follow(&mut self, head: Head, events: &mut Vec<Event>) {
        let before = std::mem::replace(&mut self.head, head);
        // Checking all of them is linear; rules and a falling gas limit are rare.
        if before.fork != head.fork || before.chain_id != head.chain_id || head.gas_limit < before.gas_limit {
            self.revalidate(events);
        }
    }

    fn revalidate(&mut self, events: &mut Vec<Event>) {
        let wrong = |one: &Arc<Pooled>| {
            let fault = check::transaction(one.transaction(), one.origin(), &self.head, &self.settings);
            fault.err().map(|refusal| (Arc::clone(one), refusal))
        };
        let faults: Vec<_> = self.by_hash.values().filter_map(wrong).collect();
        for (one, refusal) in faults {
            self.depart(&one, events, |transaction| Event::Dropped {
                transaction,
                reason: Dropped::Invalid(refusal),
            });
        }
    }

    fn expire_into(&mut self, now: Duration, events: &mut Vec<Event>) {
        while let Some((_, oldest)) = self.aging.first_key_value() {
            if oldest.added().saturating_add(self.settings.queued_lifetime) > now {
                return;
            }
            let oldest = Arc::clone(oldest);
            self.depart(&oldest, events, |transaction| Event::Dropped {
                transaction,
                reason: Dropped::Expired,
            });
        }
    }

    /// Whether locals grow old may have changed.
    fn age_anew(&mut self) {
        let queued = self.senders.values().flat_map(super::sender::Sender::queued);
        let aging = queued.map(|(_, one)| one).filter(|one| self.ages(one));
        self.aging = aging.map(|one| (one.arrival(), Arc::clone(one))).collect();
    }

    fn drop_one(&mut self, hash: &B256, reason: Dropped) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(one) = self.by_hash.get(hash).map(Arc::clone) {
            self.depart(&one, &mut events, |transaction| Event::Dropped {
                transaction,
                reason,
            });
        }
        events
    }
}
