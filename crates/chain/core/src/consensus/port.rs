//! The trait that the application implements and the engine calls.

use super::certificate::Certificate;
use crate::quorum::ValidatorSet;
use alloy_primitives::{Address, B256};
use purlin_chain_proto::Block;
use std::time::Duration;

/// A block that is put to the vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub height: u64,
    pub round: u32,
    pub proposer: Address,
    /// Hash of the block's header: what validators sign.
    pub hash: B256,
    pub block: Block,
}

/// A block with the proof that it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub block: Block,
    pub certificate: Certificate,
}

/// What the engine must know of a height before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeightSettings {
    pub height: u64,
    pub validators: ValidatorSet,
    /// The least time from one decision to the next. A node that catches up does not wait.
    pub period: Duration,
}

/// Why a validator does not vote for a proposal. A proposer that is honest and up to date never meets it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The proposal is not for the height after the head.
    #[error("proposal for height {got}, and height {wanted} is next")]
    Height { got: u64, wanted: u64 },
    /// Its turn was another's.
    #[error("proposed by {got}, and it is the turn of {wanted}")]
    Proposer { got: Address, wanted: Address },
    /// Header, body, gas, roots or state are wrong: what the executor says.
    #[error("block {hash} is not valid: {said}")]
    Block { hash: B256, said: String },
}

/// The application as an engine sees it. An implementation may block on disk; engines call it from where that is allowed.
pub trait Application {
    /// Why something could not be done at all (a full disk, a torn file): the engine must stop, not vote.
    type Failure;

    /// A block for this height and round, which it is our turn to propose, made within `budget`.
    ///
    /// It need not be durable: the engine's log keeps it before anybody hears of it, and the engine asks once for a height
    /// and round, after a restart again only when nobody can have heard of the first answer.
    fn propose(&mut self, height: u64, round: u32, budget: Duration) -> Result<Proposal, Self::Failure>;

    /// Whether we may vote for this block. Executes it on the head's state; nothing becomes visible.
    ///
    /// A block that fell out of an earlier round is proposed again by others: `round` and `proposer` are those of the proposal
    /// with which it came here first, and its header may name another validator.
    ///
    /// Deterministic: every honest validator with the same head gives the same answer, whatever its clock says, but for a
    /// timestamp from the future, which time heals.
    fn validate(&mut self, proposal: &Proposal) -> Result<Result<(), Invalid>, Self::Failure>;

    /// A quorum committed to this block. Makes block, certificate and state durable in one step, and only then answers with
    /// the next height. Deciding a height again with the same block changes nothing. The block need not have been validated
    /// here before: a node that catches up, or has restarted, decides on the certificate alone.
    fn decide(&mut self, decided: Decided) -> Result<HeightSettings, Self::Failure>;

    /// A decided block, for a peer that has fallen behind; `None` above the head and below what is kept.
    fn decided(&self, height: u64) -> Result<Option<Decided>, Self::Failure>;

    /// What the engine begins with after a start: the height after the head.
    fn next_height(&self) -> Result<HeightSettings, Self::Failure>;

    /// The set that decides `height`, as far ahead as it is fixed: to check certificates of old heights and of the next.
    fn validators(&self, height: u64) -> Result<Option<ValidatorSet>, Self::Failure>;
}
