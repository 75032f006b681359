//! The store's rows: one claim, one lease row, one `seq` for each node.

use super::NODES;

/// An epoch: timeline, then counter.
pub(crate) type Term = (u8, u8);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Rows {
    pub(crate) timeline: u8,
    pub(crate) term: Term,
    pub(crate) step: u8,
    pub(crate) owner: Option<u8>,
    pub(crate) suspect: bool,
    /// Whether the address is in a durable window (rule R2).
    pub(crate) window: bool,
    pub(crate) seqs: [u8; NODES],
    pub(crate) lease: Option<Lease>,
}

/// The lease row of the one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    pub(crate) client: u8,
    /// Potential expiry: what the row allows the client to have been promised, MCLT aside.
    pub(crate) pot: u8,
    pub(crate) term: Term,
}

impl Rows {
    pub(crate) fn new() -> Self {
        Self {
            timeline: 1,
            term: (0, 0),
            step: 0,
            owner: None,
            suspect: false,
            window: false,
            seqs: [0; NODES],
            lease: None,
        }
    }
}
