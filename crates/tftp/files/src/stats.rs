//! What the boot tree did, in numbers for metrics.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

/// Counters of everything that happens; each stands alone, so relaxed order is enough.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: Count,
    pub(crate) negative_hits: Count,
    pub(crate) misses: Count,
    pub(crate) listing_hits: Count,
    pub(crate) metadata_hits: Count,
    pub(crate) metadata_differs: Count,
    pub(crate) chunk_hits: Count,
    pub(crate) chunk_misses: Count,
    pub(crate) evictions: Count,
    pub(crate) disk_reads: Count,
    pub(crate) octets_read: Count,
    pub(crate) read_nanos: Count,
    pub(crate) looks: Count,
    pub(crate) opens: Count,
    pub(crate) changed: Count,
    pub(crate) refused_busy: Count,
    pub(crate) uploads: Count,
    pub(crate) uploads_failed: Count,
    pub(crate) octets_written: Count,
    pub(crate) write_nanos: Count,
}

/// Nanoseconds since then, for sums of times.
pub(crate) fn nanos_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Cells per counter: threads that count at the same time do not fight for one cache line.
const CELLS: usize = 8;

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Count([Cell; CELLS]);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Cell(AtomicU64);

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static CELL: usize = THREADS.fetch_add(1, Ordering::Relaxed) % CELLS;
}

impl Count {
    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, count: u64) {
        self.0[CELL.with(|cell| *cell)]
            .0
            .fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.iter().map(|cell| cell.0.load(Ordering::Relaxed)).sum()
    }
}

/// A snapshot of the library, for metrics and for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CacheStats {
    /// Octets of content held, and at most.
    pub octets: u64,
    pub octets_max: u64,
    /// Files that are open or held, and names remembered to exist and not to.
    pub files: u64,
    pub entries: u64,
    pub negative_entries: u64,
    /// Names answered from memory: with content, and with a remembered refusal.
    pub hits: u64,
    pub negative_hits: u64,
    /// Names that had to be looked up.
    pub misses: u64,
    /// Directories that are listed, and the names in them.
    pub listings: u64,
    pub listed_names: u64,
    /// Names answered as missing because their directory's list has none such; and directories read for their lists.
    pub listing_hits: u64,
    pub listing_reads: u64,
    /// Names missing by another node's word; files that another node found to be something else; and how often the
    /// engine of shared metadata could not be reached.
    pub metadata_hits: u64,
    pub metadata_differs: u64,
    pub metadata_away: u64,
    /// Chunks found in memory, and those that had to be read.
    pub chunk_hits: u64,
    pub chunk_misses: u64,
    /// Chunks and variants given up for others.
    pub evictions: u64,
    pub disk_reads: u64,
    pub octets_read: u64,
    /// Nanoseconds that all reads took together.
    pub read_nanos: u64,
    /// Looks at a file's metadata, and real opens.
    pub stat_calls: u64,
    pub opens: u64,
    /// Files found changed while they were read.
    pub changed: u64,
    /// Jobs waiting for an I/O thread, I/O threads, and what was turned away because too much waited.
    pub queue: u64,
    pub threads: u64,
    pub refused_busy: u64,
    /// Uploads finished, given up, and open; octets written by all of them.
    pub uploads: u64,
    pub uploads_failed: u64,
    pub uploads_open: u64,
    pub octets_written: u64,
    /// Nanoseconds that all writes of uploads took together.
    pub write_nanos: u64,
    /// Directories watched for changes; 0 with a kernel or a limit that allows none.
    pub watches: u64,
    /// Change notices lost to a full queue: everything was forgotten then.
    pub notices_lost: u64,
    /// Whether `openat2` guards every look-up, rather than the walk.
    pub resolved_by_kernel: bool,
    /// Why `O_DIRECT` is not in use although it was asked for.
    pub direct_refused: Option<&'static str>,
}
