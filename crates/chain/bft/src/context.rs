//! The types with which Malachite's state machine works, and their way from and to messages.
//!
//! Its value is the block's hash: blocks go beside it. Its public key is the address, because a signature's signer is
//! recovered from it; so nothing has to be looked up to check one.

mod convert;
mod types;
pub(crate) mod verify;

pub(crate) use convert::{Certified, signed, timeout_of, waited};
pub(crate) use types::{Bft, Hash, Level, ProposalBody, Validators, VoteBody, Who};

use arc_malachitebft_core_consensus as consensus;
use arc_malachitebft_core_types as types_;

pub(crate) type Input = consensus::Input<Bft>;
pub(crate) type SignedVote = types_::SignedVote<Bft>;
pub(crate) type SignedProposal = types_::SignedProposal<Bft>;
pub(crate) type State = consensus::State<Bft>;
