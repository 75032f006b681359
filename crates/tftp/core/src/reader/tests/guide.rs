//! The datacenter performance guide's keys (rows S2-14 to S2-61 of the acceptance list): each is read, checked and
//! reaches its setting.

use super::{checked, good, refused};
use crate::settings::{Affinity, Backend, Settings, Shared};
use purlin_types::ByteSize;
use std::time::Duration;

/// Every block of the guide in one file, as the guide writes them.
const GUIDE: &str = r#"{
  "performance": {
    "cpu": { "affinity": "auto", "thread_pool_size": 256, "worker_threads": 16 },
    "memory": { "cache_size": "32Gi", "connection_pool_size": 10000, "buffer_size": 65536 },
    "network": { "tcp_nodelay": true, "tcp_keepalive": true, "receive_buffer_size": 1048576, "send_buffer_size": 1048576 } },
  "cache": { "enabled": true, "type": "distributed", "backend": "redis",
    "redis": { "cluster_mode": true, "nodes": ["redis-1:6379", "redis-2:6379", "redis-3:6379"] },
    "ttl": 3600, "max_size": "32Gi" },
  "load_balancing": { "algorithm": "consistent_hashing", "hash_key": "client_ip" },
  "connection_pool": { "max_connections": 50000, "min_connections": 1000, "idle_timeout": 300, "max_lifetime": 3600,
    "connection_timeout": 30 },
  "limits": { "max_connections_per_client": 10, "max_connections_per_ip": 100, "max_total_connections": 50000 },
  "io": { "async_io": true, "direct_io": false, "read_ahead": 1048576, "write_behind": true, "io_threads": 8 },
  "network": { "epoll": true, "io_uring": true, "zero_copy": true },
  "compression": { "enabled": true, "algorithm": "gzip", "level": 6, "min_size": 1024 },
  "batch": { "enabled": true, "batch_size": 100, "batch_timeout": 100 }
}"#;

fn guide() -> Settings {
    let (settings, report) = checked("guide.json", GUIDE);
    assert_eq!(report.matches("warning[PUR-9111]").count(), 2, "{report}");
    assert!(report.ends_with("2 warnings\n"), "{report}");
    settings.expect("the guide's own file is good")
}

/// A table of the guide at the top of the file and the same in `tftp.datacenter`: both give the same settings.
fn read(table: &str, keys: &str) -> Settings {
    let top = good(&format!("[{table}]\n{keys}\n"));
    assert_eq!(
        top,
        good(&format!("[tftp.datacenter.{table}]\n{keys}\n")),
        "{table}"
    );
    top
}

fn wrong(table: &str, keys: &str, words: &str) {
    let report = refused(&format!("[{table}]\n{keys}\n"));
    assert!(report.contains(words), "{words} in {report}");
    let report = refused(&format!("[tftp.datacenter.{table}]\n{keys}\n"));
    assert!(report.contains(words), "{words} in {report}");
}

#[test]
fn the_guide_as_one_file_is_good_and_serves_nothing_by_itself() {
    let settings = guide();
    assert!(!settings.enabled);
    let nested = format!("{{ \"tftp\": {{ \"datacenter\": {GUIDE} }} }}");
    assert_eq!(checked("a.json", &nested).0, Some(settings));
}

#[test]
fn s2_14_cpu_affinity() {
    assert_eq!(guide().affinity, Affinity::Auto);
    assert_eq!(
        read("performance.cpu", "affinity = \"off\"").affinity,
        Affinity::Off
    );
    assert_eq!(
        read("performance.cpu", "affinity = [0, 2]").affinity,
        Affinity::Cores(vec![0, 2])
    );
    wrong(
        "performance.cpu",
        "affinity = \"all\"",
        "expected one of \"auto\", \"off\"",
    );
    wrong("performance.cpu", "affinity = [-1]", "-1 is not from 0 to 1023");
}

#[test]
fn s2_15_thread_pool_size_caps_blocking_threads() {
    assert_eq!(guide().blocking_threads, Some(256));
    assert_eq!(read("performance.cpu", "thread_pool_size = 2").io.threads, 2);
    wrong(
        "performance.cpu",
        "thread_pool_size = 0",
        "0 is not from 1 to 65535",
    );
}

