//! The keys of the scaling guide's configuration file, and the variables that set the same.

use purlin_config::{Key, Kind, Section};
use std::time::Duration;

const TIME: Kind = Kind::Duration {
    min: Duration::from_millis(1),
    max: Duration::from_secs(30 * 86400),
};
const PORT: Kind = Kind::Int { min: 1, max: 65535 };
const NAME: Kind = Kind::Text { max: 255 };

const fn count(max: i64) -> Kind {
    Kind::Int { min: 1, max }
}

pub(super) static SECTIONS: [Section; 10] = [
    Section::new("server", "Where the API and the metrics listen.", &[SERVER]),
    Section::new("cluster", "This node among others.", &[CLUSTER]),
    Section::new("redis", "What nodes hint each other through.", &[REDIS]),
    Section::new("database", "Where durable records are kept.", &[DATABASE]),
    Section::new("session", "Clients that hold a connection.", &[SESSION]),
    Section::new(
        "cache",
        "What is cached, and how Redis is spoken to for it.",
        &[CACHE],
    ),
    Section::new("ovn", "Databases of OVN.", &[OVN]),
    Section::new(
        "batch_processor",
        "Writes that travel to OVN together.",
        &[BATCHES],
    ),
    Section::new("logging", "What is told.", &[LOGGING]),
    Section::new(
        "rate_limit",
        "How many requests a caller may send.",
        &[RATE_LIMIT],
    ),
];

const RATE_LIMIT: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether there is a limit.").default("true"),
    Key::new("rps", Kind::Int { min: 1, max: 100_000 }, "Requests in a second.").default("100"),
    Key::new(
        "burst",
        Kind::Int {
            min: 1,
            max: 1_000_000,
        },
        "Requests at once.",
    )
    .default("200"),
];

const SERVER: &[Key] = &[
    Key::new("host", NAME, "The address to listen at.").default("0.0.0.0"),
    Key::new("port", PORT, "The API's port.").default("8080"),
    Key::new("metrics_port", PORT, "The port of /metrics alone.").default("9090"),
];

const CLUSTER: &[Key] = &[
    Key::new(
        "enabled",
        Kind::Bool,
        "Whether this node works with others; yes where a database is named.",
    ),
    Key::new(
        "node_id",
        NAME,
        "The node's name, another one on each; the host name when absent.",
    ),
    Key::new(
        "node_ip",
        NAME,
        "Where others reach this node; found out when absent.",
    ),
    Key::new(
        "hostname",
        NAME,
        "Shown in the list of nodes; the host name when absent.",
    ),
    Key::new(
        "heartbeat_interval",
        TIME,
        "How often a node says that it is alive.",
    )
    .default("5s"),
    Key::new(
        "node_timeout",
        TIME,
        "A node that was silent for so long is shown as gone.",
    )
    .default("30s"),
    Key::new(
        "secret",
        Kind::Secret,
        "What nodes of a cluster know and strangers do not; made from the database's password when absent.",
    ),
    Key::new("zone", Kind::Text { max: 64 }, "The node's failure domain."),
];

const REDIS: &[Key] = &[
    Key::new(
        "url",
        Kind::Secret,
        "redis://[[user]:password@]host[:port][,...][/database], or rediss:// for TLS.",
    ),
    Key::new("addresses", Kind::List(&NAME), "Hosts and ports."),
    Key::new("password", Kind::Secret, "Redis's password."),
    Key::new("cluster_mode", Kind::Bool, "Whether they are a Redis Cluster.").default("false"),
    Key::new(
        "sentinel_master",
        NAME,
        "The name that Sentinels know the master by.",
    ),
    Key::new("sentinel_nodes", Kind::List(&NAME), "Sentinels."),
    Key::new("pool_size", count(64), "Connections to each Redis.").default("10"),
];

const DATABASE: &[Key] = &[
    Key::new(
        "url",
        Kind::Secret,
        "postgresql://user:password@host:port/database.",
    ),
    Key::new(
        "primary",
        Kind::Table(&[PRIMARY]),
        "The server that takes writes.",
    ),
    Key::new(
        "replicas",
        Kind::List(&Kind::Table(&[REPLICA])),
        "Servers that pages for display are read from.",
    ),
    Key::new(
        "max_open_connections",
        Kind::Int { min: 4, max: 1000 },
        "Connections of this node.",
    )
    .default("25"),
    Key::new(
        "max_idle_connections",
        Kind::Int { min: 0, max: 1000 },
        "Connections kept while nobody uses them.",
    )
    .default("5"),
    Key::new(
        "connection_max_lifetime",
        TIME,
        "An older connection is not used again.",
    )
    .default("1h"),
];

pub(super) const PRIMARY: &[Key] = &[
    Key::new("host", NAME, "Its host.").required(),
    Key::new("port", PORT, "Its port.").default("5432"),
    Key::new("database", NAME, "The database.").required(),
    Key::new("user", NAME, "Who logs in.").required(),
    Key::new("password", Kind::Secret, "With what."),
    Key::new(
        "sslmode",
        Kind::Enum(&["disable", "prefer", "require"]),
        "Whether with TLS.",
    ),
];

pub(super) const REPLICA: &[Key] = &[
    Key::new("host", NAME, "Its host.").required(),
    Key::new("port", PORT, "Its port.").default("5432"),
];

const SESSION: &[Key] = &[
    Key::new(
        "store_type",
        Kind::Enum(&["redis", "memory"]),
        "Where the registry of sessions is; redis where Redis is named.",
    ),
    Key::new("ttl", TIME, "A session lapses after so long a silence.").default("30m"),
    Key::new("cleanup_interval", TIME, "How often lapsed ones are taken out.").default("5m"),
];

