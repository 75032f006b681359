//! `performance`: processors, memory and sockets.

use super::{guide, read, wrong};
use crate::settings::{Affinity, Threads};
use purlin_types::ByteSize;

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
    assert_eq!(guide().threads, Threads::Count(16));
    for auto in ["0", "\"auto\""] {
        let settings = read("performance.cpu", &format!("worker_threads = {auto}"));
        assert_eq!(settings.threads, Threads::PerCore, "{auto}");
    }
    assert_eq!(
        read("performance.cpu", "thread_pool_size = 2").threads,
        Threads::PerTwoCores
    );
    let on_cores = |threads: Threads| [1, 2, 5, 16].map(|cores| threads.on(cores));
    assert_eq!(on_cores(Threads::PerTwoCores), [1, 1, 2, 8]);
    assert_eq!(on_cores(Threads::PerCore), [1, 2, 5, 16]);
    assert_eq!(on_cores(Threads::Count(3)), [3; 4]);
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
fn s2_20_tcp_nodelay_is_that_of_http() {
    assert!(guide().http.nodelay && !read("performance.network", "tcp_nodelay = false").http.nodelay);
    wrong("performance.network", "tcp_nodelay = 1", "expected true or false");
}

#[test]
fn s2_21_tcp_keepalive_is_that_of_http() {
    assert!(
        guide().http.keepalive
            && !read("performance.network", "tcp_keepalive = false")
                .http
                .keepalive
    );
}

#[test]
fn s2_22_receive_buffer_size() {
    assert_eq!(guide().receive_buffer, 1 << 20);
    assert_eq!(
        read("performance.network", "receive_buffer_size = \"8Mi\"").receive_buffer,
        8 << 20
    );
}

#[test]
fn s2_23_send_buffer_size() {
    assert_eq!(guide().send_buffer, 1 << 20);
    wrong(
        "performance.network",
        "send_buffer_size = 100",
        "100 is not from 4Ki to 1Gi",
    );
}
