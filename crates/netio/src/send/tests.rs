use super::*;
use crate::UdpOptions;
use crate::netns::Pair;
use std::net::UdpSocket;

fn client() -> (UdpSocket, SocketAddrV4) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let std::net::SocketAddr::V4(address) = socket.local_addr().unwrap() else {
        unreachable!()
    };
    (socket, address)
}

fn port() -> UdpPort {
    UdpPort::bind("127.0.0.1:0".parse().unwrap(), &UdpOptions::default()).unwrap()
}

#[test]
fn more_than_a_batch_goes_out_in_few_calls() {
    let port = port();
    let (receiver, to) = client();
    let payloads: Vec<[u8; 200]> = (0..100).map(|i| [i; 200]).collect();
    let messages = payloads.iter().map(|p| Outgoing {
        payload: p,
        to,
        from: Ipv4Addr::UNSPECIFIED,
    });
    let report = SendBatch::new().send(&port, messages);
    assert_eq!(
        report,
        SendReport {
            sent: 100,
            failed: 0,
            blocked: 0,
            unresolved: 0,
            calls: 2
        }
    );
    let mut buffer = [0; 300];
    for i in 0..100 {
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 200);
        assert_eq!(buffer[0], i);
    }
}

#[test]
fn singly_is_one_datagram_a_call() {
    let port = port();
    let (receiver, to) = client();
    let payloads: Vec<[u8; 200]> = (0..70).map(|i| [i; 200]).collect();
    let messages = || {
        payloads.iter().map(|p| Outgoing {
            payload: p,
            to,
            from: Ipv4Addr::UNSPECIFIED,
        })
    };
    let mut batch = SendBatch::new();
    batch.set_singly(true);
    let report = batch.send(&port, messages());
    assert_eq!((report.sent, report.calls), (70, 70));
    let mut buffer = [0; 300];
    for i in 0..70 {
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 200);
        assert_eq!(buffer[0], i);
    }
    batch.set_singly(false);
    let report = batch.send(&port, messages());
    assert_eq!((report.sent, report.calls), (70, 2));
}

#[test]
fn lengths_and_targets_may_mix_and_every_datagram_arrives_as_it_was() {
    let port = port();
    let receivers = [client(), client()];
    let payloads: Vec<Vec<u8>> = (0..90u8).map(|i| vec![i; 100 + usize::from(i % 3)]).collect();
    let messages = payloads.iter().enumerate().map(|(i, payload)| Outgoing {
        payload,
        to: receivers[i % 2].1,
        from: Ipv4Addr::UNSPECIFIED,
    });
    assert_eq!(SendBatch::new().send(&port, messages).sent, 90);
    for (which, (receiver, _)) in receivers.iter().enumerate() {
        let mut buffer = [0; 300];
        let mut seen: Vec<Vec<u8>> = (0..45)
            .map(|_| {
                let length = receiver.recv(&mut buffer).unwrap();
                buffer[..length].to_vec()
            })
            .collect();
        seen.sort_by_key(|bytes| bytes[0]);
        let mine: Vec<Vec<u8>> = payloads.iter().skip(which).step_by(2).cloned().collect();
        assert_eq!(seen, mine);
    }
}

#[test]
fn a_refused_datagram_does_not_hold_up_the_others() {
    let port = port();
    let (receiver, to) = client();
    // Without SO_BROADCAST the kernel refuses those in the middle.
    let broadcast = SocketAddrV4::new(Ipv4Addr::BROADCAST, 9);
    let targets = [to, broadcast, broadcast, to, to];
    let messages = targets.map(|to| Outgoing {
        payload: b"x",
        to,
        from: Ipv4Addr::UNSPECIFIED,
    });
    let mut batch = SendBatch::new();
    let report = batch.send(&port, messages);
    assert_eq!((report.sent, report.failed), (3, 2));
    let mut buffer = [0; 8];
    for _ in 0..3 {
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 1);
    }
}

