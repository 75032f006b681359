//! The leases and pools of one shared network.

mod choose;
mod shared;

use crate::hold::Hold;
use crate::lease::{FLAG_LAPSED, FLAG_QUEUED, FLAG_RECORDED, Identity, Lease};
use crate::plan::Plan;
use crate::pool::Pool;
use crate::table::{Slot, Table};
use crate::view::LeaseState;
use purlin_telemetry::ReasonCode;

/// How long an address found in use rests when half of its subnet does already, in seconds.
const HOLD_SHORT: u32 = 600;

/// Who asks, as the choice needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client<'a> {
    pub(crate) who: Identity<'a>,
    pub(crate) key: u64,
    pub(crate) classes: u128,
    /// Position in the network's reservations.
    pub(crate) reservation: Option<u32>,
    /// The address that is pinned to its hardware address.
    pub(crate) pinned: Option<u32>,
}

impl Client<'_> {
    /// Whether something is reserved for it, by the configuration or by a pin.
    pub(crate) const fn is_reserved(&self) -> bool {
        self.reservation.is_some() || self.pinned.is_some()
    }
}

/// Why there is no address: the reason and its parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nothing(pub(crate) ReasonCode, pub(crate) u32);

#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) index: u16,
    pub(crate) table: Table,
    pub(crate) pools: Vec<Pool>,
    /// Subnets by index, with how many leases of each state lie outside of their pools; each pool counts its own.
    loose: Vec<(u16, [u64; 6])>,
    mclt: u32,
    hold: Hold,
    /// Blocks come and go with their slots: what is free is looked for in the table alone, and nothing is queued.
    pub(crate) shared: bool,
    /// What was recorded goes to nobody else for now: the store's second copy, which would have to have that, does not
    /// follow.
    pub(crate) frozen: bool,
}

impl Network {
    pub(crate) fn new(plan: &Plan, index: u16, entropy: u64, shared: bool) -> Self {
        let mut network = Self {
            index,
            table: Table::new(entropy),
            pools: Vec::new(),
            loose: Vec::new(),
            mclt: 0,
            hold: Hold::default(),
            shared,
            frozen: false,
        };
        network.lay_out(plan, index);
        network
    }

    /// Lays the pools of a plan over the leases; what a lease says stays true.
    pub(crate) fn lay_out(&mut self, plan: &Plan, index: u16) {
        self.index = index;
        self.mclt = plan.settings().mclt.as_secs() as u32;
        let former = std::mem::take(&mut self.pools);
        self.loose = plan.networks[usize::from(index)]
            .subnets
            .iter()
            .map(|&s| (s, [0; 6]))
            .collect();
        for &subnet in &plan.networks[usize::from(index)].subnets {
            for (i, pool) in plan.subnets[usize::from(subnet)].pools.iter().enumerate() {
                let mut made = Pool::new(subnet, i as u16, pool.first, pool.last, pool.guard);
                match former.iter().find(|o| o.first == made.first) {
                    Some(same) => made.window = same.window.cut(made.last),
                    None => former
                        .iter()
                        .for_each(|o| made.restore_window(o.first, o.window.end)),
                }
                self.pools.push(made);
            }
        }
        self.recount(plan);
    }

