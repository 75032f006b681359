//! All leases of one shared network: by address in blocks of 64, by client through a split hash index.
//!
//! ```text
//!   address ── >>6 ──► numbers ──► Block { 64 leases, occupied bits, next_event }
//!   client key ─hash─► one of 256 small hash tables ──► Slot (block, position)
//! ```
//!
//! The index is split so that growing it never stops the packet path for longer than rehashing one small table; it
//! keeps 32 bits of each key's hash beside the slot, so that growing touches no lease.
//! `next_event` is a lower bound of when something in the block ends by time, so that the sweep looks at 4 bytes
//! per 64 leases.

#[cfg(test)]
mod tests;
mod walk;

use crate::lease::{Identity, Lease, NO_EXTRA, Packed, Spill};
use crate::view::LeaseState;
use hashbrown::{HashMap, HashTable};
use purlin_types::Slot as FabricSlot;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher};

const BLOCK: u32 = 64;
const PARTS: usize = 256;

/// Position of a lease: block index * 64 + offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u32);

impl Slot {
    fn block(self) -> usize {
        (self.0 / BLOCK) as usize
    }
    fn offset(self) -> usize {
        (self.0 % BLOCK) as usize
    }
}

struct Block {
    /// Address divided by 64.
    number: u32,
    next_event: u32,
    /// One bit per lease that is not `Free`.
    occupied: u64,
    leases: Box<[Lease; BLOCK as usize]>,
}

/// A client's place in the index.
#[derive(Debug, Clone, Copy)]
struct Entry {
    slot: u32,
    hash: u32,
}

pub(crate) struct Table {
    blocks: Vec<Block>,
    /// Block number -> index into `blocks`.
    numbers: HashMap<u32, u32, foldhash::fast::FixedState>,
    /// Block number -> index into `blocks` in address order, for listings and checkpoints. A tree: where clients are spread
    /// over a large pool by hash, nearly every first lease makes a block somewhere in the middle.
    sorted: BTreeMap<u32, u32>,
    /// Block numbers by the slot of the fabric that they belong to: a node that takes or gives one of 4096 slots
    /// looks at what lies in it, and not 4096 times at everything.
    by_slot: BTreeSet<(FabricSlot, u32)>,
    index: Box<[HashTable<Entry>]>,
    /// Indexes into `blocks` that stand for no addresses any more.
    spare: Vec<u32>,
    spill: Spill,
    extras: Spill,
    hasher: foldhash::quality::FixedState,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("blocks", &self.blocks.len())
            .finish_non_exhaustive()
    }
}

impl Table {
    /// `entropy` seeds the key hash, so that nobody outside can aim at one bucket.
    pub(crate) fn new(entropy: u64) -> Self {
        Self {
            blocks: Vec::new(),
            numbers: HashMap::default(),
            sorted: BTreeMap::new(),
            by_slot: BTreeSet::new(),
            spare: Vec::new(),
            index: (0..PARTS).map(|_| HashTable::new()).collect(),
            spill: Spill::default(),
            extras: Spill::default(),
            hasher: foldhash::quality::FixedState::with_seed(entropy),
        }
    }

    /// Hash of a client's key.
    pub(crate) fn key_of(&self, who: &Identity<'_>) -> u64 {
        hash_of(&self.hasher, who)
    }

    pub(crate) fn slot(&self, address: u32) -> Option<Slot> {
        let block = self.numbers.get(&(address / BLOCK))?;
        Some(Slot(block * BLOCK + address % BLOCK))
    }

    /// The slot of `address`, made when its block does not exist yet.
    pub(crate) fn slot_or_new(&mut self, address: u32) -> Slot {
        if let Some(slot) = self.slot(address) {
            return slot;
        }
        let number = address / BLOCK;
        let at = self.spare_block(number);
        self.numbers.insert(number, at);
        self.sorted.insert(number, at);
        self.by_slot.insert((FabricSlot::of_block(number), number));
        Slot(at * BLOCK + address % BLOCK)
    }

    /// An empty block for these addresses, not yet found by them.
    fn spare_block(&mut self, number: u32) -> u32 {
        if let Some(at) = self.spare.pop() {
            self.blocks[at as usize].number = number;
            return at;
        }
        let leases = Box::new([Lease::FREE; BLOCK as usize]);
        self.blocks.push(Block {
            number,
            next_event: u32::MAX,
            occupied: 0,
            leases,
        });
        self.blocks.len() as u32 - 1
    }

    pub(crate) fn address(&self, slot: Slot) -> u32 {
        self.blocks[slot.block()].number * BLOCK + slot.offset() as u32
    }

    pub(crate) fn lease(&self, slot: Slot) -> &Lease {
        &self.blocks[slot.block()].leases[slot.offset()]
    }

