//! The last heights, bounded.

use super::attention::Attention;
use super::{Height, Summary, Turn};
use crate::consensus::signed::VoteKind;
use alloy_primitives::Address;
use std::collections::VecDeque;
use std::time::Duration;

/// How many heights are kept: with a hundred validators two mebioctets.
pub const HEIGHTS_MAX: usize = 512;
/// How long after a decision votes are awaited before anybody is called silent.
const GRACE: Duration = Duration::from_secs(2);

/// The last heights, without a gap.
#[derive(Debug, Default)]
pub struct Window {
    kept: VecDeque<Kept>,
    /// How many of them have been looked at for turns.
    looked: usize,
    attention: Attention,
}

/// A height, and when it was decided, on the window's clock.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) at: Duration,
    pub(super) height: Height,
}

impl Window {
    /// A height was decided. One that is here already is not taken again; after a gap the window begins anew.
    pub fn push(&mut self, at: Duration, height: Height) {
        match self.kept.back().map(|last| last.height.height) {
            Some(last) if height.height <= last => return,
            Some(last) if height.height > last + 1 => {
                self.kept.clear();
                self.looked = 0;
            }
            _ => {}
        }
        if self.kept.len() == HEIGHTS_MAX {
            self.kept.pop_front();
            self.looked = self.looked.saturating_sub(1);
        }
        self.kept.push_back(Kept { at, height });
    }

    /// A vote came after its height was decided.
    pub fn late(&mut self, height: u64, validator: &Address, kind: VoteKind, after: Duration) {
        let first = self.kept.front().map_or(0, |first| first.height.height);
        let index = height.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        let Some(kept) = index.and_then(|index| self.kept.get_mut(index)) else {
            return;
        };
        if let Some(place) = kept.height.place(validator) {
            let seen = &mut kept.height.seen[place];
            let vote = match kind {
                VoteKind::Prevote => &mut seen.prevote,
                VoteKind::Precommit => &mut seen.precommit,
            };
            vote.get_or_insert(after);
        }
    }

    /// Who is missing, late or back since the last time this was asked.
    pub fn turns(&mut self, now: Duration) -> Vec<Turn> {
        let mut turns = Vec::new();
        while let Some(kept) = self.kept.get(self.looked)
            && is_settled(kept, now)
        {
            self.attention.height(&kept.height, &mut turns);
            self.looked += 1;
        }
        turns
    }

    /// What the window comes to.
    #[must_use]
    pub fn summary(&self, now: Duration) -> Summary {
        Summary::of(&self.kept, |kept| is_settled(kept, now))
    }

    /// How many heights are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether nothing was decided since the start.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

fn is_settled(kept: &Kept, now: Duration) -> bool {
    kept.at.saturating_add(GRACE) <= now
}