    /// Counts the leases anew and queues the ended ones; after a replay and after a new layout.
    pub(crate) fn recount(&mut self, plan: &Plan) {
        let mut ended = Vec::new();
        self.pools.iter_mut().for_each(Pool::start_over);
        self.table.clear_flags(FLAG_QUEUED | FLAG_LAPSED);
        self.loose.iter_mut().for_each(|c| c.1 = [0; 6]);
        let slots: Vec<Slot> = self.table.occupied_from(0).collect();
        for slot in slots {
            let (address, state, seen) = (
                self.table.address(slot),
                self.table.lease(slot).state,
                self.table.lease(slot).last_seen,
            );
            if let Some(counts) = self.counts_of(plan, address) {
                counts[state as usize] += 1;
            }
            if state == LeaseState::Offered {
                self.note_offer(address);
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

    /// What a restore leaves in doubt.
    pub(crate) fn hold_back(&mut self, hold: Hold) {
        self.hold = hold;
        self.pools.iter_mut().for_each(|pool| pool.hold = hold);
    }

    /// Seconds for which what the backup does not know is still held back; 0 when nothing is.
    pub(crate) fn held_for(&self, now: u32) -> u32 {
        self.hold.until.saturating_sub(now)
    }

    /// Whether an address may be somebody's whom a restored backup does not know.
    pub(crate) fn doubted(&self, address: u32, now: u32) -> bool {
        self.hold.is_on(now) && {
            let slot = self.table.slot(address);
            self.hold.doubts(slot.map(|slot| self.table.lease(slot)), now)
        }
    }

    /// The stamp of a lease that is bound now: it is in doubt no longer.
    pub(crate) fn stamp_bound(&self, now: u32) -> u32 {
        self.hold.stamp(now)
    }

    /// The stamp of a lease that ends now. What was in doubt stays so: its end says nothing of who else has it.
    pub(crate) fn stamp_ended(&self, slot: Slot, now: u32) -> u32 {
        if self.hold.doubts(Some(self.table.lease(slot)), now) {
            now.min(self.hold.at)
        } else {
            self.hold.stamp(now)
        }
    }

    fn counts_of(&mut self, plan: &Plan, address: u32) -> Option<&mut [u64; 6]> {
        if let Some(pool) = self.pools.iter_mut().find(|pool| pool.contains(address)) {
            return Some(&mut pool.counts);
        }
        let subnet = plan.subnet_containing(self.index, address)?;
        self.loose.iter_mut().find(|c| c.0 == subnet).map(|c| &mut c.1)
    }

    /// The pools of a subnet, in the order of its plan.
    pub(crate) fn pools_of(&self, subnet: u16) -> impl Iterator<Item = &Pool> {
        self.pools.iter().filter(move |pool| pool.subnet == subnet)
    }

    /// How many leases of each state lie in a subnet, in its pools and outside of them.
    pub(crate) fn counts(&self, subnet: u16) -> [u64; 6] {
        let loose = self.loose.iter().find(|c| c.0 == subnet);
        let mut sum = loose.map_or([0; 6], |c| c.1);
        for pool in self.pools_of(subnet) {
            sum.iter_mut()
                .zip(pool.counts)
                .for_each(|(sum, count)| *sum += count);
        }
        sum
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

    /// Ends a bound lease that its client or an operator gives back. Its record is the caller's to append.
    pub(crate) fn end_now(&mut self, plan: &Plan, slot: Slot, now: u32) {
        let seen = self.stamp_ended(slot, now);
        self.table.update(slot, |l| {
            l.version += 1;
            l.last_seen = seen;
            l.pot = now;
        });
        self.finish(plan, slot, LeaseState::Released, now);
    }

    pub(crate) fn pool_of(&self, address: u32) -> Option<&Pool> {
        self.pools.iter().find(|p| p.contains(address))
    }

    /// Addresses that were kept for machines are anybody's again. Those that were passed over meanwhile would not be
    /// looked at any more.
    pub(crate) fn let_go(&mut self, addresses: impl Iterator<Item = u32>) {
        if self.shared {
            return;
        }
        let Self { pools, table, .. } = self;
        for address in addresses {
            let Some(pool) = pools.iter_mut().find(|pool| pool.contains(address)) else {
                continue;
            };
            let lease = table.slot(address).map_or(Lease::FREE, |slot| *table.lease(slot));
            match lease.state {
                LeaseState::Free if !lease.has(FLAG_RECORDED) => pool.put_lapsed(table, address),
                LeaseState::Free | LeaseState::Expired | LeaseState::Released => {
                    pool.put_ended(table, address);
                }
                LeaseState::Offered | LeaseState::Bound | LeaseState::Declined => {}
            }
        }
    }

    /// An address is on offer from now on, and can be taken back when nothing else is left.
    pub(crate) fn note_offer(&mut self, address: u32) {
        let Self {
            pools, table, shared, ..
        } = self;
        if !*shared && let Some(pool) = pools.iter_mut().find(|p| p.contains(address)) {
            pool.put_offer(table, address);
        }
    }

    /// Another address than the one at `slot` that the client holds here.
    pub(crate) fn former_of(&self, client: &Client<'_>, slot: Slot) -> Option<Slot> {
        let found = self.table.find(client.key, &client.who)?;
        let lease = self.table.lease(found);
        let holder = match lease.state {
            LeaseState::Offered => self.table.slot(lease.giaddr)?,
            _ => found,
        };
        let holds = self.table.lease(holder).state == LeaseState::Bound && self.table.is(holder, &client.who);
        (holds && holder != slot).then_some(holder)
    }

    /// Takes an address out of use because somebody uses it without a lease. Once half of a subnet is out of use
    /// that way, a device that answers for every address is more likely than so many squatters, and the rest comes
    /// back soon.
    pub(crate) fn quarantine(&mut self, plan: &Plan, slot: Slot, now: u32) {
        let address = self.table.address(slot);
        let subnet = plan.subnet_containing(self.index, address).unwrap_or(u16::MAX);
        let size: u64 = self.pools_of(subnet).map(Pool::size).sum();
        let declined = self.counts(subnet)[LeaseState::Declined as usize];
        let hold = plan.settings().decline_hold.as_secs() as u32;
        let hold = if size > 0 && declined * 2 >= size {
            hold.min(HOLD_SHORT)
        } else {
            hold
        };
        let seen = self.stamp_ended(slot, now);
        self.change(plan, slot, |l| {
            l.state = LeaseState::Declined;
            l.flags |= FLAG_RECORDED;
            l.version += 1;
            l.last_seen = seen;
            l.expires = now.saturating_add(hold);
        });
    }

    /// Takes out what is known of addresses that no subnet of this network has any more, as records.
    pub(crate) fn take_strays(&mut self, plan: &Plan) -> Vec<u8> {
        let mut frame = Vec::new();
        let slots: Vec<Slot> = self.table.remembered_from(0).collect();
        for slot in slots {
            if plan
                .subnet_containing(self.index, self.table.address(slot))
                .is_none()
            {
                crate::engine::encode(self, slot, &mut frame);
                self.table.forget(slot);
                self.table.update(slot, |l| *l = Lease::FREE);
            }
        }
        frame
    }

    fn end(&mut self, address: u32) {
        let Self {
            pools, table, shared, ..
        } = self;
        if !*shared && let Some(pool) = pools.iter_mut().find(|p| p.contains(address)) {
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
        if !fresh || self.shared {
            self.end(address);
        } else {
            let Self { pools, table, .. } = self;
            if let Some(pool) = pools.iter_mut().find(|p| p.contains(address)) {
                pool.put_lapsed(table, address);
            }
        }
    }
}
