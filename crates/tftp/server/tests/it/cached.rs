//! What is remembered, and what makes it forgotten.

use crate::bench::{Bench, read, refused};
use purlin_tftp_core::Plan;
use purlin_tftp_core::rule::hpa;
use purlin_tftp_core::settings::Threads;
use std::time::{Duration, Instant};

#[test]
fn s2_31_metadata_is_remembered_until_the_file_changes() {
    let bench = Bench::new();
    let old = bench.file("kernel", 5000);
    assert_eq!(read(&bench.options(), "kernel").0, old);
    let before = bench.handle.status().cache;
    for _ in 0..20 {
        assert_eq!(read(&bench.options(), "kernel").0, old);
    }
    let after = bench.handle.status().cache;
    assert_eq!((after.stat_calls, after.opens), (before.stat_calls, before.opens));
    assert_eq!(after.disk_reads, before.disk_reads);
    std::fs::write(bench.folder.path().join("kernel"), [7; 300]).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while read(&bench.options(), "kernel").0 != [7; 300] {
        assert!(Instant::now() < until, "the change was not noticed");
    }
}

#[test]
fn s2_33_a_new_configuration_counts_from_the_next_request_on() {
    let bench = Bench::new();
    bench.file("kernel", 5000);
    assert_eq!(read(&bench.options(), "kernel").0.len(), 5000);
    let mut settings = bench.handle.plan().settings().clone();
    settings.files.rules = hpa::parse("a ^kernel$").unwrap();
    bench
        .runtime
        .block_on(bench.handle.apply(Plan::compile(&settings)));
    assert_eq!(refused(read(&bench.options(), "kernel").1).0, 2);
}

#[test]
fn s2_76_threads_and_cache_follow_the_machine() {
    let bench = Bench::with(|settings| {
        settings.threads = Threads::default();
        settings.cache.size_max = None;
    });
    let status = bench.handle.status();
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(usize::from(status.threads), (cores / 2).max(1));
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap();
    let kib: u64 = memory.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(status.cache.octets_max > 0 && status.cache.octets_max <= kib * 1024 / 4);
}
