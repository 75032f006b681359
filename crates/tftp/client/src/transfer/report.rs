//! What a transfer was like.

use std::net::SocketAddr;

use serde::Serialize;

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferProgress {
    /// Octets of content transferred and known to be in order.
    pub octets: u64,
    /// Octets in all, when known.
    pub total: Option<u64>,
}

/// A finished transfer. Times are in seconds since the first request was sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TransferReport {
    pub name: String,
    /// The server's address and port in this transfer, its TID.
    pub server: SocketAddr,
    /// Octets on the wire, without headers and repeats; netascii has other counts than the local file.
    pub octets: u64,
    pub blocks: u64,
    /// What was agreed (what the server left out has its default).
    pub blksize: u16,
    pub windowsize: u16,
    /// The file's size, when the server told it or an upload announced it.
    pub tsize: Option<u64>,
    /// The server answered with an OACK.
    pub options_acknowledged: bool,
    /// Until the first answer of any kind.
    pub first_answer_seconds: f64,
    /// Until DATA 1 arrived, or (upload) until it was acknowledged.
    pub first_block_seconds: f64,
    pub seconds: f64,
    /// Octets of content per second.
    pub octets_per_second: f64,
    /// Requests sent beyond the first.
    pub requests_repeated: u32,
    /// Acknowledgements (download) or windows (upload) sent again after silence.
    pub timeouts: u32,
    /// Lost blocks noticed by a gap (download), or blocks sent again (upload).
    pub gaps: u64,
    /// DATA or ACKs that had arrived before.
    pub duplicates: u64,
    /// Datagrams from others, answered with ERROR 5.
    pub strangers: u64,
    /// Datagrams from the server that are no TFTP packet.
    pub malformed: u64,
}
