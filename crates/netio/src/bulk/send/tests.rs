use super::*;
use crate::bulk::{BulkOptions, BulkRecv};
use std::net::UdpSocket;
use std::time::Duration;

fn port(address: &str) -> BulkPort {
    let options = BulkOptions {
        packet_info: true,
        ..BulkOptions::default()
    };
    BulkPort::bind(address.parse().unwrap(), &options).unwrap()
}

fn client(address: &str) -> UdpSocket {
    let client = UdpSocket::bind(address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    client
}

fn way(client: &UdpSocket) -> Way {
    Way {
        to: client.local_addr().unwrap(),
        from: Some(client.local_addr().unwrap().ip()),
        interface: 0,
    }
}

fn content(octets: usize) -> Arc<[u8]> {
    (0..octets).map(|i| (i % 251) as u8).collect()
}

fn received(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 66_000];
    let length = client.recv(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

/// Sends `octets` in blocks and checks every datagram.
fn window(address: &str, octets: usize, block: usize, split: usize) {
    let (server, client) = (port(address), client(address));
    let whole = content(octets);
    let (left, right): (Arc<[u8]>, Arc<[u8]>) = (whole[..split].into(), whole[split..].into());
    let pieces = [
        Piece {
            range: 0..left.len(),
            content: left,
        },
        Piece {
            range: 0..right.len(),
            content: right,
        },
    ];
    let count = octets / block + 1;
    let heads = (1..=count).map(|n| [0, 3, (n >> 8) as u8, n as u8]);
    let mut send = BulkSend::new();
    send.window(&server, &way(&client), block, heads, &pieces);
    send.flush(&server);
    for n in 1..=count {
        let datagram = received(&client);
        assert_eq!(datagram[..4], [0, 3, (n >> 8) as u8, n as u8]);
        let from = (n - 1) * block;
        assert_eq!(datagram[4..], whole[from..octets.min(from + block)], "block {n}");
    }
    let report = send.take_report();
    assert_eq!((report.sent, report.failed), (count as u64, 0));
    assert_eq!(send.take_octets(), (octets + count * HEAD) as u64);
}

#[test]
fn a_window_leaves_in_one_call_and_arrives_in_blocks() {
    window("127.0.0.1:0", 16 * 1468 + 5, 1468, 3000);
    window("[::1]:0", 100, 512, 50);
}

#[test]
fn a_multiple_of_the_block_ends_in_an_empty_one() {
    window("127.0.0.1:0", 4 * 512, 512, 512);
}

#[test]
fn windows_longer_than_a_message_are_cut_into_several() {
    window("127.0.0.1:0", 70 * 1468, 1468, 1);
    window("127.0.0.1:0", 3 * 32_768, 32_768, 40_000);
}

#[test]
fn small_datagrams_and_windows_keep_their_order() {
    let (server, client) = (port("127.0.0.1:0"), client("127.0.0.1:0"));
    let shared = content(20);
    let piece = [Piece {
        content: Arc::clone(&shared),
        range: 5..20,
    }];
    let mut send = BulkSend::new();
    send.datagram(&server, &way(&client), b"oack");
    send.window(&server, &way(&client), 10, [[1; 4], [2; 4]].into_iter(), &piece);
    send.datagram(&server, &way(&client), b"end");
    send.flush(&server);
    assert_eq!(send.take_report().calls, 1);
    assert_eq!(received(&client), b"oack");
    assert_eq!(received(&client)[4..], shared[5..15]);
    assert_eq!(received(&client)[4..], shared[15..20]);
    assert_eq!(received(&client), b"end");
}

#[test]
fn more_messages_than_fit_are_sent_in_between() {
    let (server, client) = (port("127.0.0.1:0"), client("127.0.0.1:0"));
    let mut send = BulkSend::new();
    for n in 0..150u8 {
        send.datagram(&server, &way(&client), &[n]);
    }
    send.flush(&server);
    for n in 0..150u8 {
        assert_eq!(received(&client), [n]);
    }
}

#[test]
fn trains_are_received_whole_where_the_kernel_can() {
    let server = port("127.0.0.1:0");
    let options = BulkOptions {
        trains: true,
        ..BulkOptions::default()
    };
    let client = BulkPort::bind("127.0.0.1:0".parse().unwrap(), &options).unwrap();
    let shared = content(3500);
    let way = Way {
        to: client.local_address(),
        from: None,
        interface: 0,
    };
    let mut send = BulkSend::new();
    let pieces = [Piece {
        content: Arc::clone(&shared),
        range: 0..3500,
    }];
    send.window(&server, &way, 1000, (1..=4u8).map(|n| [n; 4]), &pieces);
    send.flush(&server);
    let mut batch = BulkRecv::new(8, 65_536);
    let mut blocks = Vec::new();
    while blocks.len() < 4 {
        batch.receive(&client).unwrap();
        for i in 0..batch.len() {
            blocks.extend(batch.get(i).datagrams().map(<[u8]>::to_vec));
        }
    }
    let lengths: Vec<usize> = blocks.iter().map(Vec::len).collect();
    assert_eq!(lengths, [1004, 1004, 1004, 504]);
}

#[test]
fn a_datagram_that_cannot_leave_is_counted() {
    let server = port("127.0.0.1:0");
    let nowhere = Way {
        to: "192.0.2.1:9".parse().unwrap(),
        from: Some("127.0.0.1".parse().unwrap()),
        interface: 0,
    };
    let shared = content(100);
    let mut send = BulkSend::new();
    let pieces = [Piece {
        content: Arc::clone(&shared),
        range: 0..100,
    }];
    send.window(&server, &nowhere, 50, [[0; 4]; 3].into_iter(), &pieces);
    send.flush(&server);
    let report = send.take_report();
    assert_eq!(report.sent + report.failed, 3);
}
