//! Where a client's address is looked for: its home block by hash, then others, the same on every node.
//!
//! ```text
//!   own subnet's blocks   ├─home─┼─+1─┼─ ... ─┼─+7─┤  then drawn by transaction id
//!   the network's others  the last few tries
//! ```

use crate::lease::Identity;
use purlin_types::Slot;

/// Blocks that are tried for one packet. A client that asks again, with another transaction id, tries others.
const TRIES: u32 = 16;
/// How many of those stand next to each other, so that a client is found again near its home.
const NEAR: u32 = 8;
/// Tries left for blocks of other subnets of the network.
const FAR: u32 = 4;

/// The blocks of a network in which a client may have an address: runs of first block and count, those of the
/// subnet that its link selects apart from the others.
#[derive(Debug, Default)]
pub(crate) struct Order {
    runs: [Vec<(u32, u32)>; 2],
    totals: [u32; 2],
}

/// One block to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) block: u32,
    /// Addresses of the selected subnet are meant, else those of the others.
    pub(crate) near: bool,
}

impl Pick {
    pub(crate) fn slot(self) -> Slot {
        Slot::of_block(self.block)
    }
}

impl Order {
    /// Adds the blocks `first..=last`. A block that ended the run before is not counted twice.
    pub(crate) fn add(&mut self, near: bool, first: u32, last: u32) {
        let runs = &mut self.runs[usize::from(!near)];
        let shared = runs
            .last()
            .is_some_and(|&(from, count)| from + count - 1 == first);
        let first = if shared { first + 1 } else { first };
        if first <= last {
            runs.push((first, last - first + 1));
            self.totals[usize::from(!near)] += last - first + 1;
        }
    }

    /// The `nth` block to try, from 0; `None` when enough were tried. `home` is the hash of the client.
    pub(crate) fn pick(&self, home: u64, xid: u32, nth: u32) -> Option<Pick> {
        let [near, far] = self.totals;
        let near_tries = near.min(TRIES - far.min(FAR));
        if nth < near_tries {
            return Some(self.nth_of(true, home, xid, nth));
        }
        let nth = nth - near_tries;
        (nth < far.min(TRIES - near_tries)).then(|| self.nth_of(false, home, xid, nth))
    }

    fn nth_of(&self, near: bool, home: u64, xid: u32, nth: u32) -> Pick {
        let total = u64::from(self.totals[usize::from(!near)]);
        let nth = u64::from(nth);
        let step = if nth < u64::from(NEAR) || total <= u64::from(TRIES) {
            nth
        } else {
            let drawn = mix(u64::from(xid) << 32 ^ nth);
            u64::from(NEAR) + drawn % (total - u64::from(NEAR))
        };
        let mut left = ((home % total + step) % total) as u32;
        for &(first, count) in &self.runs[usize::from(!near)] {
            if left < count {
                return Pick {
                    block: first + left,
                    near,
                };
            }
            left -= count;
        }
        unreachable!("the total is the sum of the runs")
    }
}

/// A hash of the client's key that every node and every version computes alike (FNV-1a, then mixed). It decides
/// where a client is served first and nothing else, so it need not withstand an attack: blocks that somebody aims at
/// run full, and the next ones are tried.
pub(crate) fn hash_of(who: &Identity<'_>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut eat = |octet: u8| hash = (hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3);
    match who.client_id {
        Some(id) => {
            eat(1);
            id.iter().for_each(|&octet| eat(octet));
        }
        None => {
            eat(0);
            eat(who.htype);
            who.chaddr.iter().for_each(|&octet| eat(octet));
        }
    }
    mix(hash)
}

/// Spreads every bit over all (the finalizer of SplitMix64).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}
