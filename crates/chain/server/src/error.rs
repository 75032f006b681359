//! Why the service cannot start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What went wrong while starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on tcp {address} for JSON-RPC over {what}")]
    Listen {
        what: &'static str,
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("{what} {path} failed")]
    Journal {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the chain cannot join its network: {0}")]
    Consensus(String),
    #[error("reading the chain failed: {0}")]
    Chain(String),
    #[error("{what} failed")]
    System {
        what: &'static str,
        #[source]
        source: io::Error,
    },
}
