//! From messages to Malachite's types and back.

use super::types::{Bft, Hash, Level, ProposalBody, VoteBody, Who};
use super::{SignedProposal, SignedVote};
use crate::log::Waited;
use crate::message::{Polka, Proposal, RoundProof, RoundVote, Signed, Vote, Why};
use alloy_primitives::B256;
use arc_malachitebft_core_types::{
    CommitCertificate, NilOrVal, PolkaCertificate, PolkaSignature, Round, RoundCertificate,
    RoundCertificateType, RoundSignature, SignedMessage, Timeout, TimeoutKind, VoteType,
};
use purlin_chain_core::consensus::signed::VoteKind;
use purlin_chain_core::consensus::{Certificate, Commit};

/// The certificate of a decision, from Malachite's.
pub(crate) struct Certified(pub(crate) Certificate);

fn number(round: Round) -> u32 {
    round.as_u32().unwrap_or(0)
}

fn kind_of(kind: VoteType) -> VoteKind {
    match kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    }
}

fn type_of(kind: VoteKind) -> VoteType {
    match kind {
        VoteKind::Prevote => VoteType::Prevote,
        VoteKind::Precommit => VoteType::Precommit,
    }
}

fn hash_of(value: NilOrVal<Hash>) -> Option<B256> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(hash) => Some(hash.0),
    }
}

fn value_of(hash: Option<B256>) -> NilOrVal<Hash> {
    hash.map_or(NilOrVal::Nil, |hash| NilOrVal::Val(Hash(hash)))
}

impl From<&Vote> for SignedVote {
    fn from(vote: &Vote) -> Self {
        let body = VoteBody {
            kind: type_of(vote.kind),
            height: Level(vote.height),
            round: Round::new(vote.round),
            value: value_of(vote.hash),
            validator: Who(vote.validator),
        };
        Self::new(body, vote.signature)
    }
}

impl From<&SignedVote> for Vote {
    fn from(vote: &SignedVote) -> Self {
        Self::of(&vote.message, vote.signature)
    }
}

impl Vote {
    pub(crate) fn of(body: &VoteBody, signature: crate::message::Signature) -> Self {
        Self {
            kind: kind_of(body.kind),
            height: body.height.0,
            round: number(body.round),
            validator: body.validator.0,
            signature,
            hash: hash_of(body.value),
        }
    }
}

impl From<&Proposal> for SignedProposal {
    fn from(proposal: &Proposal) -> Self {
        let body = ProposalBody {
            height: Level(proposal.height),
            round: Round::new(proposal.round),
            value: Hash(proposal.hash),
            polka: proposal.polka.map_or(Round::Nil, Round::new),
            proposer: Who(proposal.proposer),
        };
        Self::new(body, proposal.signature)
    }
}

impl From<&SignedProposal> for Proposal {
    fn from(proposal: &SignedProposal) -> Self {
        Self::of(&proposal.message, proposal.signature)
    }
}

impl Proposal {
    pub(crate) fn of(body: &ProposalBody, signature: crate::message::Signature) -> Self {
        Self {
            height: body.height.0,
            round: number(body.round),
            hash: body.value.0,
            proposer: body.proposer.0,
            signature,
            polka: body.polka.as_u32(),
        }
    }
}

impl From<&Polka> for PolkaCertificate<Bft> {
    fn from(polka: &Polka) -> Self {
        let signatures = polka.signatures.iter();
        Self {
            height: Level(polka.height),
            round: Round::new(polka.round),
            value_id: Hash(polka.hash),
            polka_signatures: signatures
                .map(|signed| PolkaSignature::new(Who(signed.validator), signed.signature))
                .collect(),
        }
    }
}

impl From<&PolkaCertificate<Bft>> for Polka {
    fn from(polka: &PolkaCertificate<Bft>) -> Self {
        let signatures = polka.polka_signatures.iter().map(|signed| Signed {
            validator: signed.address.0,
            signature: signed.signature,
        });
        Self {
            height: polka.height.0,
            round: number(polka.round),
            hash: polka.value_id.0,
            signatures: signatures.collect(),
        }
    }
}

impl From<&RoundProof> for RoundCertificate<Bft> {
    fn from(proof: &RoundProof) -> Self {
        let votes = proof.votes.iter().map(|vote| {
            let (kind, value) = (type_of(vote.kind), value_of(vote.hash));
            RoundSignature::new(kind, value, Who(vote.validator), vote.signature)
        });
        Self {
            height: Level(proof.height),
            round: Round::new(proof.round),
            cert_type: match proof.why {
                Why::Skip => RoundCertificateType::Skip,
                Why::Precommits => RoundCertificateType::Precommit,
            },
            round_signatures: votes.collect(),
        }
    }
}

impl From<&RoundCertificate<Bft>> for RoundProof {
    fn from(proof: &RoundCertificate<Bft>) -> Self {
        let votes = proof.round_signatures.iter().map(|vote| RoundVote {
            kind: kind_of(vote.vote_type),
            validator: vote.address.0,
            signature: vote.signature,
            hash: hash_of(vote.value_id),
        });
        Self {
            height: proof.height.0,
            round: number(proof.round),
            why: match proof.cert_type {
                RoundCertificateType::Skip => Why::Skip,
                RoundCertificateType::Precommit => Why::Precommits,
            },
            votes: votes.collect(),
        }
    }
}

impl From<&CommitCertificate<Bft>> for Certified {
    fn from(certificate: &CommitCertificate<Bft>) -> Self {
        let commits = certificate.commit_signatures.iter().map(|commit| Commit {
            validator: commit.address.0,
            signature: commit.signature.to_vec().into(),
        });
        Self(Certificate {
            height: certificate.height.0,
            round: number(certificate.round),
            hash: certificate.value_id.0,
            commits: commits.collect(),
        })
    }
}

/// The timeouts that are recorded; `None` for those that move nothing.
pub(crate) fn waited(timeout: Timeout) -> Option<(Waited, u32)> {
    let what = match timeout.kind {
        TimeoutKind::Propose => Waited::Propose,
        TimeoutKind::Prevote => Waited::Prevote,
        TimeoutKind::Precommit => Waited::Precommit,
        TimeoutKind::Rebroadcast | TimeoutKind::FinalizeHeight(_) => return None,
    };
    Some((what, number(timeout.round)))
}

/// The timeout that was recorded.
pub(crate) fn timeout_of(what: Waited, round: u32) -> Timeout {
    let kind = match what {
        Waited::Propose => TimeoutKind::Propose,
        Waited::Prevote => TimeoutKind::Prevote,
        Waited::Precommit => TimeoutKind::Precommit,
    };
    Timeout::new(Round::new(round), kind)
}

/// A message with its signature.
pub(crate) fn signed<M>(message: M, signature: crate::message::Signature) -> SignedMessage<Bft, M> {
    SignedMessage::new(message, signature)
}
