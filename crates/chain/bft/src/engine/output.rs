//! What an engine wants done.

use crate::log::Record;
use crate::message::Message;
use crate::standing::Equivocation;
use alloy_primitives::Address;
use purlin_chain_core::consensus::{Decided, Proposal};
use std::time::Duration;

/// To be done in the order in which it comes: what is appended before a flush carries what is broadcast after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// The log begins anew.
    Begin(u64),
    Append(Record),
    Flush,
    Broadcast(Message),
    /// The application makes a block; the answer is [`Engine::proposed`](super::Engine::proposed).
    Propose {
        height: u64,
        round: u32,
        budget: Duration,
    },
    /// The application judges a block; the answer is [`Engine::validated`](super::Engine::validated).
    Validate(Proposal),
    Decided(Decided),
    /// A round has begun.
    Round {
        round: u32,
        proposer: Address,
    },
    Equivocation(Equivocation),
    /// A peer sent something that cannot be right.
    Bad {
        from: Address,
        what: &'static str,
    },
    /// The state machine refused an input.
    Trouble(String),
}
