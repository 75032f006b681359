//! What the engine keeps beside the state machine: the key, what was signed, what was said, and what is to be done.

use super::blocks::Blocks;
use super::timers::Timers;
use super::{Fatal, Output, Signer};
use crate::context::verify::Verifier;
use crate::context::{Bft, ProposalBody, VoteBody, signed};
use crate::log::Record;
use crate::message::{Message, Proposal, Signature, Vote};
use crate::standing::Equivocation;
use crate::timeouts::Timeouts;
use alloy_primitives::{Address, B256, keccak256};
use arc_malachitebft_core_consensus::MisbehaviorEvidence;
use arc_malachitebft_core_types::{SignedMessage, Timeout};
use purlin_chain_core::consensus::HeightSettings;
use purlin_chain_core::consensus::signed::{Network, VoteKind};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a signature is for; at most one digest per round of a height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Proposal,
    Prevote,
    Precommit,
}

/// See the module.
pub(super) struct Desk {
    pub(super) network: Network,
    pub(super) signer: Box<dyn Signer>,
    pub(super) verifier: Verifier,
    pub(super) timers: Timers,
    pub(super) blocks: Blocks,
    pub(super) now: Duration,
    pub(super) height: u64,
    pub(super) out: Vec<Output>,
    pub(super) fatal: Option<Fatal>,
    /// Own messages of this round, the proposal's block with it.
    pub(super) said: Vec<Message>,
    /// The turn for which a block was wanted while the log was read.
    pub(super) wanted: Option<(u64, u32)>,
    /// Digests of the records that the log holds, while they are read again; `None` afterwards.
    pub(super) replayed: Option<BTreeSet<B256>>,
    /// Whether anything is logged and signed at this height.
    pub(super) votes: bool,
    /// Whether something was appended since the last flush.
    dirty: bool,
    signatures: BTreeMap<(u32, Said), B256>,
}

impl Desk {
    pub(super) fn new(network: Network, signer: Box<dyn Signer>, timeouts: Timeouts) -> Self {
        Self {
            network,
            signer,
            verifier: Verifier::new(network),
            timers: Timers::new(timeouts),
            blocks: Blocks::default(),
            now: Duration::ZERO,
            height: 0,
            out: Vec::new(),
            fatal: None,
            said: Vec::new(),
            wanted: None,
            replayed: None,
            votes: false,
            dirty: false,
            signatures: BTreeMap::new(),
        }
    }

    /// A height begins, with what the log holds of it.
    pub(super) fn begin(
        &mut self,
        now: Duration,
        settings: &HeightSettings,
        records: &[Record],
        votes: bool,
    ) {
        let me = self.signer.address();
        self.now = now;
        self.height = settings.height;
        self.votes = votes && settings.validators.power(&me).is_some();
        self.dirty = false;
        self.wanted = None;
        self.said.clear();
        self.verifier.forget();
        self.signatures.clear();
        self.blocks.begin(settings, records);
        for record in records {
            self.remember(me, record);
        }
        let digests = records.iter().map(|record| keccak256(record.encode()));
        self.replayed = Some(digests.collect());
        if records.is_empty() && self.votes {
            self.out.push(Output::Begin(settings.height));
        }
    }

    /// What this node signed according to the log; the first signature counts.
    fn remember(&mut self, me: Address, record: &Record) {
        match record {
            Record::Vote(vote) if vote.validator == me => {
                let key = (vote.round, Said::from(vote.kind));
                self.signatures.entry(key).or_insert(vote.digest(self.network));
            }
            Record::Proposal(proposal) if proposal.proposer == me => {
                let key = (proposal.round, Said::Proposal);
                self.signatures
                    .entry(key)
                    .or_insert(proposal.digest(self.network));
            }
            _ => {}
        }
    }

    /// What is to be done.
    pub(super) fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    pub(super) fn append(&mut self, record: Record) {
        let known = |digests: &BTreeSet<B256>| digests.contains(&keccak256(record.encode()));
        if self.votes && !self.replayed.as_ref().is_some_and(known) {
            self.dirty = true;
            self.out.push(Output::Append(record));
        }
    }

    /// Says something to all; what it follows from is durable before.
    pub(super) fn publish(&mut self, message: Message) {
        if std::mem::take(&mut self.dirty) {
            self.out.push(Output::Flush);
        }
        self.out.push(Output::Broadcast(message));
    }

    pub(super) fn sign_vote(&mut self, body: VoteBody) -> Result<SignedMessage<Bft, VoteBody>, Fatal> {
        let vote = Vote::of(&body, Signature::ZERO);
        let signature = self.sign(vote.round, vote.kind.into(), vote.digest(self.network))?;
        Ok(signed(body, signature))
    }

    pub(super) fn sign_proposal(
        &mut self,
        body: ProposalBody,
    ) -> Result<SignedMessage<Bft, ProposalBody>, Fatal> {
        let proposal = Proposal::of(&body, Signature::ZERO);
        let digest = proposal.digest(self.network);
        let signature = self.sign(proposal.round, Said::Proposal, digest)?;
        Ok(signed(body, signature))
    }

    fn sign(&mut self, round: u32, what: Said, digest: B256) -> Result<Signature, Fatal> {
        let height = self.height;
        let first = *self.signatures.entry((round, what)).or_insert(digest);
        if !self.votes || first != digest {
            let fatal = Fatal(format!(
                "a second, different {what:?} for height {height}, round {round} was to be signed"
            ));
            self.fatal = Some(fatal.clone());
            return Err(fatal);
        }
        Ok(Signature::from(self.signer.sign(digest)))
    }

    /// Asks the application for a block. Half of what the others wait is left for its way.
    pub(super) fn ask_block(&mut self, height: u64, round: u32) {
        let budget = self.timers.duration(Timeout::propose(round.into())) / 2;
        self.out.push(Output::Propose {
            height,
            round,
            budget,
        });
    }

    /// Those who signed two different things.
    pub(super) fn misbehaved(&mut self, evidence: &MisbehaviorEvidence<Bft>) {
        let votes = evidence.votes.iter().flat_map(|(_, pairs)| pairs);
        for (vote, _) in votes {
            let vote = Vote::from(vote);
            self.accuse(vote.validator, vote.height, vote.round);
        }
        let proposals = evidence.proposals.iter().flat_map(|(_, pairs)| pairs);
        for (proposal, _) in proposals {
            let proposal = Proposal::from(proposal);
            self.accuse(proposal.proposer, proposal.height, proposal.round);
        }
    }

    fn accuse(&mut self, validator: Address, height: u64, round: u32) {
        self.out.push(Output::Equivocation(Equivocation {
            validator,
            height,
            round,
        }));
    }
}

impl From<VoteKind> for Said {
    fn from(kind: VoteKind) -> Self {
        match kind {
            VoteKind::Prevote => Self::Prevote,
            VoteKind::Precommit => Self::Precommit,
        }
    }
}

#[cfg(test)]
mod tests;
