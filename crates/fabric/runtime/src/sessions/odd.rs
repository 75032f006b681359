//! What should not happen to sessions often: counted, so that somebody looks.

use std::sync::atomic::{AtomicU64, Ordering};

/// One such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Odd {
    /// A client came back here while the node of its session lives and does not drain: the balancer in front does not
    /// keep clients at their nodes.
    Stray,
    /// Somebody came with the id or the token of another user's session: it was stolen.
    Stranger,
    /// A token that was used already, has lapsed, or never was one.
    SpentToken,
    /// An id that nobody knows: lapsed, or guessed.
    UnknownId,
}

impl Odd {
    pub const ALL: [Self; 4] = [Self::Stray, Self::Stranger, Self::SpentToken, Self::UnknownId];

    /// As metrics name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stray => "stray",
            Self::Stranger => "stranger",
            Self::SpentToken => "spent_token",
            Self::UnknownId => "unknown_id",
        }
    }
}

/// How often each happened since the start.
#[derive(Debug, Default)]
pub(super) struct Oddities([AtomicU64; Odd::ALL.len()]);

impl Oddities {
    pub(super) fn count(&self, odd: Odd) {
        self.0[odd as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn of(&self, odd: Odd) -> u64 {
        self.0[odd as usize].load(Ordering::Relaxed)
    }
}
