//! What the fabric asks of the world: a durable store for ownership, and a fast one for hints.
//!
//! Futures are boxed so that the composition root chooses the engines; nothing here needs a runtime.

mod claims;
pub mod contract;
mod hints;

pub use claims::{
    Candidate, ClaimKey, ClaimRow, ClaimStore, Durability, Enrolment, Fault, Fence, NodeFacts, NodeRow,
    NodeState, Probe, Refusal, Renewal, Version, View, Wish,
};
pub use hints::{Heartbeat, HintFault, Hints, Message, SessionRow, Subscription, Token};

use std::future::Future;
use std::pin::Pin;

/// A future of an engine chosen at run time.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
