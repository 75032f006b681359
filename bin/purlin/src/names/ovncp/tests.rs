//! The guide's own file and variables, word by word.

use super::document::{check, read};
use super::translate::{Translated, translate};
use crate::settings;
use purlin_config::{Document, Faults, Input};
use serde_json::{Value, json};
use std::path::Path;

/// As the guide prints it.
const GUIDE: &str = "\
server:
  port: 8080
  metrics_port: 9090

cluster:
  enabled: true
  node_id: ${NODE_ID}
  node_ip: ${NODE_IP}
  heartbeat_interval: 5s
  node_timeout: 30s

redis:
  addresses:
    - redis-1:6379
    - redis-2:6379
    - redis-3:6379
  password: ${REDIS_PASSWORD}
  cluster_mode: true
  pool_size: 10

database:
  primary:
    host: postgres-primary
    port: 5432
    database: ovncp
    user: ${DB_USER}
    password: ${DB_PASSWORD}
  replicas:
    - host: postgres-replica-1
      port: 5432
    - host: postgres-replica-2
      port: 5432
  max_open_connections: 25
  max_idle_connections: 5
  connection_max_lifetime: 1h

ovn:
  northbound:
    endpoints:
      - tcp:ovn-nb-1:6641
      - tcp:ovn-nb-2:6641
      - tcp:ovn-nb-3:6641
  southbound:
    endpoints:
      - tcp:ovn-sb-1:6642
      - tcp:ovn-sb-2:6642
      - tcp:ovn-sb-3:6642
  max_connections: 10
  connection_timeout: 30s
";

fn served(text: &str, variables: &[(&str, &str)]) -> Translated {
    let dir = tempfile::tempdir().expect("a folder can be made");
    let file = dir.path().join("config.yaml");
    std::fs::write(&file, text).expect("the folder is ours");
    let document = read(Some(&file), &lookup(variables)).expect("it is good");
    translate(&document).expect("it fits together")
}

fn by_variables(variables: &[(&str, &str)]) -> Translated {
    let document = read(None, &lookup(variables)).expect("they are good");
    translate(&document).expect("they fit together")
}

fn lookup<'a>(variables: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    move |name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    }
}

const SECRETS: [(&str, &str); 5] = [
    ("NODE_ID", "node-1"),
    ("NODE_IP", "192.168.1.10"),
    ("REDIS_PASSWORD", "r#1: x"),
    ("DB_USER", "ovncp"),
    ("DB_PASSWORD", "p@ss/word"),
];

/// What Purlin's own checks say of a translated document.
fn settings_of(document: &Value) -> settings::Settings {
    let mut faults = Faults::new();
    let read = Document::from_json("ovncp.json", document, &mut faults);
    let settings = settings::check(&read, &mut faults);
    assert!(!faults.has_errors(), "{}", faults.to_text(&read, false));
    settings.expect("no errors")
}

#[cfg(feature = "ovn")]
#[test]
fn s4_69_the_guides_file_loads_unchanged() {
    let made = served(GUIDE, &SECRETS);
    let document = &made.document;
    assert_eq!(document["node"]["id"], "node-1");
    assert_eq!(document["api"]["http"], json!(["0.0.0.0:8080"]));
    assert_eq!(document["api"]["metrics"], json!(["0.0.0.0:9090"]));
    assert_eq!(document["cluster"]["node_ip"], "192.168.1.10");
    let redis = &document["coordination"];
    assert_eq!(redis["url"], "redis://redis-1:6379,redis-2:6379,redis-3:6379");
    assert_eq!(
        (&redis["cluster"], &redis["pool_size"], &redis["password"]),
        (&json!(true), &json!(10), &json!("r#1: x"))
    );
    let store = &document["store"];
    assert_eq!(
        store["url"],
        "postgresql://ovncp:p%40ss%2Fword@postgres-primary:5432/ovncp"
    );
    assert_eq!(
        store["replica_url"],
        "postgresql://ovncp:p%40ss%2Fword@postgres-replica-1:5432,postgres-replica-2:5432/ovncp"
    );
    assert_eq!(
        (&store["max_open"], &store["max_idle"], &store["max_lifetime"]),
        (&json!(25), &json!(5), &json!("1h"))
    );
    let settings = settings_of(document);
    assert!(settings.cluster.enabled && settings.store.redis.cluster);
    let ovn = &document["ovn"];
    assert_eq!(
        (&ovn["enabled"], &ovn["connect_timeout"]),
        (&json!(true), &json!("30s"))
    );
    assert_eq!(ovn["northbound"].as_array().map(Vec::len), Some(3), "{ovn}");
    assert_eq!(ovn["southbound"].as_array().map(Vec::len), Some(3), "{ovn}");
    assert!(
        made.notes
            .iter()
            .any(|note| note.starts_with("ovn.max_connections:"))
    );
}

