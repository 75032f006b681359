//! Why a transfer failed.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::options::OptionsError;

/// A transfer that did not come to its end. Each variant says what happened, where, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error("cannot open a UDP socket towards {server}; is the source address on this machine?")]
    Socket { server: SocketAddr, source: io::Error },
    #[error("cannot send to {server}; is there a route to it?")]
    Send { server: SocketAddr, source: io::Error },
    #[error(
        "no answer from {server} to {attempts} requests within {waited:.1?}; does a TFTP server listen there, and do \
         its answers (from any port) reach this machine?{}", stranger_note(*.stranger)
    )]
    NoAnswer {
        server: SocketAddr,
        attempts: u32,
        waited: Duration,
        /// Somebody else who answered.
        stranger: Option<SocketAddr>,
    },
    #[error("{server} fell silent after {octets} octets; nothing came for {waited:.1?}")]
    Silence {
        server: SocketAddr,
        octets: u64,
        waited: Duration,
    },
    #[error("{server} refused {name:?}: {text} (error {code})")]
    Refused {
        server: SocketAddr,
        name: String,
        code: u16,
        text: String,
    },
    #[error("{server} ended the transfer after {octets} octets: {text} (error {code})")]
    Ended {
        server: SocketAddr,
        octets: u64,
        code: u16,
        text: String,
    },
    #[error("{server} does not keep to the protocol: {what}")]
    Protocol { server: SocketAddr, what: String },
    #[error("the server announced {announced} octets but sent {received}")]
    WrongSize { announced: u64, received: u64 },
    #[error("cannot {doing} {}", .path.display())]
    Local {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("the transfer was not done after its limit of {limit:?}, at {octets} octets")]
    Limit { limit: Duration, octets: u64 },
    #[error("stopped after {octets} octets")]
    Stopped { octets: u64 },
}

fn stranger_note(stranger: Option<SocketAddr>) -> String {
    stranger.map_or_else(String::new, |stranger| {
        format!(" (answers came from {stranger}, another address, and were not taken)")
    })
}

impl TransferError {
    /// Fills in the file that a failed read or write was about.
    pub(super) fn with_path(self, file: &Path) -> Self {
        match self {
            Self::Local { doing, source, .. } => Self::Local {
                doing,
                path: file.to_owned(),
                source,
            },
            other => other,
        }
    }
}