#[test]
fn s2_16_worker_threads() {
    assert_eq!(guide().threads, Some(16));
    assert_eq!(read("performance.cpu", "worker_threads = 0").threads, None);
    assert_eq!(read("performance.cpu", "worker_threads = \"auto\"").threads, None);
    wrong(
        "performance.cpu",
        "worker_threads = 257",
        "257 is not from 0 to 256",
    );
}

#[test]
fn s2_17_cache_size_is_a_quantity() {
    assert_eq!(guide().cache.size_max, Some(ByteSize(32 << 30)));
    for (text, octets) in [
        ("512Mi", 512 << 20),
        ("2G", 2_000_000_000),
        ("1048576Ki", 1 << 30),
        ("2M", 2_000_000),
    ] {
        let settings = read("performance.memory", &format!("cache_size = \"{text}\""));
        assert_eq!(settings.cache.size_max, Some(ByteSize(octets)), "{text}");
    }
    wrong("performance.memory", "cache_size = \"32Q\"", "unknown unit \"Q\"");
    wrong("performance.memory", "cache_size = 1", "1 is not from 1Mi");
}

#[test]
fn s2_18_connection_pool_size_limits_transfers() {
    assert_eq!(
        guide().limits.total,
        10_000,
        "the smallest of the guide's three numbers"
    );
    assert_eq!(
        read("performance.memory", "connection_pool_size = 7")
            .limits
            .total,
        7
    );
    wrong(
        "performance.memory",
        "connection_pool_size = 0",
        "0 is not from 1",
    );
}

#[test]
fn s2_19_buffer_size_holds_a_block() {
    assert_eq!(guide().caps.blksize, 65_464);
    assert_eq!(
        read("performance.memory", "buffer_size = 1472").caps.blksize,
        1468
    );
    wrong("performance.memory", "buffer_size = 1023", "1023 is not from 1Ki");
}

#[test]
fn s2_20_and_s2_21_tcp_switches_are_those_of_http() {
    let settings = read(
        "performance.network",
        "tcp_nodelay = false\ntcp_keepalive = false",
    );
    assert!(!settings.http.nodelay && !settings.http.keepalive);
    assert!(guide().http.nodelay && guide().http.keepalive);
    wrong("performance.network", "tcp_nodelay = 1", "expected true or false");
}

