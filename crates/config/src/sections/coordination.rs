//! `[coordination]`: what nodes hint each other through, and how to reach it.

use crate::{Document, Fault, Faults, Key, Kind, Reader, Section, check_section, codes};
use std::fmt;
use std::time::Duration;

static SECTION: Section = Section::new("coordination", "How nodes find and lock each other.", &[KEYS]);

const REDIS_ONLY: [&str; 10] = [
    "cluster",
    "sentinel_master",
    "sentinel_nodes",
    "sentinel_password",
    "password",
    "pool_size",
    "key_prefix",
    "connect_timeout",
    "timeout",
    "max_retries",
];

const WAIT: Kind = Kind::Duration {
    min: Duration::from_millis(10),
    max: Duration::from_secs(60),
};

const KEYS: &[Key] = &[
    Key::new(
        "engine",
        Kind::Enum(&["embedded", "postgres", "redis"]),
        "What nodes coordinate through. One node needs nothing.",
    )
    .default("embedded")
    .restart(),
    Key::new(
        "url",
        Kind::Secret,
        "Where that service is; not for embedded. Several addresses stand between commas.",
    )
    .restart(),
    Key::new(
        "cluster",
        Kind::Bool,
        "Whether the addresses are those of a Redis Cluster.",
    )
    .default("false")
    .restart(),
    Key::new(
        "sentinel_master",
        Kind::Text { max: 255 },
        "The name under which Sentinels watch the master; needs sentinel_nodes.",
    )
    .restart()
    .example("mymaster"),
    Key::new(
        "sentinel_nodes",
        Kind::List(&Kind::Text { max: 255 }),
        "Sentinels to ask where the master is; one of them alive is enough.",
    )
    .restart()
    .example("[\"sentinel1:26379\", \"sentinel2:26379\"]"),
    Key::new(
        "sentinel_password",
        Kind::Secret,
        "What the Sentinels themselves ask for.",
    )
    .restart(),
    Key::new(
        "password",
        Kind::Secret,
        "Redis's password, where the URL has none.",
    )
    .restart(),
    Key::new(
        "pool_size",
        Kind::Int { min: 1, max: 64 },
        "Connections to each Redis; one carries tens of thousands of calls per second.",
    )
    .default("1")
    .restart(),
    Key::new(
        "key_prefix",
        Kind::Text { max: 128 },
        "What every key and channel begins with; the same on all nodes.",
    )
    .default("purlin:")
    .restart(),
    Key::new("connect_timeout", WAIT, "Longest wait for a connection.")
        .default("2s")
        .restart(),
    Key::new("timeout", WAIT, "Longest wait for the answer to one command.")
        .default("1s")
        .restart(),
    Key::new(
        "max_retries",
        Kind::Int { min: 0, max: 10 },
        "How often a command that got no answer is sent again before the node goes on without.",
    )
    .default("0")
    .restart(),
    Key::new(
        "cache",
        Kind::Enum(&["shared", "memory"]),
        "Whether nodes share what clients cache, through Redis, or each keeps its own.",
    )
    .default("shared")
    .restart(),
    Key::new(
        "cache_ttl",
        Kind::Duration {
            min: Duration::from_secs(1),
            max: Duration::from_secs(86400),
        },
        "What clients cache lapses after so long.",
    )
    .default("5m")
    .restart(),
];

/// What nodes hint each other through.
#[derive(Clone, PartialEq, Eq)]
pub enum CoordinationEngine {
    /// This process.
    Embedded,
    /// The database of `[store]`.
    Postgres,
    /// Redis at this URL. It may hold a password.
    Redis(String),
}

/// How Redis is spoken to.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisSettings {
    pub cluster: bool,
    /// The master's name and the Sentinels.
    pub sentinel: Option<(String, Vec<String>)>,
    pub sentinel_password: Option<String>,
    pub password: Option<String>,
    /// 1 to 64.
    pub pool_size: u16,
    pub key_prefix: String,
    pub connect_timeout: Duration,
    pub timeout: Duration,
    /// 0 to 10.
    pub max_retries: u32,
    /// Whether nodes share what clients cache.
    pub cache_shared: bool,
    pub cache_ttl: Duration,
}

impl fmt::Debug for CoordinationEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "Embedded",
            Self::Postgres => "Postgres",
            Self::Redis(_) => "Redis",
        })
    }
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("cluster", &self.cluster)
            .field("sentinel", &self.sentinel)
            .field("pool_size", &self.pool_size)
            .field("key_prefix", &self.key_prefix)
            .finish_non_exhaustive()
    }
}

/// The schema of `[coordination]`.
#[must_use]
pub fn section() -> &'static Section {
    &SECTION
}

