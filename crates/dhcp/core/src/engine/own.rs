//! What this node decides about: everything, or the slots of a share that come and go under claims.

use super::Engine;
use super::replay::put;
use crate::lease::{FLAG_INHERITED, Lease};
use crate::reasons;
use crate::record::{self, LeaseRecord, Record};
use crate::rows::unique_of;
use crate::share::{Term, block_of};
use crate::table;
use crate::unclean::bound_of;
use crate::view::LeaseState;
use purlin_telemetry::{Decision, Outcome, ReasonCode};
use purlin_types::{BootTime, Epoch, Now, Slot, SlotSet, Tenure};
use std::net::Ipv4Addr;

impl Engine {
    /// From now on this engine decides about the slots that it adopts and no others. What it knew is forgotten: the
    /// rows of the slots say it. All times it is given from here on must come from one [`crate::SteadyClock`].
    pub fn share(&mut self) {
        self.share = Some(Box::default());
        self.networks = (0..self.plan.networks.len() as u16)
            .map(|i| self.new_network(i))
            .collect();
        self.orphans = Default::default();
        self.windows.clear();
        self.probes.clear();
        self.unclean = Default::default();
        self.hold = Default::default();
    }

    /// The term under which records of a slot are to be written: ask when a frame is made, not when it is written.
    /// `None` when the slot is not held.
    #[must_use]
    pub fn epoch(&self, slot: Slot) -> Option<Epoch> {
        match &self.share {
            Some(share) => share.epoch(slot),
            None => Some(Tenure::SOLE.epoch),
        }
    }

    /// The slots that this engine decides about.
    #[must_use]
    pub fn held(&self) -> &SlotSet {
        self.share.as_ref().map_or(&SlotSet::FULL, |share| share.slots())
    }

    /// Takes over a slot that was claimed under `epoch`: `rows` are the bodies of all its stored rows, leases and
    /// windows, read after the claim was granted. Recorded clients are served at once; their addresses go to others
    /// only after the latest promise that the former owner can have made (rule R3). Until `suspect_until`,
    /// unrecorded addresses of its windows are left alone (rule R4). A slot that is held already is read anew.
    ///
    /// Does nothing in an engine that shares with nobody.
    pub fn adopt(
        &mut self,
        now: &Now,
        slot: Slot,
        epoch: Epoch,
        suspect_until: Option<BootTime>,
        rows: &mut dyn Iterator<Item = &[u8]>,
    ) {
        if self.share.is_none() {
            return;
        }
        self.clock_set |= self.follow_clock(now);
        self.resign(slot);
        let quarantine = suspect_until.map_or(0, |until| wall_of(now, until));
        let mut term = Term::new(epoch, quarantine);
        for record in rows.flat_map(record::decode) {
            match &record {
                Record::Lease(lease) if Slot::of_address(lease.address.into()) == slot => {
                    self.inherit(&record, lease, now.wall.secs());
                }
                Record::Window { first, .. } if Slot::of_address((*first).into()) == slot => {
                    term.inherit_window(block_of(*first));
                }
                _ => {}
            }
        }
        if let Some(share) = &mut self.share {
            share.take(slot, term);
        }
    }

    fn inherit(&mut self, record: &Record<'_>, lease: &LeaseRecord<'_>, takeover: u32) {
        let Some(home) = self.plan.routes.subnet_of(lease.address) else {
            return self.orphans.keep(record);
        };
        let home = self.plan.subnets[usize::from(home)].network;
        let Some(network) = &mut self.networks[usize::from(home)] else {
            return;
        };
        put(network, record);
        let Some(at) = network.table.slot(lease.address) else {
            return;
        };
        network.table.update(at, |l| mark_inherited(l, takeover));
        network.count_in(&self.plan, at);
    }

    /// After a plan has moved leases between networks: they are inherited still, and if they were not, it only takes
    /// longer until another client gets the address.
    pub(super) fn inherit_moved(&mut self, frame: &[u8]) {
        if self.share.is_none() {
            return;
        }
        for record in record::decode(frame) {
            let Record::Lease(lease) = record else { continue };
            for network in self.networks.iter_mut().flatten() {
                if let Some(at) = network.table.slot(lease.address) {
                    network.table.update(at, |l| mark_inherited(l, 0));
                }
            }
        }
    }

