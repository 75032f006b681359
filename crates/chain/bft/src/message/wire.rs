//! Votes, proposals and proofs as they are sent. What the signatures are over is in [`purlin_chain_core::consensus::signed`].

use alloy_primitives::{Address, B256, FixedBytes};
use alloy_rlp::{BufMut, Decodable, Encodable, RlpDecodable, RlpEncodable};
use purlin_chain_core::consensus::signed::{Network, SIGNATURE_LEN, VoteKind, recover};

/// r, s and the parity of y.
pub type Signature = FixedBytes<SIGNATURE_LEN>;

/// A vote for a block, or for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
pub struct Vote {
    pub kind: VoteKind,
    pub height: u64,
    pub round: u32,
    pub validator: Address,
    pub signature: Signature,
    /// The block's hash; `None` is a vote for no block in this round.
    pub hash: Option<B256>,
}

/// The proposer's word for a block. The block itself goes beside it, see [`Message::Block`](super::Message::Block).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    pub height: u64,
    pub round: u32,
    pub hash: B256,
    pub proposer: Address,
    pub signature: Signature,
    /// The earlier round in which more than two thirds prevoted for this block.
    pub polka: Option<u32>,
}

/// The prevotes of more than two thirds for one block.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Polka {
    pub height: u64,
    pub round: u32,
    pub hash: B256,
    pub signatures: Vec<Signed>,
}

/// A validator's signature over what stands around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Signed {
    pub validator: Address,
    pub signature: Signature,
}

/// Why a round may be left, or entered out of turn.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct RoundProof {
    pub height: u64,
    pub round: u32,
    pub why: Why,
    pub votes: Vec<RoundVote>,
}

/// What the votes of a [`RoundProof`] show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// More than a third are in this round already, so that one honest validator is.
    Skip,
    /// More than two thirds precommitted in this round, to whatever: it is over.
    Precommits,
}

/// One vote of a [`RoundProof`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
pub struct RoundVote {
    pub kind: VoteKind,
    pub validator: Address,
    pub signature: Signature,
    pub hash: Option<B256>,
}

impl Vote {
    /// What is signed.
    #[must_use]
    pub fn digest(&self, network: Network) -> B256 {
        network.vote(self.kind, self.height, self.round, self.hash)
    }

    /// Whether the validator it names signed it.
    #[must_use]
    pub fn is_signed(&self, network: Network) -> bool {
        recover(self.digest(network), self.signature.as_slice()) == Some(self.validator)
    }
}

impl Proposal {
    /// What is signed.
    #[must_use]
    pub fn digest(&self, network: Network) -> B256 {
        network.proposal(self.height, self.round, self.hash, self.polka)
    }

    /// Whether the proposer it names signed it.
    #[must_use]
    pub fn is_signed(&self, network: Network) -> bool {
        recover(self.digest(network), self.signature.as_slice()) == Some(self.proposer)
    }
}

/// A proposal as it is sent. `after` is the number of rounds up to its polka: a trailing option would read round 0 as none.
#[derive(RlpEncodable, RlpDecodable)]
struct ProposalOctets {
    height: u64,
    round: u32,
    hash: B256,
    proposer: Address,
    signature: Signature,
    after: u64,
}

impl From<&Proposal> for ProposalOctets {
    fn from(proposal: &Proposal) -> Self {
        Self {
            height: proposal.height,
            round: proposal.round,
            hash: proposal.hash,
            proposer: proposal.proposer,
            signature: proposal.signature,
            after: proposal.polka.map_or(0, |round| u64::from(round) + 1),
        }
    }
}

impl Encodable for Proposal {
    fn encode(&self, out: &mut dyn BufMut) {
        ProposalOctets::from(self).encode(out);
    }

    fn length(&self) -> usize {
        ProposalOctets::from(self).length()
    }
}

impl Decodable for Proposal {
    fn decode(rest: &mut &[u8]) -> Result<Self, alloy_rlp::Error> {
        let octets = ProposalOctets::decode(rest)?;
        let polka = octets.after.checked_sub(1).map(u32::try_from);
        let polka = polka.transpose().map_err(|_| alloy_rlp::Error::Overflow)?;
        Ok(Self {
            height: octets.height,
            round: octets.round,
            hash: octets.hash,
            proposer: octets.proposer,
            signature: octets.signature,
            polka,
        })
    }
}

impl Encodable for Why {
    fn encode(&self, out: &mut dyn BufMut) {
        let octet: u8 = match self {
            Self::Skip => 1,
            Self::Precommits => 2,
        };
        octet.encode(out);
    }

    fn length(&self) -> usize {
        1
    }
}

impl Decodable for Why {
    fn decode(rest: &mut &[u8]) -> Result<Self, alloy_rlp::Error> {
        match u8::decode(rest)? {
            1 => Ok(Self::Skip),
            2 => Ok(Self::Precommits),
            _ => Err(alloy_rlp::Error::Custom("1 is a skip, 2 are precommits")),
        }
    }
}
