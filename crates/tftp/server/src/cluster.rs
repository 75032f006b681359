//! One of several nodes that serve boot files: any node serves any file, and nodes tell each other what saves work.
//!
//! ```text
//!   Library ──recall, keep, forget──► HintedMetadata ──► Hints (Redis, or this process)
//!   Admission ◄── open transfers of the others, a second old ── limits ──► what is open here, once a second
//! ```
//!
//! Nothing here is needed to serve: without the other nodes, or the service between them, each node goes on as if alone.
//! A transfer lives on its node alone. When that dies its client starts anew, as RFC 1350 clients do after silence, and
//! any node answers.

mod limits;
mod metadata;

pub use metadata::HintedMetadata;

pub(crate) use limits::follow;

use purlin_fabric::port::Hints;
use std::sync::Arc;
use tokio::runtime::Handle;

/// The way to the other nodes.
#[derive(Debug, Clone)]
pub struct Neighbours {
    /// This node, by a name of its own.
    pub node: String,
    pub hints: Arc<dyn Hints>,
    /// Runs what waits for them.
    pub runtime: Handle,
}
