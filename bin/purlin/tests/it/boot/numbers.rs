//! The guide's key metrics, as a scraper sees them.

use super::Boot;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

impl Boot {
    /// A metric of one number, once it is what it should be; packet threads leave their counts once a second.
    fn wait_metric(&self, name: &str, expected: impl Fn(f64) -> bool) -> f64 {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let metrics = self.run(&["as", "simple-tftpd-datacenter", "metrics"]);
            let line = metrics
                .out
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            let value: f64 = line
                .unwrap_or_else(|| panic!("no {name}"))
                .parse()
                .expect("a number");
            if expected(value) {
                return value;
            }
            assert!(Instant::now() < deadline, "{name} stays {value}");
        }
    }
}

#[test]
fn s2_2_throughput_counts_the_octets_transferred() {
    let boot = Boot::start();
    assert_eq!(boot.get("boot.bin", "copy.bin").code, 0);
    boot.wait_metric("purlin_tftp_throughput_octets_total", |octets| {
        octets == 200_000.0
    });
}

#[test]
fn s2_3_latency_is_a_histogram_from_the_request_to_the_first_answer() {
    let boot = Boot::start();
    assert_eq!(boot.get("boot.bin", "copy.bin").code, 0);
    boot.wait_metric("purlin_tftp_first_block_latency_seconds_count", |count| {
        count == 1.0
    });
    boot.wait_metric("purlin_tftp_first_block_latency_seconds_sum", |seconds| {
        seconds > 0.0
    });
}

#[test]
fn s2_4_connections_count_open_transfers_and_return_to_0() {
    let boot = Boot::start();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(b"\0\x01boot.bin\0octet\0", &boot.server).unwrap();
    let mut block = [0; 600];
    let (_, server) = client.recv_from(&mut block).unwrap();
    assert_eq!(block[..4], [0, 3, 0, 1]);
    boot.wait_metric("purlin_tftp_connections", |open| open == 1.0);
    client.send_to(b"\0\x05\0\0enough\0", server).unwrap();
    boot.wait_metric("purlin_tftp_connections", |open| open == 0.0);
}

#[test]
fn s2_5_cpu_time_of_the_process_is_shown() {
    Boot::start().wait_metric("process_cpu_seconds_total", |seconds| seconds > 0.0);
}

#[test]
fn s2_6_resident_memory_of_the_process_is_shown() {
    Boot::start().wait_metric("process_resident_memory_bytes", |octets| octets > 1e6);
}
