//! Walks over a table: what is free, what is due, what there is from an address on.

use super::{BLOCK, FabricSlot, Slot, Table};
use crate::lease::{FLAG_RECORDED, Lease};
use crate::view::LeaseState;

impl Table {
    /// The first address in `from..=last` without an occupied lease.
    pub(crate) fn next_unoccupied(&self, from: u32, last: u32) -> Option<u32> {
        let mut address = from;
        while address <= last {
            let Some(&at) = self.numbers.get(&(address / BLOCK)) else {
                return Some(address);
            };
            let free = !self.blocks[at as usize].occupied >> (address % BLOCK);
            if free != 0 {
                let found = address + free.trailing_zeros();
                return (found <= last).then_some(found);
            }
            address = (address / BLOCK + 1).checked_mul(BLOCK)?;
        }
        None
    }

    /// Blocks in which something ends at or before `now`, from `start` on; at most `limit`. Their bounds are
    /// reset: the caller must `update` or `rebound` what it finds.
    pub(crate) fn due(&self, now: u32, start: usize, limit: usize) -> (Vec<u32>, Option<usize>) {
        let mut found = Vec::new();
        for (i, block) in self.blocks.iter().enumerate().skip(start) {
            if block.next_event <= now {
                if found.len() == limit {
                    return (found, Some(i));
                }
                found.push(i as u32);
            }
        }
        (found, None)
    }

    /// The occupied slots of a block.
    pub(crate) fn slots_of(&self, block: u32) -> impl Iterator<Item = Slot> + use<> {
        let mut bits = self.blocks[block as usize].occupied;
        std::iter::from_fn(move || {
            if bits == 0 {
                return None;
            }
            let offset = bits.trailing_zeros();
            bits &= bits - 1;
            Some(Slot(block * BLOCK + offset))
        })
    }

    /// Computes a block's `next_event` anew from its leases.
    pub(crate) fn rebound(&mut self, block: u32, event: impl Fn(&Lease) -> u32) {
        let next = self
            .slots_of(block)
            .map(|slot| event(self.lease(slot)))
            .min()
            .unwrap_or(u32::MAX);
        self.blocks[block as usize].next_event = next;
    }

    /// Forgets all leases of a slot of the fabric; gives the states that there were.
    pub(crate) fn forget_slot(&mut self, of: FabricSlot) -> Vec<(u32, LeaseState)> {
        let numbers: Vec<u32> = self.numbers_in(of).collect();
        let mut states = Vec::new();
        for number in numbers {
            self.by_slot.remove(&(of, number));
            let Some(at) = self.sorted.remove(&number) else {
                continue;
            };
            for slot in (at * BLOCK..(at + 1) * BLOCK).map(Slot) {
                let state = self.lease(slot).state;
                if state != LeaseState::Free {
                    states.push((self.address(slot), state));
                }
                self.forget(slot);
                self.update(slot, |lease| *lease = Lease::FREE);
            }
            self.blocks[at as usize].next_event = u32::MAX;
            self.numbers.remove(&number);
            self.spare.push(at);
        }
        states
    }

    /// Occupied slots in address order, from the first address at or above `from`.
    pub(crate) fn occupied_from(&self, from: u32) -> impl Iterator<Item = Slot> + '_ {
        self.blocks_from(from)
            .flat_map(|b| self.slots_of(b))
            .filter(move |&slot| self.address(slot) >= from)
    }

    /// As [`Self::occupied_from`], with the free slots of which a record was ever written.
    pub(crate) fn remembered_from(&self, from: u32) -> impl Iterator<Item = Slot> + '_ {
        self.blocks_from(from)
            .flat_map(|b| (b * BLOCK..(b + 1) * BLOCK).map(Slot))
            .filter(move |&slot| self.address(slot) >= from)
            .filter(|&slot| {
                let lease = self.lease(slot);
                lease.state != LeaseState::Free || lease.has(FLAG_RECORDED)
            })
    }

    /// As [`Self::remembered_from`], of one slot of the fabric.
    pub(crate) fn remembered_in(&self, of: FabricSlot) -> impl Iterator<Item = Slot> + '_ {
        self.numbers_in(of)
            .filter_map(|number| self.numbers.get(&number))
            .flat_map(|b| (b * BLOCK..(b + 1) * BLOCK).map(Slot))
            .filter(|&slot| {
                let lease = self.lease(slot);
                lease.state != LeaseState::Free || lease.has(FLAG_RECORDED)
            })
    }

    /// The numbers of the blocks of a slot of the fabric, in address order.
    fn numbers_in(&self, of: FabricSlot) -> impl Iterator<Item = u32> + '_ {
        let numbers = self.by_slot.range((of, 0)..=(of, u32::MAX));
        numbers.map(|&(_, number)| number)
    }

    /// Blocks in address order, from the one of address `from` on.
    fn blocks_from(&self, from: u32) -> impl Iterator<Item = u32> + '_ {
        self.sorted.range(from / BLOCK..).map(|(_, &at)| at)
    }
}
