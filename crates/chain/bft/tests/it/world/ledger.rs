//! What everybody said and decided, and what must hold of it.

use super::{Host, NETWORK};
use alloy_primitives::{Address, B256};
use purlin_chain_bft::node::Action;
use purlin_chain_bft::{Message, Record};
use purlin_chain_core::consensus::Decided;
use purlin_chain_core::consensus::signed::{Network, VoteKind};
use purlin_chain_core::quorum::ValidatorSet;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Ledger {
    sets: BTreeMap<u64, ValidatorSet>,
    /// Who signed what for (height, round, kind); kind 0 is a proposal.
    signed: BTreeMap<(Address, u64, u32, u8), B256>,
    /// The block of each height.
    pub(crate) blocks: BTreeMap<u64, B256>,
    /// Who decided when.
    pub(crate) when: BTreeMap<(u64, usize), Duration>,
    /// Own votes that were sent.
    pub(crate) votes: u64,
}

impl Ledger {
    pub(crate) fn new(sets: BTreeMap<u64, ValidatorSet>) -> Self {
        Self {
            sets,
            signed: BTreeMap::new(),
            blocks: BTreeMap::new(),
            when: BTreeMap::new(),
            votes: 0,
        }
    }

    /// An honest node is about to do this.
    pub(crate) fn said(&mut self, host: &Host, action: &Action) {
        let (Action::Broadcast(octets) | Action::Send { message: octets, .. }) = action else {
            return;
        };
        let me = host.key.address;
        match Message::decode(octets).expect("a node sends what nodes read") {
            Message::Vote(vote) if vote.validator == me => {
                self.votes += 1;
                let kind = match vote.kind {
                    VoteKind::Prevote => 1,
                    VoteKind::Precommit => 2,
                };
                let digest = vote.digest(Network(NETWORK));
                self.once((me, vote.height, vote.round, kind), digest);
                durable(host, &Record::Vote(vote));
            }
            Message::Proposal(proposal) if proposal.proposer == me => {
                let digest = proposal.digest(Network(NETWORK));
                self.once((me, proposal.height, proposal.round, 0), digest);
                durable(host, &Record::Proposal(proposal));
                let block = |record: &Record| matches!(record, Record::Value(it) if it.hash == proposal.hash);
                assert!(
                    host.disk.durable.iter().any(block),
                    "the block of a proposal is durable"
                );
            }
            _ => {}
        }
    }

    /// The heights at which somebody signed anything.
    pub(crate) fn spoke(&self, who: Address) -> BTreeSet<u64> {
        let theirs = self.signed.keys().filter(|(by, ..)| *by == who);
        theirs.map(|(_, height, ..)| *height).collect()
    }

    fn once(&mut self, what: (Address, u64, u32, u8), digest: B256) {
        let first = *self.signed.entry(what).or_insert(digest);
        assert_eq!(first, digest, "{what:?} was signed twice, differently");
    }

    pub(crate) fn decided(&mut self, index: usize, now: Duration, decided: &Decided) {
        let certificate = &decided.certificate;
        let height = certificate.height;
        let first = *self.blocks.entry(height).or_insert(certificate.hash);
        assert_eq!(first, certificate.hash, "two blocks at height {height}");
        let set = self.sets.range(..=height).next_back().unwrap().1;
        certificate
            .verify_signed(NETWORK, set)
            .expect("a decision has its certificate");
        self.when.insert((height, index), now);
    }
}

fn durable(host: &Host, record: &Record) {
    assert!(
        host.disk.durable.contains(record),
        "node {} sends what its log does not hold: {record:?}",
        host.index
    );
}
