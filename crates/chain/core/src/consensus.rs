//! The port behind which a consensus engine stands: values and one trait, for any engine that decides one block per
//! height in rounds of propose, vote, decide.
//!
//! ```text
//!   engine (votes, timers, peers)                     application (pool, executor, store)
//!     my turn at (height, round)  ── propose ──►        a block
//!     somebody's block            ── validate ──►       accepted, or rejected with the reason
//!     a quorum committed to it    ── decide ──►         executed, durable; answers what the next height needs
//!     a peer fell behind          ── decided ──►        block and certificate of an old height
//! ```
//!
//! **What must be durable before what is sent.** A node that forgets what it said can be made to say the opposite, and
//! two of those are a fork. So:
//!
//! 1. Before a proposal leaves, the engine's own log holds it with its block: after a restart the engine does not ask for
//!    another one ([`Application::propose`]).
//! 2. Before a vote leaves, that log holds it. The log is the engine's; the application never sees votes.
//! 3. Before `decide` answers, block, certificate and state are durable in one step: the engine forgets the height
//!    afterwards ([`Application::decide`]). Deciding the same height again with the same block changes nothing.
//! 4. Only what `decide` has made durable is shown as final to anybody: RPC, subscriptions, peers that catch up.
//!
//! [`solo`] is the engine of a chain with one sealer. It needs no votes, and so no log: rule 3 is all of it.

mod certificate;
mod port;
pub mod signed;
pub mod solo;
mod turn;

pub use certificate::{Certificate, CertificateFault, Commit};
pub use port::{Application, Decided, HeightSettings, Invalid, Proposal};
pub use turn::proposer;
