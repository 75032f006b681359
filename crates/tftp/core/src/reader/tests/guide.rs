//! The datacenter performance guide's keys (rows S2-14 to S2-61 of the acceptance list): each is read, checked and
//! reaches its setting.

mod cache;
mod performance;
mod service;

use super::{checked, good, refused};
use crate::settings::{Settings, Threads};

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
    assert_eq!(report.matches("warning[PUR-9111]").count(), 1, "{report}");
    assert!(report.ends_with("1 warning\n"), "{report}");
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
    assert_eq!(same.threads, Threads::Count(4));
    let report = refused("[io]\nio_threads = 2\n[tftp.datacenter.io]\nio_threads = 3");
    assert!(report.contains("says something else than"), "{report}");
}

#[test]
fn a_misspelt_key_of_the_guide_is_named_with_the_nearest() {
    wrong("io", "io_thread = 2", "did you mean `io_threads`?");
    let report = refused("[perfomance]\nx = 1");
    assert!(report.contains("did you mean `performance`?"), "{report}");
}
