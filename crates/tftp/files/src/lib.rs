//! The boot tree: safe names, a content cache shared by TFTP and HTTP, uploads that appear whole or not at all.
//!
//! ```text
//!   Library ── recall / open ─► Content ── chunk / want ─► sent      (memo, notice, resolve | content, ring, pool)
//!           └─ create ────────► Upload ── append / commit ─► a file   (upload)
//! ```
//!
//! Packet threads call `recall` and `chunk`, which never wait for a disk; everything else runs on the library's own
//! I/O threads and answers by a call. It knows neither packets nor HTTP.

mod content;
mod directories;
mod error;
mod library;
mod machine;
mod memo;
pub mod metadata;
mod notice;
mod pool;
mod resolve;
mod ring;
mod stats;
mod upload;

pub use content::{Content, Wanted};
pub use library::{CachedFile, ClientFacts, Created, Kernel, Library, NoFacts, Opened, OwnedAsk, Parts};
pub use metadata::{FallbackMetadata, LocalMetadata, MetadataCache};
pub use stats::CacheStats;
pub use upload::{Committed, Stored, Upload};

pub use purlin_tftp_core::{FileError, Readable};

use purlin_types::BootTime;
use std::sync::Arc;

/// Octets per chunk, the unit of reading, keeping and giving up: eleven windows of 16 blocks of 1,468 octets.
pub const CHUNK: usize = 256 << 10;

/// Octets of a file, shared by everybody who sends them.
pub type Chunk = Arc<[u8]>;

/// Reads `CLOCK_BOOTTIME`, or a test's own time.
pub type Clock = Arc<dyn Fn() -> BootTime + Send + Sync>;

/// Names that begin so are uploads on their way in, and are neither read nor written by clients.
pub const UPLOAD_PREFIX: &str = ".purlin-upload-";