/// Reads `[coordination]`; faults go into `faults`.
pub(super) fn read(document: &Document, faults: &mut Faults) -> (CoordinationEngine, RedisSettings) {
    check_section(document, &SECTION, faults);
    let nodes = Reader::section(document, &SECTION);
    let engine = match nodes.get::<String>("engine").as_str() {
        "redis" => {
            let sentinel = nodes.node("sentinel_master").is_some();
            let missing = !sentinel && nodes.node("url").is_none();
            let url = if missing {
                super::store::url(&nodes, "redis://redis.example.com:6379", faults)
            } else {
                nodes.opt("url").unwrap_or_default()
            };
            CoordinationEngine::Redis(url)
        }
        "postgres" => {
            let why = "coordination through the database uses the `url` of [store]";
            super::store::no_url(&nodes, why, faults);
            CoordinationEngine::Postgres
        }
        _ => {
            super::store::no_url(&nodes, "the embedded engine has no `url`", faults);
            CoordinationEngine::Embedded
        }
    };
    if !matches!(engine, CoordinationEngine::Redis(_)) {
        only_redis(&nodes, faults);
    }
    (engine, redis(&nodes, faults))
}

fn redis(nodes: &Reader<'_>, faults: &mut Faults) -> RedisSettings {
    let master: Option<String> = nodes.opt("sentinel_master");
    let sentinels: Option<Vec<String>> = nodes.opt("sentinel_nodes");
    let cluster = nodes.get("cluster");
    let mut contradict = |key: &str, message: &str| {
        let (path, span) = (nodes.path_of(key), nodes.span_of(key));
        faults.push(Fault::error(codes::CONTRADICTION, path, span, message));
    };
    match (&master, &sentinels) {
        (Some(_), None) => contradict(
            "sentinel_master",
            "`sentinel_master` needs `sentinel_nodes` to ask",
        ),
        (None, Some(_)) => contradict(
            "sentinel_nodes",
            "`sentinel_nodes` needs `sentinel_master`, the name of what they watch",
        ),
        (Some(_), Some(_)) if cluster => {
            contradict(
                "cluster",
                "a Redis Cluster elects its own masters: not with Sentinels",
            );
        }
        _ => {}
    }
    RedisSettings {
        cluster,
        sentinel: master.zip(sentinels),
        sentinel_password: nodes.opt("sentinel_password"),
        password: nodes.opt("password"),
        pool_size: nodes.get("pool_size"),
        key_prefix: nodes.get("key_prefix"),
        connect_timeout: nodes.get("connect_timeout"),
        timeout: nodes.get("timeout"),
        max_retries: nodes.get("max_retries"),
        cache_shared: nodes.get::<String>("cache") == "shared",
        cache_ttl: nodes.get("cache_ttl"),
    }
}

fn only_redis(nodes: &Reader<'_>, faults: &mut Faults) {
    for key in REDIS_ONLY.iter().filter(|key| nodes.node(key).is_some()) {
        let message = format!("`{key}` is for the engine \"redis\"");
        let (path, span) = (nodes.path_of(key), nodes.span_of(key));
        faults.push(Fault::error(codes::CONTRADICTION, path, span, message).help("set engine = \"redis\""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Input;

    fn parsed(text: &str) -> (CoordinationEngine, RedisSettings, usize) {
        let mut faults = Faults::new();
        let text = format!("[coordination]\n{text}");
        let document = Document::parse([Input::file("c.toml", text)], &mut faults);
        let (engine, redis) = read(&document, &mut faults);
        (engine, redis, faults.errors())
    }

    #[test]
    fn sentinels_and_their_master_belong_together() {
        let redis = "engine = \"redis\"\n";
        assert_eq!(parsed(&format!("{redis}sentinel_master = \"m\"")).2, 1);
        assert_eq!(
            parsed(&format!("{redis}url = \"redis://a\"\nsentinel_nodes = [\"s\"]")).2,
            1
        );
        let both = "sentinel_master = \"m\"\nsentinel_nodes = [\"s:1\"]\n";
        let (_, settings, errors) = parsed(&format!("{redis}{both}"));
        assert_eq!(
            (settings.sentinel, errors),
            (Some(("m".to_owned(), vec!["s:1".to_owned()])), 0)
        );
        assert_eq!(parsed(&format!("{redis}{both}cluster = true")).2, 1);
    }

    #[test]
    fn keys_of_redis_are_refused_without_it() {
        assert_eq!(parsed("pool_size = 2").2, 1);
        assert_eq!(
            parsed("engine = \"redis\"\nurl = \"redis://a\"\npool_size = 65").2,
            1
        );
    }
}
