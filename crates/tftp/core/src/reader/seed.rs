//! The performance guide's tables: where they are in this document, and the checks between them. What each key sets is
//! said where the setting is read.

use super::context::{Context, Written};
use super::keys;
use purlin_config::{Document, FromNode, Keys, Node, Reader, codes as general};

/// The guide's tables. Each may be at the top of the file and in `tftp.datacenter`; absent ones read as empty.
pub(super) struct Seed<'a> {
    pub(super) cpu: [Reader<'a>; 2],
    pub(super) memory: [Reader<'a>; 2],
    pub(super) sockets: [Reader<'a>; 2],
    pub(super) cache: [Reader<'a>; 2],
    pub(super) redis: [Reader<'a>; 2],
    pub(super) balancing: [Reader<'a>; 2],
    pub(super) pool: [Reader<'a>; 2],
    pub(super) limits: [Reader<'a>; 2],
    pub(super) disk: [Reader<'a>; 2],
    pub(super) network: [Reader<'a>; 2],
    pub(super) compression: [Reader<'a>; 2],
    pub(super) batch: [Reader<'a>; 2],
    /// Whether the document has a front that `balancing` is the rule of.
    has_front: bool,
}

impl<'a> Seed<'a> {
    /// Without `with_cache` the table `cache` at the top is another service's.
    pub(super) fn of(document: &'a Document, top: &Reader<'a>, with_cache: bool) -> Self {
        let datacenter = top.below("datacenter", &[keys::DATACENTER]);
        let table = |name: &str, keys: Keys| {
            let section = keys::SECTIONS.iter().find(|section| section.name == name);
            let section = section.expect("every table of the guide is a section");
            [Reader::section(document, section), datacenter.below(name, keys)]
        };
        let below = |tables: &[Reader<'a>; 2], name: &str, keys: Keys| {
            [tables[0].below(name, keys), tables[1].below(name, keys)]
        };
        let performance = table("performance", &[keys::PERFORMANCE]);
        let [at_top, below_datacenter] = table("cache", &[keys::SEED_CACHE]);
        let cache = match with_cache {
            true => [at_top, below_datacenter],
            // What is said twice the same way is said once.
            false => [datacenter.below("cache", &[keys::SEED_CACHE]), below_datacenter],
        };
        Self {
            cpu: below(&performance, "cpu", &[keys::CPU]),
            memory: below(&performance, "memory", &[keys::MEMORY]),
            sockets: below(&performance, "network", &[keys::SOCKETS]),
            redis: below(&cache, "redis", &[keys::SEED_REDIS]),
            cache,
            balancing: table("load_balancing", &[keys::BALANCING]),
            pool: table("connection_pool", &[keys::POOL]),
            limits: table("limits", &[keys::SEED_LIMITS]),
            disk: table("io", &[keys::DISK]),
            network: table("network", &[keys::NETWORK]),
            compression: table("compression", &[keys::SEED_COMPRESSION]),
            batch: table("batch", &[keys::BATCH]),
            has_front: has_front(document),
        }
    }
}

/// Whether `[balancer]` has a front for TFTP. What is wrong with it otherwise, its own section tells.
fn has_front(document: &Document) -> bool {
    let fronts = document.get("balancer.fronts").and_then(Node::as_list);
    let service = |front: &Node| {
        front
            .as_table()
            .and_then(|table| table.get("service"))
            .and_then(Node::as_str)
            == Some("tftp")
    };
    fronts.unwrap_or_default().iter().any(service)
}

/// Both places of a key of the guide.
pub(super) fn both<'r, 'a>(tables: &'r [Reader<'a>; 2], key: &'static str) -> [Written<'r, 'a>; 2] {
    [(&tables[0], key), (&tables[1], key)]
}

/// Purlin's own key in front of both places of the guide's.
pub(super) fn with<'r, 'a>(
    own: Written<'r, 'a>,
    tables: &'r [Reader<'a>; 2],
    key: &'static str,
) -> [Written<'r, 'a>; 3] {
    [own, (&tables[0], key), (&tables[1], key)]
}

/// The smallest of what several keys give.
pub(super) fn least<T: FromNode + Ord>(places: &[Written<'_, '_>]) -> Option<T> {
    places
        .iter()
        .filter_map(|(reader, key)| reader.opt::<T>(key))
        .min()
}

/// The first place that is set.
pub(super) fn set<'r, 'a>(places: &[Written<'r, 'a>]) -> Option<Written<'r, 'a>> {
    places
        .iter()
        .copied()
        .find(|(reader, key)| reader.node(key).is_some())
}

/// What holds between keys of the guide, and what of it takes effect only in a cluster.
pub(super) fn check(seed: &Seed<'_>, context: &mut Context<'_>) {
    for pool in &seed.pool {
        if pool.node("min_connections").is_some() && pool.node("max_connections").is_some() {
            context.ordered::<u32>(
                general::CONTRADICTION,
                (pool, "min_connections"),
                (pool, "max_connections"),
            );
        }
    }
    balancing(seed, context);
    distributed(seed, context);
}

fn balancing(seed: &Seed<'_>, context: &mut Context<'_>) {
    let algorithm: Option<String> = context.given(&both(&seed.balancing, "algorithm"));
    let _: Option<String> = context.given(&both(&seed.balancing, "hash_key"));
    if let Some(at) = set(&both(&seed.balancing, "algorithm")).filter(|_| !seed.has_front) {
        let message = "`algorithm` is the rule of fronts before several nodes, and there is none for TFTP here; its value was checked";
        let help = "add [[balancer.fronts]] with service = \"tftp\"; purlin explain balancer.fronts";
        context.warn(general::CLUSTER_ONLY, at, message, help);
    }
    if let Some(at) = set(&both(&seed.balancing, "hash_key"))
        && algorithm.as_deref() != Some("consistent_hashing")
    {
        let message = "`hash_key` is looked at by the algorithm consistent_hashing alone";
        context.warn(
            general::CONTRADICTION,
            at,
            message,
            "set algorithm = \"consistent_hashing\", or remove hash_key",
        );
    }
}

fn distributed(seed: &Seed<'_>, context: &mut Context<'_>) {
    let kind: Option<String> = context.given(&both(&seed.cache, "type"));
    let backend: Option<String> = context.given(&both(&seed.cache, "backend"));
    let nodes = both(&seed.redis, "nodes");
    let has_nodes = nodes.iter().any(|(reader, key)| !reader.items(key).is_empty());
    let distributed = kind.as_deref() == Some("distributed");
    if let Some(at) = set(&both(&seed.cache, "type")).filter(|_| distributed) {
        if backend.as_deref() == Some("embedded") {
            let message = "the embedded backend is this node's own: nothing is shared with other nodes";
            context.warn(general::CLUSTER_ONLY, at, message, "set backend = \"redis\"");
        }
        if backend.as_deref() == Some("redis") && !has_nodes {
            let at = set(&both(&seed.cache, "backend")).unwrap_or(at);
            let help = "set cache.redis.nodes = [\"redis-1:6379\"]";
            context.refuse(
                general::CONTRADICTION,
                at,
                "the backend is redis, but no server is named",
                help,
            );
        }
    } else if backend.as_deref() == Some("redis")
        && let Some(at) = set(&both(&seed.cache, "backend"))
    {
        let help = "set type = \"distributed\", or remove backend";
        context.warn(
            general::CONTRADICTION,
            at,
            "`backend` is looked at when the cache's type is distributed",
            help,
        );
    }
}
