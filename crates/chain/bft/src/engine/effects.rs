//! Answers to the effects that the state machine asks for.

use super::desk::Desk;
use super::{Fatal, Output};
use crate::context::{Bft, Certified, Input, waited};
use crate::log::{Record, Value};
use crate::message::{Message, Offered, Polka, Proposal, RoundProof, Vote};
use arc_malachitebft_core_consensus::{
    ConsensusMsg, Effect, LivenessMsg, Resumable, Resume, SignedConsensusMsg,
};
use purlin_chain_core::consensus::Decided;

type Answer = Result<Resume<Bft>, Fatal>;

impl Desk {
    /// Does, or writes down, what the state machine asks for.
    pub(super) fn answer(&mut self, effect: Effect<Bft>) -> Answer {
        match effect {
            Effect::CancelAllTimeouts(resume) => {
                self.timers.cancel_all();
                Ok(resume.resume_with(()))
            }
            Effect::CancelTimeout(timeout, resume) => {
                self.timers.cancel(timeout);
                Ok(resume.resume_with(()))
            }
            Effect::ScheduleTimeout(timeout, resume) => {
                self.timers.start(self.now, timeout);
                Ok(resume.resume_with(()))
            }
            Effect::StartRound(_, round, proposer, _, resume) => {
                self.said.clear();
                self.out.push(Output::Round {
                    round: round.as_u32().unwrap_or(0),
                    proposer: proposer.0,
                });
                Ok(resume.resume_with(()))
            }
            Effect::GetValue(height, round, _, resume) => {
                self.turn(height.0, round.as_u32().unwrap_or(0));
                Ok(resume.resume_with(()))
            }
            Effect::WalAppend(_, input, resume) => {
                self.log(&input);
                Ok(resume.resume_with(()))
            }
            Effect::SignVote(vote, resume) => Ok(resume.resume_with(self.sign_vote(vote)?)),
            Effect::SignProposal(proposal, resume) => Ok(resume.resume_with(self.sign_proposal(proposal)?)),
            effect => Ok(self.say(effect)),
        }
    }

    /// What goes to others, and the end of a height.
    fn say(&mut self, effect: Effect<Bft>) -> Resume<Bft> {
        match effect {
            Effect::PublishConsensusMsg(message, resume) => {
                self.consensus(&message);
                resume.resume_with(())
            }
            Effect::PublishLivenessMsg(message, resume) => {
                self.publish(match message {
                    LivenessMsg::Vote(vote) => Message::Vote(Vote::from(&vote)),
                    LivenessMsg::PolkaCertificate(polka) => Message::Polka(Polka::from(&polka)),
                    LivenessMsg::SkipRoundCertificate(proof) => Message::Round(RoundProof::from(&proof)),
                });
                resume.resume_with(())
            }
            Effect::RepublishVote(vote, resume) => {
                self.publish(Message::Vote(Vote::from(&vote)));
                resume.resume_with(())
            }
            Effect::RepublishRoundCertificate(proof, resume) => {
                self.publish(Message::Round(RoundProof::from(&proof)));
                resume.resume_with(())
            }
            Effect::RestreamProposal(height, round, _, _, hash, resume) => {
                self.offer(height.0, round.as_u32().unwrap_or(0), hash.0);
                resume.resume_with(())
            }
            Effect::Decide(certificate, _, resume) => {
                let Certified(certificate) = Certified::from(&certificate);
                if let Some(block) = self.blocks.decided(&certificate.hash) {
                    self.out.push(Output::Decided(Decided { block, certificate }));
                }
                resume.resume_with(())
            }
            Effect::Finalize(_, _, evidence, resume) => {
                self.misbehaved(&evidence);
                resume.resume_with(())
            }
            effect => self.verify(effect),
        }
    }

