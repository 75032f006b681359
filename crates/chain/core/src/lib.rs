//! Decisions of an EVM chain, pure: the transaction pool, what goes into a block, fees, quorums, and the port behind
//! which a consensus engine stands.
//!
//! ```text
//!   eth_sendRawTransaction ──► pool::Pool ──best(base fee, tip)──► build::Filling ──► the executor (chain/evm)
//!                                 ▲                                                        │ sealed block
//!                                 └────────────── on_block(mined, accounts, head) ◄────────┘
//!   consensus::Solo   says when the next block is due
//!   fees              says what past blocks paid
//!   agreement         is how deciding went, and what is wrong with it
//!   quorum            says who must agree, and which change of the validators is refused
//!   constitution      is what the validators hold each other to, and how they vote for another
//!   storage           is how much of its room a chain takes
//! ```
//!
//! Time is an argument, accounts are arguments, what happened comes back as values. Nothing here executes a
//! transaction, knows a trie, opens a file or a socket, or reads a clock.

pub mod agreement;
pub mod build;
pub mod consensus;
pub mod constitution;
pub mod fees;
pub mod pool;
pub mod quorum;
pub mod storage;
mod words;

pub use words::Wei;

use purlin_chain_proto::{Recovered, Transaction};

#[cfg(test)]
mod tests;
