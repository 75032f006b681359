//! What this node decides about: everything, or the slots of a share that come and go under claims.

use super::Engine;
use super::replay::put;
use crate::lease::{FLAG_INHERITED, Lease};
use crate::network::Network;
use crate::reasons;
use crate::record::{self, LeaseRecord, Record};
use crate::rows::unique_of;
use crate::share::{BLOCK, Term, block_of};
use crate::unclean::bound_of;
use crate::view::LeaseState;
use purlin_telemetry::{Decision, Outcome, ReasonCode};
use purlin_types::{BLOCK_BITS, BootTime, Epoch, Now, Slot, SlotSet, Tenure};
use std::net::Ipv4Addr;

/// A slot that is this node's from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Takeover {
    pub slot: Slot,
    /// Under which it was claimed.
    pub epoch: Epoch,
    /// Until when unrecorded addresses are in doubt (rule R4).
    pub suspect_until: Option<BootTime>,
    /// The epoch of its owner before, who gave it back in order and without any doubt left. `None` in every other case.
    pub given_back: Option<Epoch>,
}

/// By how much the clocks of two nodes may differ, and then some, in seconds.
const SKEW: u32 = 5;

impl Engine {
    /// From now on this engine decides about the slots that it adopts and no others. What it knew is forgotten: the
    /// rows of the slots say it. All times it is given from here on must come from one [`crate::SteadyClock`]. In a
    /// share the node's first thread has all networks: the engine of any other one decides about nothing from now on.
    pub fn share(&mut self) {
        self.share = Some(Box::default());
        self.shards = 1;
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
        let takeover = Takeover {
            slot,
            epoch,
            suspect_until,
            given_back: None,
        };
        self.take_over(now, &takeover, &mut rows.map(|body| (Epoch::default(), body)));
    }

    /// As [`Self::adopt`], of a slot that may have been given back in order: rows come with the epochs that they were
    /// written under. What the owner before wrote is the whole truth about what it promised, as if this node had
    /// written it; what that one had inherited itself stays so.
    pub fn take_over(
        &mut self,
        now: &Now,
        takeover: &Takeover,
        rows: &mut dyn Iterator<Item = (Epoch, &[u8])>,
    ) {
        if self.share.is_none() {
            return;
        }
        let &Takeover {
            slot,
            epoch,
            suspect_until,
            given_back,
        } = takeover;
        self.clock_set |= self.follow_clock(now);
        self.resign(slot);
        let quarantine = suspect_until.map_or(0, |until| wall_of(now, until));
        let mut term = Term::new(epoch, quarantine, now.wall);
        for (written, body) in rows {
            let inherited = (given_back != Some(written)).then(|| now.wall.secs());
            for record in record::decode(body) {
                match &record {
                    Record::Lease(lease) if Slot::of_address(lease.address.into()) == slot => {
                        self.inherit(&record, lease, inherited);
                    }
                    Record::Window { first, .. } if Slot::of_address((*first).into()) == slot => {
                        term.inherit_window(block_of(*first));
                    }
                    _ => {}
                }
            }
        }
        if let Some(share) = &mut self.share {
            share.take(slot, term);
        }
    }

    /// Goes on with a slot that was held under `former` without a break and is now under `epoch`, as after a failover
    /// of the store that may have lost rows: all that is known of it goes to `records`, to be written anew. False when
    /// it was not held under `former`; then it has to be adopted.
    pub fn reassert(&mut self, slot: Slot, former: Epoch, epoch: Epoch, records: &mut Vec<u8>) -> bool {
        let Some(share) = self
            .share
            .as_mut()
            .filter(|share| share.epoch(slot) == Some(former))
        else {
            return false;
        };
        share.renew_term(slot, former, epoch);
        for block in share.windows(slot) {
            let first = block << BLOCK_BITS;
            let end = first.saturating_add(BLOCK);
            Record::Window { first, end }.encode(records);
        }
        for network in self.networks.iter().flatten() {
            for at in network.table.remembered_in(slot) {
                super::encode(network, at, records);
                self.counters.records += 1;
            }
        }
        self.orphans
            .encode_in(|address| Slot::of_block(block_of(address)) == slot, records);
        true
    }

