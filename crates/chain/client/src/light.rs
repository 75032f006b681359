//! What an account has, believed without believing the node that says it.
//!
//! ```text
//!   genesis document ─► genesis hash, validators          (what the reader trusts; it comes from the chain's owner)
//!                              │
//!   bundle:  certificate ──────┴─► more than two thirds of them signed this block hash
//!            header octets ──────► their Keccak-256 is that hash ─► state root
//!            account proof ──────► the account under its address ─► storage root
//!            storage proofs ─────► the slots
//! ```
//!
//! A bundle is made by asking any node ([`fetch`]) and checked with the genesis document alone ([`Bundle::verify`]): no
//! clock, no network. It proves what was at one block. That there is no later block, no bundle can prove: look at the
//! timestamp.
//!
//! The first validators are those of the genesis document, to whom the genesis hash commits. Where votes have changed them, a
//! bundle has a [`Step`] for every change up to its block. What it says about itself (balance, nonce, slots) is a claim until
//! it is verified; [`Proven`] holds only what was.

mod decision;
mod fetch;
mod steps;
mod trie;

pub use decision::{Decision, Signed};
pub use fetch::fetch;
pub use steps::Step;

use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_rlp::Decodable;
use purlin_chain_core::consensus::{Certificate, CertificateFault};
use purlin_chain_core::constitution;
use purlin_chain_core::quorum::{SetFault, ValidatorSet};
use purlin_chain_proto::{ChainSpec, Header, roots};
use serde::{Deserialize, Serialize};

/// What the first field of a bundle says.
pub const FORMAT: &str = "purlin-proof/1";

/// An account at a block, with everything that proves it: the file that `purlin chain proof` writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: String,
    /// Hash of the chain's first block.
    pub genesis: B256,
    /// RLP of the block's header.
    pub header: Bytes,
    /// RLP of the block's [`Certificate`].
    pub certificate: Bytes,
    pub account: AccountProof,
    /// How the validators of the genesis document became those of this block: one for each change, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// What `eth_getProof` answers (EIP-1186).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountProof {
    pub address: Address,
    pub nonce: U64,
    /// In wei.
    pub balance: U256,
    pub code_hash: B256,
    /// Root of the account's storage.
    pub storage_hash: B256,
    /// Nodes of the state trie, from the root towards the account.
    pub account_proof: Vec<Bytes>,
    #[serde(default)]
    pub storage_proof: Vec<SlotProof>,
}

/// One slot of the account's storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotProof {
    pub key: B256,
    pub value: U256,
    /// Nodes of the storage trie, from the root towards the slot.
    pub proof: Vec<Bytes>,
}

/// What the reader believes beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Hash of the chain's first block.
    pub genesis: B256,
    /// Who decides about its blocks, until votes change it.
    pub validators: ValidatorSet,
    /// Whether votes can.
    pub governed: bool,
}

/// What a bundle has proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Number of the block.
    pub block: u64,
    pub hash: B256,
    /// Of the block, in seconds since 1970.
    pub timestamp: u64,
    /// The round in which it was decided.
    pub round: u32,
    /// The power that signed, of `total`.
    pub power: u64,
    pub total: u64,
    /// The validators that signed.
    pub signers: Vec<Address>,
    pub address: Address,
    /// Whether there is such an account; if not, it has nothing.
    pub exists: bool,
    pub nonce: u64,
    /// In wei.
    pub balance: U256,
    pub code_hash: B256,
    /// Slots and what they hold.
    pub slots: Vec<(B256, U256)>,
}