    /// Stops deciding about a slot and forgets its leases, at once. What was recorded and not yet written is lost
    /// unless whoever writes it still may.
    pub fn resign(&mut self, slot: Slot) {
        let Some(share) = &mut self.share else { return };
        if !share.give_up(slot) {
            return;
        }
        let meant = |block: u32| Slot::of_block(block) == slot;
        for network in self.networks.iter_mut().flatten() {
            network.forget_blocks(&self.plan, meant);
        }
        self.orphans.retain(|address| !meant(block_of(address)));
    }

    /// Until then every unrecorded address of a held slot is left alone, whether it lies in a window or not: for a
    /// store that may have lost rows which it had confirmed.
    pub fn distrust(&mut self, now: &Now, slot: Slot, until: BootTime) {
        let until = wall_of(now, until);
        if let Some(share) = &mut self.share {
            share.distrust(slot, until);
        }
    }

    /// The store has not taken what was last recorded of an address and never will, because its client has a bound
    /// row elsewhere that could not be vacated. Nothing more is promised on the strength of it: the lease has ended,
    /// and the address is nobody else's until all that may have been said of it has ended too.
    pub fn unwritten(&mut self, now: &Now, address: Ipv4Addr) {
        let plan = std::sync::Arc::clone(&self.plan);
        let mut mac = None;
        for network in self.networks.iter_mut().flatten() {
            let bound = |at: &table::Slot| network.table.lease(*at).state == LeaseState::Bound;
            let Some(at) = network.table.slot(address.into()).filter(bound) else {
                continue;
            };
            network.change(&plan, at, |l| {
                l.state = LeaseState::Expired;
                l.flags |= FLAG_INHERITED;
                l.pot = l.expires;
                l.expires = now.wall.secs().min(l.expires);
            });
            mac = Some(network.table.identity(at, &mut [0; 17]).mac());
        }
        if let Some(mac) = mac {
            self.note_of(now, reasons::UNWRITTEN, address, mac);
        }
    }

    /// Ends the lease of an address that stands in the way of its client's next one, at a node that may not see this
    /// one. `unique` is the row's ([`crate::rows::RowRef::unique`]). True when a record of that is in `records`, or
    /// when the row is about to be another's anyway; false when the slot is not held.
    pub fn vacate(&mut self, now: &Now, address: Ipv4Addr, unique: &[u8], records: &mut Vec<u8>) -> bool {
        if !self.held().contains(Slot::of_address(address)) {
            return false;
        }
        let name = self.plan.network_of(address.into()).to_owned();
        for network in self.networks.iter_mut().flatten() {
            let Some(at) = network.table.slot(address.into()) else {
                continue;
            };
            let lease = *network.table.lease(at);
            let mut scratch = [0; 17];
            let who = network.table.identity(at, &mut scratch);
            if lease.state == LeaseState::Bound && unique_of(&name, &who) != unique {
                // The record that made it another's ends the row's claim.
                return true;
            }
            let mac = who.mac();
            if lease.state == LeaseState::Bound {
                let plan = std::sync::Arc::clone(&self.plan);
                network.end_now(&plan, at, now.wall.secs());
            } else {
                // It has ended here already, which is never written down for its own sake.
                network.table.update(at, |l| l.version += 1);
            }
            let before = records.len();
            super::encode(network, at, records);
            if records.len() == before {
                return false;
            }
            self.counters.records += 1;
            self.note_of(now, reasons::VACATED, address, mac);
            return true;
        }
        false
    }

    fn note_of(&mut self, now: &Now, reason: ReasonCode, address: Ipv4Addr, mac: [u8; 6]) {
        let mut note = Decision {
            at: now.wall,
            mac,
            outcome: Outcome::Noted,
            reason,
            ..Decision::default()
        };
        note.with.address = address.into();
        self.counters.count(reason);
        self.ring.push(note);
    }
}

/// Rule R3: no promise of the former owner goes further than the client lead time after this bound.
fn mark_inherited(lease: &mut Lease, takeover: u32) {
    if lease.state != LeaseState::Free {
        lease.flags |= FLAG_INHERITED;
        lease.pot = bound_of(lease).max(takeover);
    }
}

/// An instant on the boot clock in Unix seconds, not earlier.
fn wall_of(now: &Now, at: BootTime) -> u32 {
    let millis = at.millis_since(now.boot).saturating_add(1999);
    now.wall
        .secs()
        .saturating_add(u32::try_from(millis / 1000).unwrap_or(u32::MAX))
}
