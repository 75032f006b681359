//! What can go wrong with a stream of a state.

use std::io;
use std::path::PathBuf;

use alloy_primitives::B256;

use crate::store::{StateError, StoreError};

/// Why no stream was written, or no chain made of one. Where a chain was to be, there is then none.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("this is no snapshot of a chain's state: it does not begin as one")]
    NoSnapshot,
    #[error(
        "the snapshot has format {found}, this program reads format {known}: use the program that wrote it"
    )]
    Format { found: u32, known: u32 },
    /// The octet at which the part begins that cannot be true.
    #[error("the snapshot is damaged or cut, in what begins at octet {octet}: {what}")]
    Damaged { octet: u64, what: String },
    #[error("the snapshot is of the chain with genesis {found}, the genesis document says {wanted}")]
    OtherGenesis { wanted: B256, found: B256 },
    /// The reader does not trust the head.
    #[error("the snapshot is not taken: {0}")]
    Refused(String),
    #[error("there is something at {path} already: a chain is made of a snapshot where none is")]
    Exists { path: PathBuf },
    /// A block came since: take the state again.
    #[error("the state is that of block {number}, but only that of the newest block, {head}, can be written")]
    NotHead { number: u64, head: u64 },
    #[error("{what} has {octets} octets, a snapshot has room for {most}")]
    TooLarge {
        what: &'static str,
        octets: usize,
        most: usize,
    },
    #[error("the snapshot could not be read")]
    Read(#[source] io::Error),
    #[error("the snapshot could not be written")]
    Write(#[source] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StateError> for SnapshotError {
    fn from(error: StateError) -> Self {
        Self::Store(error.into())
    }
}
