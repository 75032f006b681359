//! Transfers as the shell and people outside see them.

use crate::peer::{Peer, Slot};
use purlin_types::WallTime;
use std::net::SocketAddr;
use std::time::Duration;

/// A file that can be sent.
pub trait Readable {
    /// Octets; for netascii of the converted text. Must not change while the file is open.
    fn size(&self) -> u64;
}

impl<T: Readable + ?Sized> Readable for std::sync::Arc<T> {
    fn size(&self) -> u64 {
        (**self).size()
    }
}

/// What a request asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestView<'a> {
    /// The name as sent.
    pub name: &'a str,
    pub peer: Peer,
    pub write: bool,
    pub netascii: bool,
    /// As agreed.
    pub blksize: u16,
    pub windowsize: u16,
}

/// One open transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferView {
    pub slot: Slot,
    pub client: SocketAddr,
    pub name: String,
    pub write: bool,
    pub netascii: bool,
    /// `opening`, `offered`, `sending`, `waiting` (for the disk), `receiving`, `storing` or `dallying`.
    pub stage: &'static str,
    /// When the request came.
    pub asked: WallTime,
    /// Octets that have arrived on the other side.
    pub octets: u64,
    /// Octets of the file, 0 while unknown.
    pub size: u64,
    pub blksize: u16,
    pub windowsize: u16,
    /// Blocks sent again.
    pub again: u32,
    /// Smoothed round trip, zero while unknown.
    pub round_trip: Duration,
}
