//! What nodes of one chain tell each other: one octet for the kind, then RLP.
//!
//! ```text
//!   0x01 vote       0x04 polka (prevotes of two thirds)     0x06 status: my head
//!   0x02 proposal   0x05 round proof                        0x07 ask: blocks from a height on
//!   0x03 block                                              0x08 decided: blocks with certificates
//! ```
//!
//! Kinds up to 0x0f belong here. Whoever reads a message knows nothing more of it than that its form is right: signatures
//! are checked where it is known which validators may sign.

pub(crate) mod decided;
mod wire;

pub use wire::{Polka, Proposal, RoundProof, RoundVote, Signature, Signed, Vote, Why};

use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use purlin_chain_core::consensus::Decided;
use purlin_chain_proto::Block;

/// The most octets of a message: what peers may send at once.
pub const MESSAGE_MAX: usize = 16 << 20;

/// A message between nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    Vote(Vote),
    Proposal(Proposal),
    Block(Box<Offered>),
    Polka(Polka),
    Round(RoundProof),
    Status(Status),
    Ask(Ask),
    /// Consecutive blocks in answer to an [`Ask`]; none when the first of them is not there.
    Decided(Vec<Decided>),
}

/// The block of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Offered {
    pub height: u64,
    pub round: u32,
    pub block: Block,
}

/// The sender's last decided block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Status {
    pub height: u64,
    pub hash: B256,
}

/// Asks for decided blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Ask {
    pub from: u64,
    /// How many at most; fewer come when they are big.
    pub count: u64,
}

/// Octets that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageFault {
    #[error("an empty message")]
    Empty,
    #[error("a message of {0} octets, and {MESSAGE_MAX} are the most")]
    Long(usize),
    #[error("kind {0:#04x} is not known")]
    Kind(u8),
    #[error("kind {kind:#04x}: {what}")]
    Form { kind: u8, what: alloy_rlp::Error },
}

impl Message {
    /// The octets that are sent.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Vote(it) => octets(1, it),
            Self::Proposal(it) => octets(2, it),
            Self::Block(it) => octets(3, it.as_ref()),
            Self::Polka(it) => octets(4, it),
            Self::Round(it) => octets(5, it),
            Self::Status(it) => octets(6, it),
            Self::Ask(it) => octets(7, it),
            Self::Decided(it) => octets(8, &decided::Batch(it)),
        }
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// Too long, of an unknown kind, not the RLP of its kind, or with octets behind it.
    pub fn decode(message: &[u8]) -> Result<Self, MessageFault> {
        if message.len() > MESSAGE_MAX {
            return Err(MessageFault::Long(message.len()));
        }
        let (kind, body) = message.split_first().ok_or(MessageFault::Empty)?;
        let read = match kind {
            1 => whole(body).map(Self::Vote),
            2 => whole(body).map(Self::Proposal),
            3 => whole(body).map(|it| Self::Block(Box::new(it))),
            4 => whole(body).map(Self::Polka),
            5 => whole(body).map(Self::Round),
            6 => whole(body).map(Self::Status),
            7 => whole(body).map(Self::Ask),
            8 => whole(body).map(|decided::Read(it)| Self::Decided(it)),
            _ => return Err(MessageFault::Kind(*kind)),
        };
        read.map_err(|what| MessageFault::Form { kind: *kind, what })
    }
}

/// A kind and its RLP.
pub(crate) fn octets(kind: u8, body: &impl Encodable) -> Bytes {
    let mut out = Vec::with_capacity(1 + body.length());
    out.push(kind);
    body.encode(&mut out);
    out.into()
}

/// One value and nothing behind it.
pub(crate) fn whole<T: Decodable>(octets: &[u8]) -> Result<T, alloy_rlp::Error> {
    let mut rest = octets;
    let value = T::decode(&mut rest)?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(alloy_rlp::Error::UnexpectedLength)
    }
}

#[cfg(test)]
mod tests;
