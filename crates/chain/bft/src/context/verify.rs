//! Signatures and certificates, checked against the set of their height.

use super::types::{Bft, Validators, Who};
use crate::message::{Polka, Proposal, RoundProof, Signature, Vote, Why};
use alloy_primitives::{Address, B256};
use arc_malachitebft_core_types::{
    CertificateError, CommitCertificate, CommitSignature, PolkaCertificate, PolkaSignature, RoundCertificate,
    RoundSignature, ThresholdParam, ThresholdParams,
};
use purlin_chain_core::consensus::signed::{Network, VoteKind, recover};
use std::collections::{BTreeMap, BTreeSet};

/// How many signatures are remembered as right. Every validator signs a handful per round; a height that goes through
/// more is checked again and again, and nothing else happens.
const KNOWN_MAX: usize = 8_192;

/// Checks signatures, each once: a vote that was counted is not recovered again in the certificate that it ends up in.
#[derive(Debug)]
pub(crate) struct Verifier {
    network: Network,
    known: BTreeMap<(B256, Signature), Address>,
}

type Verdict = Result<(), CertificateError<Bft>>;

impl Verifier {
    pub(crate) fn new(network: Network) -> Self {
        Self {
            network,
            known: BTreeMap::new(),
        }
    }

    /// A new height: nothing of the old one will be asked again.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }

    fn is_signed(&mut self, digest: B256, signature: Signature, by: Address) -> bool {
        if let Some(known) = self.known.get(&(digest, signature)) {
            return *known == by;
        }
        let right = recover(digest, signature.as_slice()) == Some(by);
        if right && self.known.len() < KNOWN_MAX {
            self.known.insert((digest, signature), by);
        }
        right
    }

    pub(crate) fn vote(&mut self, vote: &Vote) -> bool {
        self.is_signed(vote.digest(self.network), vote.signature, vote.validator)
    }

    pub(crate) fn proposal(&mut self, proposal: &Proposal) -> bool {
        let digest = proposal.digest(self.network);
        self.is_signed(digest, proposal.signature, proposal.proposer)
    }

    pub(crate) fn commits(
        &mut self,
        certificate: &CommitCertificate<Bft>,
        validators: &Validators,
        thresholds: ThresholdParams,
    ) -> Verdict {
        let (height, round) = (certificate.height.0, certificate.round.as_u32().unwrap_or(0));
        let hash = Some(certificate.value_id.0);
        let digest = self.network.vote(VoteKind::Precommit, height, round, hash);
        let mut count = Count::new(validators, thresholds.quorum);
        for CommitSignature { address, signature } in &certificate.commit_signatures {
            count.add(address)?;
            if !self.is_signed(digest, *signature, address.0) {
                let wrong = CommitSignature::new(*address, *signature);
                return Err(CertificateError::InvalidCommitSignature(wrong));
            }
        }
        count.verdict()
    }

    pub(crate) fn polka(
        &mut self,
        certificate: &PolkaCertificate<Bft>,
        validators: &Validators,
        thresholds: ThresholdParams,
    ) -> Verdict {
        let polka = Polka::from(certificate);
        let hash = Some(polka.hash);
        let digest = self
            .network
            .vote(VoteKind::Prevote, polka.height, polka.round, hash);
        let mut count = Count::new(validators, thresholds.quorum);
        for signed in polka.signatures {
            let who = Who(signed.validator);
            count.add(&who)?;
            if !self.is_signed(digest, signed.signature, signed.validator) {
                let wrong = PolkaSignature::new(who, signed.signature);
                return Err(CertificateError::InvalidPolkaSignature(wrong));
            }
        }
        count.verdict()
    }

    pub(crate) fn round(
        &mut self,
        certificate: &RoundCertificate<Bft>,
        validators: &Validators,
        thresholds: ThresholdParams,
    ) -> Verdict {
        let proof = RoundProof::from(certificate);
        let threshold = match proof.why {
            Why::Skip => thresholds.honest,
            Why::Precommits => thresholds.quorum,
        };
        let mut count = Count::new(validators, threshold);
        for (vote, theirs) in proof.votes.iter().zip(&certificate.round_signatures) {
            let who = Who(vote.validator);
            count.add(&who)?;
            if proof.why == Why::Precommits && vote.kind != VoteKind::Precommit {
                return Err(CertificateError::InvalidVoteType(who));
            }
            let digest = self.network.vote(vote.kind, proof.height, proof.round, vote.hash);
            if !self.is_signed(digest, vote.signature, vote.validator) {
                let wrong = RoundSignature::clone(theirs);
                return Err(CertificateError::InvalidRoundSignature(wrong));
            }
        }
        count.verdict()
    }
}

/// The power of different validators of a set.
struct Count<'a> {
    validators: &'a Validators,
    threshold: ThresholdParam,
    seen: BTreeSet<Address>,
    power: u64,
}

impl<'a> Count<'a> {
    fn new(validators: &'a Validators, threshold: ThresholdParam) -> Self {
        Self {
            validators,
            threshold,
            seen: BTreeSet::new(),
            power: 0,
        }
    }

    fn add(&mut self, who: &Who) -> Verdict {
        let power = self.validators.set.power(&who.0);
        let power = power.ok_or(CertificateError::UnknownValidator(*who))?;
        if !self.seen.insert(who.0) {
            return Err(CertificateError::DuplicateVote(*who));
        }
        self.power += power;
        Ok(())
    }

    fn verdict(self) -> Verdict {
        let (signed, total) = (self.power, self.validators.set.total());
        if self.threshold.is_met(signed, total) {
            return Ok(());
        }
        let expected = self.threshold.min_expected(total);
        Err(CertificateError::NotEnoughVotingPower {
            signed,
            total,
            expected,
        })
    }
}
