//! The library in numbers and lists, for metrics and for people.

use super::{CachedFile, Library};
use crate::stats::CacheStats;
use std::sync::Arc;

impl Library {
    /// Up to `limit` files in memory, the largest first.
    #[must_use]
    pub fn files(&self, limit: usize) -> Vec<CachedFile> {
        let contents = self.0.machine.contents();
        let contents = contents.iter().filter_map(std::sync::Weak::upgrade);
        let mut files: Vec<_> = contents
            .map(|content| CachedFile {
                name: content.name().to_owned(),
                size: content.size(),
                held: content.held(),
                holders: Arc::strong_count(&content) - 1,
            })
            .collect();
        files.sort_unstable_by(|a, b| b.held.cmp(&a.held).then_with(|| a.name.cmp(&b.name)));
        files.truncate(limit);
        files
    }

    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let (inner, machine) = (&*self.0, &*self.0.machine);
        let counters = &machine.counters;
        let (queue, threads) = machine.pool.sizes();
        let (watches, notices_lost) = inner.notice.sizes();
        let (listings, listed_names) = inner.directories.sizes();
        CacheStats {
            octets: machine.ring.octets(),
            octets_max: machine.ring.cap(),
            files: machine.files() as u64,
            entries: inner.known.len() as u64,
            negative_entries: inner.missed.len() as u64,
            hits: counters.hits.get(),
            negative_hits: counters.negative_hits.get(),
            misses: counters.misses.get(),
            listings: listings as u64,
            listed_names: listed_names as u64,
            listing_hits: counters.listing_hits.get(),
            listing_reads: inner.directories.reads.get(),
            metadata_hits: counters.metadata_hits.get(),
            metadata_differs: counters.metadata_differs.get(),
            metadata_away: inner.shared.as_ref().map_or(0, |shared| shared.times_away()),
            chunk_hits: counters.chunk_hits.get(),
            chunk_misses: counters.chunk_misses.get(),
            evictions: counters.evictions.get(),
            disk_reads: counters.disk_reads.get(),
            octets_read: counters.octets_read.get(),
            read_nanos: counters.read_nanos.get(),
            stat_calls: counters.looks.get(),
            opens: counters.opens.get(),
            changed: counters.changed.get(),
            queue: queue as u64,
            threads: threads as u64,
            refused_busy: counters.refused_busy.get(),
            uploads: counters.uploads.get(),
            uploads_failed: counters.uploads_failed.get(),
            uploads_open: inner.uploads.open() as u64,
            octets_written: counters.octets_written.get(),
            write_nanos: counters.write_nanos.get(),
            watches: watches as u64,
            notices_lost,
            resolved_by_kernel: inner.resolver.by_kernel(),
            direct_refused: machine.direct_refused(),
        }
    }
}
