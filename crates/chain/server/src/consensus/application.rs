//! The chain and its pool as the engine sees them: what it proposes, what it may vote for, what it has decided.
//!
//! ```text
//! propose  ─► offered by the pool ─► Chain::prepare ─┐
//! validate ─► Chain::check ──────────────────────────┴─► prepared, by hash ─► decide ─► Chain::commit
//! ```
//!
//! A block is executed once: what a proposal or a check prepared is what the decision commits. Everything that was
//! prepared stands on the head, so the next decision throws it away.

use super::Rules;
use super::steps::Steps;
use crate::node::{Node, unix_now};
use crate::produce::{forget, offered};
use alloy_primitives::{Bytes, keccak256};
use purlin_chain_core::consensus::{Application, Certificate, Decided, HeightSettings, Invalid, Proposal};
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_evm::{Attributes, Chain, ImportError, Prepared, StoreError};
use purlin_chain_proto::{Address, B256, Block};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Blocks of one height that are kept executed: one for each round that is likely.
const PREPARED_MAX: usize = 4;

/// The application of one node.
#[derive(Debug)]
pub(crate) struct ChainApplication {
    node: Arc<Node>,
    rules: Rules,
    /// Who proposes here.
    me: Address,
    prepared: HashMap<B256, Prepared>,
    steps: Steps,
}

/// What could not be done at all; the engine stops.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("{doing}: {said}")]
    Chain { doing: &'static str, said: String },
    #[error(
        "block {number} was decided as {decided}, and {here} is here: this node's chain is another's; restore it from a \
         node that agrees"
    )]
    Forked { number: u64, decided: B256, here: B256 },
    #[error(
        "a quorum decided block {number}, which is not valid here ({said}): is this node's program as new as theirs?"
    )]
    Refused { number: u64, said: String },
    #[error("{0}")]
    Storage(String),
    #[error("asked for height {asked}, and {next} is next")]
    Height { asked: u64, next: u64 },
}

fn trouble(doing: &'static str) -> impl FnOnce(&dyn std::error::Error) -> Trouble {
    move |error| Trouble::Chain {
        doing,
        said: super::words(error),
    }
}

impl ChainApplication {
    pub(crate) fn new(node: Arc<Node>, rules: Rules, me: Address) -> Self {
        let steps = Steps::of(&node.source.0, node.settings.data_dir.as_deref());
        Self {
            node,
            rules,
            me,
            prepared: HashMap::new(),
            steps,
        }
    }

    fn chain(&self) -> &Chain {
        &self.node.source.0
    }

    fn next(&self) -> u64 {
        self.node.head().header.number + 1
    }

    /// That a block can be kept. A node whose storage is full stands still like one whose disk is: it neither proposes nor votes
    /// for what it could not keep, and takes over nothing that others decide. To the rest it is one that is down, of which a
    /// quorum has its share; votes of a node that keeps nothing would promise what it cannot hold, and empty blocks
    /// would grow beyond the limit all the same, with those of others full as ever.
    fn room(&self) -> Result<(), Trouble> {
        self.node.storage.room().map_err(Trouble::Storage)
    }

    fn keep(&mut self, prepared: Prepared) {
        if self.prepared.len() >= PREPARED_MAX {
            self.prepared.clear();
        }
        self.prepared.insert(prepared.hash(), prepared);
    }

    /// The fields of a block that its proposer chooses.
    fn attributes(&self) -> Attributes {
        let head = self.node.head();
        let production = &self.node.settings.production;
        let beneficiary = production.beneficiary;
        Attributes {
            timestamp: unix_now().max(self.earliest(head.header.timestamp)),
            beneficiary: if beneficiary.is_zero() {
                self.me
            } else {
                beneficiary
            },
            prev_randao: keccak256(head.hash),
            gas_limit: self.rules.now().gas_limit,
            extra_data: production.extra_data.clone().into(),
            withdrawals: Vec::new(),
            parent_beacon_root: B256::ZERO,
        }
    }

    /// A clock that was put back stops nothing. Blocks that come faster than seconds may share one; slower ones need not, and
    /// contracts and tools like time to go on.
    fn earliest(&self, parent: u64) -> u64 {
        parent + u64::from(self.rules.now().period >= Duration::from_secs(1))
    }

