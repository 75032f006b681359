//! Keys of the parts that work on packets and files: limits, times, caps, cache, disks, HTTP.

use super::forms::{NAME, NETWORKS, NODES};
use purlin_config::{Key, Kind};
use std::time::Duration;

const MANY: Kind = Kind::Int {
    min: 0,
    max: 10_000_000,
};
const DAY: u64 = 86_400;

pub(in crate::reader) const LIMITS: &[Key] = &[
    Key::new("per_client", MANY, "Open transfers per machine: by its hardware address where its lease is known here, else by its address; in a cluster with those of other nodes, as they were a second ago. 0 is no limit.")
        .default("0"),
    Key::new("per_ip", MANY, "Open transfers per address; 0 is no limit. Machines behind one NAT share it. In a cluster with those of other nodes, as they were a second ago.").default("0"),
    Key::new("total", MANY, "Open transfers over all, of each node. Whoever comes above a limit is answered with a TFTP error and counted; 0 is no limit.")
        .default("50000"),
    Key::new("prepared", MANY, "Transfers whose memory is taken at the start, shared out over the packet threads; at most 1 KiB each.").default("0").restart(),
];

const fn between(min: u64, max: u64) -> Kind {
    Kind::Duration {
        min: Duration::from_millis(min),
        max: Duration::from_millis(max),
    }
}

pub(in crate::reader) const TIMING: &[Key] = &[
    Key::new("first", between(10, 10_000), "First retransmission while no round trip is known.").default("200ms"),
    Key::new("shortest", between(1, 10_000), "Shortest wait before a retransmission, however short the round trips are.").default("5ms"),
    Key::new("longest", between(10, 255_000), "Longest wait before a retransmission. A client's `timeout` option lowers it to its value (RFC 2349).")
        .default("5s"),
    Key::new("attempts", Kind::Int { min: 1, max: 255 }, "Retransmissions in a row without an answer before a transfer is given up. Those count that came after at least `first` of silence (or the client's `timeout`, when that is shorter): on a fast network the first few follow each other in milliseconds, and say nothing yet.").default("8"),
    Key::new("answer", Kind::seconds(1, 3600), "A transfer whose first answer stays unanswered for this long ends.").default("30s"),
    Key::new("idle", Kind::seconds(1, 3600), "A transfer without a sign of the client for this long ends, whatever else holds.").default("30s"),
    Key::new("lifetime", Kind::seconds(0, 7 * DAY), "A transfer ends after this long even when it moves; 0 is never.").default("0"),
    Key::new("dally", Kind::seconds(0, 60), "How long a finished upload still answers its repeated last block (RFC 1350, section 6).").default("3s"),
];

/// What may be negotiated: for everybody, and again in each class.
pub(in crate::reader) const CAPS: &[Key] = &[
    Key::new("blksize", Kind::Int { min: 8, max: 65_464 }, "Largest block a client may ask for (RFC 2348); 65464 when not set, in classes what holds for everybody.")
        .unit("octets").example("1468"),
    Key::new("windowsize", Kind::Int { min: 1, max: 65_535 }, "Most blocks per acknowledgement; larger wishes are answered with this value (RFC 7440). 64 when not set.")
        .unit("blocks").example("16"),
    Key::new("mtu", Kind::Int { min: 0, max: 65_535 }, "Path MTU: blksize is lowered until a block fits into one packet. 0, which is what holds when not set, does not look.")
        .unit("octets").example("1400"),
    Key::new("rollover", Kind::Int { min: 0, max: 1 }, "The block number after 65535; 0 when not set, which most clients expect.").example("1"),
    Key::new("options", Kind::Bool, "Whether options are understood at all; without them everything goes by RFC 1350 in blocks of 512 octets. True when not set."),
];

pub(in crate::reader) const CLASS: &[Key] = &[
    Key::new("name", NAME, "Name of the class.")
        .required()
        .example("\"raspberry-pi\""),
    Key::new(
        "networks",
        NETWORKS,
        "Clients in these networks; all when not set.",
    )
    .example("[\"10.9.0.0/16\"]"),
    Key::new(
        "file",
        Kind::Text { max: 1024 },
        "Requests whose name this regular expression fits.",
    )
    .example("^[0-9a-f]{8}/"),
    Key::new(
        "asks_blksize",
        Kind::Int { min: 8, max: 65_464 },
        "Requests for this blksize: 1432 is iPXE, 1468 EDK2, 1408 PXELINUX.",
    ),
    Key::new(
        "asks_windowsize",
        Kind::Bool,
        "Requests with (or without) a windowsize.",
    ),
];

