//! Redis, as far as slots are concerned: words that it is time to look at the store, and signs of life. It may lose, keep
//! back, repeat and make up any of them; nothing but speed may depend on it.

use crate::random::Random;
use std::collections::BTreeMap;

/// The whole of it, whichever of its servers leads.
#[derive(Debug, Default)]
pub(crate) struct Redis {
    /// There is none, ever.
    absent: bool,
    gone_until: u64,
    /// Until then its servers do not hear each other: a node hears those on its own side.
    split_until: u64,
    /// Until then what is said comes again later, as from a replica that leads now.
    stale_until: u64,
    /// The last sign of life of each node by its name, in real time.
    signs: BTreeMap<String, u64>,
}

impl Redis {
    pub(crate) fn new(absent: bool) -> Self {
        Self {
            absent,
            ..Self::default()
        }
    }

    pub(crate) fn leave_until(&mut self, until: u64) {
        self.gone_until = self.gone_until.max(until);
    }

    pub(crate) fn split_until(&mut self, until: u64) {
        self.split_until = self.split_until.max(until);
    }

    pub(crate) fn stale_until(&mut self, until: u64) {
        self.stale_until = self.stale_until.max(until);
    }

    /// Everything in it is lost.
    pub(crate) fn flush(&mut self) {
        self.signs.clear();
    }

    /// Nothing is wrong with it any more.
    pub(crate) fn heal(&mut self, real: u64) {
        for until in [&mut self.gone_until, &mut self.split_until, &mut self.stale_until] {
            *until = real.min(*until);
        }
    }

    /// Whether a word of one node gets to another.
    pub(crate) fn carries(&self, real: u64, from: usize, to: usize) -> bool {
        self.is_there(real) && (self.split_until <= real || from % 2 == to % 2)
    }

    pub(crate) fn is_there(&self, real: u64) -> bool {
        !self.absent && self.gone_until <= real
    }

    /// How much later a word comes a second time, if it does.
    pub(crate) fn echo(&self, real: u64, pace: u64, random: &mut Random) -> Option<u64> {
        (self.stale_until > real && random.chance(500)).then(|| random.below(20 * pace))
    }

    pub(crate) fn sign(&mut self, real: u64, name: &str) {
        if self.is_there(real) {
            self.signs.insert(name.to_owned(), real);
        }
    }

    /// Whether it shows that node as alive.
    pub(crate) fn shows(&self, real: u64, name: &str, timeout: u64) -> bool {
        let sign = self.signs.get(name);
        self.is_there(real) && sign.is_some_and(|at| real < at + timeout)
    }
}
