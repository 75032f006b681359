//! Agreement on the block of one height after the other.
//!
//! ```text
//!   votes, proposals, blocks ──►┌────────────────────┐──► append, flush, broadcast   in this order
//!   timers that are due      ──►│ Malachite's state  │──► propose, validate          questions to the application
//!   answers                  ──►│ machine │ the desk │──► decided
//!                               └────────────────────┘
//! ```
//!
//! The state machine asks for effects while it handles an input; the [`desk`] answers each at once and writes down what is to
//! be done. The engine knows one height only: what belongs to another is not given to it. It signs nothing that it has
//! not appended to the log, and nothing that contradicts what it signed before; the latter is checked beside the state
//! machine, because a second signature is the one fault that cannot be taken back.

mod blocks;
mod desk;
mod effects;
mod output;
mod timers;

pub(crate) use output::Output;

use crate::context::{self, Bft, Input, Level, State, Validators, Who, timeout_of};
use crate::log::Record;
use crate::message::Message;
use crate::standing::Step;
use crate::timeouts::Timeouts;
use alloy_primitives::{Address, B256};
use arc_malachitebft_core_consensus::{
    Error, LocallyProposedValue, MisbehaviorEvidence, Params, ProposedValue, ThresholdParams, process,
};
use arc_malachitebft_core_types::{Round, Validity, ValueOrigin, ValuePayload, VoteExtensionPolicy};
use desk::Desk;
use purlin_chain_core::consensus::signed::Network;
use purlin_chain_core::consensus::{HeightSettings, Proposal};
use std::fmt::{self, Debug};
use std::time::Duration;

/// A validator's key.
pub trait Signer: Send {
    fn address(&self) -> Address;
    /// r, s (in the lower half of the order) and the parity of y (0 or 1).
    fn sign(&self, digest: B256) -> [u8; 65];
}

/// The engine cannot go on without contradicting itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Fatal(pub(crate) String);

/// Agreement on one height at a time.
pub(crate) struct Engine {
    state: State,
    desk: Desk,
}

