//! Threads, sockets, limits, times, caps, cache, disks and HTTP.

use super::codes;
use super::context::Context;
use super::keys::{self, forms};
use super::rules::{self, networks};
use super::seed::{Seed, both, least, set, with};
use crate::settings::{
    Affinity, Backend, Batch, Caps, ClientClass, Limits, Ports, Settings, Shared, Threads, Timing,
};
use purlin_config::{Fault, FromNode, Node, Reader, codes as general};
use purlin_types::ByteSize;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Everything that packet threads need besides names.
pub(super) fn read(top: &Reader<'_>, seed: &Seed<'_>, settings: &mut Settings, context: &mut Context<'_>) {
    settings.threads = threads(top, seed, context);
    settings.blocking_threads =
        context.given(&with((top, "blocking_threads"), &seed.cpu, "thread_pool_size"));
    settings.affinity = affinity(top, seed, context);
    settings.ports = top
        .opt::<String>("ports")
        .and_then(|text| Ports::parse(&text).ok())
        .unwrap_or(Ports::Single);
    settings.receive_buffer = buffer(
        &with((top, "receive_buffer"), &seed.sockets, "receive_buffer_size"),
        context,
    );
    settings.send_buffer = buffer(
        &with((top, "send_buffer"), &seed.sockets, "send_buffer_size"),
        context,
    );
    settings.backend = backend(top, seed, context);
    settings.zero_copy = context.value(&with((top, "zero_copy"), &seed.network, "zero_copy"));
    settings.decisions = top.get("decisions");
    settings.limits = limits(top, seed, context);
    settings.timing = timing(top, seed, context);
    settings.caps = caps(top, &Caps::default());
    if let Some(ByteSize(octets)) = context.given(&both(&seed.memory, "buffer_size")) {
        let fits = u16::try_from(octets.saturating_sub(4))
            .unwrap_or(u16::MAX)
            .min(65_464);
        settings.caps.blksize = settings.caps.blksize.min(fits);
    }
    check_mtu(top, context);
    settings.classes = classes(top, &settings.caps, context);
}

/// Cache, disks, HTTP and events.
pub(super) fn read_stores(
    top: &Reader<'_>,
    seed: &Seed<'_>,
    settings: &mut Settings,
    context: &mut Context<'_>,
) {
    let own = top.below("cache", &[keys::CACHE]);
    let cache = &mut settings.cache;
    cache.enabled = context.value(&with((&own, "enabled"), &seed.cache, "enabled"));
    cache.ttl = context.value(&with((&own, "ttl"), &seed.cache, "ttl"));
    let [a, b] = both(&seed.memory, "cache_size");
    let [c, d] = both(&seed.cache, "max_size");
    cache.size_max = least(&[(&own, "size_max"), a, b, c, d]);
    cache.shared = shared(&own, seed, context);
    let own = top.below("io", &[keys::IO]);
    let io = &mut settings.io;
    io.threads = context.value(&with((&own, "threads"), &seed.disk, "io_threads"));
    io.asynchronous = context.value(&with((&own, "asynchronous"), &seed.disk, "async_io"));
    io.direct = context.value(&with((&own, "direct"), &seed.disk, "direct_io"));
    io.read_ahead = context.value(&with((&own, "read_ahead"), &seed.disk, "read_ahead"));
    if let Some(most) = settings.blocking_threads {
        io.threads = io.threads.min(most);
    }
    http(top, seed, settings, context);
    let own = top.below("batch", &[keys::BATCH]);
    let usual = Batch::default();
    settings.batch = Batch {
        enabled: context
            .given(&with((&own, "enabled"), &seed.batch, "enabled"))
            .unwrap_or(usual.enabled),
        size: context
            .given(&with((&own, "batch_size"), &seed.batch, "batch_size"))
            .unwrap_or(usual.size),
        wait: context
            .given::<Short>(&with((&own, "batch_timeout"), &seed.batch, "batch_timeout"))
            .map_or(usual.wait, |wait| wait.0),
    };
}

/// A time whose bare numbers are milliseconds.
#[derive(PartialEq)]
struct Short(Duration);

impl FromNode for Short {
    fn from_node(node: &Node) -> Option<Self> {
        let millis = u64::from_node(node).map(Duration::from_millis);
        millis.or_else(|| forms::millis(node.as_str()?).ok()).map(Self)
    }
}

/// Addresses of a list, each once.
pub(super) fn sockets(reader: &Reader<'_>, key: &'static str, context: &mut Context<'_>) -> Vec<SocketAddr> {
    let mut first: HashMap<SocketAddr, purlin_config::Span> = HashMap::new();
    for (i, node) in reader.items(key).iter().enumerate() {
        let Some(socket) = SocketAddr::from_node(node) else {
            continue;
        };
        // Port 0 is any port, so two of them are two ports.
        if let Some(before) = first.insert(socket, node.span).filter(|_| socket.port() != 0) {
            let path = format!("{}[{i}]", reader.path_of(key));
            let fault = Fault::error(
                codes::LISTEN_TWICE,
                path,
                node.span,
                format!("{socket} is listed twice"),
            );
            context.faults.push(fault.related(before, "first listed here"));
        }
    }
    reader.opt(key).unwrap_or_default()
}

