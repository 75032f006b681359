//! What downloads and uploads do differently, and what both count.

use crate::transfer::wire::Outbox;
use purlin_tftp_proto::{ErrorCode, Terms};
use std::io;

/// One side of a transfer.
pub(in crate::transfer) trait Role {
    /// A WRQ rather than an RRQ.
    const WRITES: bool;
    /// Octets to announce.
    fn size(&self) -> Option<u64>;
    /// An OACK with these terms came.
    fn agreed(&mut self, terms: &Terms, out: &Outbox, counts: &mut Counts) -> Result<(), Stop>;
    fn data(&mut self, wire: u16, payload: &[u8], out: &Outbox, counts: &mut Counts) -> Result<Turn, Stop>;
    fn ack(&mut self, wire: u16, out: &Outbox, counts: &mut Counts) -> Result<Turn, Stop>;
    /// Silence lasted too long: repeat what was said last.
    fn again(&mut self, out: &Outbox, counts: &mut Counts) -> Result<(), Stop>;
    /// Octets that have arrived in order.
    fn octets(&self) -> u64;
    fn blocks(&self) -> u64;
}

/// What a packet brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transfer) enum Turn {
    Nothing,
    Progress,
    Done,
}

/// What is counted on the way.
#[derive(Debug, Default)]
pub(in crate::transfer) struct Counts {
    pub(in crate::transfer) duplicates: u64,
    pub(in crate::transfer) gaps: u64,
    pub(in crate::transfer) requests: u32,
    pub(in crate::transfer) timeouts: u32,
    pub(in crate::transfer) strangers: u64,
    pub(in crate::transfer) malformed: u64,
}

/// A failure of this side, and what the server is told about it.
#[derive(Debug)]
pub(in crate::transfer) enum Stop {
    Writing(io::Error),
    Reading(io::Error),
    Sending(io::Error),
    Protocol(ErrorCode, String),
}

impl Stop {
    pub(in crate::transfer) fn writing(error: io::Error) -> Self {
        Self::Writing(error)
    }

    pub(in crate::transfer) fn reading(error: io::Error) -> Self {
        Self::Reading(error)
    }

    pub(in crate::transfer) fn sending(error: io::Error) -> Self {
        Self::Sending(error)
    }

    pub(in crate::transfer) fn protocol(code: ErrorCode, what: String) -> Self {
        Self::Protocol(code, what)
    }
}
