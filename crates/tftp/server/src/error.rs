//! Why the service cannot start.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// What went wrong while starting.
#[derive(Debug)]
pub enum StartError {
    /// An address cannot be listened on.
    Listen { address: SocketAddr, source: io::Error },
    /// The system refused something that every service needs.
    System { what: &'static str, source: io::Error },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, .. } => write!(f, "cannot listen on udp {address} for TFTP"),
            Self::System { what, .. } => write!(f, "{what} failed"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. } | Self::System { source, .. } => Some(source),
        }
    }
}
