//! Timers by number: 1 ms slots in one turn of about four seconds, no allocation per timer, O(1) to set and to clear.
//!
//! ```text
//!   slots  [ ][3]─7─12[ ][ ]…[5][ ]     each a doubly linked list through `links`, by the timer's number
//!            ▲ at: everything before is done
//! ```
//!
//! A time beyond the turn waits at its end and is handed out early; whoever sets timers compares with the time it
//! really wants and sets it again. That is needed anyway, because setting a timer later is left undone until it rings:
//! a transfer that moves sets its timer once per turn, not once per packet.

use purlin_types::BootTime;

const SLOTS: usize = 4096;
const SLOT_NANOS: u64 = 1_000_000;
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
    /// The slot's absolute number; `u64::MAX` when the timer is not set.
    slot: u64,
}

/// Octets per timer.
#[cfg(test)]
pub(crate) const LINK_OCTETS: usize = size_of::<Link>();

const UNSET: Link = Link {
    previous: NONE,
    next: NONE,
    slot: u64::MAX,
};

/// Timers with small numbers for names.
#[derive(Debug)]
pub(crate) struct Wheel {
    heads: Vec<u32>,
    /// A bit per slot that is not empty, and a bit per word of these.
    used: [u64; SLOTS / 64],
    used_words: u64,
    links: Vec<Link>,
    /// The first slot that may hold a timer.
    at: u64,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self {
            heads: vec![NONE; SLOTS],
            used: [0; SLOTS / 64],
            used_words: 0,
            links: Vec::new(),
            at: 0,
        }
    }

    /// Makes room for timers up to `count`, so that setting them allocates nothing.
    pub(crate) fn reserve(&mut self, count: usize) {
        if count > self.links.len() {
            self.links.resize(count, UNSET);
        }
    }

    /// Sets timer `number` to ring at `due`, or earlier when that is more than a turn away from `now`. Returns when
    /// it will ring.
    pub(crate) fn set(&mut self, now: BootTime, number: u32, due: BootTime) -> BootTime {
        self.reserve(number as usize + 1);
        self.clear(number);
        if self.used_words == 0 {
            // Nothing waits: the turn may begin anew.
            self.at = self.at.max(now.0 / SLOT_NANOS);
        }
        let last = self.at + SLOTS as u64 - 1;
        let slot = due.0.div_ceil(SLOT_NANOS).clamp(self.at, last);
        let place = slot as usize % SLOTS;
        let head = self.heads[place];
        self.links[number as usize] = Link {
            previous: NONE,
            next: head,
            slot,
        };
        if head != NONE {
            self.links[head as usize].previous = number;
        }
        self.heads[place] = number;
        self.used[place / 64] |= 1 << (place % 64);
        self.used_words |= 1 << (place / 64);
        BootTime(slot * SLOT_NANOS)
    }

    /// Takes timer `number` out.
    pub(crate) fn clear(&mut self, number: u32) {
        let Link { previous, next, slot } = std::mem::replace(&mut self.links[number as usize], UNSET);
        if slot == u64::MAX {
            return;
        }
        if next != NONE {
            self.links[next as usize].previous = previous;
        }
        if previous != NONE {
            self.links[previous as usize].next = next;
            return;
        }
        let place = slot as usize % SLOTS;
        self.heads[place] = next;
        if next == NONE {
            self.used[place / 64] &= !(1 << (place % 64));
            if self.used[place / 64] == 0 {
                self.used_words &= !(1 << (place / 64));
            }
        }
    }

    /// When the next timer rings.
    pub(crate) fn next_due(&self) -> Option<BootTime> {
        self.next_slot().map(|slot| BootTime(slot * SLOT_NANOS))
    }

    /// Takes out a timer that is due.
    pub(crate) fn pop(&mut self, now: BootTime) -> Option<u32> {
        let until = now.0 / SLOT_NANOS;
        match self.next_slot() {
            Some(slot) if slot <= until => {
                self.at = slot;
                let number = self.heads[slot as usize % SLOTS];
                self.clear(number);
                Some(number)
            }
            _ => {
                self.at = self.at.max(until);
                None
            }
        }
    }

    /// The first slot from `at` on that holds a timer, around the turn.
    fn next_slot(&self) -> Option<u64> {
        if self.used_words == 0 {
            return None;
        }
        let start = self.at as usize % SLOTS;
        let (word, bit) = (start / 64, start % 64);
        let here = self.used[word] & (u64::MAX << bit);
        let place = if here == 0 {
            // The words behind, then those from the beginning, then the rest of this one.
            let turned = self.used_words.rotate_right(word as u32 + 1);
            let found = (word + 1 + turned.trailing_zeros() as usize) % (SLOTS / 64);
            found * 64 + self.used[found].trailing_zeros() as usize
        } else {
            word * 64 + here.trailing_zeros() as usize
        };
        let ahead = (place + SLOTS - start) % SLOTS;
        Some(self.at + ahead as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const fn ms(millis: u64) -> BootTime {
        BootTime(millis * SLOT_NANOS)
    }

    fn all(wheel: &mut Wheel, now: BootTime) -> Vec<u32> {
        std::iter::from_fn(|| wheel.pop(now)).collect()
    }

    #[test]
    fn a_timer_rings_when_its_millisecond_is_over_and_not_before() {
        let mut wheel = Wheel::new();
        wheel.set(ms(10), 3, BootTime(12_300_000));
        assert_eq!(wheel.next_due(), Some(ms(13)));
        assert_eq!(wheel.pop(BootTime(12_999_999)), None);
        assert_eq!(wheel.pop(ms(13)), Some(3));
        assert_eq!((wheel.pop(ms(13)), wheel.next_due()), (None, None));
    }

    #[test]
    fn a_distant_timer_rings_early_and_may_be_set_again() {
        let mut wheel = Wheel::new();
        let rings = wheel.set(ms(1000), 0, ms(60_000));
        assert_eq!(rings, ms(1000 + 4095));
        assert_eq!(wheel.pop(rings), Some(0));
        assert_eq!(wheel.set(rings, 0, ms(60_000)), ms(1000 + 2 * 4095));
    }

    #[test]
    fn a_timer_that_is_overdue_rings_at_once() {
        let mut wheel = Wheel::new();
        wheel.set(ms(5000), 1, ms(9000));
        assert!(all(&mut wheel, ms(8000)).is_empty());
        wheel.set(ms(8000), 2, ms(10));
        assert_eq!(all(&mut wheel, ms(8000)), [2]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Against a map: no timer is lost, none rings early, none twice, and the next one is known.
        #[test]
        fn the_wheel_is_a_map(steps in proptest::collection::vec((0u32..40, 0u64..9000, 0u64..700, 0u8..4), 1..200)) {
            let mut wheel = Wheel::new();
            let mut model: BTreeMap<u32, u64> = BTreeMap::new();
            let mut now = 777;
            for (number, ahead, passes, what) in steps {
                if what == 0 {
                    wheel.reserve(number as usize + 1);
                    wheel.clear(number);
                    model.remove(&number);
                } else {
                    let rings = wheel.set(ms(now), number, ms(now + ahead)).0 / SLOT_NANOS;
                    prop_assert!(rings <= now + ahead && (rings == now + ahead || rings >= now + 4095));
                    model.insert(number, rings);
                }
                prop_assert_eq!(wheel.next_due().map(|t| t.0 / SLOT_NANOS), model.values().copied().min());
                now += passes;
                let mut rung = all(&mut wheel, ms(now));
                rung.sort_unstable();
                let due: Vec<u32> = model.iter().filter(|(_, t)| **t <= now).map(|(n, _)| *n).collect();
                prop_assert_eq!(rung, due);
                model.retain(|_, t| *t > now);
            }
        }
    }
}
