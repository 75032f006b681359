//! The leases and pools of one shared network, and the choice of an address for a client.

use crate::lease::{FLAG_RECORDED, Identity, Lease};
use crate::plan::Plan;
use crate::pool::Pool;
use crate::reasons;
use crate::table::{Slot, Table};
use crate::view::LeaseState;
use purlin_telemetry::ReasonCode;

/// Who asks, as the choice needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client<'a> {
    pub(crate) who: Identity<'a>,
    pub(crate) key: u64,
    pub(crate) classes: u128,
    /// Position in the network's reservations.
    pub(crate) reservation: Option<u32>,
}

/// Why there is no address: the reason and its parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nothing(pub(crate) ReasonCode, pub(crate) u32);

#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) index: u16,
    pub(crate) table: Table,
    pub(crate) pools: Vec<Pool>,
    /// Subnets by index, with how many leases of each state lie in them.
    counts: Vec<(u16, [u64; 6])>,
    mclt: u32,
}

impl Network {
    pub(crate) fn new(plan: &Plan, index: u16, entropy: u64) -> Self {
        let mut network = Self {
            index,
            table: Table::new(entropy),
            pools: Vec::new(),
            counts: Vec::new(),
            mclt: 0,
        };
        network.lay_out(plan, index);
        network
    }

    /// Lays the pools of a plan over the leases; what a lease says stays true.
    pub(crate) fn lay_out(&mut self, plan: &Plan, index: u16) {
        self.index = index;
        self.mclt = plan.settings().mclt.as_secs() as u32;
        let former = std::mem::take(&mut self.pools);
        self.counts = plan.networks[usize::from(index)]
            .subnets
            .iter()
            .map(|&s| (s, [0; 6]))
            .collect();
        for &subnet in &plan.networks[usize::from(index)].subnets {
            for (i, pool) in plan.subnets[usize::from(subnet)].pools.iter().enumerate() {
                let mut made = Pool::new(subnet, i as u16, pool.first, pool.last, pool.guard);
                if let Some(old) = former.iter().find(|o| o.first == made.first) {
                    made.window = old.window;
                }
                self.pools.push(made);
            }
        }
        self.recount(plan);
    }

    /// Counts the leases anew and queues the ended ones; after a replay and after a new layout.
    pub(crate) fn recount(&mut self, plan: &Plan) {
        let mut ended = Vec::new();
        self.counts.iter_mut().for_each(|c| c.1 = [0; 6]);
        let slots: Vec<Slot> = self.table.occupied_from(0).collect();
        for slot in slots {
            let (address, state, seen) = (
                self.table.address(slot),
                self.table.lease(slot).state,
                self.table.lease(slot).last_seen,
            );
            self.table.update(slot, |l| l.flags &= !crate::lease::FLAG_QUEUED);
            if let Some(counts) = self.counts_of(plan, address) {
                counts[state as usize] += 1;
            }
            if matches!(state, LeaseState::Expired | LeaseState::Released) {
                ended.push((seen, address));
            }
        }
        ended.sort_unstable();
        for (_, address) in ended {
            self.end(address);
        }
    }

    fn counts_of(&mut self, plan: &Plan, address: u32) -> Option<&mut [u64; 6]> {
        let subnet = plan.subnet_containing(self.index, address)?;
        self.counts.iter_mut().find(|c| c.0 == subnet).map(|c| &mut c.1)
    }

    /// How many leases of each state lie in a subnet.
    pub(crate) fn counts(&self, subnet: u16) -> [u64; 6] {
        self.counts.iter().find(|c| c.0 == subnet).map_or([0; 6], |c| c.1)
    }

    /// Changes a lease and keeps the counts.
    pub(crate) fn change(&mut self, plan: &Plan, slot: Slot, change: impl FnOnce(&mut Lease)) {
        let before = self.table.lease(slot).state;
        self.table.update(slot, change);
        let after = self.table.lease(slot).state;
        if before != after {
            let address = self.table.address(slot);
            if let Some(counts) = self.counts_of(plan, address) {
                counts[before as usize] = counts[before as usize].saturating_sub(1);
                counts[after as usize] += 1;
            }
        }
    }

    pub(crate) fn pool_of(&self, address: u32) -> Option<&Pool> {
        self.pools.iter().find(|p| p.contains(address))
    }

    fn end(&mut self, address: u32) {
        let Self { pools, table, .. } = self;
        if let Some(pool) = pools.iter_mut().find(|p| p.contains(address)) {
            pool.put_ended(table, address);
        }
    }

    /// The lease at `slot` ended (`state` says how): its address waits to be reused.
    pub(crate) fn finish(&mut self, plan: &Plan, slot: Slot, state: LeaseState, until: u32) {
        let address = self.table.address(slot);
        let fresh = state == LeaseState::Free && !self.table.lease(slot).has(FLAG_RECORDED);
        if state == LeaseState::Free {
            self.table.forget(slot);
        }
        self.change(plan, slot, |l| {
            l.state = state;
            l.expires = until;
        });
        if !fresh {
            self.end(address);
        } else if let Some(pool) = self.pools.iter_mut().find(|p| p.contains(address)) {
            pool.put_lapsed(address);
        }
    }

