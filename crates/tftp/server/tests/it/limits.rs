//! Bounds on what strangers can make the service hold.

use crate::bench::{Bench, read, refused};
use std::net::UdpSocket;
use std::time::Duration;

/// Opens a transfer and leaves it waiting; the socket, and what came first.
pub(crate) fn open(bench: &Bench, name: &str) -> (UdpSocket, Vec<u8>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut request = b"\0\x01".to_vec();
    request.extend(name.as_bytes());
    request.extend(b"\0octet\0");
    socket.send_to(&request, bench.address()).unwrap();
    let mut buffer = vec![0; 600];
    let length = socket.recv(&mut buffer).unwrap();
    buffer.truncate(length);
    (socket, buffer)
}

pub(crate) fn is_error(datagram: &[u8]) -> bool {
    datagram[..2] == [0, 5]
}

#[test]
fn s2_44_the_eleventh_transfer_of_a_client_is_refused_and_counted() {
    let bench = Bench::with(|settings| settings.limits.per_client = 10);
    bench.file("f", 5000);
    let held: Vec<_> = (0..10).map(|_| open(&bench, "f")).collect();
    assert!(held.iter().all(|(_, first)| !is_error(first)));
    let (_, eleventh) = open(&bench, "f");
    assert!(is_error(&eleventh));
    assert_eq!(
        bench.records().last().map(|told| told.slug),
        Some("limit_per_client")
    );
}

#[test]
fn transfers_of_one_machine_count_together_over_its_addresses() {
    let bench = Bench::known(|settings| settings.limits.per_client = 4);
    bench.file("f", 5000);
    let from = |host: &str| {
        let socket = UdpSocket::bind((host, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket.send_to(b"\0\x01f\0octet\0", bench.address()).unwrap();
        let mut buffer = vec![0; 600];
        let length = socket.recv(&mut buffer).unwrap();
        buffer.truncate(length);
        is_error(&buffer)
    };
    // Every address is one machine here; once that is known, the fifth is refused wherever it comes from.
    let refused = (0..200).position(|n| from(if n % 2 == 0 { "127.0.0.1" } else { "127.0.0.2" }));
    assert!(refused.is_some_and(|n| n >= 4), "{refused:?}");
}

#[test]
fn s2_45_the_hundred_and_first_transfer_of_an_address_is_refused_and_counted() {
    let bench = Bench::with(|settings| settings.limits.per_ip = 100);
    bench.file("f", 5000);
    let held: Vec<_> = (0..100).map(|_| open(&bench, "f")).collect();
    assert!(held.iter().all(|(_, first)| !is_error(first)));
    assert!(is_error(&open(&bench, "f").1));
    assert_eq!(bench.records().last().map(|told| told.slug), Some("limit_per_ip"));
}

#[test]
fn s2_18_s2_39_s2_46_more_transfers_than_allowed_in_all_are_refused_and_counted() {
    let bench = Bench::with(|settings| settings.limits.total = 5);
    bench.file("f", 5000);
    let held: Vec<_> = (0..5).map(|_| open(&bench, "f")).collect();
    assert!(held.iter().all(|(_, first)| !is_error(first)));
    assert_eq!(refused(read(&bench.options(), "f").1).0, 0);
    assert_eq!(bench.records().last().map(|told| told.slug), Some("limit_total"));
}

#[test]
fn s2_4_open_transfers_are_counted_and_return_to_none() {
    let bench = Bench::new();
    bench.file("f", 5000);
    let held: Vec<_> = (0..20).map(|_| open(&bench, "f")).collect();
    assert_eq!(bench.runtime.block_on(bench.handle.transfers(100)).len(), 20);
    for (socket, _) in &held {
        socket.send_to(b"\0\x05\0\0enough\0", bench.address()).unwrap();
    }
    bench.settle();
    assert!(bench.runtime.block_on(bench.handle.transfers(100)).is_empty());
}

#[test]
fn hostile_datagrams_change_nothing() {
    let bench = Bench::new();
    let content = bench.file("f", 50_000);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for length in 0..300usize {
        let noise: Vec<u8> = (0..length).map(|i| (i * 31 + length * 17) as u8).collect();
        socket.send_to(&noise, bench.address()).unwrap();
        for opcode in 0..9u8 {
            let mut packet = vec![0, opcode];
            packet.extend(&noise);
            socket.send_to(&packet, bench.address()).unwrap();
        }
    }
    let (octets, report) = read(&bench.options(), "f");
    report.unwrap();
    assert_eq!(octets, content);
}
