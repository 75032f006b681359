//! The packet thread of a node that has a share: what the fabric gives and takes, and what the store refused.

use super::Worker;
use crate::share::{Continued, Gained, Own, Wish};
use purlin_dhcp_core::Takeover;
use purlin_fabric_runtime::{Refused, Setback};
use purlin_netio::now;
use purlin_store::Position;
use purlin_types::{Epoch, Now, Slot, Tenure};
use std::net::Ipv4Addr;

impl Worker {
    /// Both clocks, the wall clock as nobody sets it while slots are held.
    pub(crate) fn clock(&self) -> Now {
        match &self.own {
            Some(own) => own.clock.read(&now()),
            None => now(),
        }
    }

    /// The time of packets that were read a moment ago. Those of one group may be read one by one, and the thread may have
    /// stood still in between: a client counts its lease from when it asked, which must not be after the decision.
    pub(super) fn time_of_reading(&mut self) -> Now {
        // The group is as old as its first packet.
        self.time();
        self.clock()
    }

    /// The time of the group of packets at hand: that of its first decision.
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
        let listening = self.slots.iter().position(listens);
        // A node that is on segments only answers by one of them.
        let open = || self.slots.iter().position(Option::is_some);
        listening.or_else(open).map(|id| id as u32)
    }

    /// Begins to decide about slots; `wall_less_boot` is what the fabric found right last.
    pub(crate) fn adopt_slots(&mut self, gained: &[Gained], wall_less_boot: Option<i64>) {
        let Some(own) = &mut self.own else { return };
        if self.engine.held().is_empty() {
            // Somebody may have set the wall clock since it was compared.
            match wall_less_boot {
                Some(found) => own.clock.fix_by(found),
                None => own.clock.fix(&now()),
            }
        }
        let at = own.clock.read(&now());
        for gained in gained {
            let Takeover { slot, epoch, .. } = gained.takeover;
            if own.ended.covers(slot, epoch) {
                // Given up while its rows were on their way.
                continue;
            }
            let mut rows = gained.rows.iter().map(|(epoch, body)| (*epoch, body.as_slice()));
            self.engine.take_over(&at, &gained.takeover, &mut rows);
            own.terms.set(slot, Some(epoch));
            // A store that has failed over may have lost windows as well as leases: nothing unrecorded is free then.
            if let Some(until) = gained.takeover.suspect_until.filter(|_| epoch.timeline > 1) {
                self.engine.distrust(&at, slot, until);
            }
        }
        // What was read counts once the store's second copy is as far as it was read.
        self.log.mark(at.wall);
        self.count_histories();
    }

    /// Goes on with slots that are under another epoch now, without a break: all that is known of them is written anew.
    /// Gives those that were not held under the former one.
    pub(crate) fn continue_slots(&mut self, continued: &[Continued]) -> Vec<Slot> {
        let at = self.clock();
        let mut unknown = Vec::new();
        for &Continued { slot, former, epoch } in continued {
            let Some(own) = &self.own else { continue };
            let mut records = Vec::new();
            if !self.engine.reassert(slot, former, epoch, &mut records) {
                unknown.push(slot);
                continue;
            }
            // In this order: a frame is written under the terms of the moment at which it is handed over.
            own.terms.set(slot, Some(epoch));
            self.log.append(at.wall, &mut records);
        }
        let position = self.log.position();
        if let Some(copies) = self.log.copies() {
            copies.said_again(position);
        }
        self.count_histories();
        unknown
    }

    pub(super) fn count_histories(&mut self) {
        let held = self.engine.held();
        let timelines = held.iter().filter_map(|slot| self.engine.epoch(slot));
        let oldest = timelines.map(|epoch| epoch.timeline).min();
        let waiting = !self.copying.is_empty();
        if let Some(copies) = self.log.copies() {
            copies.hold(oldest, waiting);
        }
    }

    /// Decides about these slots no more, and never again under these terms; the terms that ended, as far as known.
    pub(crate) fn let_go(&mut self, slots: &[(Slot, Option<Epoch>)]) -> Vec<(Slot, Option<Epoch>)> {
        // What follows from a refusal can be recorded now and not later.
        self.take_setbacks();
        let term = |&(slot, told): &(Slot, Option<Epoch>)| (slot, self.engine.epoch(slot).max(told));
        let terms: Vec<_> = slots.iter().map(term).collect();
        if let Some(own) = &mut self.own {
            for &(slot, epoch) in &terms {
                epoch.into_iter().for_each(|epoch| own.ended.note(slot, epoch));
            }
        }
        let slots: Vec<Slot> = terms.iter().map(|&(slot, _)| slot).collect();
        self.resign_slots(&slots);
        terms
    }

    /// Decides about these slots no more.
    pub(crate) fn resign_slots(&mut self, slots: &[Slot]) {
        let Some(own) = &self.own else { return };
        for &slot in slots {
            self.engine.resign(slot);
            own.terms.set(slot, None);
        }
        self.count_histories();
    }

    /// Before what is durable is released: nothing leaves that rests on a row which the store refused.
    pub(super) fn take_setbacks(&mut self) {
        let Some(own) = &self.own else { return };
        let setbacks = own.setbacks();
        if setbacks.is_empty() {
            return;
        }
        own.report(&setbacks, |slot| self.engine.epoch(slot));
        let mut positions: Vec<Position> = setbacks.iter().map(|setback| setback.position).collect();
        positions.dedup();
        let is_struck = |position| positions.contains(&position);
        let struck = self.parked.strike(is_struck) + self.copying.strike(is_struck);
        self.counters.withheld += struck as u64;
        for setback in &setbacks {
            self.set_back(setback);
        }
        self.carry_out();
    }

    /// Ends leases that stand in the way of what their clients chose at other nodes.
    pub(super) fn make_way(&mut self) {
        let Some(own) = &mut self.own else { return };
        let wishes = std::mem::take(&mut own.wishes);
        if wishes.is_empty() {
            return;
        }
        let at = self.clock();
        self.batch.records.clear();
        for wish in &wishes {
            let records = &mut self.batch.records;
            self.engine
                .vacate(&at, wish.address, &wish.unique, wish.since, records);
        }
        self.record(&at);
    }

    fn set_back(&mut self, setback: &Setback) {
        match &setback.why {
            Refused::Lost { slot, epoch } if *epoch == self.engine.epoch(*slot) => {
                self.resign_slots(&[*slot]);
            }
            // Decided under a former term: what is held now is not touched. After a failover the slot is claimed anew, and
            // what is known of it is said again then.
            Refused::Lost { .. } | Refused::Former { .. } => {}
            Refused::Taken {
                by,
                unique,
                slot,
                epoch,
            } => {
                if let Some(own) = &self.own
                    && self.engine.epoch(*slot) == Some(*epoch)
                {
                    own.log.made_good(*slot, *epoch);
                }
                let at = self.clock();
                self.batch.records.clear();
                let records = &mut self.batch.records;
                let key = address(setback.key);
                // The other row makes way, wherever it is; the client's next attempt succeeds.
                if let Some(since) = self.engine.unwritten(&at, key, unique, records) {
                    let wish = Wish {
                        address: address(*by),
                        unique: unique.clone(),
                        since,
                    };
                    if self.engine.held().contains(Slot::of_address(wish.address)) {
                        let Wish { address, unique, .. } = &wish;
                        self.engine.vacate(&at, *address, unique, since, records);
                    } else if let Some(own) = &mut self.own {
                        own.ask(&wish);
                    }
                }
                self.record(&at);
            }
        }
    }
}

fn address(key: u64) -> Ipv4Addr {
    Ipv4Addr::from(key as u32)
}