fn threads(top: &Reader<'_>, seed: &Seed<'_>, context: &mut Context<'_>) -> Threads {
    let places = with((top, "threads"), &seed.cpu, "worker_threads");
    match context.given::<u16>(&places) {
        Some(0) => Threads::PerCore,
        Some(count) => Threads::Count(count),
        // The guide's word, and no number.
        None if set(&places).is_some() => Threads::PerCore,
        None => Threads::default(),
    }
}

fn affinity(top: &Reader<'_>, seed: &Seed<'_>, context: &mut Context<'_>) -> Affinity {
    let places = with((top, "affinity"), &seed.cpu, "affinity");
    let _: Option<String> = context.given(&places);
    let _: Option<Vec<u16>> = context.given(&places);
    let Some((reader, key)) = set(&places) else {
        return Affinity::Off;
    };
    match (reader.opt::<String>(key).as_deref(), reader.opt::<Vec<u16>>(key)) {
        (Some("auto"), _) => Affinity::Auto,
        (None, Some(cores)) if !cores.is_empty() => Affinity::Cores(cores),
        _ => Affinity::Off,
    }
}

fn buffer(places: &[(&Reader<'_>, &'static str)], context: &mut Context<'_>) -> u32 {
    let size: ByteSize = context.value(places);
    u32::try_from(size.0).unwrap_or(u32::MAX)
}

fn backend(top: &Reader<'_>, seed: &Seed<'_>, context: &mut Context<'_>) -> Backend {
    let epoll: Option<bool> = context.given(&both(&seed.network, "epoll"));
    let ring: Option<bool> = context.given(&both(&seed.network, "io_uring"));
    if let (Some(false), Some(false) | None) = (epoll, ring)
        && let Some(at) = set(&both(&seed.network, "epoll"))
    {
        let message = "with neither epoll nor io_uring no packet would be read";
        context.refuse(general::CONTRADICTION, at, message, "set epoll = true");
    }
    let said: Option<String> = top.opt("backend");
    if let (Some("epoll"), Some(true), Some(at)) =
        (said.as_deref(), ring, set(&both(&seed.network, "io_uring")))
    {
        context.refuse(
            general::CONTRADICTION,
            at,
            "`io_uring` says something else than tftp.backend",
            "remove one of the two",
        );
    }
    match said.as_deref() {
        Some("io_uring") => Backend::IoUring,
        Some(_) => Backend::Epoll,
        None if ring == Some(true) => Backend::IoUring,
        None => Backend::Epoll,
    }
}

fn limits(top: &Reader<'_>, seed: &Seed<'_>, context: &mut Context<'_>) -> Limits {
    let own = top.below("limits", &[keys::LIMITS]);
    let per_client = context.value(&with(
        (&own, "per_client"),
        &seed.limits,
        "max_connections_per_client",
    ));
    let per_ip = context.value(&with((&own, "per_ip"), &seed.limits, "max_connections_per_ip"));
    let [a, b] = both(&seed.memory, "connection_pool_size");
    let [c, d] = both(&seed.pool, "max_connections");
    let [e, f] = both(&seed.limits, "max_total_connections");
    // 0 is no limit, so it is not the smallest.
    let total = own.opt::<u32>("total").filter(|total| *total > 0);
    let seeds = least::<u32>(&[a, b, c, d, e, f]);
    let total = match (total, seeds) {
        (Some(total), Some(seeds)) => total.min(seeds),
        (Some(total), None) => total,
        (None, Some(seeds)) => seeds,
        (None, None) => own.get("total"),
    };
    let prepared: u32 = context.value(&with((&own, "prepared"), &seed.pool, "min_connections"));
    if total > 0 && own.node("prepared").is_some() && prepared > total {
        let message = format!("{prepared} transfers are prepared, but at most {total} may be open");
        context.refuse(general::CONTRADICTION, (&own, "prepared"), message, "");
    }
    let prepared = if total > 0 { prepared.min(total) } else { prepared };
    Limits {
        per_client,
        per_ip,
        total,
        prepared,
    }
}

fn timing(top: &Reader<'_>, seed: &Seed<'_>, context: &mut Context<'_>) -> Timing {
    let own = top.below("timing", &[keys::TIMING]);
    let before = context.faults.errors();
    for (low, high) in [
        ("shortest", "longest"),
        ("shortest", "first"),
        ("first", "longest"),
    ] {
        let said = [low, high].iter().any(|key| own.node(key).is_some());
        // Where the first pair is wrong, no value of `first` could be right.
        if said && context.faults.errors() == before {
            context.ordered::<Duration>(codes::TIMES_ORDER, (&own, low), (&own, high));
        }
    }
    Timing {
        first: own.get("first"),
        shortest: own.get("shortest"),
        longest: own.get("longest"),
        attempts: own.get("attempts"),
        answer: context.value(&with((&own, "answer"), &seed.pool, "connection_timeout")),
        idle: context.value(&with((&own, "idle"), &seed.pool, "idle_timeout")),
        lifetime: context.value(&with((&own, "lifetime"), &seed.pool, "max_lifetime")),
        dally: own.get("dally"),
    }
}

