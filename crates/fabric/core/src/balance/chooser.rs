//! The rules of choice over a list of views.

use super::Algorithm;
use super::least::Least;
use super::maglev::Table;
use super::smooth::Smooth;
use crate::ring::mix;

/// What the choice needs to know of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackendView {
    /// Its weight once it has its full share.
    pub full: u32,
    /// Its weight now, 0 to `full`; 0 when it may not be chosen.
    pub weight: u32,
    /// Work given and not finished.
    pub outstanding: u32,
}

/// How often a key is hashed again when its backend cannot take it, before whoever can is taken.
const REHASHES: u64 = 20;

/// One algorithm with what it remembers.
#[derive(Debug)]
pub struct Chooser {
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    RoundRobin(Smooth),
    LeastConnections(Least),
    ConsistentHashing(Table),
    IpHash,
}

impl Chooser {
    /// For backends of these (name's key, full weight), in the order of the views that `choose` will get.
    #[must_use]
    pub fn new(algorithm: Algorithm, backends: &[(u64, u32)], seed: u64) -> Self {
        let rule = match algorithm {
            Algorithm::RoundRobin => Rule::RoundRobin(Smooth::default()),
            Algorithm::LeastConnections => Rule::LeastConnections(Least::new(seed)),
            Algorithm::ConsistentHashing => Rule::ConsistentHashing(Table::new(backends)),
            Algorithm::IpHash => Rule::IpHash,
        };
        Self { rule }
    }

    /// The index of the backend for `key`; `None` when no weight is above 0.
    pub fn choose(&mut self, key: u64, backends: &[BackendView]) -> Option<usize> {
        match &mut self.rule {
            Rule::RoundRobin(smooth) => smooth.choose(backends),
            Rule::LeastConnections(least) => least.choose(backends),
            Rule::ConsistentHashing(table) => by_key(key, backends, |hash| table.get(hash)),
            Rule::IpHash => {
                let total: u64 = backends.iter().map(|backend| u64::from(backend.full)).sum();
                by_key(key, backends, |hash| {
                    nth(
                        hash.checked_rem(total)?,
                        backends.iter().map(|backend| backend.full),
                    )
                })
            }
        }
    }
}

/// The first backend that `find` gives for the key, or for the key hashed again, and that takes it. A key's chain of
/// hashes never changes, and a backend on its way up only ever takes more of them: failures and slow starts move the
/// keys of that backend alone.
fn by_key(key: u64, backends: &[BackendView], find: impl Fn(u64) -> Option<usize>) -> Option<usize> {
    for attempt in 0..REHASHES {
        let hash = mix(key.wrapping_add(attempt));
        let index = find(hash)?;
        let Some(backend) = backends.get(index) else {
            continue;
        };
        if backend.weight > 0 && mix(!hash) % u64::from(backend.full) < u64::from(backend.weight) {
            return Some(index);
        }
    }
    let total: u64 = backends.iter().map(|backend| u64::from(backend.weight)).sum();
    nth(
        mix(key).checked_rem(total)?,
        backends.iter().map(|backend| backend.weight),
    )
}

/// Whose share the number `at` falls into when the weights are laid end to end.
fn nth(at: u64, weights: impl Iterator<Item = u32>) -> Option<usize> {
    let mut end = 0;
    weights.into_iter().position(|weight| {
        end += u64::from(weight);
        at < end
    })
}