    /// Whether this client may have this address by configuration, whoever has it now.
    pub(crate) fn admits(&self, plan: &Plan, client: &Client<'_>, address: u32) -> bool {
        let reservations = &plan.networks[usize::from(self.index)].reservations;
        match reservations.at(address) {
            Some(owner) => client.reservation == Some(owner),
            None => self
                .pool_of(address)
                .is_some_and(|pool| self.pool_admits(plan, client, pool)),
        }
    }

    fn pool_admits(&self, plan: &Plan, client: &Client<'_>, pool: &Pool) -> bool {
        let subnet = &plan.subnets[usize::from(pool.subnet)];
        pool.admits(client.classes)
            && (subnet.guard == 0 || subnet.guard & client.classes != 0)
            && (!subnet.reserved_only || client.reservation.is_some())
    }

    /// Whether the address is the client's already, or nobody's.
    pub(crate) fn available(&self, client: &Client<'_>, address: u32, now: u32) -> bool {
        let quarantined = || self.pool_of(address).is_some_and(|p| p.quarantined(address, now));
        match self.table.slot(address) {
            None => !quarantined(),
            Some(slot) => {
                let lease = self.table.lease(slot);
                let own = lease.state != LeaseState::Declined && self.table.is(slot, &client.who);
                own || (lease.reusable(now, self.mclt) && (lease.has(FLAG_RECORDED) || !quarantined()))
            }
        }
    }

    /// Chooses an address to offer, in this order: reserved, own, asked for, lapsed offer, never used, longest ended.
    pub(crate) fn choose(
        &mut self,
        plan: &Plan,
        client: &Client<'_>,
        subnet: u16,
        requested: Option<u32>,
        now: u32,
    ) -> Result<(u32, ReasonCode), Nothing> {
        if let Some(address) = self.reserved_address(plan, client)
            && self.available(client, address, now)
        {
            return Ok((address, reasons::OFFERED_RESERVED));
        }
        if let Some(address) = self.own_address(plan, client) {
            return Ok((address, reasons::OFFERED_OWN));
        }
        if let Some(address) = requested
            && self.admits(plan, client, address)
            && self.available(client, address, now)
            && self
                .table
                .slot(address)
                .is_none_or(|s| self.table.lease(s).state == LeaseState::Free)
        {
            return Ok((address, reasons::OFFERED_REQUESTED));
        }
        self.choose_free(plan, client, subnet, now)
    }

    /// The address reserved for the client.
    pub(crate) fn reserved_address(&self, plan: &Plan, client: &Client<'_>) -> Option<u32> {
        let reservations = &plan.networks[usize::from(self.index)].reservations;
        client.reservation.and_then(|at| reservations.get(at).address)
    }

    /// The address that the client has or last had, if it may still have it.
    pub(crate) fn own_address(&self, plan: &Plan, client: &Client<'_>) -> Option<u32> {
        let slot = self.table.find(client.key, &client.who)?;
        let address = self.table.address(slot);
        let usable = !matches!(
            self.table.lease(slot).state,
            LeaseState::Declined | LeaseState::Free
        );
        (usable && self.admits(plan, client, address)).then_some(address)
    }

    fn choose_free(
        &mut self,
        plan: &Plan,
        client: &Client<'_>,
        subnet: u16,
        now: u32,
    ) -> Result<(u32, ReasonCode), Nothing> {
        let reservations = &plan.networks[usize::from(self.index)].reservations;
        let skip = |address: u32| {
            reservations
                .at(address)
                .is_some_and(|r| client.reservation != Some(r))
        };
        let mut order: Vec<usize> = Vec::new();
        let usable = |this: &Self, i: usize| this.pool_admits(plan, client, &this.pools[i]);
        // One pool is the ordinary case and needs no list.
        if self.pools.len() > 1 {
            order = (0..self.pools.len()).filter(|&i| usable(self, i)).collect();
            order.sort_by_key(|&i| self.pools[i].subnet != subnet);
        }
        let only = (self.pools.len() == 1 && usable(self, 0)).then_some(0);
        let mclt = self.mclt;
        for i in only.into_iter().chain(order.iter().copied()) {
            if let Some(address) = self.pools[i].take_fresh(&self.table, now, mclt, skip) {
                return Ok((address, reasons::OFFERED_FRESH));
            }
        }
        for i in only.into_iter().chain(order.iter().copied()) {
            if let Some(address) = self.pools[i].take_ended(&mut self.table, now, mclt, skip) {
                return Ok((address, reasons::OFFERED_REUSED));
            }
        }
        Err(self.nothing(plan, client, only.is_some() || !order.is_empty()))
    }

    fn nothing(&self, plan: &Plan, client: &Client<'_>, some_pool: bool) -> Nothing {
        if some_pool {
            let size: u64 = self.pools.iter().map(Pool::size).sum();
            return Nothing(reasons::POOL_EXHAUSTED, size.min(u64::from(u32::MAX)) as u32);
        }
        let subnets = &plan.networks[usize::from(self.index)].subnets;
        let reserved_only = subnets
            .iter()
            .all(|&s| plan.subnets[usize::from(s)].reserved_only);
        if reserved_only && client.reservation.is_none() {
            return Nothing(reasons::RESERVED_ONLY, 0);
        }
        Nothing(reasons::NO_POOL_FOR_CLASSES, 0)
    }
}