#[test]
fn s4_73_a_variable_that_is_not_set_is_named_with_its_line() {
    let dir = tempfile::tempdir().expect("a folder can be made");
    let file = dir.path().join("config.yaml");
    std::fs::write(&file, GUIDE).expect("the folder is ours");
    let failure = read(Some(&file), &lookup(&SECRETS[..1])).expect_err("four are not set");
    assert_eq!(failure.details.len(), 4, "{failure}");
    assert!(
        failure.details[0].contains("config.yaml:8:12: ${NODE_IP} is not set"),
        "{failure}"
    );
}

#[test]
fn s4_49_s4_66_s4_68_the_guides_variables_are_enough() {
    let made = by_variables(&[
        ("NODE_ID", "node-1"),
        ("NODE_HOSTNAME", "ovncp-1.example.com"),
        ("NODE_IP", "192.168.1.10"),
        ("NODE_PORT", "8090"),
        ("ENABLE_CLUSTERING", "true"),
        ("CLUSTER_HEARTBEAT_INTERVAL", "30s"),
        ("CLUSTER_NODE_TIMEOUT", "5m"),
        ("REDIS_URL", "redis://redis.example.com:6379"),
        ("REDIS_CLUSTER_MODE", "false"),
        ("REDIS_SENTINEL_MASTER", "mymaster"),
        (
            "REDIS_SENTINEL_NODES",
            "sentinel1:26379,sentinel2:26379,sentinel3:26379",
        ),
        ("DATABASE_URL", "postgresql://user:pass@postgres:5432/ovncp"),
        ("SESSION_STORE_TYPE", "redis"),
        ("SESSION_TTL", "45m30s"),
        ("SESSION_CLEANUP_INTERVAL", "1m"),
        ("OVN_MAX_CONNECTIONS", "10"),
        ("DB_MAX_OPEN_CONNECTIONS", "30"),
        ("DB_MAX_IDLE_CONNECTIONS", "7"),
        ("REDIS_POOL_SIZE", "12"),
        ("CACHE_TYPE", "redis"),
        ("CACHE_KEY_PREFIX", "ovncp:node1:"),
    ]);
    let settings = settings_of(&made.document);
    assert_eq!(settings.node.id.as_str(), "node-1");
    assert_eq!(made.document["api"]["http"], json!(["0.0.0.0:8090"]));
    assert_eq!(settings.cluster.hostname.as_deref(), Some("ovncp-1.example.com"));
    assert_eq!(settings.cluster.heartbeat_interval.as_secs(), 30);
    assert_eq!(settings.cluster.node_timeout.as_secs(), 300);
    assert_eq!(settings.sessions.ttl.as_secs(), 45 * 60 + 30);
    assert_eq!(settings.sessions.cleanup_interval.as_secs(), 60);
    let (pool, redis) = (&settings.store.pool, &settings.store.redis);
    assert_eq!((pool.max_open, pool.max_idle), (30, 7));
    assert_eq!((redis.pool_size, redis.key_prefix.as_str()), (12, "ovncp:node1:"));
    let sentinel = redis.sentinel.as_ref().expect("both are named");
    assert_eq!((sentinel.0.as_str(), sentinel.1.len()), ("mymaster", 3));
    assert!(
        made.notes.iter().any(|note| note.contains("cache.key_prefix")),
        "a prefix of one node's own is worth a word: {:?}",
        made.notes
    );
}

#[test]
fn rates_are_taken_over_when_they_are_named() {
    let made = by_variables(&[("ENABLE_CLUSTERING", "false")]);
    assert_eq!(settings_of(&made.document).api.write_rate, 0);
    let named = [
        ("ENABLE_CLUSTERING", "false"),
        ("RATE_LIMIT_RPS", "50"),
        ("RATE_LIMIT_BURST", "70"),
    ];
    let made = by_variables(&named);
    let api = settings_of(&made.document).api;
    assert_eq!((api.read_rate, api.write_rate), (3000, 3000));
    assert!(
        made.notes.iter().any(|note| note.starts_with("rate_limit.burst")),
        "{:?}",
        made.notes
    );
    let off = [
        ("ENABLE_CLUSTERING", "false"),
        ("RATE_LIMIT_ENABLED", "false"),
        ("RATE_LIMIT_RPS", "50"),
    ];
    assert_eq!(settings_of(&by_variables(&off).document).api.read_rate, 0);
}

