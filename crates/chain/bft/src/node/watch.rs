//! What is seen of agreement: when proposals and votes came and from whom, and why rounds ended without a block.
//!
//! A vote is taken down when the connection of its validator brought it; whether its signature is right decides the engine.
//! Votes that come after the decision are told by themselves, since the height is told by then.

use alloy_primitives::{Address, B256};
use purlin_chain_core::agreement::{FailedRound, Failure, Height, News, Roll, Said, Seen, Times, Voice};
use purlin_chain_core::consensus::signed::VoteKind;
use purlin_chain_core::consensus::{Certificate, HeightSettings, proposer};
use purlin_chain_core::quorum::ValidatorSet;
use std::collections::VecDeque;
use std::time::Duration;

use crate::message::{Proposal, Vote};

/// Decided heights whose late votes are still told.
const PAST_MAX: usize = 64;
/// Failed rounds of one height that are remembered; all are told.
const FAILED_MAX: usize = 16;
/// Proposals, and blocks that were judged, of one height.
const BLOCKS_MAX: usize = 64;
/// News that wait for somebody to take them: a driver takes them after every step.
const NEWS_MAX: usize = 4_096;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Who decides, from the first height on.
    set: Option<ValidatorSet>,
    roll: Roll,
    height: u64,
    period: Duration,
    began: Duration,
    round: Turn,
    votes: Vec<Votes>,
    /// Proposals of this height, by their rounds.
    proposed: Vec<(u32, B256)>,
    /// Blocks of this height that were judged, with the words against them.
    judged: Vec<(B256, Option<String>)>,
    failed: Vec<FailedRound>,
    past: VecDeque<Past>,
    news: Vec<News>,
}

/// The round that is under way.
#[derive(Debug, Default)]
struct Turn {
    round: u32,
    began: Duration,
    /// This node has prevoted: it waited for the proposal as long as it should.
    prevoted: bool,
    /// The power of those who prevoted for a block.
    power: u64,
    polka: Option<Duration>,
}

/// The votes of a validator at this height in the newest round that it voted in.
#[derive(Debug, Clone, Copy, Default)]
struct Votes {
    prevote: Option<Voted>,
    precommit: Option<Voted>,
}

#[derive(Debug, Clone, Copy)]
struct Voted {
    round: u32,
    at: Duration,
    /// For a block, not for none.
    block: bool,
}

/// A decided height whose votes may still come.
#[derive(Debug)]
struct Past {
    height: u64,
    round: u32,
    began: Duration,
}

impl Watch {
    /// A height begins.
    pub(super) fn height(&mut self, now: Duration, settings: &HeightSettings) {
        self.take_settings(settings);
        self.began = now;
        self.round = Turn {
            began: now,
            ..Turn::default()
        };
        self.votes.clear();
        self.votes.resize(self.roll.len(), Votes::default());
        self.proposed.clear();
        self.judged.clear();
        self.failed.clear();
    }

    fn take_settings(&mut self, settings: &HeightSettings) {
        (self.height, self.period) = (settings.height, settings.period);
        if self.set.as_ref() != Some(&settings.validators) {
            self.roll = settings.validators.members().collect();
            self.set = Some(settings.validators.clone());
        }
    }

    /// A round begins; the one before it came to nothing, if there was one.
    pub(super) fn round(&mut self, now: Duration, round: u32) {
        if round > self.round.round {
            self.fail(now);
        }
        self.round = Turn {
            round,
            began: now,
            ..Turn::default()
        };
        // Who was ahead of this node has voted already.
        for place in 0..self.votes.len() {
            if let Some(vote) = self.votes[place].prevote {
                self.support(now, place, vote);
            }
        }
    }

    /// The proposal of a round was seen, or made here.
    pub(super) fn proposal(&mut self, proposal: &Proposal) {
        self.claim(proposal.round, proposal.hash);
    }

    fn claim(&mut self, round: u32, hash: B256) {
        if self.proposed.len() < BLOCKS_MAX && !self.proposed.contains(&(round, hash)) {
            self.proposed.push((round, hash));
        }
    }

    /// A proposed block was judged, or made here.
    pub(super) fn judged(&mut self, round: u32, hash: B256, refused: Option<String>) {
        self.claim(round, hash);
        if self.judged.len() < BLOCKS_MAX {
            self.judged.push((hash, refused));
        }
    }

    /// This node has prevoted.
    pub(super) fn prevoted(&mut self, round: u32) {
        self.round.prevoted |= round == self.round.round;
    }

    /// A vote of the height that is under way.
    pub(super) fn vote(&mut self, now: Duration, vote: &Vote) {
        let Some(place) = self.place(&vote.validator) else {
            return;
        };
        let votes = &mut self.votes[place];
        let seen = match vote.kind {
            VoteKind::Prevote => &mut votes.prevote,
            VoteKind::Precommit => &mut votes.precommit,
        };
        if seen.is_some_and(|before| before.round >= vote.round) {
            return;
        }
        let voted = Voted {
            round: vote.round,
            at: now,
            block: vote.hash.is_some(),
        };
        *seen = Some(voted);
        if vote.kind == VoteKind::Prevote {
            self.support(now, place, voted);
        }
    }

