//! The chain's part of the node's own API: its status, its blocks and its constitution as events, its part of stories.

mod blocks;
mod decisions;
mod status;
mod stories;
mod versions;

pub use blocks::BlockEvents;
pub use decisions::DecisionEvents;
pub use status::{routes, status};
pub use stories::TransactionTeller;
pub use versions::{ConstitutionEvents, InForce};