#[test]
fn each_datagram_has_its_own_source_address() {
    let options = UdpOptions {
        packet_info: true,
        ..UdpOptions::default()
    };
    let port = UdpPort::bind("0.0.0.0:0".parse().unwrap(), &options).unwrap();
    let (receiver, to) = client();
    let sources = [5, 5, 9, 5, 9].map(|last| Ipv4Addr::new(127, 0, 0, last));
    let report = SendBatch::new().send(
        &port,
        sources.map(|from| Outgoing {
            payload: b"x",
            to,
            from,
        }),
    );
    assert_eq!(report.sent, 5);
    let mut buffer = [0; 8];
    let mut seen = [0; 5].map(|_| receiver.recv_from(&mut buffer).unwrap().1.ip());
    seen.sort();
    assert_eq!(seen, [5, 5, 5, 9, 9].map(|last| Ipv4Addr::new(127, 0, 0, last)));
}

#[test]
fn a_way_that_cannot_cut_messages_gets_single_datagrams() {
    let Some(pair) = Pair::addressed("mtu") else {
        return;
    };
    let ip = |line: &str| {
        let status = std::process::Command::new("ip")
            .args(line.split(' '))
            .status()
            .unwrap();
        assert!(status.success(), "ip {line}");
    };
    // Segments of 1000 octets do not fit; whole datagrams may be fragmented.
    pair.in_server(|| ip("link set s0 mtu 600"));
    let receiver =
        pair.in_client(|| UdpPort::bind("10.77.0.2:0".parse().unwrap(), &UdpOptions::default()).unwrap());
    let to = receiver.local_address();
    let (report, segmenting) = pair.in_server(move || {
        let port = UdpPort::bind("10.77.0.1:0".parse().unwrap(), &UdpOptions::default()).unwrap();
        let mut batch = SendBatch::new();
        let payloads = [[1; 1000], [2; 1000], [3; 1000]];
        let messages = payloads.iter().map(|p| Outgoing {
            payload: p,
            to,
            from: Ipv4Addr::UNSPECIFIED,
        });
        let report = batch.send(&port, messages);
        (report, batch.segmenting)
    });
    assert_eq!((report.sent, report.failed, segmenting), (3, 0, false));
    let mut batch = crate::RecvBatch::new();
    let mut got = 0;
    while got < 3 {
        crate::netns::readable(&receiver, std::time::Duration::from_secs(5));
        got += batch.receive(&receiver).unwrap();
    }
    assert_eq!(got, 3);
}

/// Sends to `rounds` times 200 neighbours that do not exist, and after each dozen to the one that does.
fn send_among_the_dead(port: &UdpPort, alive: SocketAddrV4, rounds: usize) -> (SendReport, u64) {
    let mut batch = SendBatch::new();
    let datagram = |to| Outgoing {
        payload: &[7; 300],
        to,
        from: Ipv4Addr::UNSPECIFIED,
    };
    let (mut dead, mut living) = (SendReport::default(), 0);
    let hosts: Vec<u8> = (11..=210).collect();
    for _ in 0..rounds {
        for some in hosts.chunks(12) {
            let targets = some
                .iter()
                .map(|&last| SocketAddrV4::new([10, 77, 0, last].into(), 67));
            dead += batch.send(port, targets.map(datagram));
            living += batch.send(port, [datagram(alive)]).sent;
        }
    }
    (dead, living)
}

#[test]
fn neighbours_that_answer_no_arp_do_not_silence_the_others() {
    let Some(pair) = Pair::addressed("dead") else {
        return;
    };
    let receiver =
        pair.in_client(|| UdpPort::bind("10.77.0.2:0".parse().unwrap(), &UdpOptions::default()).unwrap());
    let alive = receiver.local_address();
    pair.in_server(move || {
        for send_buffer in [None, Some(1 << 20)] {
            let options = UdpOptions {
                send_buffer,
                ..UdpOptions::default()
            };
            let port = UdpPort::bind("10.77.0.1:0".parse().unwrap(), &options).unwrap();
            let (dead, living) = send_among_the_dead(&port, alive, 20);
            assert_eq!((living, dead.blocked, dead.failed), (20 * 17, 0, 0));
            assert!(dead.unresolved > 0 && dead.sent > 0, "{dead:?}");
        }
    });
}