    /// Executes a block from elsewhere on the head.
    fn check(&self, block: Block) -> Result<Result<Prepared, ImportError>, Trouble> {
        let known = |hash: &B256| self.node.waiting(*hash).map(|pooled| pooled.sender());
        match self.chain().check(block, known) {
            Ok(prepared) => Ok(Ok(prepared)),
            Err(error) if error.field().is_none() => Err(trouble("checking a block")(&error)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn is_here(&self, number: u64, decided: B256) -> Result<(), Trouble> {
        let head = self.chain().store().header(number);
        let here = head.map_err(|error| trouble("reading a header")(&error))?;
        match here {
            Some(here) if here.hash == decided => Ok(()),
            here => Err(Trouble::Forked {
                number,
                decided,
                here: here.map_or(B256::ZERO, |here| here.hash),
            }),
        }
    }

    fn settings(&self) -> HeightSettings {
        let height = self.next();
        let version = self.rules.at(height);
        HeightSettings {
            height,
            validators: version.validators.clone(),
            period: version.period,
        }
    }
}

impl Application for ChainApplication {
    type Failure = Trouble;

    fn propose(&mut self, height: u64, round: u32, budget: Duration) -> Result<Proposal, Trouble> {
        self.room()?;
        let next = self.next();
        if height != next {
            return Err(Trouble::Height { asked: height, next });
        }
        let until = Instant::now() + budget;
        let offered = offered(&self.node).into_iter();
        let in_time = offered.take_while(|_| Instant::now() < until);
        let (prepared, refused) = self
            .chain()
            .prepare(self.attributes(), in_time)
            .map_err(|error| trouble("making a block")(&error))?;
        let block = prepared.block().clone();
        forget(&self.node, block.body.transactions.is_empty(), &refused);
        let hash = prepared.hash();
        self.keep(prepared);
        Ok(Proposal {
            height,
            round,
            proposer: self.me,
            hash,
            block,
        })
    }

    fn validate(&mut self, proposal: &Proposal) -> Result<Result<(), Invalid>, Trouble> {
        self.room()?;
        let wanted = self.next();
        let got = proposal.block.header.number;
        if got != wanted || proposal.height != wanted {
            return Ok(Err(Invalid::Height { got, wanted }));
        }
        if self.prepared.contains_key(&proposal.hash) {
            return Ok(Ok(()));
        }
        let hash = proposal.hash;
        let invalid = |said: String| Ok(Err(Invalid::Block { hash, said }));
        match self.check(proposal.block.clone())? {
            Ok(prepared) if prepared.hash() == hash => {
                self.keep(prepared);
                Ok(Ok(()))
            }
            Ok(prepared) => invalid(format!("its header's hash is {}", prepared.hash())),
            Err(error) => invalid(error.to_string()),
        }
    }

    fn decide(&mut self, decided: Decided) -> Result<HeightSettings, Trouble> {
        let Decided { block, certificate } = decided;
        let (number, hash) = (block.header.number, certificate.hash);
        if number < self.next() {
            self.is_here(number, hash)?;
            return Ok(self.settings());
        }
        self.room()?;
        let prepared = match self.prepared.remove(&hash) {
            Some(prepared) => prepared,
            None => match self.check(block)? {
                Ok(prepared) => prepared,
                Err(error) => {
                    let said = error.to_string();
                    return Err(Trouble::Refused { number, said });
                }
            },
        };
        self.prepared.clear();
        let octets: Bytes = certificate.encode();
        self.chain()
            .commit(prepared, Some(octets))
            .map_err(|error| trouble("making a decided block durable")(&error))?;
        self.steps.keep();
        Ok(self.settings())
    }

    fn decided(&self, height: u64) -> Result<Option<Decided>, Trouble> {
        kept(self.chain(), height)
    }

    fn next_height(&self) -> Result<HeightSettings, Trouble> {
        Ok(self.settings())
    }

    fn validators(&self, height: u64) -> Result<Option<ValidatorSet>, Trouble> {
        // What counts two heights on is known as soon as a block is decided.
        let known = height <= self.next() + 1;
        Ok(known.then(|| self.rules.at(height).validators.clone()))
    }
}

/// A decided block that is here, with its certificate; `None` for one that has not come, or is pruned: whoever asks for it has to
/// ask somebody who keeps more, and must not stop this node.
fn kept(chain: &Chain, height: u64) -> Result<Option<Decided>, Trouble> {
    // Between the two the block may be pruned.
    let read = chain
        .store()
        .block(height)
        .and_then(|block| Ok((block, chain.certificate(height)?)));
    let (block, octets) = match read {
        Ok((Some(block), Some(octets))) => (block, octets),
        Ok(_) | Err(StoreError::Pruned { .. }) => return Ok(None),
        Err(error) => return Err(trouble("reading a decided block")(&error)),
    };
    let certificate =
        Certificate::decode(&octets).map_err(|error| trouble("reading a certificate")(&error))?;
    Ok(Some(Decided {
        block: block.block.clone(),
        certificate,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_chain_evm::{Mode, StateSettings};
    use purlin_chain_proto::{ChainSpec, ConsensusSpec};

    fn certificate(height: u64) -> Certificate {
        Certificate {
            height,
            round: 0,
            hash: B256::repeat_byte(7),
            commits: Vec::new(),
        }
    }

    /// A chain with validators that keeps one block, and has three.
    fn pruned() -> Chain {
        let mut genesis = ChainSpec::development(1, &[], 1_700_000_000).genesis().clone();
        let consensus = ConsensusSpec {
            validators: [(Address::repeat_byte(1), 1)].into(),
            period: Duration::from_secs(1),
            gas_limit: genesis.gas_limit,
        };
        consensus.write(&mut genesis.config);
        let spec = ChainSpec::from_genesis(genesis).expect("a chain with validators");
        let settings = StateSettings {
            mode: Mode::Full { blocks: 1 },
            cache_bytes: 0,
        };
        let chain = Chain::create(None, spec, settings).expect("a chain in memory");
        for height in 1..=3 {
            let head = chain.head();
            let attributes = Attributes {
                timestamp: head.header.timestamp + 1,
                gas_limit: head.header.gas_limit,
                ..Attributes::default()
            };
            let (prepared, _) = chain.prepare(attributes, std::iter::empty()).expect("a block");
            let octets: Bytes = certificate(height).encode();
            chain.commit(prepared, Some(octets)).expect("durable");
        }
        while chain.store().prune(1).expect("pruned").more {}
        chain
    }

    #[test]
    fn a_peer_that_asks_for_what_is_pruned_hears_that_it_is_not_here() {
        let chain = pruned();
        for height in [0, 1, 2, 4] {
            assert!(kept(&chain, height).expect("no trouble").is_none(), "{height}");
        }
        let newest = kept(&chain, 3).expect("no trouble").expect("kept");
        assert_eq!(newest.block.header.number, 3);
        assert_eq!(newest.certificate, certificate(3));
    }
}
