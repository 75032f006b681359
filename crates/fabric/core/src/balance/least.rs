//! Least open work by weight.
//!
//! With many backends and several balancers, always taking the least loaded one makes them all run to the same; two
//! drawn at random and the better of them keep the greatest load within a log log of the number (Mitzenmacher, "The Power
//! of Two Choices in Randomized Load Balancing", 2001, section 1).

use super::BackendView;
use crate::ring::mix;

/// Up to so many backends are all compared.
const COMPARED_MAX: usize = 16;

#[derive(Debug)]
pub(super) struct Least {
    state: u64,
}

impl Least {
    pub(super) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(super) fn choose(&mut self, backends: &[BackendView]) -> Option<usize> {
        let usable = backends.iter().filter(|backend| backend.weight > 0).count();
        if usable <= COMPARED_MAX {
            return self.least(backends);
        }
        let first = self.draw(usable);
        // Another one: drawn from the rest and stepped over the first.
        let second = (first + 1 + self.draw(usable - 1)) % usable;
        let (first, second) = (nth_usable(backends, first)?, nth_usable(backends, second)?);
        Some(if is_lighter(&backends[second], &backends[first]) {
            second
        } else {
            first
        })
    }

    /// The lightest of all, equals with equal chances.
    fn least(&mut self, backends: &[BackendView]) -> Option<usize> {
        let (mut best, mut equals) = (None, 0);
        for (index, backend) in backends
            .iter()
            .enumerate()
            .filter(|(_, backend)| backend.weight > 0)
        {
            let lighter = best.is_none_or(|best: usize| is_lighter(backend, &backends[best]));
            let equal = !lighter && best.is_some_and(|best| !is_lighter(&backends[best], backend));
            equals = if lighter { 1 } else { equals + usize::from(equal) };
            if lighter || (equal && self.draw(equals) == 0) {
                best = Some(index);
            }
        }
        best
    }

    /// 0 to `below` - 1. SplitMix64; the bias of the remainder is below 2^-40 for any real number of backends.
    fn draw(&mut self, below: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (mix(self.state) % below as u64) as usize
    }
}

fn nth_usable(backends: &[BackendView], n: usize) -> Option<usize> {
    (0..backends.len())
        .filter(|&index| backends[index].weight > 0)
        .nth(n)
}

/// Whether `a` would have less load for its weight than `b`, each with one more piece of work.
fn is_lighter(a: &BackendView, b: &BackendView) -> bool {
    let cost =
        |of: &BackendView, other: &BackendView| (u64::from(of.outstanding) + 1) * u64::from(other.weight);
    cost(a, b) < cost(b, a)
}
