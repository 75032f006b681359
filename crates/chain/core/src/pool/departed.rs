//! What became of transactions that are not here any more: the last few thousand, for those who ask.

use super::event::{Dropped, Event};
use alloy_primitives::B256;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// How a transaction left the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Departure {
    /// It is in a block.
    Mined,
    /// Another one of its sender with the same nonce pays more.
    Replaced { by: B256 },
    /// It was dropped.
    Dropped(Dropped),
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mined => f.write_str("it was mined"),
            Self::Replaced { by } => write!(f, "it was replaced by {by}, which pays more"),
            Self::Dropped(reason) => write!(f, "it was dropped: {reason}"),
        }
    }
}

/// A ring of departures with an index.
#[derive(Debug, Default)]
pub(super) struct Departed {
    order: VecDeque<(u64, B256)>,
    by_hash: BTreeMap<B256, (u64, Departure)>,
    count: u64,
}

impl Departed {
    pub(super) fn note(&mut self, event: &Event, max: usize) {
        let departure = match event {
            Event::Mined { .. } => Departure::Mined,
            Event::Replaced { by, .. } => Departure::Replaced { by: *by },
            Event::Dropped { reason, .. } => Departure::Dropped(reason.clone()),
            Event::Added { .. } | Event::Promoted { .. } | Event::Demoted { .. } => return,
        };
        let hash = event.transaction().hash();
        self.count += 1;
        self.order.push_back((self.count, hash));
        self.by_hash.insert(hash, (self.count, departure));
        while self.order.len() > max {
            let (count, hash) = self.order.pop_front().expect("it is longer than the limit");
            // It may have come again and left again since.
            if self
                .by_hash
                .get(&hash)
                .is_some_and(|(latest, _)| *latest == count)
            {
                self.by_hash.remove(&hash);
            }
        }
    }

    /// The same transaction is here again.
    pub(super) fn forget(&mut self, hash: &B256) {
        self.by_hash.remove(hash);
    }

    pub(super) fn get(&self, hash: &B256) -> Option<&Departure> {
        self.by_hash.get(hash).map(|(_, departure)| departure)
    }
}
