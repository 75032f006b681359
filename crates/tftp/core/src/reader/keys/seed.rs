//! The tables of the datacenter performance guide. They stand at the top of the file, as the guide writes them, or in
//! `tftp.datacenter`. Bare numbers of time are seconds, except `batch_timeout`, which is milliseconds.

use super::forms::{MILLIS, NODES};
use purlin_config::{Key, Kind, Section};

const COUNT: Kind = Kind::Int {
    min: 0,
    max: 10_000_000,
};
const POSITIVE: Kind = Kind::Int {
    min: 1,
    max: 10_000_000,
};
const MEMORY_SIZE: Kind = Kind::Size {
    min: 1 << 20,
    max: 1 << 50,
};
const BUFFER: Kind = Kind::Size {
    min: 4096,
    max: 1 << 30,
};
const HOUR: Kind = Kind::seconds(1, 3600);
const WEEK: u64 = 7 * 86_400;

macro_rules! sections {
    ($($section:ident $name:literal $keys:ident $doc:literal;)*) => {
        $(static $section: Section = Section::new($name, $doc, &[$keys]);)*

        /// The guide's tables as sections at the top of the file.
        pub(in crate::reader) static SECTIONS: &[&Section] = &[$(&$section),*];

        /// The same below `tftp.datacenter`.
        pub(in crate::reader) const DATACENTER: &[Key] = &[$(Key::new($name, Kind::Table(&[$keys]), $doc)),*];
    };
}

sections! {
    PERFORMANCE_SECTION "performance" PERFORMANCE "TFTP performance guide: processors, memory and sockets. Sets keys of [tftp].";
    CACHE_SECTION "cache" CACHE "TFTP performance guide: the content cache. Sets keys of tftp.cache.";
    BALANCING_SECTION "load_balancing" BALANCING "TFTP performance guide: how clients are spread over nodes by the fronts of [balancer] for TFTP that do not say it themselves.";
    POOL_SECTION "connection_pool" POOL "TFTP performance guide: how many transfers, and for how long. Sets keys of tftp.limits and tftp.timing.";
    LIMITS_SECTION "limits" LIMITS "TFTP performance guide: transfers per client, address and over all. Sets keys of tftp.limits.";
    IO_SECTION "io" DISK "TFTP performance guide: disks. Sets keys of tftp.io.";
    NETWORK_SECTION "network" NETWORK "TFTP performance guide: how sockets are driven. Sets tftp.backend and tftp.zero_copy.";
    COMPRESSION_SECTION "compression" COMPRESSION "TFTP performance guide: gzip. Sets keys of tftp.http.compression.";
    BATCH_SECTION "batch" BATCH "TFTP performance guide: how events are gathered. Sets keys of tftp.batch.";
}

pub(in crate::reader) const PERFORMANCE: &[Key] = &[
    Key::new("cpu", Kind::Table(&[CPU]), "Threads and cores."),
    Key::new("memory", Kind::Table(&[MEMORY]), "Cache, transfers and buffers."),
    Key::new("network", Kind::Table(&[SOCKETS]), "Sockets."),
];

pub(in crate::reader) const CPU: &[Key] = &[
    Key::new(
        "affinity",
        Kind::OneOf(&[
            Kind::Enum(&["auto", "off"]),
            Kind::List(&Kind::Int { min: 0, max: 1023 }),
        ]),
        "Which cores packet threads run on; sets tftp.affinity.",
    )
    .restart(),
    Key::new(
        "thread_pool_size",
        Kind::Int { min: 1, max: 65_535 },
        "Most threads that may block; sets tftp.blocking_threads. Packets need none of them.",
    )
    .restart(),
    Key::new(
        "worker_threads",
        Kind::OneOf(&[Kind::Int { min: 0, max: 256 }, Kind::Enum(&["auto"])]),
        "Packet threads; 0 and \"auto\" are one per core. Sets tftp.threads.",
    )
    .restart(),
];

pub(in crate::reader) const MEMORY: &[Key] = &[
    Key::new(
        "cache_size",
        MEMORY_SIZE,
        "Content in memory at most; with cache.max_size the smaller counts. Sets tftp.cache.size_max.",
    ),
    Key::new(
        "connection_pool_size",
        POSITIVE,
        "Open transfers over all; the smallest of this, connection_pool.max_connections and limits.max_total_connections counts. Sets tftp.limits.total.",
    ),
    Key::new(
        "buffer_size",
        Kind::Size {
            min: 1024,
            max: 1 << 30,
        },
        "A block with its header fits into this: blksize is at most 4 octets less, and never above 65464. Sets tftp.blksize.",
    ),
];

pub(in crate::reader) const SOCKETS: &[Key] = &[
    Key::new(
        "tcp_nodelay",
        Kind::Bool,
        "Sets tftp.http.nodelay. TFTP runs over UDP and has no such thing.",
    ),
    Key::new(
        "tcp_keepalive",
        Kind::Bool,
        "Sets tftp.http.keepalive. TFTP runs over UDP and has no such thing.",
    ),
    Key::new("receive_buffer_size", BUFFER, "Sets tftp.receive_buffer.").restart(),
    Key::new("send_buffer_size", BUFFER, "Sets tftp.send_buffer.").restart(),
];

