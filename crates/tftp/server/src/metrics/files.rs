//! The boot tree in numbers: what is remembered, what disks do.

use super::counts;
use purlin_telemetry::metrics::Encoder;
use purlin_tftp_files::CacheStats;

/// What is held.
pub(super) fn held(encoder: &mut Encoder, stats: &CacheStats) {
    let gauges = [
        (
            "purlin_boot_cache_octets",
            "Octets of content in the cache.",
            stats.octets,
        ),
        (
            "purlin_boot_cache_octets_max",
            "Octets of content that the cache may hold.",
            stats.octets_max,
        ),
        (
            "purlin_boot_cache_entries",
            "Names remembered to exist.",
            stats.entries,
        ),
        (
            "purlin_boot_cache_negative_entries",
            "Names remembered not to exist.",
            stats.negative_entries,
        ),
        (
            "purlin_boot_directory_listings",
            "Directories kept as lists of their names.",
            stats.listings,
        ),
        (
            "purlin_boot_directory_names",
            "Names in the lists of directories.",
            stats.listed_names,
        ),
        (
            "purlin_boot_io_queue",
            "Work waiting for the I/O threads.",
            stats.queue,
        ),
    ];
    for (name, help, value) in gauges {
        encoder.gauge(name, help).count(&[], value);
    }
}

/// What was answered from where.
pub(super) fn found(encoder: &mut Encoder, stats: &CacheStats) {
    counts(
        encoder,
        &[
            (
                "purlin_boot_cache_hits_total",
                "Requests whose file was remembered.",
                stats.hits,
            ),
            (
                "purlin_boot_cache_misses_total",
                "Requests whose file had to be looked up.",
                stats.misses,
            ),
            (
                "purlin_boot_cache_negative_hits_total",
                "Requests for files remembered as missing.",
                stats.negative_hits,
            ),
            (
                "purlin_boot_directory_hits_total",
                "Requests for files missing by the list of their directory.",
                stats.listing_hits,
            ),
            (
                "purlin_boot_directory_reads_total",
                "Directories read for their lists.",
                stats.listing_reads,
            ),
            (
                "purlin_boot_metadata_hits_total",
                "Requests for files missing by another node's word.",
                stats.metadata_hits,
            ),
            (
                "purlin_boot_metadata_differs_total",
                "Files that another node found to be something else: the trees differ.",
                stats.metadata_differs,
            ),
            (
                "purlin_boot_metadata_away_total",
                "Calls for shared metadata that reached nobody; the node then works alone.",
                stats.metadata_away,
            ),
            (
                "purlin_boot_cache_evictions_total",
                "Pieces of content given up for others.",
                stats.evictions,
            ),
            (
                "purlin_boot_chunk_hits_total",
                "Pieces of content found in memory.",
                stats.chunk_hits,
            ),
            (
                "purlin_boot_chunk_misses_total",
                "Pieces of content that had to be read.",
                stats.chunk_misses,
            ),
        ],
    );
}

pub(super) fn disk(encoder: &mut Encoder, stats: &CacheStats) {
    counts(
        encoder,
        &[
            (
                "purlin_boot_disk_reads_total",
                "Reads from disk.",
                stats.disk_reads,
            ),
            (
                "purlin_boot_disk_read_octets_total",
                "Octets read from disk.",
                stats.octets_read,
            ),
            (
                "purlin_boot_disk_written_octets_total",
                "Octets of uploads written.",
                stats.octets_written,
            ),
            ("purlin_boot_opens_total", "Files opened.", stats.opens),
            (
                "purlin_boot_stat_calls_total",
                "Looks at a file's metadata.",
                stats.stat_calls,
            ),
            (
                "purlin_boot_refused_busy_total",
                "Requests turned away because too much waited for the disk.",
                stats.refused_busy,
            ),
        ],
    );
}

/// Time spent, in seconds: divided by the number of reads it is the disk's latency.
pub(super) fn waits(encoder: &mut Encoder, stats: &CacheStats) {
    let times = [
        (
            "purlin_boot_disk_read_seconds_total",
            "Time that reads from disk took.",
            stats.read_nanos,
        ),
        (
            "purlin_boot_disk_write_seconds_total",
            "Time that writes of uploads took.",
            stats.write_nanos,
        ),
    ];
    for (name, help, nanos) in times {
        encoder.counter(name, help).value(&[], nanos as f64 / 1e9);
    }
}
