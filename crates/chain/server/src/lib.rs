//! The chain as a service: a pool, blocks, and JSON-RPC over HTTP and WebSocket.
//!
//! ```text
//!   start(Settings, Chain, Sockets) ─► Handle                       ┌─ Chain (chain/evm): execution, state, blocks
//!                                   └► Running     Node ────────────┼─ Pool (chain/core) and its journal
//!   HTTP, WS ─► listen: limits ─► rpc: methods ─────┘ ▲             └─ filters, arrivals, subscribers
//!                                      produce: blocks, instant or by a period
//! ```
//!
//! Everything that reads the store or executes code runs on blocking threads, bounded in number and in time; the
//! runtime's threads only move octets. Whoever reaches a socket can ask, but change nothing except by a signed
//! transaction: administration is not served here.

mod agreement;
pub mod api;
mod arrivals;
mod codes;
mod consensus;
mod error;
mod exec;
mod fault;
mod fees;
mod filters;
mod handle;
mod health;
mod journal;
mod listen;
mod log_filter;
mod metrics;
mod node;
mod pending;
mod produce;
mod prune;
mod rpc;
mod running;
pub mod section;
mod settings;
mod shape;
mod snapshot;
mod source;
mod start;
mod storage;
mod story;
mod why;

pub use codes::REASONS;
pub use consensus::{
    ConsensusSettings, Guests, NodeKey, NodeKeyError, Role, StepMissing, forget_steps, keep_steps,
};
pub use error::StartError;
pub use fault::Fault;
pub use handle::Handle;
pub use metrics::ChainMetrics;
pub use purlin_chain_bft::Timeouts;
pub use purlin_chain_peers::{AddressFault, PeerAddress, Settings as PeerSettings};
pub use running::Running;
pub use settings::{Cors, Pace, Production, RpcLimits, Settings};
pub use snapshot::{Pieces, SnapshotRefused, write_snapshot};
pub use start::{Sockets, start};
pub use why::Told;
