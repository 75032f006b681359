//! Which node decides: in a share, the one that holds the slot of the address that a packet is about.
//!
//! ```text
//!   REQUEST, RELEASE, DECLINE, INFORM ─► the address that they name
//!   DISCOVER, BOOTP ─► reserved? ─► own binding here? ─► asked for? ─► home block ─► next ─► ... ─► exhausted
//!                      stations, numbered alike on every node; `attempt` says how many were passed
//! ```
//!
//! A packet goes on to the next station only with a higher number, so it never comes back; one that comes in by
//! forwarding for a slot that is not held here is dropped.

use super::turn::Turn;
use crate::lease::{FLAG_INHERITED, FLAG_RECORDED};
use crate::reasons;
use crate::share::{Order, Pick, Share, block_of, hash_of};
use crate::step::Verdict;
use crate::view::LeaseState;
use purlin_telemetry::{Outcome, ReasonCode};
use purlin_types::{SLOTS, Slot};

/// One place where a client's address is looked for.
#[derive(Debug, Clone, Copy)]
enum Station {
    Reserved(u32),
    AskedFor(u32),
    Block(Pick),
}

impl Station {
    fn slot(self) -> Slot {
        match self {
            Self::Reserved(address) | Self::AskedFor(address) => Slot::of_block(block_of(address)),
            Self::Block(pick) => pick.slot(),
        }
    }
}

/// All stations of one client.
struct Stations {
    first: [Option<Station>; 2],
    order: Order,
    home: u64,
    xid: u32,
}

impl Stations {
    fn get(&self, index: u32) -> Option<Station> {
        let mut first = self.first.iter().flatten();
        match first.by_ref().nth(index as usize) {
            Some(&station) => Some(station),
            None => {
                let before = self.first.iter().flatten().count() as u32;
                let pick = self.order.pick(self.home, self.xid, index - before)?;
                Some(Station::Block(pick))
            }
        }
    }

    fn blocks(&self) -> impl Iterator<Item = Pick> + '_ {
        (0..).map_while(|nth| self.order.pick(self.home, self.xid, nth))
    }
}

impl Turn<'_, '_> {
    /// Chooses an address to offer; `wanted` is what the client or a probe names. If there is none, what to do
    /// instead.
    // One node alone pays one branch for the shares of others, and no call.
    #[inline]
    pub(super) fn choose(&mut self, wanted: Option<u32>) -> Result<(u32, ReasonCode), Verdict> {
        if self.share.is_some() {
            return self.choose_shared();
        }
        let now = self.secs();
        let chosen = self
            .network
            .choose(self.plan, &self.client, self.subnet, wanted, now);
        chosen.map_err(|nothing| {
            self.decision.with.a = nothing.1;
            self.silent(nothing.0, 0)
        })
    }

    /// The verdict about a packet whose address is another node's to decide about.
    pub(super) fn elsewhere(&mut self, address: u32) -> Option<Verdict> {
        let share = self.share.as_deref()?;
        (!share.holds_address(address)).then(|| {
            self.decision.with.address = address;
            self.pass_on(Slot::of_block(block_of(address)), 0)
        })
    }

    /// The same of a packet that is about no address: its client's hash says who decides.
    pub(super) fn elsewhere_by_client(&mut self) -> Option<Verdict> {
        let share = self.share.as_deref()?;
        let slot = Slot::new((hash_of(&self.client.who) % u64::from(SLOTS)) as u16)?;
        (!share.holds(slot)).then(|| self.pass_on(slot, 0))
    }

    /// To the holder of a slot, as station number `index`; the former ones have been tried.
    fn pass_on(&mut self, slot: Slot, index: u32) -> Verdict {
        let address = self.decision.with.address;
        if self.share().slots().contains(slot) {
            return self.silent(reasons::TENURE_ENDED, address);
        }
        self.decision.with.a = slot.index().into();
        // It was sent here for exactly this, by somebody who believes otherwise.
        if self.arrival.attempt != 0 && u32::from(self.arrival.attempt) > index {
            self.note(Outcome::Dropped, reasons::ASTRAY, address);
            return Verdict::Silent;
        }
        self.note(Outcome::Noted, reasons::FORWARDED, address);
        // There are far fewer stations than that.
        let attempt = u8::try_from(index + 1).unwrap_or(u8::MAX);
        Verdict::Forward { slot, attempt }
    }

