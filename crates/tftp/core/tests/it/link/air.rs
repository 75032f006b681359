//! A link that loses, copies and delays packets.

use std::collections::BTreeMap;

/// What a link does to packets; in thousandths, and milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) loss: u32,
    pub(super) copies: u32,
    pub(super) delay: u64,
    pub(super) jitter: u64,
}

/// A generator of its own, so that a failure repeats from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound.max(1)
    }
}

/// Packets under way, by time and number.
pub(super) struct Air {
    link: Link,
    dice: Dice,
    pub(super) under_way: BTreeMap<(u64, u64), (bool, Vec<u8>)>,
    number: u64,
}

impl Air {
    pub(super) fn new(link: Link, seed: u64) -> Self {
        Self {
            link,
            dice: Dice(seed | 1),
            under_way: BTreeMap::new(),
            number: 0,
        }
    }

    pub(super) fn send(&mut self, now: u64, to_server: bool, packet: &[u8]) {
        let copies = 1 + u64::from(self.dice.below(1000) < self.link.copies.into());
        for _ in 0..copies {
            if self.dice.below(1000) < self.link.loss.into() {
                continue;
            }
            let at = now + self.link.delay * 1_000_000 + self.dice.below(self.link.jitter * 1_000_000 + 1);
            self.number += 1;
            self.under_way
                .insert((at, self.number), (to_server, packet.to_vec()));
        }
    }
}
