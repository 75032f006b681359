//! The last transactions that could be executed at once when they came, in their order, for those who follow them.

use purlin_chain_proto::B256;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tokio::sync::broadcast;

/// A bounded list of arrivals with running numbers, and a channel for those who listen now.
#[derive(Debug)]
pub(crate) struct Arrivals {
    keep: usize,
    kept: Mutex<Kept>,
    told: broadcast::Sender<B256>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Number of the first in the list.
    first: u64,
    hashes: VecDeque<B256>,
}

impl Arrivals {
    pub(crate) fn new(keep: usize) -> Self {
        Self {
            keep: keep.max(1),
            kept: Mutex::default(),
            told: broadcast::Sender::new(keep.clamp(1, 8_192)),
        }
    }

    pub(crate) fn add(&self, hash: B256) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.hashes.len() == self.keep {
            kept.hashes.pop_front();
            kept.first += 1;
        }
        kept.hashes.push_back(hash);
        drop(kept);
        // Nobody may be listening.
        let _ = self.told.send(hash);
    }

    /// The number of the arrival that comes next.
    pub(crate) fn next(&self) -> u64 {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.first + kept.hashes.len() as u64
    }

    /// What came from a number on, as far as it is kept, and the number that comes next.
    pub(crate) fn since(&self, number: u64) -> (Vec<B256>, u64) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = usize::try_from(number.saturating_sub(kept.first)).unwrap_or(usize::MAX);
        let hashes = kept.hashes.iter().skip(skip).copied().collect();
        (hashes, kept.first + kept.hashes.len() as u64)
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<B256> {
        self.told.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_gets_each_arrival_once_and_never_more_than_is_kept() {
        let arrivals = Arrivals::new(3);
        let hash = B256::repeat_byte;
        let start = arrivals.next();
        arrivals.add(hash(1));
        arrivals.add(hash(2));
        let (got, next) = arrivals.since(start);
        assert_eq!(got, [hash(1), hash(2)]);
        assert_eq!(arrivals.since(next), (vec![], next));
        for n in 3..=9 {
            arrivals.add(hash(n));
        }
        assert_eq!(arrivals.since(next), (vec![hash(7), hash(8), hash(9)], 9));
    }
}
