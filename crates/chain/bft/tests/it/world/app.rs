//! Keys, and a chain of empty blocks.

use alloy_consensus::Header;
use alloy_consensus::crypto::secp256k1::sign_message;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use purlin_chain_bft::{Ask, Message, Signer};
use purlin_chain_core::consensus::signed::recover;
use purlin_chain_core::consensus::{Decided, HeightSettings, Proposal};
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_proto::Block;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, Clone)]
pub(crate) struct Key {
    secret: B256,
    pub(crate) address: Address,
}

impl Key {
    pub(crate) fn new(index: usize) -> Self {
        let secret = keccak256(format!("validator {index}"));
        let address = recover(B256::ZERO, &sign(secret, B256::ZERO)).unwrap();
        Self { secret, address }
    }
}

fn sign(secret: B256, digest: B256) -> [u8; 65] {
    let mut octets = sign_message(secret, digest).unwrap().as_bytes();
    octets[64] -= 27;
    octets
}

impl Signer for Key {
    fn address(&self) -> Address {
        self.address
    }

    fn sign(&self, digest: B256) -> [u8; 65] {
        sign(self.secret, digest)
    }
}

/// What is durable of the application.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) chain: Vec<Decided>,
    pub(crate) period: Duration,
    pub(crate) sets: BTreeMap<u64, ValidatorSet>,
    /// Blocks made so far: no two are the same, so that a block that is made twice for one turn shows.
    pub(crate) made: u64,
    /// Whether it finds every block invalid.
    pub(crate) stubborn: bool,
}

impl App {
    pub(crate) fn new(sets: BTreeMap<u64, ValidatorSet>) -> Self {
        Self {
            chain: Vec::new(),
            period: Duration::from_secs(1),
            sets,
            made: 0,
            stubborn: false,
        }
    }

    pub(crate) fn settings(&self) -> HeightSettings {
        let height = self.chain.len() as u64 + 1;
        HeightSettings {
            height,
            validators: self.set(height).clone(),
            period: self.period,
        }
    }

    pub(crate) fn set(&self, height: u64) -> &ValidatorSet {
        self.sets.range(..=height).next_back().unwrap().1
    }

    fn parent(&self) -> B256 {
        self.chain.last().map_or(B256::ZERO, |last| last.certificate.hash)
    }

    pub(crate) fn propose(&mut self, height: u64, round: u32, proposer: Address) -> Proposal {
        self.made += 1;
        let block = block(height, self.parent(), proposer, self.made);
        Proposal {
            height,
            round,
            proposer,
            hash: block.header.hash_slow(),
            block,
        }
    }

    pub(crate) fn validate(&self, proposal: &Proposal) -> bool {
        let header = &proposal.block.header;
        !self.stubborn
            && header.number == self.chain.len() as u64 + 1
            && header.parent_hash == self.parent()
            && header.extra_data.len() == 8
    }

    pub(crate) fn decide(&mut self, decided: &Decided) -> HeightSettings {
        let header = &decided.block.header;
        assert_eq!(header.number, self.chain.len() as u64 + 1, "decided in order");
        assert_eq!(header.parent_hash, self.parent(), "on the head");
        assert_eq!(header.hash_slow(), decided.certificate.hash);
        self.chain.push(decided.clone());
        self.settings()
    }

    pub(crate) fn serve(&self, ask: Ask) -> Bytes {
        let blocks = self
            .chain
            .iter()
            .skip((ask.from as usize).wrapping_sub(1))
            .take(ask.count as usize);
        Message::Decided(blocks.cloned().collect()).encode()
    }
}

/// An empty block.
pub(crate) fn block(height: u64, parent_hash: B256, beneficiary: Address, made: u64) -> Block {
    let header = Header {
        number: height,
        parent_hash,
        beneficiary,
        extra_data: made.to_be_bytes().into(),
        ..Header::default()
    };
    Block {
        header,
        body: Default::default(),
    }
}
