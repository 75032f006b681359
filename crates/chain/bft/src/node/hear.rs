//! What peers say.

use super::{Action, Halt, Node, Phase};
use crate::message::Message;
use crate::sync::BATCH_MAX;
use alloy_primitives::Address;
use std::time::Duration;

/// Octets of a message, other than a block, that is kept for a later height: the votes of some hundred validators.
const WAITING_MAX: usize = 64 << 10;

impl Node {
    /// Octets from a peer: whatever they are, the node goes on.
    pub(super) fn hear(&mut self, now: Duration, from: Address, octets: &[u8]) -> Result<(), Halt> {
        let message = match Message::decode(octets) {
            Ok(message) => message,
            Err(fault) => {
                self.standing.bad(from, fault);
                return Ok(());
            }
        };
        match message {
            Message::Status(status) => self.sync.head(from, status.height),
            Message::Ask(mut ask) => {
                ask.count = ask.count.min(BATCH_MAX);
                let validator = self.settings.validators.power(&from).is_some();
                if ask.from < self.settings.height && self.courtesy.grants(now, from, validator) {
                    self.actions.push(Action::Serve { to: from, ask });
                } else {
                    self.send(from, &Message::Decided(Vec::new()));
                }
            }
            Message::Decided(batch) => {
                if self.sync.answer(now, from, batch) {
                    self.apply(now)?;
                }
            }
            message => self.consensus(now, from, message, octets.len())?,
        }
        Ok(())
    }

    /// A message of the engine's: now, later, or never.
    fn consensus(
        &mut self,
        now: Duration,
        from: Address,
        message: Message,
        octets: usize,
    ) -> Result<(), Halt> {
        let (Some(height), Some(_)) = (height(&message), &self.engine) else {
            return Ok(());
        };
        let next = self.settings.height;
        if let Message::Proposal(proposal) = &message
            && (height == next || height == next.saturating_add(1))
        {
            self.pace.proposal(now, height, proposal.round);
        }
        if let Message::Vote(vote) = &message
            && vote.validator == from
            && (height < next || self.phase != Phase::Running && height == next)
        {
            self.watch.late(now, vote);
        }
        if self.phase == Phase::Running && height == next {
            self.note(now, from, &message);
            return self.run(now, |engine| engine.message(now, from, message));
        }
        let first = match self.phase {
            Phase::Running | Phase::Deciding { .. } => next.saturating_add(1),
            _ => next,
        };
        if self.may_wait(from, &message, octets) {
            self.future.keep(first, height, from, message);
        }
        Ok(())
    }

    /// What the validator's own connection brings of the height that is under way.
    pub(super) fn note(&mut self, now: Duration, from: Address, message: &Message) {
        match message {
            Message::Vote(vote) if vote.validator == from => self.watch.vote(now, vote),
            Message::Proposal(proposal) if proposal.proposer == from => self.watch.proposal(proposal),
            _ => {}
        }
    }

    /// Whether a message may take memory until its height begins: blocks of validators, and what is small.
    fn may_wait(&self, from: Address, message: &Message, octets: usize) -> bool {
        match message {
            Message::Block(_) => self.settings.validators.power(&from).is_some(),
            _ => octets <= WAITING_MAX,
        }
    }
}

/// The height of a message to the engine.
fn height(message: &Message) -> Option<u64> {
    match message {
        Message::Vote(vote) => Some(vote.height),
        Message::Proposal(proposal) => Some(proposal.height),
        Message::Block(offered) => Some(offered.height),
        Message::Polka(polka) => Some(polka.height),
        Message::Round(proof) => Some(proof.height),
        Message::Status(_) | Message::Ask(_) | Message::Decided(_) => None,
    }
}
