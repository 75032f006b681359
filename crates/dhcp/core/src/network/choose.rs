//! The choice of an address for a client.

use super::{Client, Network, Nothing};
use crate::lease::{FLAG_CONTESTED, FLAG_RECORDED};
use crate::plan::Plan;
use crate::pool::Pool;
use crate::reasons;
use crate::table::Slot;
use crate::view::LeaseState;
use purlin_telemetry::ReasonCode;

impl Network {
    /// Whether this client may have this address by configuration, whoever has it now.
    pub(crate) fn admits(&self, plan: &Plan, client: &Client<'_>, address: u32) -> bool {
        match kept_for(plan, self.index, client, address) {
            Some(its) => its,
            None => self
                .pool_of(address)
                .is_some_and(|pool| self.pool_admits(plan, client, pool)),
        }
    }

    pub(super) fn pool_admits(&self, plan: &Plan, client: &Client<'_>, pool: &Pool) -> bool {
        let subnet = &plan.subnets[usize::from(pool.subnet)];
        pool.admits(client.classes)
            && (subnet.guard == 0 || subnet.guard & client.classes != 0)
            && (!subnet.reserved_only || client.is_reserved())
    }

    /// Whether the address is reserved for the client and held by the same machine under another name: firmware, the
    /// boot loader after it and the system at last have client identifiers of their own and one hardware address.
    /// Nobody else can get the address, so it goes with the machine.
    pub(crate) fn held_by_same_machine(&self, plan: &Plan, client: &Client<'_>, slot: Slot) -> bool {
        if self.reserved_address(plan, client) != Some(self.table.address(slot)) {
            return false;
        }
        let mut scratch = [0; 17];
        let holder = self.table.identity(slot, &mut scratch);
        let hardware = (client.who.htype, client.who.chaddr);
        !client.who.chaddr.is_empty() && (holder.htype, holder.chaddr) == hardware
    }

    /// Whether the address is the client's already, or nobody's.
    pub(crate) fn available(&self, plan: &Plan, client: &Client<'_>, address: u32, now: u32) -> bool {
        if self.doubted(address, now) {
            return self.available_in_doubt(plan, client, address, now);
        }
        let quarantined = || self.pool_of(address).is_some_and(|p| p.quarantined(address, now));
        match self.table.slot(address) {
            None => !quarantined(),
            Some(slot) => {
                let lease = self.table.lease(slot);
                let own = lease.state != LeaseState::Declined
                    && (self.table.is(slot, &client.who) || self.held_by_same_machine(plan, client, slot));
                own || (self.reusable(lease, now) && (lease.has(FLAG_RECORDED) || !quarantined()))
            }
        }
    }

    /// As [`Self::available`], of an address that may be somebody's whom a restored backup does not know: it is the
    /// client's when it was offered it since, when the backup's lease still runs, or when it is reserved for it and
    /// the backup knows nobody else. The offer is checked on the link whatever the configuration says.
    fn available_in_doubt(&self, plan: &Plan, client: &Client<'_>, address: u32, now: u32) -> bool {
        let reserved = self.reserved_address(plan, client) == Some(address);
        let Some(slot) = self.table.slot(address) else {
            return reserved;
        };
        let lease = self.table.lease(slot);
        let own = self.table.is(slot, &client.who);
        match lease.state {
            LeaseState::Offered => own,
            LeaseState::Bound => own && (reserved || lease.expires > now),
            LeaseState::Declined => false,
            LeaseState::Free | LeaseState::Expired | LeaseState::Released => {
                reserved && (own || lease.reusable(now, self.mclt))
            }
        }
    }

    /// Whether no client has the address, is offered it, or last had it.
    pub(crate) fn unclaimed(&self, address: u32) -> bool {
        let slot = self.table.slot(address);
        slot.is_none_or(|s| self.table.lease(s).state == LeaseState::Free)
    }

    /// Whether the address is on offer to several clients, so that the first to request it gets it.
    pub(crate) fn contested(&self, address: u32) -> bool {
        self.table.slot(address).is_some_and(|slot| {
            let lease = self.table.lease(slot);
            lease.state == LeaseState::Offered && lease.has(FLAG_CONTESTED)
        })
    }

