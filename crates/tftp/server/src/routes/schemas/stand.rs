//! The shape of the service's status.

use super::maybe;
use purlin_api::schema::{self, Schema};

pub(super) fn status() -> Schema {
    let addresses = |words: &str| schema::array(schema::string(words));
    let buffer = || {
        schema::object(&[
            ("asked", schema::count("Octets asked for.")),
            (
                "granted",
                schema::count("Octets the kernel gave; see `purlin doctor` when it is less."),
            ),
        ])
    };
    let limits = schema::object(&[
        (
            "per_client",
            schema::count("Open transfers per machine; 0 is no limit."),
        ),
        (
            "per_ip",
            schema::count("Open transfers per address; 0 is no limit."),
        ),
        ("total", schema::count("Open transfers over all; 0 is no limit.")),
    ]);
    schema::object(&[
        ("listen", addresses("UDP address.")),
        ("threads", schema::count("Packet threads.")),
        (
            "transfers",
            schema::count("Open transfers, as of the last second."),
        ),
        ("limits", limits),
        ("receive_buffer", buffer()),
        ("send_buffer", buffer()),
        ("backend", schema::string("How packet threads wait.")),
        ("http", addresses("TCP address of HTTP boot.")),
        ("https", addresses("TCP address of HTTPS boot.")),
        (
            "notes",
            schema::array(schema::string(
                "What was asked for and is done in another way, and why.",
            )),
        ),
        ("failed", maybe("What failed, when a packet thread did.")),
        ("cache", cache()),
        ("memory", memory()),
    ])
}

fn memory() -> Schema {
    schema::object(&[
        ("cache", schema::count("Octets of content.")),
        ("cache_max", schema::count("Octets of content at most.")),
        ("transfers", schema::count("Octets for open transfers, at most.")),
        (
            "transfers_max",
            schema::count("The same when all are open that may be; 0 without a limit."),
        ),
        (
            "records_max",
            schema::count("Octets for boot records when their rings are full."),
        ),
        (
            "socket_buffers_max",
            schema::count("Octets of full socket buffers; the kernel's memory."),
        ),
    ])
}

fn cache() -> Schema {
    let counts = [
        ("octets", "Octets of content held."),
        ("octets_max", "Octets at most."),
        ("files", "Files that are open or held."),
        ("entries", "Names remembered."),
        ("negative_entries", "Names remembered not to exist."),
        ("hits", "Names answered from memory."),
        ("negative_hits", "Refusals answered from memory."),
        ("misses", "Names that had to be looked up."),
        ("listings", "Directories kept as lists."),
        ("listed_names", "Names in these lists."),
        ("listing_hits", "Names missing by the list of their directory."),
        ("listing_reads", "Directories read for their lists."),
        ("metadata_hits", "Names missing by another node's word."),
        (
            "metadata_differs",
            "Files that another node found to be something else.",
        ),
        ("metadata_away", "Calls for shared metadata that reached nobody."),
        ("chunk_hits", "Pieces found in memory."),
        ("chunk_misses", "Pieces that had to be read."),
        ("evictions", "Pieces given up for others."),
        ("disk_reads", "Reads from disk."),
        ("octets_read", "Octets read from disk."),
        ("stat_calls", "Looks at metadata."),
        ("opens", "Files opened."),
        ("changed", "Files found changed while they were read."),
        ("queue", "Work that waits for an I/O thread."),
        ("threads", "I/O threads."),
        ("refused_busy", "Work turned away because too much waited."),
        ("uploads", "Uploads finished."),
        ("uploads_failed", "Uploads given up."),
        ("uploads_open", "Uploads under way."),
        ("octets_written", "Octets of uploads."),
        ("watches", "Directories watched for changes."),
        (
            "notices_lost",
            "Times that all was forgotten because notices were lost.",
        ),
    ];
    let mut members: Vec<(&str, Schema)> = counts
        .iter()
        .map(|(name, words)| (*name, schema::count(words)))
        .collect();
    let kernel = schema::boolean("Whether the kernel itself guards look-ups (openat2).");
    members.push(("resolved_by_kernel", kernel));
    members.push((
        "direct_refused",
        maybe("Why O_DIRECT is not in use although asked for."),
    ));
    schema::object(&members)
}
