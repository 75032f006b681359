//! Who goes when there is no room.
//!
//! An executable transaction displaces any queued one, the least worth first, and then executable ones that are worth
//! less than it is. A queued one displaces only queued ones that are worth less: a transaction that nobody can mine yet
//! must not push out what can be mined. With locals first, what came over this node's own RPC yields only to its like.

use super::Pool;
use super::event::{Dropped, Event};
use super::pooled::Pooled;
use super::refusal::Refusal;
use super::sender::Sender;
use super::worth::{ByWorth, Worth};
use std::sync::Arc;

impl Pool {
    /// Whom `new` displaces; nobody when there is room. Nothing is changed yet but the order that is made for it.
    pub(super) fn room_for(&mut self, new: &Pooled, account_nonce: u64) -> Result<Vec<Arc<Pooled>>, Refusal> {
        let freed = self.same_nonce(new).map_or(0, |old| old.slots());
        let needed = (self.slots - freed + new.slots()).saturating_sub(self.settings.slots_max);
        if needed == 0 {
            return Ok(Vec::new());
        }
        let next = self
            .senders
            .get(&new.sender())
            .map_or(account_nonce, Sender::next);
        let executable = new.nonce() <= next;
        let by_worth = self.by_worth();
        let worth = by_worth.worth(new);
        let from_queued = by_worth.queued.iter().take_while(|(theirs, _)| {
            if executable {
                !theirs.kept() || worth.kept()
            } else {
                worth.more_than(theirs)
            }
        });
        let from_pending = by_worth.pending.iter();
        let from_pending = from_pending.take_while(|(theirs, _)| executable && worth.more_than(theirs));
        let (mut victims, mut found) = (Vec::new(), 0);
        for (_, victim) in from_queued.chain(from_pending) {
            // Its own earlier nonces are what makes it executable, and the one it replaces goes anyway.
            if victim.sender() == new.sender() && victim.nonce() <= new.nonce() {
                continue;
            }
            found += victim.slots();
            victims.push(Arc::clone(victim));
            if found >= needed {
                return Ok(victims);
            }
        }
        let least = [
            by_worth.queued.keys().next(),
            by_worth.pending.keys().next().filter(|_| executable),
        ];
        let can_be_outbid = |theirs: &&Worth| !theirs.kept() || worth.kept();
        let outbid = least.into_iter().flatten().any(|theirs| can_be_outbid(&theirs));
        Err(if outbid {
            Refusal::Underpriced
        } else {
            Refusal::Full
        })
    }

    /// Evicts the least worth until the limit holds again.
    pub(super) fn shrink(&mut self, events: &mut Vec<Event>) {
        while self.slots > self.settings.slots_max {
            let by_worth = self.by_worth();
            let first = by_worth
                .queued
                .first_key_value()
                .or_else(|| by_worth.pending.first_key_value());
            let Some((_, victim)) = first else {
                return;
            };
            let victim = Arc::clone(victim);
            self.evict(&victim, events);
        }
    }

    pub(super) fn evict(&mut self, victim: &Pooled, events: &mut Vec<Event>) {
        self.depart(victim, events, |transaction| Event::Dropped {
            transaction,
            reason: Dropped::Evicted,
        });
    }

    /// The order by worth, made now unless it is there.
    fn by_worth(&mut self) -> &ByWorth {
        self.by_worth.get_or_insert_with(|| {
            let mut by_worth = ByWorth::new(self.head.base_fee, self.settings.locals_first);
            for sender in self.senders.values() {
                sender.pending().for_each(|(_, one)| by_worth.insert(one, true));
                sender.queued().for_each(|(_, one)| by_worth.insert(one, false));
            }
            by_worth
        })
    }
}