#[test]
fn s4_53_a_node_alone_needs_no_redis_and_no_database() {
    let made = by_variables(&[("NODE_ID", "node-1"), ("ENABLE_CLUSTERING", "false")]);
    let settings = settings_of(&made.document);
    assert!(!settings.cluster.enabled);
    assert!(made.document.get("coordination").is_none());
    let alone = read(None, &lookup(&[("ENABLE_CLUSTERING", "true")])).expect("good as such");
    let failure = translate(&alone).expect_err("where would nodes meet?");
    assert!(failure.what.contains("DATABASE_URL"), "{failure}");
}

#[test]
fn s4_60_a_store_of_sessions_is_redis_or_memory() {
    let made = by_variables(&[("SESSION_STORE_TYPE", "memory")]);
    assert_eq!(made.document["sessions"]["store"], "memory");
    assert!(read(None, &lookup(&[("SESSION_STORE_TYPE", "etcd")])).is_err());
    let without = read(None, &lookup(&[("SESSION_STORE_TYPE", "redis")])).expect("good as such");
    assert!(translate(&without).is_err(), "no Redis is named");
}

#[test]
fn s4_54_a_bad_value_names_its_variable() {
    let mut faults = Faults::new();
    let text = r#"{"cluster": {"heartbeat_interval": "soon"}}"#;
    let input = Input {
        kind: purlin_config::SourceKind::Environment,
        ..Input::file("CLUSTER_HEARTBEAT_INTERVAL", text)
    };
    let document = Document::parse([input], &mut faults);
    check(&document, &mut faults);
    let told = faults.to_text(&document, false);
    assert!(told.contains("CLUSTER_HEARTBEAT_INTERVAL"), "{told}");
    assert!(read(None, &lookup(&[("CLUSTER_HEARTBEAT_INTERVAL", "soon")])).is_err());
}

#[test]
fn s4_137_s4_138_s4_139_s4_140_s4_141_the_tuning_of_the_cache_is_honoured() {
    let text = "redis:\n  url: redis://a\ncache:\n  redis:\n    pool_size: 20\n    max_retries: 3\n    dial_timeout: 5s\n    read_timeout: 3s\n    write_timeout: 4s\n";
    let made = served(text, &[]);
    let settings = settings_of(&made.document);
    let redis = &settings.store.redis;
    assert_eq!((redis.pool_size, redis.max_retries), (20, 3));
    assert_eq!((redis.connect_timeout.as_secs(), redis.timeout.as_secs()), (5, 4));
}

#[test]
fn s4_72_s4_74_s4_75_s4_76_the_section_cluster_is_honoured() {
    let text = GUIDE
        .replace("5s", "7s")
        .replace("node_timeout: 30s", "node_timeout: 45s");
    let settings = settings_of(&served(&text, &SECRETS).document);
    let cluster = &settings.cluster;
    assert!(cluster.enabled);
    assert_eq!(
        cluster.node_ip.map(|ip| ip.to_string()).as_deref(),
        Some("192.168.1.10")
    );
    assert_eq!(
        (
            cluster.heartbeat_interval.as_secs(),
            cluster.node_timeout.as_secs()
        ),
        (7, 45)
    );
    let alone = served(&GUIDE.replace("enabled: true", "enabled: false"), &SECRETS);
    assert!(!settings_of(&alone.document).cluster.enabled);
}

#[test]
fn s4_55_a_time_out_that_is_not_longer_than_the_heartbeat_is_refused() {
    let made = by_variables(&[
        ("NODE_ID", "node-1"),
        ("DATABASE_URL", "postgresql://user:pass@postgres:5432/ovncp"),
        ("NODE_IP", "192.168.1.10"),
        ("CLUSTER_HEARTBEAT_INTERVAL", "30s"),
        ("CLUSTER_NODE_TIMEOUT", "30s"),
    ]);
    let mut faults = Faults::new();
    let read = Document::from_json("ovncp.json", &made.document, &mut faults);
    let _refused = settings::check(&read, &mut faults);
    let told = faults.to_text(&read, false);
    assert!(faults.has_errors() && told.contains("node_timeout"), "{told}");
}

#[test]
fn s4_67_cached_values_are_in_redis_or_in_memory() {
    let with = |kind: &str| by_variables(&[("REDIS_URL", "redis://a"), ("CACHE_TYPE", kind)]);
    assert!(settings_of(&with("redis").document).store.redis.cache_shared);
    assert!(!settings_of(&with("memory").document).store.redis.cache_shared);
    assert!(read(None, &lookup(&[("CACHE_TYPE", "disk")])).is_err());
}