    /// Chooses an address to offer, in this order: reserved, own, asked for, lapsed offer, never used, longest
    /// ended, longest on offer to somebody else. The last keeps a flood of DISCOVERs, which costs its sender
    /// nothing, from keeping everybody else away.
    pub(crate) fn choose(
        &mut self,
        plan: &Plan,
        client: &Client<'_>,
        subnet: u16,
        requested: Option<u32>,
        now: u32,
    ) -> Result<(u32, ReasonCode), Nothing> {
        if let Some(address) = self.reserved_address(plan, client)
            && self.available(plan, client, address, now)
        {
            return Ok((address, reasons::OFFERED_RESERVED));
        }
        if let Some(address) = self.own_address(plan, client, now) {
            return Ok((address, reasons::OFFERED_OWN));
        }
        if let Some(address) = requested
            && self.admits(plan, client, address)
            && self.available(plan, client, address, now)
            && self.unclaimed(address)
        {
            return Ok((address, reasons::OFFERED_REQUESTED));
        }
        self.choose_free(plan, client, subnet, now)
    }

    /// The address reserved for the client, by the configuration or else by a pin.
    pub(crate) fn reserved_address(&self, plan: &Plan, client: &Client<'_>) -> Option<u32> {
        let reservations = &plan.networks[usize::from(self.index)].reservations;
        let configured = client.reservation.and_then(|at| reservations.get(at).address);
        configured.or(client.pinned)
    }

    /// The address that the client has or last had, if it may still have it.
    pub(crate) fn own_address(&self, plan: &Plan, client: &Client<'_>, now: u32) -> Option<u32> {
        let slot = self.table.find(client.key, &client.who)?;
        let address = self.table.address(slot);
        let usable = !matches!(
            self.table.lease(slot).state,
            LeaseState::Declined | LeaseState::Free
        );
        let sure = !self.doubted(address, now) || self.available_in_doubt(plan, client, address, now);
        (usable && sure && self.admits(plan, client, address)).then_some(address)
    }

    fn choose_free(
        &mut self,
        plan: &Plan,
        client: &Client<'_>,
        subnet: u16,
        now: u32,
    ) -> Result<(u32, ReasonCode), Nothing> {
        let index = self.index;
        let skip = |address: u32| kept_for(plan, index, client, address) == Some(false);
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
            if let Some(address) = self.pools[i].take_fresh(&mut self.table, now, mclt, skip) {
                return Ok((address, reasons::OFFERED_FRESH));
            }
        }
        for i in only.into_iter().chain(order.iter().copied()) {
            if let Some(address) = self.pools[i].take_ended(&mut self.table, now, mclt, skip) {
                return Ok((address, reasons::OFFERED_REUSED));
            }
        }
        for i in only.into_iter().chain(order.iter().copied()) {
            if let Some(address) = self.pools[i].take_offer(&self.table, now, mclt, skip) {
                return Ok((address, reasons::OFFERED_CONTESTED));
            }
        }
        Err(self.nothing(plan, client, only.is_some() || !order.is_empty(), now))
    }

    pub(crate) fn nothing(&self, plan: &Plan, client: &Client<'_>, some_pool: bool, now: u32) -> Nothing {
        if some_pool && self.hold.is_on(now) {
            return Nothing(reasons::HELD_BACK, self.held_for(now));
        }
        if some_pool {
            let size: u64 = self.pools.iter().map(Pool::size).sum();
            return Nothing(reasons::POOL_EXHAUSTED, size.min(u64::from(u32::MAX)) as u32);
        }
        let subnets = &plan.networks[usize::from(self.index)].subnets;
        let reserved_only = subnets
            .iter()
            .all(|&s| plan.subnets[usize::from(s)].reserved_only);
        if reserved_only && !client.is_reserved() {
            return Nothing(reasons::RESERVED_ONLY, 0);
        }
        Nothing(reasons::NO_POOL_FOR_CLASSES, 0)
    }
}

/// Whether an address of a network is kept for this client or for others; `None` when it is for whoever comes.
pub(super) fn kept_for(plan: &Plan, network: u16, client: &Client<'_>, address: u32) -> Option<bool> {
    let reservations = &plan.networks[usize::from(network)].reservations;
    match reservations.at(address) {
        Some(owner) => Some(client.reservation == Some(owner)),
        None => plan
            .pins
            .keeps(network, address)
            .then_some(client.pinned == Some(address)),
    }
}