    /// `takeover` is when the slot was taken without its owner having said all; `None` when it has.
    fn inherit(&mut self, record: &Record<'_>, lease: &LeaseRecord<'_>, takeover: Option<u32>) {
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
        network.table.update(at, |l| {
            if let Some(takeover) = takeover {
                mark_inherited(l, takeover);
            }
            l.first = false;
        });
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
            let network = self.plan.routes.subnet_of(lease.address);
            let network = network.map(|s| self.plan.subnets[usize::from(s)].network);
            let network = network.and_then(|n| self.networks[usize::from(n)].as_mut());
            if let Some(network) = network
                && let Some(at) = network.table.slot(lease.address)
            {
                network.table.update(at, |l| mark_inherited(l, 0));
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
        for network in self.networks.iter_mut().flatten() {
            network.forget_slot(&self.plan, slot);
        }
        self.orphans
            .retain(|address| Slot::of_block(block_of(address)) != slot);
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
    /// row elsewhere; `unique` is what the two rows have in common ([`crate::rows::RowRef::unique`]). Nothing more is
    /// promised on the strength of it, and the reply must not leave: the lease has ended, and the address is nobody
    /// else's until all that may have been said of it has ended too. A record that says so, and claims nothing, is in
    /// `records`: in lead mode the client may have its answer already, and whoever gets the slot next must know.
    ///
    /// Gives the time of the client's choice, with which the other row can be asked to make way ([`Self::vacate`]);
    /// `None` when the client has left this address since.
    pub fn unwritten(
        &mut self,
        now: &Now,
        address: Ipv4Addr,
        unique: &[u8],
        records: &mut Vec<u8>,
    ) -> Option<u32> {
        let plan = std::sync::Arc::clone(&self.plan);
        let name = plan.network_of(address.into());
        let network = self.network_with(address)?;
        let at = network.table.slot(address.into())?;
        let lease = *network.table.lease(at);
        let mut scratch = [0; 17];
        let who = network.table.identity(at, &mut scratch);
        if lease.state != LeaseState::Bound || unique_of(name, &who) != unique {
            return None;
        }
        let mac = who.mac();
        network.rest(&plan, at, now.wall.secs());
        super::encode(network, at, records);
        self.counters.records += 1;
        self.note_of(now, reasons::UNWRITTEN, address, mac);
        Some(lease.last_seen)
    }

    /// Ends the lease of an address that stands in the way of its client's next one, which may be another node's:
    /// `unique` is the row's, and `since` is when the client chose the other address. The address rests until what was
    /// promised of it has ended: the choice may have been a late packet's. True when a record of that is in
    /// `records`, or when the row is about to be another client's anyway; false when the slot is not held, or when this
    /// is the later choice, as far as clocks can tell.
    pub fn vacate(
        &mut self,
        now: &Now,
        address: Ipv4Addr,
        unique: &[u8],
        since: u32,
        records: &mut Vec<u8>,
    ) -> bool {
        let plan = std::sync::Arc::clone(&self.plan);
        let name = plan.network_of(address.into());
        let Some(network) = self.network_with(address) else {
            return false;
        };
        let Some(at) = network.table.slot(address.into()) else {
            return false;
        };
        let lease = *network.table.lease(at);
        let mut scratch = [0; 17];
        let who = network.table.identity(at, &mut scratch);
        let mac = who.mac();
        if lease.state != LeaseState::Bound {
            // It has ended here already, which is never written down for its own sake.
            network.table.update(at, |l| l.version += 1);
        } else if unique_of(name, &who) != unique {
            // The record that made it another's ends the row's claim.
            return true;
        } else if lease.last_seen.saturating_add(SKEW) > since {
            return false;
        } else {
            network.leave(&plan, at, now.wall.secs());
        }
        let before = records.len();
        super::encode(network, at, records);
        if records.len() == before {
            return false;
        }
        self.counters.records += 1;
        self.note_of(now, reasons::VACATED, address, mac);
        true
    }

    /// The network of an address whose slot is held, when it is this thread's.
    fn network_with(&mut self, address: Ipv4Addr) -> Option<&mut Network> {
        let subnet = self.plan.routes.subnet_of(address.into())?;
        let network = self.plan.subnets[usize::from(subnet)].network;
        let held = self.held().contains(Slot::of_address(address));
        self.networks[usize::from(network)].as_mut().filter(|_| held)
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