    // Not cold: in a cluster every DISCOVER comes here.
    #[inline(never)]
    fn choose_shared(&mut self) -> Result<(u32, ReasonCode), Verdict> {
        let now = self.secs();
        let stations = self.stations();
        let passed = u32::from(self.arrival.attempt.saturating_sub(1));
        let mut own_is_next = true;
        for index in passed.. {
            let station = stations.get(index);
            if own_is_next && !matches!(station, Some(Station::Reserved(_))) {
                own_is_next = false;
                if self.share().tenured()
                    && let Some(address) = self.network.own_address(self.plan, &self.client, now)
                    && self.doubt_of_ended(address) == 0
                    && !self.is_stuck(address)
                {
                    return Ok((address, reasons::OFFERED_OWN));
                }
            }
            let Some(station) = station else { break };
            if !self.share().holds(station.slot()) {
                return Err(self.pass_on(station.slot(), index));
            }
            if let Some(found) = self.at(station) {
                return Ok(found);
            }
        }
        if let Some(address) = self.oldest_offer(&stations) {
            return Ok((address, reasons::OFFERED_CONTESTED));
        }
        let some_block = stations.blocks().next().is_some();
        let nothing = self.network.nothing(self.plan, &self.client, some_block, now);
        self.decision.with.a = nothing.1;
        Err(self.silent(nothing.0, 0))
    }

    fn stations(&self) -> Stations {
        let reserved = self.network.reserved_address(self.plan, &self.client);
        let requested = self.message.requested_address().map(u32::from);
        let requested =
            requested.filter(|&a| Some(a) != reserved && self.network.admits(self.plan, &self.client, a));
        Stations {
            first: [reserved.map(Station::Reserved), requested.map(Station::AskedFor)],
            order: self.network.order(self.plan, &self.client, self.subnet),
            home: hash_of(&self.client.who),
            xid: self.message.xid(),
        }
    }

    /// What a station whose slot is held here has for the client.
    fn at(&self, station: Station) -> Option<(u32, ReasonCode)> {
        let (now, network) = (self.secs(), &*self.network);
        let quarantined = |address| self.quarantine(address) > 0;
        let free = |address: u32| {
            network.available(self.plan, &self.client, address, now)
                && !quarantined(address)
                && !self.is_stuck(address)
        };
        match station {
            Station::Reserved(address) => free(address).then_some((address, reasons::OFFERED_RESERVED)),
            Station::AskedFor(address) => {
                (free(address) && network.unclaimed(address)).then_some((address, reasons::OFFERED_REQUESTED))
            }
            Station::Block(pick) => {
                network.choose_in_block(self.plan, &self.client, (pick, self.subnet), now, quarantined)
            }
        }
    }

    /// The address of all held blocks that has been on offer for longest.
    fn oldest_offer(&self, stations: &Stations) -> Option<u32> {
        let now = self.secs();
        let held = stations.blocks().filter(|pick| self.share().holds(pick.slot()));
        let offers = held.filter_map(|pick| {
            self.network
                .offered_in_block(self.plan, &self.client, (pick, self.subnet), now)
        });
        let offers = offers.filter(|&(_, address)| !self.is_stuck(address));
        offers.min().map(|(_, address)| address)
    }

    /// For how many seconds an address that is nobody's here must still be left alone: what was never recorded may have
    /// been promised ahead of its record (rule R4), and what is recorded as free may be somebody's by a record that a
    /// failover of the store has lost.
    pub(super) fn quarantine(&self, address: u32) -> u32 {
        let Some(share) = &self.share else { return 0 };
        let (lease, now) = (self.network.lease_of(address), self.secs());
        match lease.state {
            _ if !lease.has(FLAG_RECORDED) => share.quarantine(address, now),
            LeaseState::Free => share.distrusts(address, now),
            LeaseState::Declined if lease.expires <= now => share.distrusts(address, now),
            _ => 0,
        }
    }

    /// For how many seconds an ended lease may have been somebody else's since, by a record that a failover of the store
    /// has lost: whoever had it last is not given it back meanwhile. What is promised in the time that is lost ends
    /// within the client lead time, as does the doubt; a lease that had not ended was nobody else's (rule R3).
    pub(super) fn doubt_of_ended(&self, address: u32) -> u32 {
        let now = self.secs();
        let left = self
            .share
            .as_deref()
            .map_or(0, |share| share.distrusts(address, now));
        let slot = self.network.table.slot(address).filter(|_| left > 0);
        let ended = slot.is_some_and(|slot| {
            let lease = self.network.table.lease(slot);
            let over = match lease.state {
                LeaseState::Expired | LeaseState::Released => true,
                LeaseState::Bound => lease.expires <= now,
                LeaseState::Free | LeaseState::Offered | LeaseState::Declined => false,
            };
            lease.has(FLAG_INHERITED) && over
        });
        if ended { left } else { 0 }
    }

    fn share(&self) -> &Share {
        self.share.as_deref().expect("only asked in a share")
    }
}
