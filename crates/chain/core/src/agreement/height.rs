//! What one node saw of one height.

use crate::consensus::signed::VoteKind;
use alloy_primitives::Address;
use std::sync::Arc;
use std::time::Duration;

/// Who decides a height, each with its power, in the order of their addresses. Heights with the same set share it.
pub type Roll = Arc<[(Address, u64)]>;

/// What an engine tells of agreement, as it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A height is decided.
    Decided(Height),
    /// A vote came after its height was decided, so long after the height began.
    Late {
        height: u64,
        validator: Address,
        kind: VoteKind,
        after: Duration,
    },
    /// A round ended without a block.
    Failed(FailedRound),
    /// A validator signed two different things for the same height and round.
    Twice {
        validator: Address,
        height: u64,
        round: u32,
    },
}

/// What one node saw of one height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Height {
    pub height: u64,
    /// The round in which it was decided.
    pub round: u32,
    /// Whose block it is.
    pub proposer: Address,
    /// The least time from the decision before to this one.
    pub period: Duration,
    pub roll: Roll,
    /// What each did, in the order of `roll`.
    pub seen: Vec<Seen>,
    /// `None` for a block that was taken from a peer with its certificate: votes were not seen then.
    pub times: Option<Times>,
    /// Rounds before the one that decided, as far as this node was in them.
    pub failed: Vec<FailedRound>,
}

/// What was seen of one validator at one height. Times count from when the height began here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// When its prevote in the round that decided came.
    pub prevote: Option<Duration>,
    /// When its precommit in that round came.
    pub precommit: Option<Duration>,
    /// Whether its precommit is in the certificate.
    pub signed: bool,
}

/// When what came, counted from when the height began here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// The proposal of the round that decided was first seen, or made.
    pub proposal: Option<Duration>,
    /// A quorum of that round's prevotes was here.
    pub polka: Option<Duration>,
    /// It was decided.
    pub commit: Duration,
}

/// A round that ended without a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRound {
    pub height: u64,
    pub round: u32,
    pub proposer: Address,
    /// From its beginning here to its end.
    pub lasted: Duration,
    pub why: Failure,
}

/// Why a round ended without a block, as far as one node can know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The proposer said nothing in time.
    NoProposal,
    /// The proposer signed a block's hash, and the block itself did not come in time.
    NoBlock,
    /// The block is not valid here.
    Refused(String),
    /// The block came and less than a quorum prevoted for it in time.
    NoPolka,
    /// A quorum prevoted for the block, and less than a quorum committed in time.
    NoCommit,
    /// The others had left the round before this node could judge it.
    LeftBehind,
}

impl Failure {
    /// Every reason's word, in the order of the variants.
    pub const WORDS: [&'static str; 6] = [
        "no_proposal",
        "no_block",
        "refused",
        "no_polka",
        "no_commit",
        "left_behind",
    ];

    /// Its place in [`Self::WORDS`].
    #[must_use]
    pub const fn index(&self) -> usize {
        match self {
            Self::NoProposal => 0,
            Self::NoBlock => 1,
            Self::Refused(_) => 2,
            Self::NoPolka => 3,
            Self::NoCommit => 4,
            Self::LeftBehind => 5,
        }
    }

    /// For labels and programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        Self::WORDS[self.index()]
    }

    /// Whether it is the proposer's: the others did what they could.
    #[must_use]
    pub const fn is_the_proposers(&self) -> bool {
        matches!(self, Self::NoProposal | Self::NoBlock | Self::Refused(_))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoProposal => f.write_str("no proposal came in time"),
            Self::NoBlock => f.write_str("the proposal came in time, and its block did not"),
            Self::Refused(said) => write!(f, "the proposal was refused: {said}"),
            Self::NoPolka => f.write_str("less than a quorum prevoted for the block in time"),
            Self::NoCommit => f.write_str("less than a quorum committed to the block in time"),
            Self::LeftBehind => f.write_str("the others had left the round already"),
        }
    }
}

impl Height {
    /// The place of a validator in `roll`.
    #[must_use]
    pub fn place(&self, validator: &Address) -> Option<usize> {
        self.roll.binary_search_by_key(validator, |(who, _)| *who).ok()
    }

    /// By how much the vote of each came after the first of its kind: its precommit, or its prevote where that is all
    /// that came. Who is slow enough finds the height decided and commits no more. `None` for who was silent.
    #[must_use]
    pub fn lateness(&self) -> Vec<Option<Duration>> {
        let prevote = self.seen.iter().filter_map(|seen| seen.prevote).min();
        let precommit = self.seen.iter().filter_map(|seen| seen.precommit).min();
        let since = |at: Option<Duration>, first: Option<Duration>| Some(at?.saturating_sub(first?));
        let late = |seen: &Seen| since(seen.precommit, precommit).or_else(|| since(seen.prevote, prevote));
        self.seen.iter().map(late).collect()
    }

    /// By how much each is later than half of the others: what no single liar can move. `lateness` is of this height.
    #[must_use]
    pub fn excess(&self, lateness: &[Option<Duration>]) -> Vec<Option<Duration>> {
        let mut sorted: Vec<Duration> = lateness.iter().flatten().copied().collect();
        sorted.sort_unstable();
        let excess = |late: Duration| {
            let half = sorted.len().checked_sub(2)? / 2;
            let own = sorted.partition_point(|other| *other < late);
            let middle = sorted[if own <= half { half + 1 } else { half }];
            Some(late.saturating_sub(middle))
        };
        lateness.iter().map(|late| late.and_then(excess)).collect()
    }

    /// Whether nothing at all of this validator was seen.
    #[must_use]
    pub const fn was_silent(seen: &Seen) -> bool {
        seen.prevote.is_none() && seen.precommit.is_none() && !seen.signed
    }

    /// From which lateness on a validator is called slow: a quarter of the period, between a tenth of a second, which any two
    /// machines may differ by, and the second for which rounds wait.
    #[must_use]
    pub fn slow_from(period: Duration) -> Duration {
        (period / 4).clamp(Duration::from_millis(100), Duration::from_secs(1))
    }
}
