//! The guide's targets, as figures: a busy machine is no failure, a wrong octet or a client left out is.

use crate::bench::Bench;
use purlin_telemetry::Registry;
use purlin_tftp_client::bench::{BenchOptions, BenchReport, FileSpec, Load, Phase, PortUse, Profile, run};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// `clients` at a time, `boots` in all, of a file of 256 KiB.
fn load(bench: &Bench, clients: u32, boots: u64, profile: &str) -> BenchReport {
    let content = bench.file("target.bin", 256 << 10);
    let profile: Profile = profile.parse().unwrap();
    let phase = Phase {
        boots: Some(boots),
        ..Phase::new(profile, Load::Closed { in_flight: clients })
    };
    let options = BenchOptions {
        ports: PortUse::Shared { sockets: 4 },
        server_pid: Some(std::process::id()),
        ..BenchOptions::new(
            bench.address(),
            vec![FileSpec::octets("target.bin", content)],
            phase,
        )
    };
    let report = run(&options, &AtomicBool::new(false), &mut |_| ()).unwrap();
    assert!(report.is_clean() && !report.interrupted, "{report:?}");
    assert_eq!(report.phases[0].boots_done, boots, "{report:?}");
    report
}

#[test]
fn s2_9_throughput_under_load_is_reported() {
    let report = load(&Bench::new(), 32, 200, "1468x16");
    let mbit = report.phases[0].octets_per_second * 8.0 / 1e6;
    println!("{mbit:.0} Mbit/s, 32 clients, 1468 x 16, loopback, debug build");
    assert!(mbit > 0.0);
}

#[test]
fn s2_10_the_latency_of_first_blocks_under_load_is_reported() {
    let report = load(&Bench::new(), 100, 300, "1468x16");
    let first = report.phases[0]
        .latency
        .iter()
        .find(|step| step.step == "first-block");
    let first = first.expect("first blocks are timed");
    println!(
        "first block p99 {:.0} us, 100 clients, loopback, debug build",
        first.p99_us
    );
    assert_eq!(first.count, 300);
    assert!(first.p99_us >= first.p50_us && first.p50_us > 0.0);
}

#[test]
fn s2_12_processor_time_under_load_is_reported() {
    let report = load(&Bench::new(), 32, 100, "1468x16");
    let cost = report.phases[0].server.as_ref().expect("the server was watched");
    println!("{cost:?}");
    assert!(cost.cpu.cores > 0.0);
}

#[test]
fn s2_13_memory_under_load_is_reported() {
    let report = load(&Bench::new(), 32, 100, "1468x16");
    let cost = report.phases[0].server.as_ref().expect("the server was watched");
    assert!(cost.resident_bytes_max > 1 << 20, "{cost:?}");
}

#[test]
fn s2_11_ten_thousand_and_one_transfers_are_open_at_once_and_all_finish() {
    const OPEN: usize = 10_001;
    if !may_open(OPEN as u64 + 500) {
        eprintln!("skipped: 10,500 open files are not allowed here");
        return;
    }
    let bench = Bench::new();
    let content = bench.file("two-blocks", 600);
    // Every client is an address of its own with the same port number: few sockets would be one client each.
    let sockets: Vec<UdpSocket> = (0..OPEN)
        .map(|n| {
            let host = format!("127.{}.{}.{}", 1 + n / 65_536, n / 256 % 256, n % 256);
            let socket = UdpSocket::bind((host.as_str(), 0)).expect("a test may open 10,000 sockets");
            socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            socket
                .send_to(b"\0\x01two-blocks\0octet\0", bench.address())
                .unwrap();
            socket
        })
        .collect();
    let mut buffer = [0; 600];
    for socket in &sockets {
        let length = socket.recv(&mut buffer).unwrap();
        assert_eq!(buffer[..length], [&[0, 3, 0, 1], &content[..512]].concat());
    }
    assert_eq!(bench.runtime.block_on(bench.handle.transfers(OPEN)).len(), OPEN);
    for socket in &sockets {
        socket.send_to(&[0, 4, 0, 1], bench.address()).unwrap();
    }
    for socket in &sockets {
        // The first block may have gone again while others were served.
        let last = loop {
            let length = socket.recv(&mut buffer).unwrap();
            if buffer[3] == 2 {
                break buffer[4..length].to_vec();
            }
        };
        assert_eq!(last, content[512..]);
        socket.send_to(&[0, 4, 0, 2], bench.address()).unwrap();
    }
    bench.settle();
}

#[test]
fn s2_7_datagrams_and_octets_both_ways_are_counted() {
    let bench = Bench::new();
    bench.file("f", 100_000);
    crate::bench::read(&bench.options(), "f").1.unwrap();
    bench.settle();
    let shown = |name: &str| value(&bench, name);
    // Counts are published once a second.
    while shown("purlin_tftp_sent_octets_total") < 100_000.0 {
        std::thread::yield_now();
    }
    assert!(shown("purlin_tftp_datagrams_sent_total") >= 71.0);
    assert!(shown("purlin_tftp_datagrams_received_total") >= 5.0);
    assert!(shown("purlin_tftp_received_octets_total") >= 20.0);
}

#[test]
fn s2_8_octets_and_time_of_disks_are_counted() {
    let bench = Bench::new();
    bench.file("f", 100_000);
    crate::bench::read(&bench.options(), "f").1.unwrap();
    assert!(value(&bench, "purlin_boot_disk_read_octets_total") >= 100_000.0);
    assert!(value(&bench, "purlin_boot_disk_reads_total") >= 1.0);
    assert!(value(&bench, "purlin_boot_disk_read_seconds_total") > 0.0);
}

/// Raises the limit on open files as far as it goes; whether that is enough.
fn may_open(files: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // What counts is whether it is enough, not how it came about.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile)
        .current
        .is_none_or(|most| most >= files)
}

/// A metric without labels, summed over threads.
pub(crate) fn value(bench: &Bench, name: &str) -> f64 {
    let registry = Registry::new();
    registry.register(Arc::new(bench.handle.metrics()));
    let text = registry.text();
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    lines.map(|number| number.trim().parse::<f64>().unwrap()).sum()
}
