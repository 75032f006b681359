//! Metadata that nodes share: which names exist, so that a miss one node paid for spares the others' disks.
//!
//! It only ever saves work. An engine may be empty, stale or gone: what it says of a missing file is believed no longer
//! than any other look at the disk, and everything else is read from the disk anyway.

pub mod contract;
mod local;

pub use local::LocalMetadata;

use purlin_types::WallTime;
use std::sync::Arc;
use std::time::Duration;

/// A file's place: nodes that share metadata must see the same tree under the same root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    pub root: String,
    /// Parts joined by `/`, as in `RelativePath`.
    pub path: String,
}

/// What a node found there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    File { size: u64, modified: WallTime },
    Missing,
}

/// Told of each place that any node forgot.
pub type Forgotten = Arc<dyn Fn(&Place) + Send + Sync>;

/// An engine for shared metadata. Its calls may wait for a network and are made on I/O threads only.
///
/// An engine that cannot be reached answers `None` and swallows the rest; it bounds its own memory.
pub trait SharedMetadata: Send + Sync {
    /// What was found at a place, unless its time is over.
    fn get(&self, place: &Place) -> Option<Metadata>;

    /// Tells the others; believed for `ttl` from now on.
    fn put(&self, place: &Place, found: Metadata, ttl: Duration);

    /// A file changed, came or went: nobody may believe what was said of it.
    fn forget(&self, place: &Place);

    /// Whom to tell of every [`Self::forget`], on this node and on others.
    fn listen(&self, listener: Forgotten);
}