#[test]
fn s4_80_s4_83_s4_84_s4_85_s4_136_pools_are_as_the_file_says() {
    let text = GUIDE
        .replace("pool_size: 10", "pool_size: 12")
        .replace("max_open_connections: 25", "max_open_connections: 50")
        .replace("max_idle_connections: 5", "max_idle_connections: 10")
        .replace("connection_max_lifetime: 1h", "connection_max_lifetime: 90m");
    let settings = settings_of(&served(&text, &SECRETS).document);
    let pool = &settings.store.pool;
    assert_eq!(
        (pool.max_open, pool.max_idle, pool.max_lifetime.as_secs()),
        (50, 10, 5400)
    );
    assert_eq!(settings.store.redis.pool_size, 12);
}

#[test]
fn s4_81_each_key_of_the_primary_counts() {
    let url = |text: &str| {
        let made = served(text, &SECRETS);
        made.document["store"]["url"]
            .as_str()
            .expect("a primary is named")
            .to_owned()
    };
    let first = url(GUIDE);
    for (from, to) in [
        ("host: postgres-primary", "host: db-2"),
        ("port: 5432\n    database", "port: 6432\n    database"),
        ("database: ovncp", "database: other"),
        ("user: ${DB_USER}", "user: somebody"),
        ("password: ${DB_PASSWORD}", "password: another"),
    ] {
        let changed = url(&GUIDE.replace(from, to));
        assert_ne!(changed, first, "{to}");
    }
}

#[test]
fn s4_63_s4_86_s4_87_s4_88_s4_89_s4_135_keys_of_ovn_are_read_and_checked() {
    for (from, to) in [
        ("tcp:ovn-nb-1:6641", "ovn-nb-1:6641"),
        ("tcp:ovn-sb-3:6642", "tcp:ovn-sb-3"),
        (
            "max_connections: 10\n  connection_timeout",
            "max_connections: 0\n  connection_timeout",
        ),
        ("connection_timeout: 30s", "connection_timeout: soon"),
        ("connection_timeout: 30s", "connection_idle_timeout: later"),
    ] {
        let mut faults = Faults::new();
        let text = GUIDE.replace(from, to).replace("${", "x").replace('}', "");
        let document = Document::parse([Input::file("config.yaml", text)], &mut faults);
        check(&document, &mut faults);
        assert!(faults.has_errors(), "{to}");
    }
    assert!(read(None, &lookup(&[("OVN_MAX_CONNECTIONS", "many")])).is_err());
}

#[cfg(feature = "ovn")]
#[test]
fn s4_142_s4_143_s4_144_batches_are_read_and_checked() {
    let good = "batch_processor:\n  batch_size: 100\n  batch_timeout: 100ms\n  max_concurrent: 4\n";
    let good = format!("ovn:\n  northbound:\n    endpoints: [\"tcp:n1:6641\"]\n{good}");
    let made = served(&good, &[]);
    let section = &made.document["ovn"];
    assert_eq!(
        (
            &section["batch_size"],
            &section["batch_timeout"],
            &section["max_concurrent"]
        ),
        (&json!(100), &json!("100ms"), &json!(4))
    );
    let group = settings_of(&made.document).services.ovn.group;
    assert_eq!(
        (group.writes_max, group.wait, group.in_flight_max),
        (100, std::time::Duration::from_millis(100), 4)
    );
    for (from, to) in [
        ("size: 100", "size: 0"),
        ("100ms", "fast"),
        ("current: 4", "current: -1"),
    ] {
        let mut faults = Faults::new();
        let document = Document::parse([Input::file("c.yaml", good.replacen(from, to, 1))], &mut faults);
        check(&document, &mut faults);
        assert!(faults.has_errors(), "{to}");
    }
}

#[test]
fn without_an_address_of_its_own_a_node_waits_for_the_databases_name() {
    let url = |host: &str| format!("postgresql://user:pass@{host}/ovncp");
    let waits = |host: &str, ip: &str| {
        let made = by_variables(&[("DATABASE_URL", &url(host)), ("NODE_IP", ip)]);
        made.unknown_host
    };
    assert_eq!(waits("db.invalid", "").as_deref(), Some("db.invalid:5432"));
    assert_eq!(waits("db.invalid", "192.168.1.10"), None);
    assert_eq!(waits("127.0.0.1:6432", ""), None);
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_one() {
    let mut faults = Faults::new();
    let document = Document::parse([Input::file("c.yaml", "cluster:\n  node_idd: a\n")], &mut faults);
    check(&document, &mut faults);
    let told = faults.to_text(&document, false);
    assert!(told.contains("node_id"), "{told}");
    assert!(read(Some(Path::new("/nowhere/config.yaml")), &lookup(&[])).is_err());
}
