//! Newtypes and the traits that Malachite asks of them.

use crate::message::Signature;
use alloy_primitives::{Address, B256};
use arc_malachitebft_core_types as core;
use arc_malachitebft_core_types::{LinearTimeouts, NilOrVal, Round, SignedExtension, VoteType};
use purlin_chain_core::consensus::proposer;
use purlin_chain_core::quorum::ValidatorSet;
use std::fmt;

/// Ties the types together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bft;

/// A validator's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who(pub(crate) Address);

/// A height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Level(pub(crate) u64);

/// A block's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hash(pub(crate) B256);

/// One validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    who: Who,
    power: u64,
}

/// The set of a height, in the order of its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validators {
    pub(crate) set: ValidatorSet,
    members: Vec<Member>,
}

/// A vote without its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VoteBody {
    pub(crate) kind: VoteType,
    pub(crate) height: Level,
    pub(crate) round: Round,
    pub(crate) value: NilOrVal<Hash>,
    pub(crate) validator: Who,
}

/// A proposal without its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProposalBody {
    pub(crate) height: Level,
    pub(crate) round: Round,
    pub(crate) value: Hash,
    pub(crate) polka: Round,
    pub(crate) proposer: Who,
}

/// Blocks are one message: there are no parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {}

/// Recoverable ECDSA over secp256k1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scheme;

impl Validators {
    pub(crate) fn new(set: ValidatorSet) -> Self {
        let members = set.members().map(|(address, power)| Member {
            who: Who(address),
            power,
        });
        Self {
            members: members.collect(),
            set,
        }
    }
}

impl core::Context for Bft {
    type Address = Who;
    type Height = Level;
    type ProposalPart = Part;
    type Proposal = ProposalBody;
    type Validator = Member;
    type ValidatorSet = Validators;
    type Timeouts = LinearTimeouts;
    type Value = Hash;
    type Vote = VoteBody;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(&self, validators: &'a Validators, height: Level, round: Round) -> &'a Member {
        let turn = proposer(&validators.set, height.0, round.as_u32().unwrap_or(0));
        let found = core::ValidatorSet::get_by_address(validators, &Who(turn));
        found.unwrap_or(&validators.members[0])
    }

    fn new_proposal(
        &self,
        height: Level,
        round: Round,
        value: Hash,
        polka: Round,
        proposer: Who,
    ) -> ProposalBody {
        ProposalBody {
            height,
            round,
            value,
            polka,
            proposer,
        }
    }

    fn new_prevote(&self, height: Level, round: Round, value: NilOrVal<Hash>, validator: Who) -> VoteBody {
        VoteBody {
            kind: VoteType::Prevote,
            height,
            round,
            value,
            validator,
        }
    }

    fn new_precommit(&self, height: Level, round: Round, value: NilOrVal<Hash>, validator: Who) -> VoteBody {
        VoteBody {
            kind: VoteType::Precommit,
            height,
            round,
            value,
            validator,
        }
    }
}

impl core::Address for Who {}

impl core::Height for Level {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

impl core::Value for Hash {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

impl core::Validator<Bft> for Member {
    fn address(&self) -> &Who {
        &self.who
    }

    fn public_key(&self) -> &Who {
        &self.who
    }

    fn voting_power(&self) -> u64 {
        self.power
    }
}

impl core::ValidatorSet<Bft> for Validators {
    fn count(&self) -> usize {
        self.members.len()
    }

    fn total_voting_power(&self) -> u64 {
        self.set.total()
    }

    fn get_by_address(&self, address: &Who) -> Option<&Member> {
        let found = self.members.binary_search_by_key(address, |member| member.who);
        found.ok().map(|index| &self.members[index])
    }

    fn get_by_index(&self, index: usize) -> Option<&Member> {
        self.members.get(index)
    }
}

impl core::Vote<Bft> for VoteBody {
    fn height(&self) -> Level {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<Hash> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<Hash> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Who {
        &self.validator
    }

    fn extension(&self) -> Option<&SignedExtension<Bft>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Bft>> {
        None
    }

    /// Heights are started with extensions disabled, so that nothing is ever extended.
    fn extend(self, _: SignedExtension<Bft>) -> Self {
        self
    }
}

impl core::Proposal<Bft> for ProposalBody {
    fn height(&self) -> Level {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &Hash {
        &self.value
    }

    fn take_value(self) -> Hash {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.polka
    }

    fn validator_address(&self) -> &Who {
        &self.proposer
    }
}

impl core::ProposalPart<Bft> for Part {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

/// Octets that are no signature or no address.
#[derive(Debug)]
pub(crate) struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("65 octets are a signature, 20 an address")
    }
}

impl core::SigningScheme for Scheme {
    type DecodingError = Malformed;
    type Signature = Signature;
    type PublicKey = Who;
    /// Keys stay with the signer.
    type PrivateKey = ();

    fn decode_signature(octets: &[u8]) -> Result<Signature, Malformed> {
        Signature::try_from(octets).map_err(|_| Malformed)
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.to_vec()
    }

    fn decode_public_key(octets: &[u8]) -> Result<Who, Malformed> {
        Address::try_from(octets).map(Who).map_err(|_| Malformed)
    }

    fn encode_public_key(key: &Who) -> Vec<u8> {
        key.0.to_vec()
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
