//! The transfers of a thread: places that are used again, and the way from a client to its transfer.

use crate::peer::{Peer, Slot};
use crate::transfer::Transfer;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;

#[derive(Debug)]
struct Place<F> {
    turn: u32,
    transfer: Option<Transfer<F>>,
}

/// Transfers by slot and by client.
#[derive(Debug)]
pub(super) struct Table<F> {
    places: Vec<Place<F>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: FixedState,
}

impl<F> Table<F> {
    /// `seed` keeps strangers from choosing ports that meet in one bucket.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: FixedState::with_seed(seed),
        }
    }

    /// Makes places until there are `count`. Each is written to, so the memory is really there.
    pub(super) fn prepare(&mut self, count: usize) {
        let first = self.places.len();
        let more = count.saturating_sub(first);
        self.places.reserve(more);
        self.places.extend((0..more).map(|_| Place {
            turn: 0,
            transfer: None,
        }));
        // The lowest is taken first: a quiet server stays on few pages.
        self.free.extend((first..first + more).rev().map(|at| at as u32));
        let (hasher, places) = (&self.hasher, &self.places);
        self.index.reserve(count.saturating_sub(self.index.len()), |at| {
            hash_of(hasher, places, *at)
        });
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn hash(&self, peer: &Peer) -> u64 {
        hash(&self.hasher, peer)
    }

    /// The place of this client's transfer.
    pub(super) fn find(&self, peer: &Peer) -> Option<u32> {
        let same = |at: &u32| {
            let transfer = self.places[*at as usize].transfer.as_ref();
            transfer.is_some_and(|transfer| same_client(&transfer.peer, peer))
        };
        self.index.find(self.hash(peer), same).copied()
    }

    /// The transfer in a place that is known to be taken.
    pub(super) fn at(&mut self, index: u32) -> &mut Transfer<F> {
        self.places[index as usize]
            .transfer
            .as_mut()
            .expect("places in the index and on the wheel are taken")
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Transfer<F>> {
        let place = self.places.get(slot.index as usize)?;
        place.transfer.as_ref().filter(|transfer| transfer.slot == slot)
    }

    /// Whether the slot is still this transfer's.
    pub(super) fn holds(&self, slot: Slot) -> bool {
        self.get(slot).is_some()
    }

    /// The slot that the next transfer gets.
    pub(super) fn next_slot(&mut self) -> Slot {
        if self.free.is_empty() {
            self.free.push(self.places.len() as u32);
            self.places.push(Place {
                turn: 0,
                transfer: None,
            });
        }
        let index = *self.free.last().expect("one was added above");
        Slot {
            index,
            turn: self.places[index as usize].turn,
        }
    }

    /// Puts a transfer into the slot of [`Self::next_slot`]. Its client has no other one.
    pub(super) fn insert(&mut self, transfer: Transfer<F>) {
        let index = self.free.pop().expect("next_slot left one");
        debug_assert_eq!(index, transfer.slot.index, "the slot was given by next_slot");
        let hash = self.hash(&transfer.peer);
        self.places[index as usize].transfer = Some(transfer);
        let (hasher, places) = (&self.hasher, &self.places);
        self.index
            .insert_unique(hash, index, |at| hash_of(hasher, places, *at));
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<Transfer<F>> {
        let place = &mut self.places[index as usize];
        let transfer = place.transfer.take()?;
        place.turn = place.turn.wrapping_add(1);
        let hash = hash(&self.hasher, &transfer.peer);
        if let Ok(entry) = self.index.find_entry(hash, |at| *at == index) {
            entry.remove();
        }
        self.free.push(index);
        Some(transfer)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Transfer<F>> {
        self.places.iter().filter_map(|place| place.transfer.as_ref())
    }
}

fn hash_of<F>(hasher: &FixedState, places: &[Place<F>], at: u32) -> u64 {
    let transfer = places[at as usize].transfer.as_ref();
    transfer.map_or(0, |transfer| hash(hasher, &transfer.peer))
}

fn hash(hasher: &FixedState, peer: &Peer) -> u64 {
    let mut state = hasher.build_hasher();
    let ports = u32::from(peer.address.port()) << 16 | u32::from(peer.port);
    match peer.address {
        SocketAddr::V4(address) => {
            state.write_u64(u64::from(u32::from(*address.ip())) << 32 | u64::from(ports));
        }
        SocketAddr::V6(address) => {
            state.write_u128(u128::from(*address.ip()));
            state.write_u64(u64::from(address.scope_id()) << 32 | u64::from(ports));
        }
    }
    state.finish()
}

/// Flow labels may change within a transfer; address, port and link may not.
fn same_client(a: &Peer, b: &Peer) -> bool {
    let same_address = match (a.address, b.address) {
        (SocketAddr::V4(a), SocketAddr::V4(b)) => a == b,
        (SocketAddr::V6(a), SocketAddr::V6(b)) => {
            a.ip() == b.ip() && a.port() == b.port() && a.scope_id() == b.scope_id()
        }
        _ => false,
    };
    same_address && a.port == b.port
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::NAME_MAX;
    use std::sync::Arc;

    /// With the longest name, its timer, its entry in the index (at the worst fill of a table that has just grown) and
    /// its place on the list of free ones.
    #[test]
    fn an_open_transfer_takes_less_than_a_kibibyte() {
        let place = size_of::<Place<Arc<()>>>();
        let index = (size_of::<u32>() + 1) * 16 / 7;
        let all = place + NAME_MAX + crate::wheel::LINK_OCTETS + index + size_of::<u32>();
        assert!(all <= 1024, "{all}, {place} of them for the transfer");
    }

    #[test]
    fn places_are_used_again_under_another_turn() {
        let mut table: Table<()> = Table::new(1);
        let first = table.next_slot();
        assert_eq!(first, table.next_slot(), "asking takes nothing");
        assert_eq!((table.len(), table.holds(first)), (0, false));
    }

    #[test]
    fn s2_40_prepared_places_are_there_before_anybody_asks() {
        let mut table: Table<()> = Table::new(1);
        table.prepare(10);
        assert_eq!((table.places.len(), table.free.len(), table.len()), (10, 10, 0));
        assert!(table.index.capacity() >= 10);
        assert_eq!(table.next_slot().index, 0, "the lowest first");
        table.prepare(4);
        assert_eq!(table.places.len(), 10, "what is there stays");
    }
}