const CACHE: &[Key] = &[
    Key::new(
        "type",
        Kind::Enum(&["redis", "memory"]),
        "Where cached values are kept; redis where Redis is named.",
    ),
    Key::new(
        "key_prefix",
        Kind::Text { max: 128 },
        "What every key in Redis begins with.",
    ),
    Key::new("redis", Kind::Table(&[CACHE_REDIS]), "How Redis is spoken to."),
];

pub(super) const CACHE_REDIS: &[Key] = &[
    Key::new(
        "pool_size",
        count(64),
        "Connections to each Redis; goes before redis.pool_size.",
    ),
    Key::new(
        "max_retries",
        Kind::Int { min: 0, max: 10 },
        "How often a command is sent again before the node goes on without.",
    )
    .default("3"),
    Key::new("dial_timeout", TIME, "Longest wait for a connection.").default("5s"),
    Key::new("read_timeout", TIME, "Longest wait for an answer.").default("3s"),
    Key::new(
        "write_timeout",
        TIME,
        "Longest wait for a command to be taken; one clock runs for both.",
    )
    .default("3s"),
];

const OVN: &[Key] = &[
    Key::new(
        "northbound",
        Kind::Table(&[ENDPOINTS]),
        "The northbound database.",
    ),
    Key::new(
        "southbound",
        Kind::Table(&[ENDPOINTS]),
        "The southbound database.",
    ),
    Key::new("max_connections", count(1000), "Connections to each.").default("10"),
    Key::new("connection_timeout", TIME, "Longest wait for a connection.").default("30s"),
    Key::new(
        "connection_idle_timeout",
        TIME,
        "An unused connection is closed after so long.",
    )
    .default("5m"),
    Key::new(
        "connection_lifetime",
        TIME,
        "An older connection is not used again.",
    )
    .default("30m"),
];

pub(super) const ENDPOINTS: &[Key] = &[Key::new(
    "endpoints",
    Kind::List(&Kind::Form {
        what: "tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH",
        check: super::endpoint::check,
    }),
    "Where its servers are.",
)];

const BATCHES: &[Key] = &[
    Key::new(
        "batch_size",
        count(2500),
        "Writes that travel to OVN as one transaction, at most.",
    )
    .default("100"),
    Key::new(
        "batch_timeout",
        Kind::Duration {
            min: Duration::ZERO,
            max: Duration::from_secs(10),
        },
        "A write waits for others to travel with for so long.",
    )
    .default("100ms"),
    Key::new("max_concurrent", count(64), "Transactions under way at once.").default("4"),
];

const LOGGING: &[Key] = &[Key::new(
    "level",
    Kind::Enum(&["error", "warn", "info", "debug", "trace"]),
    "How much is told.",
)];

/// How a variable's text becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// A number or a truth value.
    Plain,
    /// Texts between commas.
    List,
}

/// The guide's variables, and the keys that they set.
pub(super) const VARIABLES: [(&str, &str, Form); 31] = [
    ("NODE_ID", "cluster.node_id", Form::Text),
    ("NODE_HOSTNAME", "cluster.hostname", Form::Text),
    ("NODE_IP", "cluster.node_ip", Form::Text),
    ("NODE_PORT", "server.port", Form::Plain),
    ("METRICS_PORT", "server.metrics_port", Form::Plain),
    ("ENABLE_CLUSTERING", "cluster.enabled", Form::Plain),
    (
        "CLUSTER_HEARTBEAT_INTERVAL",
        "cluster.heartbeat_interval",
        Form::Text,
    ),
    ("CLUSTER_NODE_TIMEOUT", "cluster.node_timeout", Form::Text),
    ("CLUSTER_SECRET", "cluster.secret", Form::Text),
    ("REDIS_URL", "redis.url", Form::Text),
    ("REDIS_PASSWORD", "redis.password", Form::Text),
    ("REDIS_CLUSTER_MODE", "redis.cluster_mode", Form::Plain),
    ("REDIS_SENTINEL_MASTER", "redis.sentinel_master", Form::Text),
    ("REDIS_SENTINEL_NODES", "redis.sentinel_nodes", Form::List),
    ("REDIS_POOL_SIZE", "redis.pool_size", Form::Plain),
    ("DATABASE_URL", "database.url", Form::Text),
    (
        "DB_MAX_OPEN_CONNECTIONS",
        "database.max_open_connections",
        Form::Plain,
    ),
    (
        "DB_MAX_IDLE_CONNECTIONS",
        "database.max_idle_connections",
        Form::Plain,
    ),
    (
        "DB_CONNECTION_MAX_LIFETIME",
        "database.connection_max_lifetime",
        Form::Text,
    ),
    ("SESSION_STORE_TYPE", "session.store_type", Form::Text),
    ("SESSION_TTL", "session.ttl", Form::Text),
    ("SESSION_CLEANUP_INTERVAL", "session.cleanup_interval", Form::Text),
    ("CACHE_TYPE", "cache.type", Form::Text),
    ("CACHE_KEY_PREFIX", "cache.key_prefix", Form::Text),
    ("OVN_MAX_CONNECTIONS", "ovn.max_connections", Form::Plain),
    ("OVN_NORTHBOUND_ENDPOINTS", "ovn.northbound.endpoints", Form::List),
    ("OVN_SOUTHBOUND_ENDPOINTS", "ovn.southbound.endpoints", Form::List),
    ("LOG_LEVEL", "logging.level", Form::Text),
    ("RATE_LIMIT_ENABLED", "rate_limit.enabled", Form::Plain),
    ("RATE_LIMIT_RPS", "rate_limit.rps", Form::Plain),
    ("RATE_LIMIT_BURST", "rate_limit.burst", Form::Plain),
];
