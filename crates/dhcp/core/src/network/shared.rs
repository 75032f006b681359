//! The choice of an address where blocks come and go: what is free is looked for in one block at a time.

use super::choose::kept_for;
use super::{Client, Network};
use crate::lease::{FLAG_INHERITED, FLAG_RECORDED, Lease};
use crate::plan::Plan;
use crate::reasons;
use crate::share::{BLOCK, Order, Pick, block_of};
use crate::table::Slot;
use crate::view::LeaseState;
use purlin_telemetry::ReasonCode;
use purlin_types::{BLOCK_BITS, Slot as FabricSlot};

impl Network {
    /// The blocks in which a client may have an address, whoever holds them.
    pub(crate) fn order(&self, plan: &Plan, client: &Client<'_>, subnet: u16) -> Order {
        let mut order = Order::default();
        for pool in self.pools.iter().filter(|p| self.pool_admits(plan, client, p)) {
            order.add(pool.subnet == subnet, block_of(pool.first), block_of(pool.last));
        }
        order
    }

    /// An address of one block for a client that has none: never used, else the one whose lease ended longest ago.
    /// `quarantined` says which of those that are nobody's must be left alone.
    pub(crate) fn choose_in_block(
        &self,
        plan: &Plan,
        client: &Client<'_>,
        (pick, subnet): (Pick, u16),
        now: u32,
        quarantined: impl Fn(u32) -> bool,
    ) -> Option<(u32, ReasonCode)> {
        let mut ended: Option<(u32, u32)> = None;
        for address in self.addresses_of(plan, client, (pick, subnet)) {
            let lease = self.lease_of(address);
            let fresh = lease.state == LeaseState::Free;
            let frozen = self.frozen && lease.has(FLAG_RECORDED);
            if fresh && !frozen && !quarantined(address) {
                return Some((address, reasons::OFFERED_FRESH));
            }
            let longer = ended.is_none_or(|(seen, _)| lease.last_seen < seen);
            if !fresh && longer && self.reusable(&lease, now) {
                ended = Some((lease.last_seen, address));
            }
        }
        ended.map(|(_, address)| (address, reasons::OFFERED_REUSED))
    }

    /// The address of a block that has been on offer to somebody else for longest, and is nobody's.
    pub(crate) fn offered_in_block(
        &self,
        plan: &Plan,
        client: &Client<'_>,
        place: (Pick, u16),
        now: u32,
    ) -> Option<(u32, u32)> {
        let offers = self.addresses_of(plan, client, place).filter_map(|address| {
            let lease = self.lease_of(address);
            let offered = lease.state == LeaseState::Offered && !lease.rests(now, self.mclt);
            offered.then_some((lease.expires, address))
        });
        offers.min()
    }

    /// The addresses of a block that the plan gives to this client.
    fn addresses_of<'a>(
        &'a self,
        plan: &'a Plan,
        client: &'a Client<'_>,
        (pick, subnet): (Pick, u16),
    ) -> impl Iterator<Item = u32> + 'a {
        let first = pick.block << BLOCK_BITS;
        let last = first | (BLOCK - 1);
        let meant = move |p: &&crate::pool::Pool| {
            (p.subnet == subnet) == pick.near
                && p.first <= last
                && p.last >= first
                && self.pool_admits(plan, client, p)
        };
        let all = self.pools.iter().filter(meant);
        let all = all.flat_map(move |p| p.first.max(first)..=p.last.min(last));
        all.filter(|&address| kept_for(plan, self.index, client, address) != Some(false))
    }

    /// What is known of an address: [`Lease::FREE`] where nothing is.
    pub(crate) fn lease_of(&self, address: u32) -> Lease {
        self.table
            .slot(address)
            .map_or(Lease::FREE, |slot| *self.table.lease(slot))
    }

    /// Whether another client may be given the address of this lease. In a share, that its client has given it back
    /// is not enough for a lease that was inherited (rule R3).
    pub(super) fn reusable(&self, lease: &Lease, now: u32) -> bool {
        !(self.frozen && lease.has(FLAG_RECORDED)) && self.has_ended(lease, now)
    }

    /// Whether all that was promised of an address has ended.
    pub(crate) fn has_ended(&self, lease: &Lease, now: u32) -> bool {
        let doubtful = self.shared && lease.state == LeaseState::Released;
        lease.reusable(now, self.mclt) && !(doubtful && lease.rests(now, self.mclt))
    }

    /// Ends a bound lease whose client is said to have another one now. Its record is the caller's to append.
    ///
    /// The client said so itself, but a request may have lain somewhere and be older than the promise made here: then the
    /// client uses this address still. So it is nobody else's before what was promised of it has ended. A promise without
    /// an end would keep it for ever.
    pub(crate) fn leave(&mut self, plan: &Plan, slot: Slot, now: u32) {
        let promised = self.table.lease(slot).expires;
        if promised == u32::MAX {
            return self.end_now(plan, slot, now);
        }
        let seen = self.stamp_ended(slot, now);
        self.table.update(slot, |l| l.last_seen = seen);
        self.rest(plan, slot, now);
    }

    /// The lease at `slot` is over and its address rests until all that was promised of it has ended.
    pub(crate) fn rest(&mut self, plan: &Plan, slot: Slot, now: u32) {
        self.change(plan, slot, |l| {
            // What a former owner may have promised goes further than the record of it says.
            l.pot = match l.has(FLAG_INHERITED) {
                true => l.pot.max(l.expires),
                false => l.expires,
            };
            l.state = LeaseState::Expired;
            l.flags |= FLAG_INHERITED;
            l.expires = now.min(l.expires);
            l.version += 1;
        });
    }

    /// Counts a lease that was put into the table behind the counts' back.
    pub(crate) fn count_in(&mut self, plan: &Plan, slot: Slot) {
        let (address, state) = (self.table.address(slot), self.table.lease(slot).state);
        if let Some(counts) = self.counts_of(plan, address) {
            counts[state as usize] += 1;
        }
    }

    /// Forgets the leases of a slot of the fabric.
    pub(crate) fn forget_slot(&mut self, plan: &Plan, of: FabricSlot) {
        for (address, state) in self.table.forget_slot(of) {
            if let Some(counts) = self.counts_of(plan, address) {
                counts[state as usize] = counts[state as usize].saturating_sub(1);
            }
        }
    }
}
