//! Keeping the indexes in step with where each transaction is. Everything that moves one goes through here.

use super::event::Event;
use super::pooled::Pooled;
use super::sender::{Left, Settled};
use super::{AccountState, Dropped, Pool};
use alloy_primitives::{Address, B256};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Pool {
    /// A transaction is in its sender's list now.
    pub(super) fn arrived(&mut self, transaction: &Arc<Pooled>, pending: bool) {
        self.by_hash.insert(transaction.hash(), Arc::clone(transaction));
        self.departed.forget(&transaction.hash());
        self.slots += transaction.slots();
        self.bind(transaction);
        self.enter(transaction, pending);
    }

    /// A transaction is in its sender's list no more.
    pub(super) fn left(&mut self, event: Event, was_pending: bool, events: &mut Vec<Event>) {
        let transaction = event.transaction();
        self.by_hash.remove(&transaction.hash());
        self.slots -= transaction.slots();
        self.release(&Arc::clone(transaction));
        self.leave(&Arc::clone(transaction), was_pending);
        self.departed.note(&event, self.settings.departed_max);
        events.push(event);
    }

    pub(super) fn promoted(&mut self, transaction: Arc<Pooled>, events: &mut Vec<Event>) {
        self.leave(&transaction, false);
        self.enter(&transaction, true);
        events.push(Event::Promoted { transaction });
    }

    pub(super) fn demoted(&mut self, transaction: Arc<Pooled>, events: &mut Vec<Event>) {
        self.leave(&transaction, true);
        self.enter(&transaction, false);
        events.push(Event::Demoted { transaction });
    }

    /// Takes one transaction out; `event` says how it left. What was pending behind it is queued afterwards.
    pub(super) fn depart(
        &mut self,
        transaction: &Pooled,
        events: &mut Vec<Event>,
        event: impl FnOnce(Arc<Pooled>) -> Event,
    ) {
        let (address, nonce) = (transaction.sender(), transaction.nonce());
        let Some(sender) = self.senders.get_mut(&address) else {
            return;
        };
        let was_pending = nonce < sender.next();
        let Some((taken, demoted)) = sender.take(nonce) else {
            return;
        };
        if sender.is_empty() {
            self.senders.remove(&address);
        }
        self.left(event(taken), was_pending, events);
        for one in demoted {
            self.demoted(one, events);
        }
    }

    /// Brings one sender's transactions in line with its account; `mined` holds what the block contained.
    pub(super) fn settle(
        &mut self,
        address: &Address,
        state: AccountState,
        mined: &BTreeSet<B256>,
        events: &mut Vec<Event>,
    ) {
        let Some(sender) = self.senders.get_mut(address) else {
            return;
        };
        let Settled {
            used,
            unpayable,
            demoted,
            promoted,
        } = sender.settle(state);
        if sender.is_empty() {
            self.senders.remove(address);
        }
        for Left {
            transaction,
            was_pending,
        } in used
        {
            let event = if mined.contains(&transaction.hash()) {
                Event::Mined { transaction }
            } else {
                let reason = Dropped::NonceUsed { next: state.nonce };
                Event::Dropped { transaction, reason }
            };
            self.left(event, was_pending, events);
        }
        for Left {
            transaction,
            was_pending,
        } in unpayable
        {
            let (balance, cost) = (state.balance, transaction.cost());
            let reason = Dropped::Unpayable { balance, cost };
            self.left(Event::Dropped { transaction, reason }, was_pending, events);
        }
        for one in demoted {
            self.demoted(one, events);
        }
        for one in promoted {
            self.promoted(one, events);
        }
    }

    fn enter(&mut self, transaction: &Arc<Pooled>, pending: bool) {
        if pending {
            self.pending += 1;
        } else if self.ages(transaction) {
            self.aging.insert(transaction.arrival(), Arc::clone(transaction));
        }
        if let Some(by_worth) = &mut self.by_worth {
            by_worth.insert(transaction, pending);
        }
    }

    fn leave(&mut self, transaction: &Arc<Pooled>, pending: bool) {
        if pending {
            self.pending -= 1;
        } else {
            self.aging.remove(&transaction.arrival());
        }
        if let Some(by_worth) = &mut self.by_worth {
            by_worth.remove(transaction, pending);
        }
    }

    pub(super) fn ages(&self, transaction: &Pooled) -> bool {
        !self.settings.keeps(transaction)
    }
}