pub(in crate::reader) const CACHE: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether content is kept in memory.").default("true"),
    Key::new("size_max", Kind::Size { min: 1 << 20, max: 1 << 50 }, "Content at most; a quarter of the machine's memory when not set, and never more than three quarters.")
        .example("32Gi"),
    Key::new("ttl", Kind::seconds(0, 30 * DAY), "How long metadata, listings and misses are believed without a look at the disk, unless a change was noticed.")
        .default("5s"),
    Key::new("shared", Kind::Enum(&["local", "cluster", "redis"]), "Where metadata is kept: in this node; where [coordination] has the nodes of a cluster meet; or in a Redis of its own. Nodes that share it must serve the same tree under the same path.")
        .default("local")
        .restart(),
    Key::new("redis", Kind::Table(&[REDIS]), "The Redis that shares metadata."),
];

pub(in crate::reader) const REDIS: &[Key] = &[
    Key::new(
        "nodes",
        NODES,
        "Redis servers; any one alive is enough to find the others.",
    )
    .default("[]")
    .example("[\"redis-1:6379\"]")
    .restart(),
    Key::new("cluster", Kind::Bool, "Whether they form a Redis Cluster.")
        .default("false")
        .restart(),
];

pub(in crate::reader) const IO: &[Key] = &[
    Key::new("threads", Kind::Int { min: 1, max: 1024 }, "Threads that open and read files.").default("8").restart(),
    Key::new("asynchronous", Kind::Bool, "Whether files are read on those threads; off reads on the asking thread, which then waits.").default("true"),
    Key::new("direct", Kind::Bool, "Whether files are read past the page cache (O_DIRECT); where the file system cannot, they are read as usual and the status says so.")
        .default("false"),
    Key::new("read_ahead", Kind::Size { min: 0, max: 1 << 30 }, "Read ahead of each transfer.").default("1Mi"),
];

const SOCKETS: Kind = Kind::List(&Kind::Socket);

pub(in crate::reader) const HTTP: &[Key] = &[
    Key::new("listen", SOCKETS, "TCP addresses for HTTP boot.")
        .default("[]")
        .restart()
        .example("[\"10.0.0.1:80\"]"),
    Key::new(
        "https",
        SOCKETS,
        "TCP addresses for HTTPS boot, with the node's certificate.",
    )
    .default("[]")
    .restart()
    .example("[\"10.0.0.1:443\"]"),
    Key::new("nodelay", Kind::Bool, "TCP_NODELAY.").default("true"),
    Key::new("keepalive", Kind::Bool, "SO_KEEPALIVE: dead clients are noticed.").default("true"),
    Key::new(
        "connections_max",
        Kind::Int {
            min: 1,
            max: 10_000_000,
        },
        "Open connections over all; more are refused at once.",
    )
    .default("10000"),
    Key::new("per_ip", MANY, "Open connections per address; more are refused at once, 0 is no limit. Machines behind one NAT or proxy share it.").default("0"),
    Key::new(
        "idle",
        Kind::seconds(1, 3600),
        "An idle connection is closed after this long.",
    )
    .default("60s"),
    Key::new(
        "lifetime",
        Kind::seconds(0, 7 * DAY),
        "An older connection is closed after its request; 0 is never.",
    )
    .default("0"),
    Key::new(
        "request",
        Kind::seconds(1, 3600),
        "How long a request may take to arrive.",
    )
    .default("30s"),
    Key::new(
        "compression",
        Kind::Table(&[COMPRESSION]),
        "gzip for HTTP clients that ask for it; TFTP sends files as they are.",
    ),
];

pub(in crate::reader) const COMPRESSION: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether gzip is offered.").default("true"),
    Key::new(
        "level",
        Kind::Int { min: 0, max: 9 },
        "0 stores, 1 is fast, 9 is small. Each file is compressed once.",
    )
    .default("6"),
    Key::new(
        "size_min",
        Kind::Size { min: 0, max: 1 << 40 },
        "Smaller files go as they are.",
    )
    .default("1024"),
];
