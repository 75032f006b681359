//! Metadata that nodes share: which names exist and what they are, so that a miss one node paid for spares the others'
//! disks, and nodes whose trees differ find out.
//!
//! ```text
//!   look at a name ─► recall: another node missed it lately? ─► not found, without a look
//!                  └─ the disk ─► keep what was found ─► every change on any node: forget, and listeners hear of it
//! ```
//!
//! It only ever saves work. An engine may be empty, stale or gone: what it says of a missing file is believed no longer
//! than any other look at the disk, and everything else is read from the disk anyway. [`LocalMetadata`] is the engine
//! of one process, and [`FallbackMetadata`] goes back to it while another is away. The engine of a cluster, over Redis, is
//! `HintedMetadata` of `tftp/server`.

pub mod contract;
mod fallback;
mod local;

pub use fallback::FallbackMetadata;
pub use local::LocalMetadata;

use purlin_types::WallTime;
use std::sync::Arc;
use std::time::Duration;

/// How long what was found of a file is kept, unless it changes.
pub const TTL: Duration = Duration::from_secs(3600);

/// How long a missing file is kept at most: word that it came can be lost with the connection it should have taken.
pub const MISSING_TTL: Duration = Duration::from_secs(60);

/// What keys of engines begin with that share their store with others.
pub const PREFIX: &str = "purlin:boot:";

/// A file's place: nodes that share metadata must see the same tree under the same root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    pub root: String,
    /// Parts joined by `/`, as in `RelativePath`.
    pub path: String,
}

impl Place {
    /// The key of this place in a store that others use too; `prefix` is usually [`PREFIX`]. No two places share one:
    /// no path has a zero octet.
    #[must_use]
    pub fn key(&self, prefix: &str) -> String {
        format!("{prefix}{}\0{}", self.root, self.path)
    }
}

/// What a node found there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    File {
        /// Octets.
        size: u64,
        modified: WallTime,
        /// FNV-1a, 128 bits, over the content. Of files of one chunk ([`crate::CHUNK`]), which are read for the first
        /// client anyway; larger ones have none.
        hash: Option<u128>,
    },
    Missing,
}

impl Metadata {
    /// Whether two nodes found something else at one place. Times differ where trees are copied, and say nothing.
    #[must_use]
    pub fn differs(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::File { size, hash, .. },
                Self::File {
                    size: other_size,
                    hash: other_hash,
                    ..
                },
            ) => size != other_size || hash.zip(*other_hash).is_some_and(|(one, other)| one != other),
            (Self::Missing, Self::Missing) => false,
            _ => true,
        }
    }
}

/// The engine cannot be reached now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Away;

/// Told of each place that any node forgot.
pub type Forgotten = Arc<dyn Fn(&Place) + Send + Sync>;

/// An engine for shared metadata. Its calls may wait for a network and are made on I/O threads only; it bounds its own
/// memory, and how long a call waits.
pub trait MetadataCache: Send + Sync {
    /// What was found at a place, unless its time is over.
    ///
    /// # Errors
    /// When the engine cannot be reached.
    fn recall(&self, place: &Place) -> Result<Option<Metadata>, Away>;

    /// Tells the others; believed for `ttl` from now on.
    ///
    /// # Errors
    /// As [`Self::recall`].
    fn keep(&self, place: &Place, found: Metadata, ttl: Duration) -> Result<(), Away>;

    /// A file changed, came or went: nobody may believe what was said of it.
    ///
    /// # Errors
    /// As [`Self::recall`].
    fn forget(&self, place: &Place) -> Result<(), Away>;

    /// Whom to tell of every [`Self::forget`], on this node and on others.
    fn listen(&self, listener: Forgotten);

    /// How often the engine was asked and could not be reached. Engines that are always there have no such count.
    fn times_away(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_places_are_apart() {
        let key = |root: &str, path: &str| {
            let (root, path) = (root.to_owned(), path.to_owned());
            Place { root, path }.key(PREFIX)
        };
        assert_eq!(key("/a", "b"), "purlin:boot:/a\0b");
        assert_ne!(key("/a/b", "c"), key("/a", "b/c"));
    }

    #[test]
    fn trees_differ_in_octets_and_not_in_times() {
        let file = |size, modified, hash| Metadata::File {
            size,
            modified: WallTime(modified),
            hash,
        };
        assert!(!file(1, 1, Some(7)).differs(&file(1, 2, Some(7))));
        assert!(!file(1, 1, None).differs(&file(1, 2, Some(7))));
        assert!(file(1, 1, Some(7)).differs(&file(1, 1, Some(8))));
        assert!(file(1, 1, None).differs(&file(2, 1, None)));
        assert!(file(1, 1, None).differs(&Metadata::Missing));
    }
}
