//! `connection_pool`, `limits`, `io`, `network`, `compression` and `batch`.

use super::{guide, read, wrong};
use crate::settings::Backend;
use purlin_types::ByteSize;
use std::time::Duration;

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
fn s2_41_idle_timeout() {
    let settings = guide();
    assert_eq!(settings.timing.idle, Duration::from_secs(300));
    assert_eq!(settings.http.idle, Duration::from_secs(300));
    wrong("connection_pool", "idle_timeout = 0", "0s is not from 1s to 1h");
}

#[test]
fn s2_42_max_lifetime() {
    let settings = guide();
    assert_eq!(settings.timing.lifetime, Duration::from_secs(3600));
    assert_eq!(settings.http.lifetime, Duration::from_secs(3600));
}

#[test]
fn s2_43_connection_timeout() {
    let settings = guide();
    assert_eq!(settings.timing.answer, Duration::from_secs(30));
    assert_eq!(settings.http.request, Duration::from_secs(30));
}

#[test]
fn s2_44_max_connections_per_client() {
    assert_eq!(guide().limits.per_client, 10);
}

#[test]
fn s2_45_max_connections_per_ip() {
    let settings = guide();
    assert_eq!((settings.limits.per_ip, settings.http.per_ip), (100, 100));
    wrong("limits", "max_connections_per_ip = -1", "-1 is not from 0");
}

#[test]
fn s2_46_max_total_connections() {
    assert_eq!(
        read("limits", "max_total_connections = 40000").limits.total,
        40_000
    );
    wrong("limits", "max_total_connections = 0", "0 is not from 1");
}

#[test]
fn s2_47_async_io() {
    assert!(guide().io.asynchronous && !read("io", "async_io = false").io.asynchronous);
}

#[test]
fn s2_48_direct_io() {
    assert!(!guide().io.direct && read("io", "direct_io = true").io.direct);
}

#[test]
fn s2_49_read_ahead() {
    assert_eq!(guide().io.read_ahead, ByteSize(1 << 20));
    assert_eq!(
        read("io", "read_ahead = \"2Mi\"").io.read_ahead,
        ByteSize(2 << 20)
    );
}

#[test]
fn s2_50_write_behind() {
    assert!(guide().files.uploads.write_behind);
    assert!(!read("io", "write_behind = false").files.uploads.write_behind);
}

#[test]
fn s2_51_io_threads() {
    assert_eq!(guide().io.threads, 8);
    assert_eq!(read("io", "io_threads = 2").io.threads, 2);
    wrong("io", "io_threads = 0", "0 is not from 1 to 1024");
}

#[test]
fn s2_52_epoll() {
    assert_eq!(read("network", "epoll = true").backend, Backend::Epoll);
    wrong(
        "network",
        "epoll = false\nio_uring = false",
        "with neither epoll nor io_uring no packet would be read",
    );
}

#[test]
fn s2_53_io_uring() {
    assert_eq!(guide().backend, Backend::IoUring);
    assert_eq!(
        read("network", "epoll = true\nio_uring = false").backend,
        Backend::Epoll
    );
}

#[test]
fn s2_54_zero_copy() {
    assert!(guide().zero_copy && !read("network", "zero_copy = false").zero_copy);
}

#[test]
fn s2_55_compression_enabled() {
    assert!(guide().http.compression.enabled);
    assert!(!read("compression", "enabled = false").http.compression.enabled);
}

#[test]
fn s2_56_compression_algorithm() {
    assert!(
        read("compression", "algorithm = \"gzip\"")
            .http
            .compression
            .enabled
    );
    wrong("compression", "algorithm = \"zstd\"", "expected one of \"gzip\"");
}

#[test]
fn s2_57_compression_level() {
    for level in 0..=9 {
        let settings = read("compression", &format!("level = {level}"));
        assert_eq!(settings.http.compression.level, level);
    }
    wrong("compression", "level = 10", "10 is not from 0 to 9");
}

#[test]
fn s2_58_compression_min_size() {
    assert_eq!(guide().http.compression.size_min, 1024);
    assert_eq!(
        read("compression", "min_size = \"4Ki\"")
            .http
            .compression
            .size_min,
        4096
    );
}

#[test]
fn s2_59_batch_enabled() {
    assert!(guide().batch.enabled && !read("batch", "enabled = false").batch.enabled);
}

#[test]
fn s2_60_batch_size() {
    assert_eq!(guide().batch.size, 100);
    wrong("batch", "batch_size = 0", "0 is not from 1 to 1000000");
}

#[test]
fn s2_61_batch_timeout_is_milliseconds() {
    assert_eq!(guide().batch.wait, Duration::from_millis(100));
    assert_eq!(
        read("batch", "batch_timeout = \"100ms\"").batch.wait,
        Duration::from_millis(100)
    );
    assert_eq!(
        read("batch", "batch_timeout = \"1s\"").batch.wait,
        Duration::from_secs(1)
    );
    wrong("batch", "batch_timeout = 0", "0 is not from 1 to 60000");
}
