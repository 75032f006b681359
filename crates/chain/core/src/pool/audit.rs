//! What must hold after every step, looked at by the tests.

use super::Pool;
use super::pooled::Pooled;
use alloy_primitives::U256;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Pool {
    /// Panics with what is wrong.
    pub(crate) fn audit(&self) {
        let (mut count, mut pending, mut slots) = (0, 0, 0);
        let mut aging = BTreeSet::new();
        for (address, sender) in &self.senders {
            assert!(!sender.is_empty(), "{address} has nothing and is kept");
            let nonces = sender.pending().map(|(nonce, _)| *nonce);
            assert!(
                nonces.eq(sender.state().nonce..sender.next()),
                "pending of {address} has a gap"
            );
            let cost: U256 = sender.pending().map(|(_, one)| one.cost()).sum();
            assert_eq!(cost, sender.pending_cost());
            assert!(
                cost <= sender.state().balance,
                "pending of {address} costs more than it has"
            );
            if let Some(first) = sender.get(sender.next()) {
                assert!(
                    sender.is_held() || cost + first.cost() > sender.state().balance,
                    "{address} could go on"
                );
            }
            for (nonce, one) in sender.range(..) {
                assert_eq!((one.nonce(), one.sender()), (*nonce, *address));
                assert!(Arc::ptr_eq(&self.by_hash[&one.hash()], one));
            }
            assert!(
                !sender.state().delegated || sender.pending().count() <= 1,
                "{address} is delegated and has several in flight"
            );
            let of = |part: std::collections::btree_map::Range<'_, u64, Arc<Pooled>>| -> usize {
                part.map(|(_, one)| one.slots()).sum()
            };
            assert_eq!(of(sender.range(..)), sender.slots());
            assert_eq!(of(sender.queued()), sender.queued_slots());
            assert!(sender.slots() <= self.settings.sender_slots_max);
            let ages = sender.queued().filter(|(_, one)| self.ages(one));
            aging.extend(ages.map(|(_, one)| one.arrival()));
            count += sender.len();
            pending += sender.pending().count();
            slots += sender.slots();
        }
        assert_eq!((count, pending, slots), (self.len(), self.pending, self.slots));
        assert!(slots <= self.settings.slots_max, "{slots} slots in use");
        assert!(aging.iter().eq(self.aging.keys()));
        self.audit_worth();
        let mut authorities = BTreeMap::new();
        for authority in self.by_hash.values().flat_map(|one| one.authorities()) {
            *authorities.entry(*authority).or_default() += 1;
        }
        assert_eq!(authorities, self.authorities);
    }

    fn audit_worth(&self) {
        let Some(by_worth) = &self.by_worth else {
            return;
        };
        assert_eq!(by_worth.pending.len(), self.pending);
        assert_eq!(by_worth.pending.len() + by_worth.queued.len(), self.len());
        for sender in self.senders.values() {
            assert!(
                sender
                    .pending()
                    .all(|(_, one)| by_worth.pending.contains_key(&by_worth.worth(one)))
            );
            assert!(
                sender
                    .queued()
                    .all(|(_, one)| by_worth.queued.contains_key(&by_worth.worth(one)))
            );
        }
    }
}
