//! The engine's log: what this node said at the height that is being decided, and everything it said it because of.
//!
//! A node that forgets what it said can be made to say the opposite. So every vote, proposal, block and timeout that moved
//! the engine is in the log before anything that follows from it leaves the node. After a restart the same entries in the
//! same order lead to the same votes, with the same signatures. When a height is decided the application has its block with
//! the certificate; nothing of the log is needed any more, and it begins anew.
//!
//! Nothing is durable before [`Journal::flush`]. All records between two flushes are one batch: a power cut keeps the whole
//! batch or none of it.

mod batch;
mod file;
mod record;

pub use file::{FileLog, Mark};
pub use record::{Record, Value, Waited};

use std::fmt::Debug;
use std::io;
use std::path::PathBuf;

/// What a log held when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub height: u64,
    /// In the order in which they were appended.
    pub records: Vec<Record>,
}

/// Why a log cannot be read or written. The node must stop: what it said is not safe.
#[derive(Debug, thiserror::Error)]
pub enum LogFault {
    #[error("{doing} the log of votes {path}")]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{doing} the mark of what the key has signed, {path}")]
    Mark {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Octets in the middle of the file are not what was written. Votes may be lost that other validators have.
    #[error(
        "the log of votes {path} is damaged at octet {at}, and good entries follow: bring the file back from the disk's \
         copy; or, when the network has decided height {height} already, remove it and let the node catch up before it votes"
    )]
    Damaged { path: PathBuf, at: u64, height: u64 },
}

/// Where the log is kept.
pub trait Journal: Debug {
    /// What is in it, read once at the start; `None` when it is empty.
    ///
    /// # Errors
    /// The disk, or damage: the node must not vote.
    fn read(&mut self) -> Result<Option<Logged>, LogFault>;

    /// Forgets everything and begins with this height.
    ///
    /// # Errors
    /// The disk: the node must stop.
    fn begin(&mut self, height: u64) -> Result<(), LogFault>;

    /// Adds a record to the batch that the next [`flush`](Self::flush) makes durable.
    ///
    /// # Errors
    /// The disk: the node must stop.
    fn append(&mut self, record: &Record) -> Result<(), LogFault>;

    /// Returns when everything appended is on the disk.
    ///
    /// # Errors
    /// The disk: the node must stop, and send nothing that depends on the batch.
    fn flush(&mut self) -> Result<(), LogFault>;
}
