//! The entries of the log: one octet for the kind, then RLP.

use crate::message::{Polka, Proposal, Vote, octets, whole};
use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::{BufMut, Decodable, Encodable, RlpDecodable, RlpEncodable};
use purlin_chain_proto::Block;

/// Something that moved the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A vote, this node's own or another's.
    Vote(Vote),
    /// A proposal, this node's own or another's.
    Proposal(Proposal),
    /// A block that was proposed, with the application's verdict.
    Value(Box<Value>),
    Polka(Polka),
    /// A timeout that elapsed.
    Waited {
        what: Waited,
        round: u32,
    },
}

/// A block that was proposed.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
pub struct Value {
    pub height: u64,
    pub round: u32,
    /// Who proposed it in this round.
    pub proposer: Address,
    pub hash: B256,
    /// `None` when the application found it invalid: it will never be needed.
    pub block: Option<Block>,
}

/// The timeouts that move the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waited {
    Propose,
    Prevote,
    Precommit,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Elapsed {
    what: Waited,
    round: u32,
}

impl Record {
    pub(crate) fn encode(&self) -> Bytes {
        match self {
            Self::Vote(it) => octets(1, it),
            Self::Proposal(it) => octets(2, it),
            Self::Value(it) => octets(3, it.as_ref()),
            Self::Polka(it) => octets(4, it),
            Self::Waited { what, round } => octets(
                5,
                &Elapsed {
                    what: *what,
                    round: *round,
                },
            ),
        }
    }

    pub(super) fn decode(octets: &[u8]) -> Result<Self, alloy_rlp::Error> {
        let (kind, body) = octets.split_first().ok_or(alloy_rlp::Error::InputTooShort)?;
        match kind {
            1 => whole(body).map(Self::Vote),
            2 => whole(body).map(Self::Proposal),
            3 => whole(body).map(|it| Self::Value(Box::new(it))),
            4 => whole(body).map(Self::Polka),
            5 => whole(body).map(|Elapsed { what, round }| Self::Waited { what, round }),
            _ => Err(alloy_rlp::Error::Custom("an unknown kind of record")),
        }
    }
}

impl Encodable for Waited {
    fn encode(&self, out: &mut dyn BufMut) {
        let octet: u8 = match self {
            Self::Propose => 1,
            Self::Prevote => 2,
            Self::Precommit => 3,
        };
        octet.encode(out);
    }

    fn length(&self) -> usize {
        1
    }
}

impl Decodable for Waited {
    fn decode(rest: &mut &[u8]) -> Result<Self, alloy_rlp::Error> {
        match u8::decode(rest)? {
            1 => Ok(Self::Propose),
            2 => Ok(Self::Prevote),
            3 => Ok(Self::Precommit),
            _ => Err(alloy_rlp::Error::Custom("an unknown timeout")),
        }
    }
}
