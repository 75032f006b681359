//! Slots: the shares of a keyspace that nodes own.
//!
//! An address must have one owner, so it is its *block* of 64 neighbours that is hashed, never the client. The number
//! of slots is fixed for ever: claims, plans and stored rows name them.
//!
//! ```text
//!   address ──>>6──► block ──Fibonacci hash──► slot 0..4095 ──plan──► preference list of nodes
//! ```

use std::fmt;
use std::net::Ipv4Addr;

/// How many slots a keyspace has.
pub const SLOTS: u16 = 4096;

/// Addresses of one block, as a power of two.
pub const BLOCK_BITS: u32 = 6;

/// One of [`SLOTS`] shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// The slot numbered `index`; `None` from [`SLOTS`] on.
    #[must_use]
    pub const fn new(index: u16) -> Option<Self> {
        if index < SLOTS { Some(Self(index)) } else { None }
    }

    /// Where a block of addresses belongs. Neighbouring blocks fall far apart and evenly (multiplication by the
    /// golden ratio: Knuth, The Art of Computer Programming, volume 3, section 6.4), so that a small subnet is
    /// spread as well as a large one.
    #[must_use]
    pub const fn of_block(block: u32) -> Self {
        Self((block.wrapping_mul(0x9e37_79b1) >> (32 - SLOTS.trailing_zeros())) as u16)
    }

    /// Where an address belongs.
    #[must_use]
    pub const fn of_address(address: Ipv4Addr) -> Self {
        Self::of_block(address.to_bits() >> BLOCK_BITS)
    }

    /// 0 to [`SLOTS`] - 1.
    #[must_use]
    pub const fn index(self) -> u16 {
        self.0
    }

    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        (0..SLOTS).map(Self)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A set of slots, 512 octets.
#[derive(Clone, PartialEq, Eq)]
pub struct SlotSet([u64; SLOTS as usize / 64]);

impl SlotSet {
    pub const EMPTY: Self = Self([0; SLOTS as usize / 64]);
    pub const FULL: Self = Self([u64::MAX; SLOTS as usize / 64]);

    #[must_use]
    pub const fn contains(&self, slot: Slot) -> bool {
        self.0[slot.0 as usize / 64] & (1 << (slot.0 % 64)) != 0
    }

    /// True when it was not there.
    pub fn insert(&mut self, slot: Slot) -> bool {
        let new = !self.contains(slot);
        self.0[usize::from(slot.0) / 64] |= 1 << (slot.0 % 64);
        new
    }

    /// True when it was there.
    pub fn remove(&mut self, slot: Slot) -> bool {
        let old = self.contains(slot);
        self.0[usize::from(slot.0) / 64] &= !(1 << (slot.0 % 64));
        old
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Its slots, in order.
    pub fn iter(&self) -> impl Iterator<Item = Slot> + '_ {
        Slot::all().filter(|&slot| self.contains(slot))
    }
}

impl Default for SlotSet {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl fmt::Debug for SlotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} slots", self.len())
    }
}

impl FromIterator<Slot> for SlotSet {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut set = Self::EMPTY;
        slots.into_iter().for_each(|slot| {
            set.insert(slot);
        });
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_a_block_have_one_slot() {
        let slot = |d| Slot::of_address(Ipv4Addr::new(10, 9, 0, d));
        assert_eq!(slot(0), slot(63));
        assert_ne!(slot(63), slot(64));
    }

    #[test]
    fn neighbouring_blocks_fall_evenly_over_the_slots() {
        // A /18 has 256 blocks: no sixteenth of the slots may get twice its share of 16.
        let mut sixteenths = [0; 16];
        (0..256).for_each(|n| sixteenths[usize::from(Slot::of_block((10 << 18) + n).index() / 256)] += 1);
        assert!(sixteenths.iter().all(|n| (12..=20).contains(n)), "{sixteenths:?}");
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let last = Slot::new(SLOTS - 1).expect("the last slot");
        let mut set = SlotSet::default();
        assert!(set.insert(last) && !set.insert(last));
        assert_eq!((set.len(), set.iter().next()), (1, Some(last)));
        assert!(set.remove(last) && set.is_empty());
        assert_eq!((Slot::new(SLOTS), SlotSet::FULL.len()), (None, 4096));
    }
}