#[test]
fn s2_22_and_s2_23_socket_buffers() {
    assert_eq!((guide().receive_buffer, guide().send_buffer), (1 << 20, 1 << 20));
    assert_eq!(
        read("performance.network", "receive_buffer_size = \"8Mi\"").receive_buffer,
        8 << 20
    );
    wrong(
        "performance.network",
        "send_buffer_size = 100",
        "100 is not from 4Ki to 1Gi",
    );
}

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
fn s2_27_and_s2_28_redis_nodes_and_cluster_mode() {
    let Shared::Redis { nodes, cluster } = guide().cache.shared else {
        panic!("redis is asked for")
    };
    assert_eq!(
        (nodes.len(), nodes[2].as_str(), cluster),
        (3, "redis-3:6379", true)
    );
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

#[test]
fn s2_35_to_s2_37_balancing_algorithms() {
    for algorithm in ["round_robin", "least_connections", "consistent_hashing"] {
        let (settings, report) = checked(
            "a.toml",
            &format!("[load_balancing]\nalgorithm = \"{algorithm}\""),
        );
        assert!(
            settings.is_some() && report.contains("warning[PUR-9111]"),
            "{report}"
        );
    }
    wrong(
        "load_balancing",
        "algorithm = \"random\"",
        "expected one of \"round_robin\"",
    );
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

#[test]
fn s2_39_max_connections() {
    let settings = read("connection_pool", "max_connections = 300");
    assert_eq!((settings.limits.total, settings.http.connections_max), (300, 300));
}

#[test]
fn s2_40_min_connections_above_the_most_is_refused() {
    assert_eq!(guide().limits.prepared, 1000);
    wrong(
        "connection_pool",
        "max_connections = 10\nmin_connections = 11",
        "`min_connections` is above `max_connections`",
    );
}

#[test]
fn s2_41_to_s2_43_times_of_the_pool() {
    let settings = guide();
    assert_eq!(
        (settings.timing.idle, settings.http.idle),
        (Duration::from_secs(300), Duration::from_secs(300))
    );
    assert_eq!(settings.timing.lifetime, Duration::from_secs(3600));
    assert_eq!(settings.http.lifetime, Duration::from_secs(3600));
    assert_eq!(
        (settings.timing.answer, settings.http.request),
        (Duration::from_secs(30), Duration::from_secs(30))
    );
    wrong("connection_pool", "idle_timeout = 0", "0s is not from 1s to 1h");
}

#[test]
fn s2_44_to_s2_46_limits() {
    let limits = guide().limits;
    assert_eq!((limits.per_client, limits.per_ip), (10, 100));
    assert_eq!(
        read("limits", "max_total_connections = 50000").limits.total,
        50_000
    );
    wrong("limits", "max_connections_per_ip = -1", "-1 is not from 0");
}

#[test]
fn s2_47_to_s2_51_disks() {
    let settings = guide();
    let io = settings.io;
    assert_eq!(
        (io.asynchronous, io.direct, io.read_ahead, io.threads),
        (true, false, ByteSize(1 << 20), 8)
    );
    assert!(settings.files.uploads.write_behind);
    let settings = read(
        "io",
        "async_io = false\ndirect_io = true\nread_ahead = \"2Mi\"\nwrite_behind = false\nio_threads = 2",
    );
    let io = settings.io;
    assert_eq!(
        (io.asynchronous, io.direct, io.read_ahead, io.threads),
        (false, true, ByteSize(2 << 20), 2)
    );
    assert!(!settings.files.uploads.write_behind);
    wrong("io", "io_threads = 0", "0 is not from 1 to 1024");
}

#[test]
fn s2_52_and_s2_53_backends() {
    assert_eq!(guide().backend, Backend::IoUring);
    assert_eq!(read("network", "epoll = true").backend, Backend::Epoll);
    assert_eq!(
        read("network", "epoll = true\nio_uring = false").backend,
        Backend::Epoll
    );
    wrong(
        "network",
        "epoll = false\nio_uring = false",
        "with neither epoll nor io_uring no packet would be read",
    );
}

#[test]
fn s2_54_zero_copy() {
    assert!(guide().zero_copy && !read("network", "zero_copy = false").zero_copy);
}

#[test]
fn s2_55_to_s2_58_compression() {
    let gzip = guide().http.compression;
    assert_eq!((gzip.enabled, gzip.level, gzip.size_min), (true, 6, 1024));
    for level in 0..=9 {
        assert_eq!(
            read("compression", &format!("level = {level}"))
                .http
                .compression
                .level,
            level
        );
    }
    wrong("compression", "level = 10", "10 is not from 0 to 9");
    wrong("compression", "algorithm = \"zstd\"", "expected one of \"gzip\"");
    assert!(!read("compression", "enabled = false").http.compression.enabled);
}

#[test]
fn s2_59_to_s2_61_batches_of_events() {
    let batch = guide().batch;
    assert_eq!(
        (batch.enabled, batch.size, batch.wait),
        (true, 100, Duration::from_millis(100))
    );
    assert_eq!(read("batch", "batch_timeout = \"100ms\"").batch, batch);
    assert_eq!(
        read("batch", "batch_timeout = \"1s\"").batch.wait,
        Duration::from_secs(1)
    );
    assert!(!read("batch", "enabled = false").batch.enabled);
    wrong("batch", "batch_size = 0", "0 is not from 1 to 1000000");
    wrong("batch", "batch_timeout = 0", "0 is not from 1 to 60000");
}

#[test]
fn a_key_said_twice_with_two_meanings_shows_both_places() {
    let report = refused("[tftp]\nthreads = 2\n[performance.cpu]\nworker_threads = 4");
    assert!(
        report.contains("`worker_threads` says something else than tftp.threads"),
        "{report}"
    );
    assert!(
        report.contains("a.toml:4:18") && report.contains("set here"),
        "{report}"
    );
    let same = good("[tftp]\nthreads = 4\n[performance.cpu]\nworker_threads = 4");
    assert_eq!(same.threads, Some(4));
    let report = refused("[io]\nio_threads = 2\n[tftp.datacenter.io]\nio_threads = 3");
    assert!(report.contains("says something else than"), "{report}");
}

#[test]
fn a_misspelt_key_of_the_guide_is_named_with_the_nearest() {
    wrong("io", "io_thread = 2", "did you mean `io_threads`?");
    let report = refused("[perfomance]\nx = 1");
    assert!(report.contains("did you mean `performance`?"), "{report}");
}