    fn place(&self, validator: &Address) -> Option<usize> {
        let place = self.roll.binary_search_by_key(validator, |(who, _)| *who).ok()?;
        (place < self.votes.len()).then_some(place)
    }

    /// A prevote counts for the round that is under way, when it is one for its block.
    fn support(&mut self, now: Duration, place: usize, vote: Voted) {
        if vote.round != self.round.round || !vote.block {
            return;
        }
        self.round.power += self.roll[place].1;
        let quorum = self.set.as_ref().map(ValidatorSet::quorum);
        if quorum.is_some_and(|quorum| self.round.power >= quorum) {
            self.round.polka.get_or_insert(now);
        }
    }

    /// What each said last at the height that is under way.
    pub(super) fn voices(&self) -> Vec<Voice> {
        let voices = self.roll.iter().zip(&self.votes);
        voices
            .map(|((validator, _), votes)| {
                // Of the same round the prevote counts: it is what the validator says of the block, and its precommit what
                // it says of the others.
                let both = [votes.precommit, votes.prevote].into_iter().flatten();
                let last = both.max_by_key(|vote| vote.round);
                Voice {
                    validator: *validator,
                    last: last.map(|Voted { round, block, .. }| Said { round, block }),
                }
            })
            .collect()
    }

    /// A vote of a height that is decided already.
    pub(super) fn late(&mut self, now: Duration, vote: &Vote) {
        let past = self.past.iter().rev().find(|past| past.height == vote.height);
        if let Some(past) = past
            && past.round == vote.round
        {
            let after = now.saturating_sub(past.began);
            self.tell(News::Late {
                height: vote.height,
                validator: vote.validator,
                kind: vote.kind,
                after,
            });
        }
    }

    fn fail(&mut self, now: Duration) {
        let Some(set) = &self.set else {
            return;
        };
        let round = self.round.round;
        let failed = FailedRound {
            height: self.height,
            round,
            proposer: proposer(set, self.height, round),
            lasted: now.saturating_sub(self.round.began),
            why: self.why(),
        };
        if self.failed.len() < FAILED_MAX {
            self.failed.push(failed.clone());
        }
        self.tell(News::Failed(failed));
    }

    /// Why the round that is under way comes to nothing.
    fn why(&self) -> Failure {
        if self.round.polka.is_some() {
            return Failure::NoCommit;
        }
        let mut proposed = self
            .proposed
            .iter()
            .filter(|(round, _)| *round == self.round.round);
        let judged = |hash: &B256| self.judged.iter().find(|(judged, _)| judged == hash);
        match proposed.next() {
            None if self.round.prevoted => Failure::NoProposal,
            None => Failure::LeftBehind,
            Some((_, hash)) => match judged(hash) {
                None if self.round.prevoted => Failure::NoBlock,
                None => Failure::LeftBehind,
                Some((_, Some(said))) => Failure::Refused(said.clone()),
                Some((_, None)) => Failure::NoPolka,
            },
        }
    }

    /// The height that is under way is decided. `proposal` is when that of the round was first seen.
    pub(super) fn decided(&mut self, now: Duration, certificate: &Certificate, proposal: Option<Duration>) {
        let round = certificate.round;
        if round > self.round.round {
            self.fail(now);
        }
        let began = self.began;
        let since = |at: Duration| at.saturating_sub(began);
        let in_round = |vote: Option<Voted>| Some(since(vote.filter(|vote| vote.round == round)?.at));
        let times = Times {
            proposal: proposal.map(since),
            polka: self.round.polka.map(since),
            commit: since(now),
        };
        let votes = std::mem::take(&mut self.votes);
        let seen = votes.iter().map(|votes| Seen {
            prevote: in_round(votes.prevote),
            precommit: in_round(votes.precommit),
            signed: false,
        });
        let seen = seen.collect();
        self.record(certificate, seen, Some(times));
        self.votes = votes;
        if self.past.len() == PAST_MAX {
            self.past.pop_front();
        }
        self.past.push_back(Past {
            height: certificate.height,
            round,
            began,
        });
    }

    /// A height was taken from a peer with its certificate: that is all that is known of it.
    pub(super) fn synced(&mut self, settings: &HeightSettings, certificate: &Certificate) {
        self.take_settings(settings);
        self.failed.clear();
        self.record(certificate, vec![Seen::default(); self.roll.len()], None);
    }

    fn record(&mut self, certificate: &Certificate, mut seen: Vec<Seen>, times: Option<Times>) {
        let Some(set) = &self.set else {
            return;
        };
        for commit in &certificate.commits {
            let place = self.roll.binary_search_by_key(&commit.validator, |(who, _)| *who);
            if let Some(seen) = place.ok().and_then(|place| seen.get_mut(place)) {
                seen.signed = true;
            }
        }
        let height = Height {
            height: certificate.height,
            round: certificate.round,
            proposer: proposer(set, certificate.height, certificate.round),
            period: self.period,
            roll: Roll::clone(&self.roll),
            seen,
            times,
            failed: std::mem::take(&mut self.failed),
        };
        self.tell(News::Decided(height));
    }

    pub(super) fn tell(&mut self, news: News) {
        if self.news.len() < NEWS_MAX {
            self.news.push(news);
        }
    }

    pub(super) fn take(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }
}
