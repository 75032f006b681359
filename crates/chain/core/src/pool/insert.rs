//! One transaction comes in: known, checked, affordable, within the sender's limits, paying enough, and there is room.

use super::event::{Event, Place};
use super::pooled::{AccountState, Origin, Pooled};
use super::refusal::Refusal;
use super::sender::Sender;
use super::{Pool, check, delegation};
use crate::Recovered;
use alloy_consensus::Transaction as _;
use alloy_primitives::{B256, U256, U512};
use std::sync::Arc;
use std::time::Duration;

/// What an accepted transaction did.
#[derive(Debug, Clone)]
pub struct Inserted {
    /// Its hash.
    pub hash: B256,
    /// Where it is.
    pub place: Place,
    /// The transaction of the same nonce whose place it took.
    pub replaced: Option<B256>,
    /// Everything that happened, in order: evictions, the replacement, the arrival, what it made executable.
    pub events: Vec<Event>,
}

impl Pool {
    /// Takes a transaction in, or says in geth's words why not. A refused one changes nothing.
    ///
    /// `now` is the time since any fixed start, the same for all calls. `state` is the sender's account at the head; it
    /// counts when the pool holds nothing of this sender (otherwise [`Pool::on_block`] has told it).
    pub fn insert(
        &mut self,
        now: Duration,
        transaction: Recovered,
        state: AccountState,
        origin: Origin,
    ) -> Result<Inserted, Refusal> {
        if self.by_hash.contains_key(transaction.tx_hash()) {
            return Err(Refusal::AlreadyKnown);
        }
        check::transaction(&transaction, origin, &self.head, &self.settings)?;
        let address = transaction.signer();
        let state = self.senders.get(&address).map_or(state, Sender::state);
        let cost = self.affordable(&transaction, state)?;
        self.within_delegation_limit(&transaction, state)?;
        let pooled = Pooled::new(transaction, cost, origin, self.arrivals, now);
        self.pays_for_replacement(&pooled)?;
        self.within_sender_limits(&pooled, state.nonce)?;
        let authorities = delegation::authorities(pooled.transaction(), self.head.chain_id);
        let pooled = pooled.for_authorities(authorities);
        self.authorities_are_free(&pooled)?;
        let victims = self.room_for(&pooled, state.nonce)?;
        self.arrivals += 1;
        Ok(self.put(&Arc::new(pooled), state, &victims))
    }

    /// Nonce and funds against the account; the cost when all is well.
    fn affordable(&self, transaction: &Recovered, state: AccountState) -> Result<U256, Refusal> {
        let (nonce, balance) = (transaction.nonce(), state.balance);
        let sender = self.senders.get(&transaction.signer());
        if nonce < state.nonce {
            return Err(Refusal::NonceTooLow {
                next: state.nonce,
                nonce,
            });
        }
        let (next, gap_max) = (
            sender.map_or(state.nonce, Sender::next),
            self.settings.nonce_gap_max,
        );
        if nonce > next.saturating_add(gap_max) {
            return Err(Refusal::NonceTooHigh { next, nonce, gap_max });
        }
        let cost = check::cost(transaction).map_err(|cost| Refusal::Funds { balance, cost })?;
        if balance < cost {
            return Err(Refusal::Funds {
                balance,
                cost: U512::from(cost),
            });
        }
        let Some(sender) = sender else {
            return Ok(cost);
        };
        let queued = sender.pending_cost();
        let replaced = sender.get(nonce).filter(|_| nonce < sender.next());
        match replaced.map(|old| old.cost()) {
            Some(old) if cost > old && queued.saturating_add(cost - old) > balance => {
                Err(Refusal::FundsBumped {
                    balance,
                    queued,
                    bump: cost - old,
                })
            }
            None if queued.saturating_add(cost) > balance => Err(Refusal::FundsQueued {
                balance,
                queued,
                cost,
            }),
            _ => Ok(cost),
        }
    }

    /// Whoever takes another's nonce must offer more of both fees.
    fn pays_for_replacement(&self, new: &Pooled) -> Result<(), Refusal> {
        let Some(old) = self.same_nonce(new) else {
            return Ok(());
        };
        let least = |fee: u128| {
            let bumped = U256::from(fee) * U256::from(100 + u64::from(self.settings.price_bump_percent));
            (bumped / U256::from(100)).max(U256::from(fee) + U256::ONE)
        };
        let (fee_cap_min, tip_min) = (least(old.fee_cap()), least(old.tip_cap()));
        if U256::from(new.fee_cap()) < fee_cap_min || U256::from(new.tip_cap()) < tip_min {
            return Err(Refusal::ReplacementUnderpriced { fee_cap_min, tip_min });
        }
        Ok(())
    }

    fn within_sender_limits(&self, new: &Pooled, account_nonce: u64) -> Result<(), Refusal> {
        let sender = self.senders.get(&new.sender());
        let freed = self.same_nonce(new).map_or(0, |old| old.slots());
        let more = new.slots().saturating_sub(freed);
        let (slots, queued) = sender.map_or((0, 0), |one| (one.slots(), one.queued_slots()));
        let next = sender.map_or(account_nonce, Sender::next);
        let waits = new.nonce() > next;
        let too_many = slots + more > self.settings.sender_slots_max
            || (waits && queued + more > self.settings.sender_queued_slots_max);
        if more > 0 && too_many {
            return Err(Refusal::AccountLimit {
                pooled: sender.map_or(0, Sender::len),
            });
        }
        Ok(())
    }

    pub(super) fn same_nonce(&self, new: &Pooled) -> Option<&Arc<Pooled>> {
        self.senders.get(&new.sender())?.get(new.nonce())
    }

    fn put(&mut self, new: &Arc<Pooled>, state: AccountState, victims: &[Arc<Pooled>]) -> Inserted {
        let mut events = Vec::new();
        for victim in victims {
            self.evict(victim, &mut events);
        }
        let hash = new.hash();
        let sender = self
            .senders
            .entry(new.sender())
            .or_insert_with(|| Sender::new(state));
        let in_run = new.nonce() < sender.next();
        let old = sender.put(Arc::clone(new));
        let promoted = sender.extend();
        let pending = new.nonce() < sender.next();
        let replaced = old.as_ref().map(|old| old.hash());
        if let Some(transaction) = old {
            let event = Event::Replaced {
                transaction,
                by: hash,
            };
            self.left(event, in_run, &mut events);
        }
        self.arrived(new, pending);
        let place = if pending { Place::Pending } else { Place::Queued };
        events.push(Event::Added {
            transaction: Arc::clone(new),
            place,
        });
        for one in promoted {
            if one.hash() != hash {
                self.promoted(one, &mut events);
            }
        }
        Inserted {
            hash,
            place,
            replaced,
            events,
        }
    }
}