impl Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("height", &self.desk.height)
            .field("round", &self.round())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine that has not started; it begins with `settings` when told so.
    pub(crate) fn new(
        network: Network,
        signer: Box<dyn Signer>,
        timeouts: Timeouts,
        settings: &HeightSettings,
    ) -> Self {
        let address = signer.address();
        let params = Params {
            address: Who(address),
            threshold_params: ThresholdParams::default(),
            value_payload: ValuePayload::ProposalAndParts,
            enabled: true,
        };
        let validators = Validators::new(settings.validators.clone());
        // Inputs of later heights are kept by the node, fairly to all peers: the machine's own queue stays empty.
        let state = State::new(Bft, Level(settings.height), validators, params, 1, 1);
        Self {
            state,
            desk: Desk::new(network, signer, timeouts),
        }
    }

    /// Begins a height. `records` are what the log holds of it; `votes` says whether the node may vote at all.
    pub(crate) fn start(
        &mut self,
        now: Duration,
        settings: &HeightSettings,
        records: Vec<Record>,
        votes: bool,
    ) -> Result<Vec<Output>, Fatal> {
        let height = Level(settings.height);
        self.gather_evidence();
        self.state.params.enabled = votes;
        self.desk.begin(now, settings, &records, votes);
        let inputs: Vec<Input> = records.into_iter().map(|record| input(height, record)).collect();
        if !inputs.is_empty() {
            self.state.index_wal_entries(&inputs);
        }
        let validators = Validators::new(settings.validators.clone());
        let extensions = VoteExtensionPolicy::Disabled;
        self.process(Input::StartHeight(height, validators, false, None, extensions))?;
        for input in inputs {
            self.process(input)?;
        }
        self.state.reset_entries_index();
        self.end_replay()?;
        Ok(self.desk.take())
    }

    /// A message of this height, from a peer. What is wrong with it shows in the outputs.
    pub(crate) fn message(
        &mut self,
        now: Duration,
        from: Address,
        message: Message,
    ) -> Result<Vec<Output>, Fatal> {
        self.desk.now = now;
        match message {
            Message::Vote(vote) => self.process(Input::Vote((&vote).into()))?,
            Message::Proposal(proposal) => self.process(Input::Proposal((&proposal).into()))?,
            Message::Polka(polka) => self.process(Input::PolkaCertificate((&polka).into()))?,
            Message::Round(proof) => self.process(Input::RoundCertificate((&proof).into()))?,
            Message::Block(offered) => self.desk.offered(from, offered.block),
            Message::Status(_) | Message::Ask(_) | Message::Decided(_) => {}
        }
        Ok(self.desk.take())
    }

    /// The application's block for our turn.
    pub(crate) fn proposed(&mut self, now: Duration, proposal: Proposal) -> Result<Vec<Output>, Fatal> {
        self.desk.now = now;
        let (height, round, hash) = (Level(proposal.height), Round::new(proposal.round), proposal.hash);
        if proposal.height == self.desk.height && self.state.round() == round {
            self.desk.judged(hash, Some(proposal.block));
            let value = context::Hash(hash);
            self.process(Input::Propose(LocallyProposedValue::new(height, round, value)))?;
        }
        Ok(self.desk.take())
    }

    /// The application's verdict on a block.
    pub(crate) fn validated(
        &mut self,
        now: Duration,
        proposal: Proposal,
        valid: bool,
    ) -> Result<Vec<Output>, Fatal> {
        self.desk.now = now;
        if proposal.height == self.desk.height {
            let value = ProposedValue {
                height: Level(proposal.height),
                round: Round::new(proposal.round),
                valid_round: Round::Nil,
                proposer: Who(proposal.proposer),
                value: context::Hash(proposal.hash),
                validity: Validity::from_bool(valid),
            };
            self.desk.judged(proposal.hash, valid.then_some(proposal.block));
            self.process(Input::ProposedValue(value, ValueOrigin::Consensus))?;
        }
        Ok(self.desk.take())
    }

    /// Lets timers elapse that are due.
    pub(crate) fn tick(&mut self, now: Duration) -> Result<Vec<Output>, Fatal> {
        self.desk.now = now;
        while let Some(timeout) = self.desk.timers.due(now) {
            self.process(Input::TimeoutElapsed(timeout))?;
        }
        Ok(self.desk.take())
    }

    /// When a timer is due next.
    pub(crate) fn next_timer(&self) -> Option<Duration> {
        self.desk.timers.next()
    }

    /// What this node said in this round, for a peer that was not there.
    pub(crate) fn said(&self) -> impl Iterator<Item = &Message> {
        self.desk.said.iter()
    }

    pub(crate) fn address(&self) -> Address {
        self.desk.signer.address()
    }

    /// Whether this node signs anything at this height: its key is in the set, and its log is not ahead of its chain.
    pub(crate) const fn votes(&self) -> bool {
        self.desk.votes
    }

    pub(crate) fn round(&self) -> u32 {
        self.state.round().as_u32().unwrap_or(0)
    }

    pub(crate) fn step(&self) -> Step {
        let driver = &self.state.driver;
        match () {
            () if driver.step_is_propose() => Step::Propose,
            () if driver.step_is_prevote() => Step::Prevote,
            () if driver.step_is_precommit() => Step::Precommit,
            () if driver.step_is_commit() => Step::Commit,
            () => Step::Waiting,
        }
    }

    /// The log is read: what the state machine wanted to know of the application while it was, is asked now.
    fn end_replay(&mut self) -> Result<(), Fatal> {
        self.desk.replayed = None;
        let Some((height, round)) = self.desk.wanted.take() else {
            return Ok(());
        };
        if self.state.round() != Round::new(round) || !self.state.driver.step_is_propose() {
            return Ok(());
        }
        match self.desk.own_block(round) {
            Some(hash) => {
                let value = context::Hash(hash);
                let own = LocallyProposedValue::new(Level(height), Round::new(round), value);
                self.process(Input::Propose(own))
            }
            None => {
                self.desk.ask_block(height, round);
                Ok(())
            }
        }
    }

    fn gather_evidence(&mut self) {
        let evidence = MisbehaviorEvidence {
            votes: self.state.driver.take_vote_evidence(),
            proposals: self.state.driver.take_proposal_evidence(),
        };
        self.desk.misbehaved(&evidence);
    }

    fn process(&mut self, input: Input) -> Result<(), Fatal> {
        let Self { state, desk } = self;
        let done: Result<(), Error<Bft>> = process!(
            input: input,
            state: state,
            metrics: &(),
            with: effect => desk.answer(effect)
        );
        if let Some(fatal) = desk.fatal.take() {
            return Err(fatal);
        }
        match done {
            Ok(()) => Ok(()),
            Err(error @ (Error::ReplayDivergence(..) | Error::UnexpectedResume(..))) => {
                Err(Fatal(error.to_string()))
            }
            // The input moved nothing; another will.
            Err(error) => {
                desk.out.push(Output::Trouble(error.to_string()));
                Ok(())
            }
        }
    }
}

/// The input that made this record.
fn input(height: Level, record: Record) -> Input {
    match record {
        Record::Vote(vote) => Input::Vote((&vote).into()),
        Record::Proposal(proposal) => Input::Proposal((&proposal).into()),
        Record::Polka(polka) => Input::PolkaCertificate((&polka).into()),
        Record::Waited { what, round } => Input::TimeoutElapsed(timeout_of(what, round)),
        Record::Value(value) => {
            let proposed = ProposedValue {
                height,
                round: Round::new(value.round),
                valid_round: Round::Nil,
                proposer: Who(value.proposer),
                value: context::Hash(value.hash),
                validity: Validity::from_bool(value.block.is_some()),
            };
            Input::ProposedValue(proposed, ValueOrigin::Consensus)
        }
    }
}
