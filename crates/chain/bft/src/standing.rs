//! How the node stands: what health checks, metrics and people are told.

use alloy_primitives::{Address, B256};
use purlin_chain_core::agreement::Voice;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How many equivocations are remembered; all are counted.
pub(crate) const EQUIVOCATIONS_MAX: usize = 16;

/// What the node is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Step {
    /// It signs nothing at this height, and takes or counts what validators decide.
    #[default]
    Following,
    /// The height before is decided, and the next is not due yet.
    Waiting,
    /// It waits for the proposal, or makes it.
    Propose,
    Prevote,
    Precommit,
    /// More than two thirds have committed; the application makes it durable.
    Commit,
}

/// A validator that signed two different things for the same height, round and kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Equivocation {
    pub validator: Address,
    pub height: u64,
    pub round: u32,
}

/// How long the steps of a height took here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lap {
    pub height: u64,
    /// The round in which it was decided.
    pub round: u32,
    /// From the start of the round to this node's prevote.
    pub propose: Duration,
    /// From there to its precommit.
    pub prevote: Duration,
    /// From there to the decision.
    pub precommit: Duration,
    /// From the start of the height to the decision.
    pub whole: Duration,
}

/// How the node stands.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The height that is being decided: the head's and one.
    pub height: u64,
    pub round: u32,
    pub step: Step,
    /// The height from which on this node votes again: it has signed later than its state is, and does not know what.
    pub votes_from: Option<u64>,
    /// Whose turn it is in this round.
    pub proposer: Option<Address>,
    /// The last decided height that is durable here.
    pub head: u64,
    /// Its block; `None` before the first decision since the start.
    pub hash: Option<B256>,
    /// When the head was decided here; `None` before the first decision since the start.
    pub decided_at: Option<Instant>,
    /// Rounds begun since the start. More than one per height means that proposers are slow or down.
    pub rounds_total: u64,
    /// Heights decided by votes that this node counted.
    pub decided_total: u64,
    /// Heights taken from peers with their certificates.
    pub synced_total: u64,
    /// The heads that peers told, of those connected.
    pub peers: BTreeMap<Address, u64>,
    /// By how many heights the node is behind the best head that a peer told, while it catches up.
    pub behind: Option<u64>,
    /// What validators said last at this height; empty at a node without a key, which hears no votes.
    pub voices: Vec<Voice>,
    /// Equivocations seen since the start.
    pub equivocations_total: u64,
    /// The last of them, oldest first.
    pub equivocations: VecDeque<Equivocation>,
    /// Messages and blocks from peers that were wrong.
    pub bad_messages_total: u64,
    /// The last thing that was wrong, with who sent it.
    pub fault: Option<String>,
    /// The last height that was decided by votes.
    pub last: Option<Lap>,
}

impl Standing {
    /// Whether it is news.
    pub(crate) fn equivocated(&mut self, by: Equivocation) -> bool {
        if self.equivocations.contains(&by) {
            return false;
        }
        self.equivocations_total += 1;
        if self.equivocations.len() == EQUIVOCATIONS_MAX {
            self.equivocations.pop_front();
        }
        self.equivocations.push_back(by);
        true
    }

    pub(crate) fn bad(&mut self, from: Address, what: impl std::fmt::Display) {
        self.bad_messages_total += 1;
        self.fault = Some(format!("{from}: {what}"));
    }
}
