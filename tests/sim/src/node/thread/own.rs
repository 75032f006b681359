//! What the fabric gives and takes, and what the store refused (`dhcp/server/src/worker/own.rs`).

use super::{Continued, Gained, Out, Parked, Thread, Wish};
use crate::mutation::Mutation;
use purlin_dhcp_core::Takeover;
use purlin_fabric_runtime::{Refused, Setback};
use purlin_types::{Epoch, Now, Slot};
use std::net::Ipv4Addr;

impl Thread {
    pub(super) fn adopt(&mut self, raw: &Now, gained: &[Gained], distance: Option<i64>) {
        if self.engine.held().is_empty() {
            match distance {
                Some(found) => self.steady.fix_by(found),
                None => self.steady.fix(raw),
            }
        }
        let now = self.time(raw);
        let without = |mutation| self.mutation == Some(mutation);
        let (hasty, trusting) = (
            without(Mutation::NoQuarantine),
            without(Mutation::TrustAfterFailover),
        );
        for gained in gained {
            let suspect_until = gained.takeover.suspect_until.filter(|_| !hasty);
            let eager = without(Mutation::NoReuseWait).then(Epoch::default);
            let takeover = Takeover {
                suspect_until,
                given_back: eager.or(gained.takeover.given_back),
                ..gained.takeover
            };
            let rows = gained.rows.iter();
            let mut rows = rows.map(|(epoch, body)| (eager.unwrap_or(*epoch), body.as_slice()));
            self.engine.take_over(&now, &takeover, &mut rows);
            let Takeover { slot, epoch, .. } = takeover;
            self.terms.set(slot, Some(epoch));
            if let Some(until) = suspect_until.filter(|_| epoch.timeline > 1 && !trusting) {
                self.engine.distrust(&now, slot, until);
            }
        }
        // What was read counts once the store's second copy is as far as it was read.
        self.hand_over(&now, &[]);
        self.count_histories();
    }

    /// Gives those that were held under the former epoch.
    pub(super) fn go_on(&mut self, raw: &Now, mut continued: Vec<Continued>) -> Vec<Continued> {
        let now = self.time(raw);
        continued.retain(|&Continued { slot, former, epoch }| {
            let mut records = Vec::new();
            let known = self.engine.reassert(slot, former, epoch, &mut records);
            if known {
                // In this order: a frame is written under the terms of the moment at which it is handed over.
                self.terms.set(slot, Some(epoch));
                self.hand_over(&now, &records);
            }
            known
        });
        self.copies.said_again(self.position);
        self.count_histories();
        continued
    }

    pub(super) fn count_histories(&mut self) {
        let held = self.engine.held();
        let timelines = held.iter().filter_map(|slot| self.engine.epoch(slot));
        let oldest = timelines.map(|epoch| epoch.timeline).min();
        self.copies.hold(oldest, !self.copying.is_empty());
    }

    pub(super) fn resign(&mut self, slots: &[Slot]) {
        for &slot in slots {
            self.engine.resign(slot);
            self.terms.set(slot, None);
        }
        self.count_histories();
    }

    pub(super) fn take_setbacks(&mut self, raw: &Now, out: &mut Vec<Out>) {
        let setbacks = self.handle.setbacks();
        if setbacks.is_empty() || self.mutation == Some(Mutation::DeafToSetbacks) {
            return;
        }
        let lost = setbacks.iter().filter_map(|setback| match setback.why {
            Refused::Lost { slot, epoch: under } if under == self.engine.epoch(slot) => Some(slot),
            Refused::Lost { .. } | Refused::Former { .. } | Refused::Taken { .. } => None,
        });
        let lost: Vec<Slot> = lost.collect();
        if !lost.is_empty() {
            out.push(Out::Lost(lost));
        }
        let struck = |parked: &Parked| setbacks.iter().any(|setback| setback.position == parked.position);
        self.parked.retain(|parked| !struck(parked));
        self.copying.retain(|parked| !struck(parked));
        self.declined
            .retain(|(position, ..)| setbacks.iter().all(|setback| setback.position != *position));
        for setback in &setbacks {
            self.set_back(raw, setback, out);
        }
    }

    fn set_back(&mut self, raw: &Now, setback: &Setback, out: &mut Vec<Out>) {
        match &setback.why {
            Refused::Lost { slot, epoch } if *epoch == self.engine.epoch(*slot) => self.resign(&[*slot]),
            // Decided under a former term: what is held now is not touched.
            Refused::Lost { .. } | Refused::Former { .. } => {}
            Refused::Taken {
                by,
                unique,
                slot,
                epoch,
            } => {
                if self.engine.epoch(*slot) == Some(*epoch) {
                    self.handle.made_good(*slot, *epoch);
                }
                let (now, mut records) = (self.time(raw), Vec::new());
                let key = address(setback.key);
                if let Some(since) = self.engine.unwritten(&now, key, unique, &mut records) {
                    let (address, unique) = (address(*by), unique.clone());
                    let wish = Wish {
                        address,
                        unique,
                        since,
                    };
                    if self.engine.held().contains(Slot::of_address(address)) {
                        self.engine
                            .vacate(&now, address, &wish.unique, since, &mut records);
                    } else {
                        out.push(Out::Ask(wish));
                    }
                }
                self.record(&now, &records);
            }
        }
    }
}

fn address(key: u64) -> Ipv4Addr {
    Ipv4Addr::from(key as u32)
}
