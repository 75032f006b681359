//! The blocks of a height: offered, claimed by a proposal, judged.
//!
//! A block is judged only when the proposer whose turn it is has signed its hash, so that nobody else makes this node execute
//! anything. A block that comes before its proposal is kept when a validator sent it, one of each.

use super::Output;
use super::desk::Desk;
use crate::body;
use crate::log::Record;
use crate::message;
use alloy_primitives::{Address, B256};
use purlin_chain_core::consensus::{HeightSettings, Proposal};
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_proto::Block;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    validators: Option<ValidatorSet>,
    /// Not claimed yet, by who sent it.
    offered: BTreeMap<Address, (B256, Block)>,
    /// Proposals whose block is not here, or is being judged.
    claimed: BTreeMap<B256, message::Proposal>,
    /// Verdicts; `None` for an invalid block.
    judged: BTreeMap<B256, Option<Block>>,
    /// Who proposed what in which round, according to the log.
    logged: BTreeMap<(u32, Address), B256>,
}

impl Blocks {
    pub(super) fn begin(&mut self, settings: &HeightSettings, records: &[Record]) {
        *self = Self {
            validators: Some(settings.validators.clone()),
            ..Self::default()
        };
        for record in records {
            if let Record::Value(value) = record {
                self.judged.insert(value.hash, value.block.clone());
                self.logged.insert((value.round, value.proposer), value.hash);
            }
        }
    }

    /// A block that was found valid.
    pub(super) fn valid(&self, hash: &B256) -> Option<&Block> {
        self.judged.get(hash)?.as_ref()
    }

    /// The block that was decided: nothing else is needed of this height.
    pub(super) fn decided(&mut self, hash: &B256) -> Option<Block> {
        self.judged.remove(hash)?
    }
}

impl Desk {
    /// A peer sent a block.
    pub(super) fn offered(&mut self, from: Address, block: Block) {
        let named = block.header.hash_slow();
        if self.blocks.judged.contains_key(&named) {
            return;
        }
        let claimed = self.blocks.claimed.contains_key(&named);
        let validators = self.blocks.validators.as_ref();
        if !claimed && validators.is_none_or(|set| set.power(&from).is_none()) {
            return;
        }
        if body::whole(&block).is_none() {
            let what = "a block whose body is not that of its header";
            return self.out.push(Output::Bad { from, what });
        }
        self.blocks.offered.insert(from, (named, block));
        if claimed {
            self.judge(named);
        }
    }

    /// The proposer whose turn it is signed this hash.
    pub(super) fn claimed(&mut self, proposal: message::Proposal) {
        if !self.blocks.judged.contains_key(&proposal.hash) {
            self.blocks.claimed.entry(proposal.hash).or_insert(proposal);
            self.judge(proposal.hash);
        }
    }

    /// The application's verdict: the block when it is valid.
    pub(super) fn judged(&mut self, hash: B256, block: Option<Block>) {
        self.blocks.claimed.remove(&hash);
        self.blocks.judged.insert(hash, block);
    }

    /// The block that this node proposed in this round, according to the log.
    pub(super) fn own_block(&self, round: u32) -> Option<B256> {
        let turn = (round, self.signer.address());
        self.blocks.logged.get(&turn).copied()
    }

    /// Asks for a verdict, when the block is here and its proposal too.
    fn judge(&mut self, hash: B256) {
        let Some(proposal) = self.blocks.claimed.get(&hash) else {
            return;
        };
        let from = self.blocks.offered.iter().find(|(_, (named, _))| *named == hash);
        let Some(from) = from.map(|(from, _)| *from) else {
            return;
        };
        if let Some((hash, block)) = self.blocks.offered.remove(&from) {
            self.out.push(Output::Validate(Proposal {
                height: proposal.height,
                round: proposal.round,
                proposer: proposal.proposer,
                hash,
                block,
            }));
        }
    }
}
