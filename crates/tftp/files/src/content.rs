//! One file in one state, in chunks that are shared by everybody who sends it.
//!
//! ```text
//!   chunk(i) ── in memory ──────────────► sent as it is
//!      └─ not there: want(i, done) ─► I/O thread: one read for all who wait ─► done, chunk(i) again
//! ```
//!
//! A content never mixes two states of a file: each read is followed by a look at the file, and a change ends it. Who
//! asks for the name again gets a new content; who has the old one keeps the old inode open.

mod load;
mod slots;
mod variant;

pub(crate) use variant::Form;

use crate::machine::Machine;
use crate::resolve::Identity;
use crate::{CHUNK, Chunk, FileError, Readable};
use purlin_types::WallTime;
use rustix::fd::OwnedFd;
use slots::Slots;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use variant::Variants;

/// Called once, on an I/O thread, when a chunk is there or cannot be had.
pub type Wanted = Box<dyn FnOnce(Result<(), FileError>) + Send>;

/// The octets behind a name. Cheap to share; holds the file open.
pub struct Content {
    machine: Arc<Machine>,
    /// Where it was found first, for lists; a made text has the name it was asked by.
    name: Box<str>,
    size: u64,
    modified: WallTime,
    etag: Box<str>,
    kind: Option<&'static str>,
    body: Body,
    stale: AtomicBool,
    variants: Variants,
}

enum Body {
    Disk(Disk),
    /// In memory as long as anybody has it: a made text or a variant.
    Whole(Box<[Chunk]>),
}

struct Disk {
    file: OwnedFd,
    identity: Identity,
    /// Whether `file` is open past the page cache.
    direct: AtomicBool,
    slots: Slots,
}

/// What the hand of the clock did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eviction {
    Kept,
    Freed(u64),
    Dropped,
    Nothing,
}

impl Content {
    /// A file that was just opened.
    /// `direct` says that it is read past the page cache.
    pub(crate) fn disk(
        machine: &Arc<Machine>,
        name: &str,
        file: OwnedFd,
        identity: Identity,
        direct: bool,
    ) -> Arc<Self> {
        let etag = format!(
            "\"{:x}-{:x}-{:x}-{:x}\"",
            identity.device, identity.inode, identity.modified, identity.size
        );
        let body = Body::Disk(Disk {
            file,
            identity,
            direct: AtomicBool::new(direct),
            slots: Slots::new(identity.size),
        });
        let content = Arc::new(Self::build(
            machine,
            name,
            identity.size,
            wall(identity.modified),
            etag,
            body,
        ));
        machine.remember(identity, &content);
        content
    }

    /// A text made for whoever asked; `kind` as templates name it.
    ///
    /// # Errors
    /// `Busy` without room for it.
    pub(crate) fn made(
        machine: &Arc<Machine>,
        name: &str,
        text: &[u8],
        kind: &'static str,
        modified: WallTime,
    ) -> Result<Arc<Self>, FileError> {
        let etag = format!("\"{:032x}\"", fingerprint(text));
        let mut content = Self::whole(machine, name, text, modified, etag)?;
        content.kind = Some(kind);
        Ok(Arc::new(content))
    }

    fn whole(
        machine: &Arc<Machine>,
        name: &str,
        octets: &[u8],
        modified: WallTime,
        etag: String,
    ) -> Result<Self, FileError> {
        let size = octets.len() as u64;
        machine.ring.charge(size, &machine.counters.evictions)?;
        let chunks = octets.chunks(CHUNK).map(Chunk::from).collect();
        Ok(Self::build(
            machine,
            name,
            size,
            modified,
            etag,
            Body::Whole(chunks),
        ))
    }

    fn build(
        machine: &Arc<Machine>,
        name: &str,
        size: u64,
        modified: WallTime,
        etag: String,
        body: Body,
    ) -> Self {
        Self {
            machine: Arc::clone(machine),
            name: name.into(),
            size,
            modified,
            etag: etag.into_boxed_str(),
            kind: None,
            body,
            stale: AtomicBool::new(false),
            variants: Variants::default(),
        }
    }

    /// Octets.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// When the file was last written; for a made text, when it was made.
    #[must_use]
    pub fn modified(&self) -> WallTime {
        self.modified
    }

    /// A strong validator with its quotes (RFC 9110, section 8.8.3): equal texts mean equal octets.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// For a made text: what it is, as [`purlin_tftp_core::plan::Resolved`] names it.
    #[must_use]
    pub fn kind(&self) -> Option<&'static str> {
        self.kind
    }

    /// Path of the file, or the name of a made text. For operators only: never to be sent to clients.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many chunks there are: all of [`CHUNK`] octets but the last.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.size.div_ceil(CHUNK as u64)
    }

    /// Whether the file was found changed: the next who asks gets a new content.
    pub(crate) fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// Octets in memory.
    #[must_use]
    pub fn held(&self) -> u64 {
        match &self.body {
            Body::Whole(_) => self.size,
            Body::Disk(disk) => disk.slots.held(),
        }
    }

    /// Gives up all chunks that nobody sends, and every other form; returns the chunks' octets.
    pub(crate) fn evict_all(&self) -> u64 {
        self.variants.forget();
        match &self.body {
            Body::Disk(disk) => disk.slots.evict_all(),
            Body::Whole(_) => 0,
        }
    }

    /// The clock's hand is at one of this content's chunks or variants.
    pub(crate) fn evict(&self, index: u32) -> Eviction {
        if index >= variant::FIRST {
            return self.variants.evict(index);
        }
        match &self.body {
            Body::Disk(disk) => disk.slots.evict(u64::from(index)),
            Body::Whole(_) => Eviction::Nothing,
        }
    }
}

impl Readable for Content {
    fn size(&self) -> u64 {
        self.size
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.machine.ring.release(self.held());
        if let Body::Disk(disk) = &self.body {
            self.machine.forget(&disk.identity);
        }
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({}, {} octets)", self.name, self.size)
    }
}

fn wall(nanos: i128) -> WallTime {
    WallTime(u64::try_from(nanos / 1_000_000).unwrap_or(0))
}

/// FNV-1a over 128 bits: the same text has the same validator on every node and after every start.
pub(crate) fn fingerprint(octets: &[u8]) -> u128 {
    const PRIME: u128 = (1 << 88) + 0x13b;
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    octets.iter().fold(BASIS, |hash, octet| {
        (hash ^ u128::from(*octet)).wrapping_mul(PRIME)
    })
}
