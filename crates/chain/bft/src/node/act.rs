//! From the engine's outputs, and from decided blocks, to actions.

use super::{Action, Halt, Node, Phase};
use crate::body;
use crate::engine::{Engine, Fatal, Output};
use crate::message::Message;
use crate::standing::Equivocation;
use alloy_primitives::Address;
use purlin_chain_core::agreement::News;
use purlin_chain_core::consensus::signed::VoteKind;
use purlin_chain_core::consensus::{Decided, HeightSettings};
use std::time::Duration;

impl Node {
    /// The height of the settings begins.
    pub(super) fn begin_height(&mut self, now: Duration) -> Result<(), Halt> {
        let next = self.settings.height;
        let Some(engine) = &mut self.engine else {
            return Ok(());
        };
        let due = self.logged.take_if(|logged| logged.height <= next);
        let records = due.map(|logged| logged.records).unwrap_or_default();
        let votes = self.logged.is_none();
        let outputs = engine.start(now, &self.settings, records, votes)?;
        self.phase = Phase::Running;
        self.pace.height(now, next);
        self.watch.height(now, &self.settings);
        self.pace.round(now);
        self.translate(now, outputs);
        for (from, message) in self.future.take(next) {
            self.note(now, from, &message);
            self.run(now, |engine| engine.message(now, from, message))?;
        }
        Ok(())
    }

    /// Lets the engine do something, while it runs.
    pub(super) fn run(
        &mut self,
        now: Duration,
        act: impl FnOnce(&mut Engine) -> Result<Vec<Output>, Fatal>,
    ) -> Result<(), Halt> {
        if let (Phase::Running, Some(engine)) = (self.phase, &mut self.engine) {
            let outputs = act(engine)?;
            self.translate(now, outputs);
        }
        Ok(())
    }

    fn translate(&mut self, now: Duration, outputs: Vec<Output>) {
        for output in outputs {
            self.one(now, output);
        }
    }

    fn one(&mut self, now: Duration, output: Output) {
        let action = match output {
            Output::Begin(height) => Action::Begin(height),
            Output::Append(record) => Action::Append(record),
            Output::Flush => Action::Flush,
            Output::Broadcast(message) => {
                self.said(now, &message);
                Action::Broadcast(message.encode())
            }
            Output::Propose {
                height,
                round,
                budget,
            } => Action::Propose {
                height,
                round,
                budget,
            },
            Output::Validate(proposal) => Action::Validate(proposal),
            Output::Decided(decided) => {
                let (height, round) = (decided.certificate.height, decided.certificate.round);
                self.standing.last = Some(self.pace.lap(now, height, round));
                let seen = self.pace.seen(height, round);
                self.watch.decided(now, &decided.certificate, seen);
                return self.decide(now, decided, None);
            }
            Output::Round { round, proposer } => {
                self.pace.round(now);
                self.watch.round(now, round);
                self.standing.round = round;
                self.standing.proposer = Some(proposer);
                self.standing.rounds_total += 1;
                return;
            }
            Output::Equivocation(by) => return self.accuse(by),
            Output::Bad { from, what } => return self.standing.bad(from, what),
            Output::Trouble(what) => {
                self.standing.fault = Some(what);
                return;
            }
        };
        self.actions.push(action);
    }

    /// This node said something: its steps are timed by it.
    fn said(&mut self, now: Duration, message: &Message) {
        let me = self.engine.as_ref().map(Engine::address);
        match message {
            Message::Vote(vote) if Some(vote.validator) == me => {
                self.pace.vote(now, vote.kind);
                self.watch.vote(now, vote);
                if vote.kind == VoteKind::Prevote {
                    self.watch.prevoted(vote.round);
                }
            }
            Message::Proposal(proposal) => {
                self.pace.proposal(now, proposal.height, proposal.round);
                self.watch.proposal(proposal);
            }
            _ => {}
        }
    }

    fn accuse(&mut self, by: Equivocation) {
        if self.standing.equivocated(by) {
            let Equivocation {
                validator,
                height,
                round,
            } = by;
            self.watch.tell(News::Twice {
                validator,
                height,
                round,
            });
        }
    }

    /// A block is proven to be decided: the application makes it durable.
    fn decide(&mut self, now: Duration, decided: Decided, synced: Option<Address>) {
        if matches!(self.phase, Phase::Deciding { .. }) {
            return;
        }
        self.phase = Phase::Deciding { synced };
        self.decided_at = Some(now);
        self.standing.hash = Some(decided.certificate.hash);
        self.actions.push(Action::Decide(decided));
    }

    /// The next block that a peer sent, when it is proven.
    pub(super) fn apply(&mut self, now: Duration) -> Result<(), Halt> {
        if matches!(self.phase, Phase::Deciding { .. }) {
            return Ok(());
        }
        if let Some((from, decided)) = self.sync.take(self.settings.height) {
            match self.proven(&decided) {
                Ok(()) => {
                    self.watch.synced(&self.settings, &decided.certificate);
                    self.decide(now, decided, Some(from));
                    return Ok(());
                }
                Err(what) => {
                    self.standing.bad(from, what);
                    self.sync.blame(now, from);
                }
            }
        }
        self.resume(now)
    }

    /// Whether this is the decided block of the next height.
    fn proven(&self, Decided { block, certificate }: &Decided) -> Result<(), String> {
        let next = self.settings.height;
        if certificate.height != next || block.header.number != next {
            return Err(format!("not the block of height {next}"));
        }
        if body::whole(block) != Some(certificate.hash) {
            return Err(format!(
                "another block than that of certificate {}",
                certificate.hash
            ));
        }
        certificate
            .verify_signed(self.network.0, &self.settings.validators)
            .map(drop)
            .map_err(|fault| fault.to_string())
    }

    /// The application has made a block durable, and says what the next height needs.
    pub(super) fn began(&mut self, now: Duration, settings: HeightSettings) -> Result<(), Halt> {
        let Phase::Deciding { synced } = self.phase else {
            return Ok(());
        };
        let before = std::mem::replace(&mut self.settings, settings);
        self.tell(now);
        if let Some(peer) = synced {
            self.standing.synced_total += 1;
            self.sync.praise(peer);
            self.phase = self.idle();
            return self.apply(now);
        }
        self.standing.decided_total += 1;
        let round = self.standing.last.map_or(0, |lap| lap.round);
        let until = self.pace.due(now, before.height, round, self.settings.period);
        self.phase = Phase::Waiting { until };
        if until <= now {
            return self.begin_height(now);
        }
        Ok(())
    }

    /// What the node is between two blocks that it takes from peers.
    const fn idle(&self) -> Phase {
        match self.engine {
            Some(_) => Phase::Catching,
            None => Phase::Following,
        }
    }

    /// Nothing more is to be applied: asks for more, or begins the height when nobody has more.
    pub(super) fn resume(&mut self, now: Duration) -> Result<(), Halt> {
        if self.phase != Phase::Catching {
            return Ok(());
        }
        self.ask(now);
        if self.sync.is_busy() {
            return Ok(());
        }
        self.begin_height(now)
    }
}
