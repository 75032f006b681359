//! The embedded journal: numbered segment files, one thread that syncs, one that prepares and tidies.
//!
//! ```text
//!   packet thread            sync thread                keeper thread
//!   defer ─► memory          write what was gathered,   zero the next segment ahead,
//!     └────unpark──────────► fdatasync the segments,    sync and publish checkpoints,
//!   append ─► memory first,  then durable = written,    remove what they replaced,
//!     then pwrite            wake()                     look for space while full
//! ```
//!
//! No lock is held during a sync. `defer` takes one for the time of copying the frame, and makes no system call
//! but the wake-up of an idle sync thread; `append` writes, behind whatever was deferred before.
//! The bytes are described in `docs/formats/journal.md`, the reasons in `docs/adr/0003-lease-journal.md`.

mod checkpoint;
mod desk;
mod engine;
mod frame;
mod gather;
mod header;
mod keeper;
mod layout;
mod pinned;
mod reader;
mod recovery;
mod shared;
mod stats;
mod syncer;
mod tail;
mod writer;

pub use engine::JournalFiles;
pub use stats::{JournalStats, SYNC_BUCKETS};

pub(crate) use frame::{MAX_PAYLOAD, encode};
pub(crate) use header::{FILE_HEADER, FileHeader, FileKind};
pub(crate) use reader::{Item, Reader};

use std::time::Duration;

/// How a journal uses its disk.
#[derive(Debug, Clone)]
pub struct JournalOptions {
    /// Bytes of one segment file, zeroed ahead; the next one is always ready too. At least 4 KiB.
    pub segment_bytes: u64,
    /// A checkpoint is due after this many bytes of log, or the size of the last checkpoint if that is more.
    /// So at most twice the state is replayed: 1,000,000 leases are about 64 MiB.
    pub checkpoint_after: u64,
    /// How often a full journal looks for space.
    pub retry: Duration,
    /// From the beginning of one sync to that of the next, when nobody waits for the latter: how long what was
    /// appended may be written and not durable.
    pub rest: Duration,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            checkpoint_after: 64 << 20,
            retry: Duration::from_millis(500),
            rest: Duration::from_millis(5),
        }
    }
}
