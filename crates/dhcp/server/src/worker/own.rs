//! The packet thread of a node that has a share: what the fabric gives and takes, and what the store refused.

use super::Worker;
use crate::share::{Gained, Own};
use purlin_fabric_runtime::{Refused, Setback};
use purlin_netio::now;
use purlin_store::Position;
use purlin_types::{Now, Slot, Tenure};
use std::net::Ipv4Addr;

impl Worker {
    /// Both clocks, the wall clock as nobody sets it while slots are held.
    pub(crate) fn clock(&self) -> Now {
        match &self.own {
            Some(own) => own.clock.read(&now()),
            None => now(),
        }
    }

    /// The time of the group of packets at hand.
    pub(super) fn time(&mut self) -> Now {
        let own = self.own.as_ref();
        self.batch.time(|| match own {
            Some(own) => own.clock.read(&now()),
            None => now(),
        })
    }

    pub(super) fn tenure(&self) -> Tenure {
        self.own.as_ref().map_or(Tenure::SOLE, Own::tenure)
    }

    /// R0: asked right before anything is sent, however long the work before it took.
    pub(super) fn may_answer(&self) -> bool {
        match &self.own {
            Some(own) => own.tenure().holds(now().boot),
            None => true,
        }
    }

    /// A port that replies to relays leave by.
    pub(super) fn any_port(&self) -> Option<u32> {
        let listens = |slot: &Option<super::Slot>| {
            slot.as_ref()
                .is_some_and(|slot| slot.assigned.port.segment.is_none() && !slot.closing)
        };
        self.slots.iter().position(listens).map(|id| id as u32)
    }

    /// Begins to decide about slots.
    pub(crate) fn adopt_slots(&mut self, gained: &[Gained]) {
        let Some(own) = &mut self.own else { return };
        if self.engine.held().is_empty() {
            own.clock.fix(&now());
        }
        let at = own.clock.read(&now());
        for gained in gained {
            let mut rows = gained.rows.iter().map(Vec::as_slice);
            self.engine
                .adopt(&at, gained.slot, gained.epoch, gained.suspect_until, &mut rows);
            own.terms.set(gained.slot, Some(gained.epoch));
            // A store that has failed over may have lost windows as well as leases: nothing unrecorded is free then.
            if let Some(until) = gained.suspect_until.filter(|_| gained.epoch.timeline > 1) {
                self.engine.distrust(&at, gained.slot, until);
            }
        }
    }

    /// Decides about these slots no more.
    pub(crate) fn resign_slots(&mut self, slots: &[Slot]) {
        let Some(own) = &self.own else { return };
        for &slot in slots {
            self.engine.resign(slot);
            own.terms.set(slot, None);
        }
    }

    /// Before what is durable is released: nothing leaves that rests on a row which the store refused.
    pub(super) fn take_setbacks(&mut self) {
        let Some(own) = &self.own else { return };
        let setbacks = own.setbacks();
        if setbacks.is_empty() {
            return;
        }
        own.report(&setbacks);
        let mut positions: Vec<Position> = setbacks.iter().map(|setback| setback.position).collect();
        positions.dedup();
        self.counters.withheld += self.parked.strike(&positions) as u64;
        for setback in &setbacks {
            self.set_back(setback);
        }
    }

    fn set_back(&mut self, setback: &Setback) {
        match &setback.why {
            Refused::Lost { slot, epoch } if *epoch == self.engine.epoch(*slot) => {
                self.resign_slots(&[*slot]);
            }
            // Decided under a former term: what is held now is not touched.
            Refused::Lost { .. } => {}
            Refused::Taken { by, unique } => {
                let at = self.clock();
                self.batch.records.clear();
                let records = &mut self.batch.records;
                let key = address(setback.key);
                // Where the other row is this node's too, it makes way; the client's next attempt succeeds.
                if let Some(since) = self.engine.unwritten(&at, key, unique, records) {
                    self.engine.vacate(&at, address(*by), unique, since, records);
                }
                self.record(&at);
            }
        }
    }
}

fn address(key: u64) -> Ipv4Addr {
    Ipv4Addr::from(key as u32)
}
