//! `cache` and `load_balancing`.

use super::super::{checked, good};
use super::{guide, read, wrong};
use crate::settings::Shared;
use purlin_types::ByteSize;
use std::time::Duration;

#[test]
fn s2_24_cache_enabled() {
    assert!(guide().cache.enabled);
    assert!(!read("cache", "enabled = false").cache.enabled);
}

#[test]
fn s2_25_cache_type() {
    for kind in ["local", "memory"] {
        assert_eq!(
            read("cache", &format!("type = \"{kind}\"")).cache.shared,
            Shared::Local
        );
    }
    assert_eq!(
        read("cache", "type = \"distributed\"").cache.shared,
        Shared::Cluster
    );
    wrong(
        "cache",
        "type = \"shared\"",
        "expected one of \"local\", \"memory\", \"distributed\"",
    );
}

#[test]
fn s2_26_cache_backend() {
    let (settings, report) = checked(
        "a.toml",
        "[cache]\ntype = \"distributed\"\nbackend = \"embedded\"",
    );
    assert_eq!(
        settings.map(|settings| settings.cache.shared),
        Some(Shared::Local)
    );
    assert!(report.contains("warning[PUR-9111]: cache.type"), "{report}");
    wrong(
        "cache",
        "type = \"distributed\"\nbackend = \"redis\"",
        "the backend is redis, but no server is named",
    );
    wrong("cache", "backend = \"memcached\"", "expected one of");
}

#[test]
fn s2_27_redis_cluster_mode() {
    let Shared::Redis { cluster, .. } = guide().cache.shared else {
        panic!("redis is asked for")
    };
    assert!(cluster);
    wrong("cache.redis", "cluster_mode = \"yes\"", "expected true or false");
}

#[test]
fn s2_28_redis_nodes() {
    let Shared::Redis { nodes, .. } = guide().cache.shared else {
        panic!("redis is asked for")
    };
    assert_eq!(nodes, ["redis-1:6379", "redis-2:6379", "redis-3:6379"]);
    wrong(
        "cache.redis",
        "nodes = [\"redis-1\"]",
        "expected a host with a port",
    );
    wrong(
        "cache.redis",
        "nodes = [\"redis-1:99999\"]",
        "expected a host with a port",
    );
}

#[test]
fn s2_29_cache_ttl_is_seconds() {
    assert_eq!(guide().cache.ttl, Duration::from_secs(3600));
    assert_eq!(read("cache", "ttl = \"5m\"").cache.ttl, Duration::from_secs(300));
}

#[test]
fn s2_30_cache_max_size_and_the_smaller_counts() {
    assert_eq!(
        read("cache", "max_size = \"1Gi\"").cache.size_max,
        Some(ByteSize(1 << 30))
    );
    let both = good("[cache]\nmax_size = \"1Gi\"\n[performance.memory]\ncache_size = \"2Gi\"");
    assert_eq!(both.cache.size_max, Some(ByteSize(1 << 30)));
}

/// It is the rule of fronts for TFTP: without one, the value is checked and its author told.
fn balancing(algorithm: &str) {
    let text = format!("[load_balancing]\nalgorithm = \"{algorithm}\"\n");
    let (settings, report) = checked("a.toml", &text);
    let told = report.contains("warning[PUR-9111]: load_balancing.algorithm");
    assert!(settings.is_some() && told, "{report}");
    assert!(report.contains("[[balancer.fronts]]"), "{report}");
    let front = |service: &str| {
        checked(
            "a.toml",
            &format!("{text}[[balancer.fronts]]\nservice = \"{service}\""),
        )
        .1
    };
    assert!(
        !front("tftp").contains("load_balancing.algorithm"),
        "{}",
        front("tftp")
    );
    assert!(
        front("http").contains("load_balancing.algorithm"),
        "{}",
        front("http")
    );
}

#[test]
fn s2_35_round_robin() {
    balancing("round_robin");
    wrong(
        "load_balancing",
        "algorithm = \"random\"",
        "expected one of \"round_robin\"",
    );
}

#[test]
fn s2_36_least_connections() {
    balancing("least_connections");
}

#[test]
fn s2_37_consistent_hashing() {
    balancing("consistent_hashing");
}

#[test]
fn s2_38_a_hash_key_without_consistent_hashing_is_told() {
    let (settings, report) = checked(
        "a.toml",
        "[load_balancing]\nalgorithm = \"round_robin\"\nhash_key = \"client_ip\"",
    );
    assert!(
        settings.is_some() && report.contains("warning[PUR-9113]: load_balancing.hash_key"),
        "{report}"
    );
    wrong(
        "load_balancing",
        "hash_key = \"port\"",
        "expected one of \"client_ip\", \"file\"",
    );
}

/// As the guide of the control platform for OVN writes it.
const OVN: &str = "[cache.redis]\npool_size = 20\nmax_retries = 3\ndial_timeout = \"5s\"\nread_timeout = \"3s\"\n\
                   write_timeout = \"3s\"\n";

#[test]
fn the_cache_of_another_guide_is_left_alone_and_told() {
    for cache in [OVN, "[cache]\ntype = \"redis\"\nkey_prefix = \"ovncp:node1:\"\n"] {
        let (settings, report) = checked("a.toml", cache);
        let settings = settings.expect(&report);
        assert_eq!(settings.cache, crate::settings::Cache::default());
        assert!(report.contains("warning[PUR-9215]: cache"), "{report}");
    }
    // The same words below `tftp` can mean boot files only.
    let (settings, report) = checked(
        "a.toml",
        &format!("{OVN}[tftp.datacenter.cache]\nttl = 7\n[tftp.cache]\nenabled = false\n"),
    );
    let cache = settings.expect(&report).cache;
    assert_eq!((cache.ttl, cache.enabled), (Duration::from_secs(7), false));
}

#[test]
fn a_cache_that_could_be_either_guides_is_refused() {
    for cache in [
        "[cache]\nenabled = true\n[cache.redis]\npool_size = 20\n",
        "[cache.redis]\nnodes = [\"a:6379\"]\npool_size = 20\n",
        "[cache]\ntype = \"redis\"\n",
    ] {
        let (settings, report) = checked("a.toml", cache);
        assert!(
            settings.is_none() && report.contains("whose cache this is") && report.contains("tftp.cache"),
            "{report}"
        );
        assert_eq!(
            report.matches("error[").count(),
            1,
            "one fault is enough: {report}"
        );
    }
}