    /// Changes a lease and keeps the block's summaries true. The identity is changed by `assign` only.
    pub(crate) fn update(&mut self, slot: Slot, change: impl FnOnce(&mut Lease)) {
        let block = &mut self.blocks[slot.block()];
        let lease = &mut block.leases[slot.offset()];
        change(lease);
        let bit = 1u64 << slot.offset();
        if lease.state == LeaseState::Free {
            block.occupied &= !bit;
        } else {
            block.occupied |= bit;
            block.next_event = block.next_event.min(lease.expires);
        }
    }

    /// Finds the client's lease. `key` is its `key_of`.
    pub(crate) fn find(&self, key: u64, who: &Identity<'_>) -> Option<Slot> {
        let hash = key as u32;
        let same = |e: &Entry| e.hash == hash && self.lease(Slot(e.slot)).who.is(who, &self.spill);
        self.index[part_of(hash)]
            .find(spread(hash), same)
            .map(|e| Slot(e.slot))
    }

    /// Makes the lease at `slot` the client's, in the index too; whoever was there before is forgotten.
    pub(crate) fn assign(&mut self, slot: Slot, key: u64, who: &Identity<'_>) {
        let known = self.find(key, who);
        if known == Some(slot) {
            return;
        }
        if let Some(other) = known {
            self.unpoint(other, key as u32);
        }
        if !self.lease(slot).who.is(who, &self.spill) {
            self.forget(slot);
            let packed = Packed::pack(who, &mut self.spill);
            self.blocks[slot.block()].leases[slot.offset()].who = packed;
        }
        let hash = key as u32;
        let entry = Entry { slot: slot.0, hash };
        self.index[part_of(hash)].insert_unique(spread(hash), entry, |e| spread(e.hash));
    }

    /// Makes the lease findable by its own client again, unless that one is found elsewhere.
    pub(crate) fn repoint(&mut self, slot: Slot) {
        let packed = self.lease(slot).who;
        let mut scratch = [0; 17];
        let who = packed.unpack(&self.spill, &mut scratch);
        let key = self.key_of(&who);
        if self.find(key, &who).is_some() {
            return;
        }
        let hash = key as u32;
        let entry = Entry { slot: slot.0, hash };
        self.index[part_of(hash)].insert_unique(spread(hash), entry, |e| spread(e.hash));
    }

    /// Takes flags off all leases, free ones too.
    pub(crate) fn clear_flags(&mut self, flags: u8) {
        let leases = self.blocks.iter_mut().flat_map(|block| block.leases.iter_mut());
        leases.for_each(|lease| lease.flags &= !flags);
    }

    fn unpoint(&mut self, slot: Slot, hash: u32) {
        if let Ok(entry) = self.index[part_of(hash)].find_entry(spread(hash), |e| e.slot == slot.0) {
            entry.remove();
        }
    }

    /// Drops the identity and baggage of a lease; its state and flags stay as they are.
    pub(crate) fn forget(&mut self, slot: Slot) {
        let lease = *self.lease(slot);
        if lease.who.is_empty() {
            return;
        }
        let mut scratch = [0; 17];
        let hash = hash_of(&self.hasher, &lease.who.unpack(&self.spill, &mut scratch)) as u32;
        self.unpoint(slot, hash);
        lease.who.free(&mut self.spill);
        self.set_extra(slot, &[]);
        self.blocks[slot.block()].leases[slot.offset()].who = Packed::EMPTY;
    }

    pub(crate) fn identity<'a>(&'a self, slot: Slot, scratch: &'a mut [u8; 17]) -> Identity<'a> {
        self.lease(slot).who.unpack(&self.spill, scratch)
    }

    pub(crate) fn is(&self, slot: Slot, who: &Identity<'_>) -> bool {
        self.lease(slot).who.is(who, &self.spill)
    }

    /// The baggage of a lease, see `extra`.
    pub(crate) fn extra(&self, slot: Slot) -> &[u8] {
        match self.lease(slot).extra {
            NO_EXTRA => &[],
            at => self.extras.get(at),
        }
    }

    pub(crate) fn set_extra(&mut self, slot: Slot, bytes: &[u8]) {
        let old = self.lease(slot).extra;
        if old != NO_EXTRA {
            if self.extras.get(old) == bytes {
                return;
            }
            self.extras.remove(old);
        }
        let new = if bytes.is_empty() {
            NO_EXTRA
        } else {
            self.extras.put(bytes)
        };
        self.blocks[slot.block()].leases[slot.offset()].extra = new;
    }
}

fn part_of(hash: u32) -> usize {
    // The top bits: the hash table inside a part starts from the low ones.
    (hash >> 24) as usize % PARTS
}

/// 64 bits for the hash table, which looks at the top seven and the low ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn hash_of(hasher: &foldhash::quality::FixedState, who: &Identity<'_>) -> u64 {
    let mut state = hasher.build_hasher();
    match who.client_id {
        Some(id) => state.write(id),
        None => {
            state.write_u16(0x100 | u16::from(who.htype));
            state.write(who.chaddr);
        }
    }
    state.finish()
}