/// Caps of a table; what it does not say is as above.
fn caps(reader: &Reader<'_>, above: &Caps) -> Caps {
    Caps {
        blksize: reader.opt("blksize").unwrap_or(above.blksize),
        windowsize: reader.opt("windowsize").unwrap_or(above.windowsize),
        mtu: reader.opt("mtu").unwrap_or(above.mtu),
        rollover: reader.opt("rollover").unwrap_or(above.rollover),
        options: reader.opt("options").unwrap_or(above.options),
    }
}

/// An MTU that cannot carry a block of 512 octets would not be one (RFC 1350 has no smaller).
fn check_mtu(reader: &Reader<'_>, context: &mut Context<'_>) {
    if let Some(mtu @ 1..=575) = reader.opt::<u16>("mtu") {
        let message = format!("{mtu} is not 0 or from 576 to 65535");
        context.refuse(
            general::OUT_OF_RANGE,
            (reader, "mtu"),
            message,
            "0 does not look at the path",
        );
    }
}

fn classes(top: &Reader<'_>, above: &Caps, context: &mut Context<'_>) -> Vec<ClientClass> {
    let tables = top.tables("classes", &[keys::CLASS, keys::CAPS]);
    let named = tables
        .iter()
        .filter_map(|class| Some((class.opt("name")?, class.path_of("name"), class.span_of("name"))));
    context.names_once("class", named.collect::<Vec<_>>());
    let mut classes = Vec::new();
    for table in &tables {
        check_mtu(table, context);
        let file = rules::pattern(table, "file", false, context);
        let Some(name) = table.opt("name") else { continue };
        classes.push(ClientClass {
            name,
            networks: networks(table),
            file,
            asks_blksize: table.opt("asks_blksize"),
            asks_windowsize: table.opt("asks_windowsize"),
            caps: caps(table, above),
        });
    }
    classes
}

fn shared(own: &Reader<'_>, seed: &Seed<'_>, context: &mut Context<'_>) -> Shared {
    let redis = own.below("redis", &[keys::REDIS]);
    let nodes: Vec<String> = context.value(&with((&redis, "nodes"), &seed.redis, "nodes"));
    let cluster = context.value(&with((&redis, "cluster"), &seed.redis, "cluster_mode"));
    let said: Option<String> = own.opt("shared");
    let kind: Option<String> = context.given(&both(&seed.cache, "type"));
    let backend: Option<String> = context.given(&both(&seed.cache, "backend"));
    if said.as_deref() == Some("redis") && nodes.is_empty() {
        context.refuse(
            general::CONTRADICTION,
            (own, "shared"),
            "no Redis server is named",
            "set cache.redis.nodes = [\"redis-1:6379\"], or shared = \"cluster\" for that of [coordination]",
        );
    }
    let distributed = kind.as_deref() == Some("distributed");
    let guides = match backend.as_deref() {
        _ if !distributed => "local",
        Some("redis") => "redis",
        Some(_) => "local",
        None => "cluster",
    };
    match said.as_deref().unwrap_or(guides) {
        "redis" => Shared::Redis { nodes, cluster },
        "cluster" => Shared::Cluster,
        _ => Shared::Local,
    }
}

fn http(top: &Reader<'_>, seed: &Seed<'_>, settings: &mut Settings, context: &mut Context<'_>) {
    let own = top.below("http", &[keys::HTTP]);
    let http = &mut settings.http;
    http.listen = sockets(&own, "listen", context);
    http.https = sockets(&own, "https", context);
    http.nodelay = context.value(&with((&own, "nodelay"), &seed.sockets, "tcp_nodelay"));
    http.keepalive = context.value(&with((&own, "keepalive"), &seed.sockets, "tcp_keepalive"));
    // The guide's pool is over all transfers; an own value for HTTP is not a contradiction, but stands for itself.
    http.connections_max = own
        .opt("connections_max")
        .or_else(|| context.given(&both(&seed.pool, "max_connections")))
        .unwrap_or_else(|| own.get("connections_max"));
    http.per_ip = own
        .opt("per_ip")
        .or_else(|| context.given(&both(&seed.limits, "max_connections_per_ip")))
        .unwrap_or_else(|| own.get("per_ip"));
    let own_first = |own_key: &'static str, key: &'static str, context: &mut Context<'_>| -> Duration {
        let said = own.opt(own_key).or_else(|| context.given(&both(&seed.pool, key)));
        said.unwrap_or_else(|| own.get(own_key))
    };
    http.idle = own_first("idle", "idle_timeout", context);
    http.lifetime = own_first("lifetime", "max_lifetime", context);
    http.request = own_first("request", "connection_timeout", context);
    let own = own.below("compression", &[keys::COMPRESSION]);
    let gzip = &mut http.compression;
    gzip.enabled = context.value(&with((&own, "enabled"), &seed.compression, "enabled"));
    gzip.level = context.value(&with((&own, "level"), &seed.compression, "level"));
    gzip.size_min = context
        .value::<ByteSize>(&with((&own, "size_min"), &seed.compression, "min_size"))
        .0;
}