/// Why a bundle proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LightFault {
    #[error("the genesis document names no validators: nobody signs the blocks of this chain")]
    NoValidators,
    #[error("the genesis document's validators: {0}")]
    Validators(#[from] SetFault),
    #[error("its format is {0:?}, and {FORMAT:?} is read")]
    Format(String),
    #[error("it is of the chain that began with {said}, and the genesis document begins with {trusted}")]
    OtherChain { said: B256, trusted: B256 },
    #[error("its {what} is not readable: {cause}")]
    Unreadable { what: &'static str, cause: String },
    #[error("its certificate is of height {certified}, and its header of block {header}")]
    Height { certified: u64, header: u64 },
    #[error("its certificate is of block {certified}, and its header is that of {header}")]
    OtherBlock { certified: B256, header: B256 },
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    #[error("version {version} of the constitution is not proven: {cause}")]
    Step { version: u64, cause: String },
    #[error("{0}")]
    Version(String),
    #[error("account {address} is not what it says, under the state root {root}: {cause}")]
    Account {
        address: Address,
        root: B256,
        cause: String,
    },
    #[error("slot {slot} of {address} does not hold {value}: {cause}")]
    Slot {
        address: Address,
        slot: B256,
        value: U256,
        cause: String,
    },
}

impl Trust {
    /// What a genesis document says.
    ///
    /// # Errors
    /// [`LightFault::NoValidators`] for a chain that one node makes: nothing of it can be proven.
    pub fn of(spec: &ChainSpec) -> Result<Self, LightFault> {
        let consensus = spec.consensus().ok_or(LightFault::NoValidators)?;
        let root = roots::state(&spec.genesis().alloc);
        Ok(Self {
            genesis: spec.genesis_header(root).hash_slow(),
            validators: ValidatorSet::new(consensus.validators.iter().copied())?,
            governed: spec.genesis().alloc.contains_key(&constitution::ADDRESS),
        })
    }
}

impl Bundle {
    /// What it proves to somebody who trusts this.
    ///
    /// # Errors
    /// The first step that fails; nothing is proven then.
    pub fn verify(&self, trust: &Trust) -> Result<Proven, LightFault> {
        if self.format != FORMAT {
            return Err(LightFault::Format(self.format.clone()));
        }
        if self.genesis != trust.genesis {
            return Err(LightFault::OtherChain {
                said: self.genesis,
                trusted: trust.genesis,
            });
        }
        let (header, hash) = header(&self.header)?;
        let signed = decision::signed(trust, &self.certificate, &self.steps, &header, hash)?;
        let exists = trie::account(&self.account, header.state_root)?;
        let root = if exists {
            self.account.storage_hash
        } else {
            roots::EMPTY
        };
        for slot in &self.account.storage_proof {
            trie::slot(self.account.address, slot, root)?;
        }
        let slots = self.account.storage_proof.iter();
        Ok(Proven {
            block: header.number,
            hash,
            timestamp: header.timestamp,
            round: signed.round,
            power: signed.power,
            total: signed.total,
            signers: signed.signers,
            address: self.account.address,
            exists,
            nonce: self.account.nonce.to(),
            balance: self.account.balance,
            code_hash: self.account.code_hash,
            slots: slots.map(|slot| (slot.key, slot.value)).collect(),
        })
    }
}

/// A header and the hash of its octets.
fn header(octets: &Bytes) -> Result<(Header, B256), LightFault> {
    let unreadable = |cause: alloy_rlp::Error| LightFault::Unreadable {
        what: "header",
        cause: cause.to_string(),
    };
    let mut rest = &octets[..];
    let header = Header::decode(&mut rest).map_err(unreadable)?;
    if !rest.is_empty() {
        return Err(unreadable(alloy_rlp::Error::UnexpectedLength));
    }
    Ok((header, keccak256(octets)))
}

/// The certificate, which is about this header; its signatures are not checked here.
fn certified(octets: &Bytes, header: &Header, hash: B256) -> Result<Certificate, LightFault> {
    let certificate = Certificate::decode(octets).map_err(|cause| LightFault::Unreadable {
        what: "certificate",
        cause: cause.to_string(),
    })?;
    if certificate.hash != hash {
        return Err(LightFault::OtherBlock {
            certified: certificate.hash,
            header: hash,
        });
    }
    if certificate.height != header.number {
        return Err(LightFault::Height {
            certified: certificate.height,
            header: header.number,
        });
    }
    Ok(certificate)
}

#[cfg(test)]
mod tests;