    /// Signatures of others.
    fn verify(&mut self, effect: Effect<Bft>) -> Resume<Bft> {
        match effect {
            Effect::VerifySignature(message, key, resume) => {
                let (right, by) = match message.message {
                    ConsensusMsg::Vote(body) => {
                        let vote = Vote::of(&body, message.signature);
                        (self.verifier.vote(&vote), vote.validator)
                    }
                    ConsensusMsg::Proposal(body) => {
                        let proposal = Proposal::of(&body, message.signature);
                        (self.verifier.proposal(&proposal), proposal.proposer)
                    }
                };
                resume.resume_with(right && by == key.0)
            }
            Effect::VerifyCommitCertificate(certificate, set, thresholds, resume) => {
                resume.resume_with(self.verifier.commits(&certificate, &set, thresholds))
            }
            Effect::VerifyExtendedCommitCertificate(certificate, set, thresholds, _, resume) => {
                let certificate = certificate.trim_vote_extensions();
                resume.resume_with(self.verifier.commits(&certificate, &set, thresholds))
            }
            Effect::VerifyPolkaCertificate(certificate, set, thresholds, resume) => {
                resume.resume_with(self.verifier.polka(&certificate, &set, thresholds))
            }
            Effect::VerifyRoundCertificate(certificate, set, thresholds, resume) => {
                resume.resume_with(self.verifier.round(&certificate, &set, thresholds))
            }
            // Heights are started without vote extensions, and decided blocks come through our own sync.
            Effect::ExtendVote(.., resume) => resume.resume_with(None),
            Effect::VerifyVoteExtension(.., resume) => resume.resume_with(Ok(())),
            _ => Resume::Continue,
        }
    }

    /// Our turn: a block is wanted from the application, or, while the log is read, later.
    fn turn(&mut self, height: u64, round: u32) {
        if self.replayed.is_some() {
            self.wanted = Some((height, round));
        } else {
            self.ask_block(height, round);
        }
    }

    /// A vote or a proposal of our own, or a proposal that we locked on.
    fn consensus(&mut self, message: &SignedConsensusMsg<Bft>) {
        match message {
            SignedConsensusMsg::Vote(vote) => {
                let vote = Message::Vote(Vote::from(vote));
                self.publish(vote.clone());
                self.said.push(vote);
            }
            SignedConsensusMsg::Proposal(proposal) => {
                let proposal = Proposal::from(proposal);
                self.publish(Message::Proposal(proposal));
                self.said.push(Message::Proposal(proposal));
                // The block of an older polka went ahead: the state machine asks for it by itself.
                if proposal.polka.is_none() && proposal.proposer == self.signer.address() {
                    self.offer(proposal.height, proposal.round, proposal.hash);
                }
            }
        }
    }

    /// The block of a proposal, to all.
    fn offer(&mut self, height: u64, round: u32, hash: alloy_primitives::B256) {
        if let Some(block) = self.blocks.valid(&hash) {
            let block = block.clone();
            let message = Message::Block(Box::new(Offered { height, round, block }));
            self.publish(message.clone());
            self.said.push(message);
        }
    }

    /// An input that moves the state machine.
    fn log(&mut self, input: &Input) {
        match input {
            Input::Vote(vote) => self.append(Record::Vote(vote.into())),
            Input::Proposal(proposal) => {
                let proposal = Proposal::from(proposal);
                self.append(Record::Proposal(proposal));
                self.claimed(proposal);
            }
            Input::PolkaCertificate(polka) => self.append(Record::Polka(polka.into())),
            Input::ProposedValue(value, _) => self.append(Record::Value(Box::new(Value {
                height: value.height.0,
                round: value.round.as_u32().unwrap_or(0),
                proposer: value.proposer.0,
                hash: value.value.0,
                block: self.blocks.valid(&value.value.0).cloned(),
            }))),
            Input::TimeoutElapsed(timeout) => {
                if let Some((what, round)) = waited(*timeout) {
                    self.append(Record::Waited { what, round });
                }
            }
            Input::StartHeight(..)
            | Input::RoundCertificate(_)
            | Input::Propose(_)
            | Input::SyncValueResponse(_) => {}
        }
    }
}
