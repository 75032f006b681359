//! Byzantine fault tolerant agreement on one block per height.
//!
//! ```text
//!   peers ── octets ──► driver (one thread) ──► node ─┬─► engine   proposals, votes, rounds: Tendermint
//!     ▲                   │        ▲                  ├─► future   what came for the next height, bounded
//!     └───── octets ──────┤        │                  └─► sync     who is ahead, whom to ask
//!                         │        └── answers
//!        application ◄────┼────► log
//!   (chain, pool, store)        what this node said and why: durable before anybody hears it
//! ```
//!
//! [`node`] and everything right of it is pure: time and randomness come in as arguments, what is to be done comes out in
//! the order in which it must be done. So a whole network of nodes runs in one test from one seed, with crashes between any
//! two actions. The driver alone reads a clock, and knows no rule of the protocol.
//!
//! The state machine of Tendermint is Malachite's (`arc-malachitebft-core-consensus`). It does no IO either: votes and
//! timeouts go in, effects come out. Durability, peers, signatures, the period of blocks and catching up are ours.

mod body;
mod context;
mod driver;
mod engine;
mod log;
mod message;
pub mod node;
mod standing;
mod sync;
mod timeouts;

pub use driver::{Inbound, Net, Setup, Stopped, run};
pub use engine::Signer;
pub use log::{FileLog, Journal, LogFault, Logged, Mark, Record, Value, Waited};
pub use message::{
    Ask, MESSAGE_MAX, Message, MessageFault, Offered, Polka, Proposal, RoundProof, RoundVote, Signature,
    Signed, Status, Vote, Why,
};
pub use standing::{Equivocation, Lap, Standing, Step};
pub use timeouts::Timeouts;