pub(in crate::reader) const CACHE: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether content is kept in memory."),
    Key::new(
        "type",
        Kind::Enum(&["local", "memory", "distributed"]),
        "Where metadata is kept; \"distributed\" takes effect in a cluster, until then this node's own cache does the work.",
    ),
    Key::new(
        "backend",
        Kind::Enum(&["embedded", "memory", "redis"]),
        "What a distributed cache is kept in.",
    ),
    Key::new(
        "redis",
        Kind::Table(&[REDIS]),
        "The Redis of a distributed cache.",
    ),
    Key::new(
        "ttl",
        Kind::seconds(0, 30 * 86_400),
        "How long metadata, listings and misses are believed unless a change was noticed.",
    ),
    Key::new(
        "max_size",
        MEMORY_SIZE,
        "Content in memory at most; with performance.memory.cache_size the smaller counts.",
    ),
];

pub(in crate::reader) const REDIS: &[Key] = &[
    Key::new(
        "cluster_mode",
        Kind::Bool,
        "Whether the servers form a Redis Cluster.",
    ),
    Key::new(
        "nodes",
        NODES,
        "Servers, any one of which is enough to find the others.",
    )
    .example("[\"redis-1:6379\"]"),
];

pub(in crate::reader) const BALANCING: &[Key] = &[
    Key::new(
        "algorithm",
        Kind::Enum(&["round_robin", "least_connections", "consistent_hashing"]),
        "How a node is chosen for a transfer. Sets balancer.fronts.algorithm where service is tftp.",
    ),
    Key::new(
        "hash_key",
        Kind::Enum(&["client_ip", "file"]),
        "What consistent_hashing looks at: the client's address keeps a machine on one node, the file keeps its content in one cache. Sets balancer.fronts.hash_key where service is tftp.",
    ),
];

pub(in crate::reader) const POOL: &[Key] = &[
    Key::new(
        "max_connections",
        POSITIVE,
        "Open transfers over all, and open HTTP connections. Sets tftp.limits.total and tftp.http.connections_max.",
    ),
    Key::new(
        "min_connections",
        COUNT,
        "Transfers whose memory is taken at the start. Sets tftp.limits.prepared.",
    )
    .restart(),
    Key::new(
        "idle_timeout",
        HOUR,
        "Ends silent transfers and idle HTTP connections. Sets tftp.timing.idle and tftp.http.idle.",
    ),
    Key::new(
        "max_lifetime",
        Kind::seconds(0, WEEK),
        "Ends transfers and HTTP connections that are older; 0 is never. Sets tftp.timing.lifetime and tftp.http.lifetime.",
    ),
    Key::new(
        "connection_timeout",
        HOUR,
        "How long a first answer waits for the client, and an HTTP request for its end. Sets tftp.timing.answer and tftp.http.request.",
    ),
];

pub(in crate::reader) const LIMITS: &[Key] = &[
    Key::new(
        "max_connections_per_client",
        COUNT,
        "Open transfers per machine; 0 is no limit. Sets tftp.limits.per_client.",
    ),
    Key::new(
        "max_connections_per_ip",
        COUNT,
        "Open transfers, and open HTTP connections, per address; 0 is no limit. Sets tftp.limits.per_ip and tftp.http.per_ip.",
    ),
    Key::new(
        "max_total_connections",
        POSITIVE,
        "Open transfers over all. Sets tftp.limits.total.",
    ),
];

pub(in crate::reader) const DISK: &[Key] = &[
    Key::new("async_io", Kind::Bool, "Sets tftp.io.asynchronous."),
    Key::new("direct_io", Kind::Bool, "Sets tftp.io.direct."),
    Key::new(
        "read_ahead",
        Kind::Size { min: 0, max: 1 << 30 },
        "Sets tftp.io.read_ahead.",
    ),
    Key::new("write_behind", Kind::Bool, "Sets tftp.uploads.write_behind."),
    Key::new(
        "io_threads",
        Kind::Int { min: 1, max: 1024 },
        "Sets tftp.io.threads.",
    )
    .restart(),
];

pub(in crate::reader) const NETWORK: &[Key] = &[
    Key::new(
        "epoll",
        Kind::Bool,
        "Whether epoll may be used; with io_uring too, it is what the node falls back to.",
    )
    .restart(),
    Key::new(
        "io_uring",
        Kind::Bool,
        "Whether io_uring is used where the kernel allows. Sets tftp.backend.",
    )
    .restart(),
    Key::new("zero_copy", Kind::Bool, "Sets tftp.zero_copy."),
];

pub(in crate::reader) const COMPRESSION: &[Key] = &[
    Key::new(
        "enabled",
        Kind::Bool,
        "Whether gzip is offered to HTTP clients. TFTP has no compression: its clients get files as they are.",
    ),
    Key::new(
        "algorithm",
        Kind::Enum(&["gzip"]),
        "gzip is what firmware understands.",
    ),
    Key::new("level", Kind::Int { min: 0, max: 9 }, "0 stores, 9 is small."),
    Key::new(
        "min_size",
        Kind::Size { min: 0, max: 1 << 40 },
        "Smaller files go as they are.",
    ),
];

/// These keys are Purlin's own in `tftp.batch`, too.
pub(in crate::reader) const BATCH: &[Key] = &[
    Key::new(
        "enabled",
        Kind::Bool,
        "Whether boot events are gathered before they leave. True when not set; the events are the same either way.",
    ),
    Key::new(
        "batch_size",
        Kind::Int {
            min: 1,
            max: 1_000_000,
        },
        "Most events in one batch; 100 when not set.",
    ),
    Key::new(
        "batch_timeout",
        MILLIS,
        "The longest that an event waits for others; 100 when not set.",
    )
    .unit("milliseconds"),
];
