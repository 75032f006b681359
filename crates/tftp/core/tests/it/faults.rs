//! Packets that belong to nothing, that are nothing, or that come from somebody else.

use crate::rig::{Rig, peer, request};
use purlin_telemetry::Outcome;
use purlin_tftp_core::{Peer, RecordQuery, Stray};
use purlin_tftp_proto::{Mode, compose};

#[test]
fn a_packet_from_elsewhere_disturbs_nothing() {
    let mut rig = Rig::new();
    rig.read("file", "");
    for stranger in [peer(10, 2001), peer(66, 2000)] {
        let answer = rig.hear_from(stranger, &compose::ack(1));
        assert_eq!(answer, format!("{}: ERROR 5 unknown transfer", stranger.address));
        assert_eq!(
            rig.hear_from(stranger, b"\0\x05\0\0x\0"),
            "",
            "an error is never answered"
        );
    }
    let mut other_socket = peer(10, 2000);
    other_socket.port = 1;
    assert!(rig.hear_from(other_socket, &compose::ack(1)).contains("ERROR 5"));
    assert_eq!(rig.ack(1), "DATA 2");
}

#[test]
fn strangers_are_answered_at_a_limited_rate() {
    let mut rig = Rig::new();
    let answers = |rig: &mut Rig, port: u16| -> usize {
        (0..1000)
            .filter(|n| !rig.hear_from(peer(50, port + n), &compose::ack(9)).is_empty())
            .count()
    };
    assert_eq!(answers(&mut rig, 10_000), 100);
    rig.pass(500);
    assert_eq!(answers(&mut rig, 20_000), 50);
    assert_eq!(rig.count("stray_packet"), 150);
    assert_eq!(rig.count("stray_packet_unanswered"), 1850);
}

#[test]
fn the_last_acknowledgement_may_come_twice() {
    let mut rig = Rig::new();
    rig.read("short", "");
    assert_eq!(rig.ack(1), "end file_sent");
    assert_eq!(
        rig.ack(1),
        "",
        "an error now could kill the next request from this port"
    );
    assert_eq!(rig.pass(100).read("file", ""), "DATA 1");
    assert_eq!(rig.ack(1), "DATA 2");
    rig.error(0);
    assert_eq!(rig.pass(60_000).ack(9), "ERROR 5 unknown transfer");
}

#[test]
fn what_is_no_packet_is_counted_and_not_answered() {
    let mut rig = Rig::new();
    for noise in [
        &b""[..],
        b"\0",
        b"\0\x03\0",
        b"\0\x09abc",
        b"GET / HTTP/1.1\r\n",
        &[0xff; 1400],
    ] {
        assert_eq!(rig.hear(noise), "");
    }
    assert_eq!(rig.count("malformed"), 6);
    assert_eq!(
        rig.hear(b"\0\x01name without an end"),
        "ERROR 4 malformed request"
    );
    assert_eq!(rig.hear(b"\0\x06blksize\x001468\0"), "");
    assert_eq!(rig.count("not_for_servers"), 1);
}

#[test]
fn a_malformed_request_is_recorded_as_answered() {
    for (request, write) in [(&b"\0\x01no end"[..], false), (b"\0\x02no end", true)] {
        let mut rig = Rig::new();
        assert_eq!(rig.hear(request), "ERROR 4 malformed request");
        let told = rig.record();
        assert_eq!((told.slug, told.record.outcome), ("malformed", Outcome::Refused));
        assert_eq!((told.record.name(), told.record.write), ("no end".into(), write));
    }
}

/// Everything on record about the machines of the rig, oldest first.
fn told(rig: &Rig) -> Vec<(Option<Stray>, &'static str, Outcome)> {
    let all = RecordQuery {
        limit: 10_000,
        ..RecordQuery::default()
    };
    let found = rig.engine.find_records(&all);
    found
        .iter()
        .map(|told| (told.record.stray, told.slug, told.record.outcome))
        .collect()
}

#[test]
fn strange_packets_are_told_of() {
    let strange: [(&[u8], Stray, &str, Outcome); 9] = [
        (b"", Stray::Noise, "malformed", Outcome::Dropped),
        (b"\0", Stray::Noise, "malformed", Outcome::Dropped),
        (b"\0\0", Stray::Noise, "malformed", Outcome::Dropped),
        (b"\0\x07", Stray::Noise, "malformed", Outcome::Dropped),
        (b"\0\x03\0\x01x", Stray::Data, "stray_packet", Outcome::Refused),
        (b"\0\x04\0\x01", Stray::Ack, "stray_packet", Outcome::Refused),
        (
            b"\0\x05\0\0x\0",
            Stray::Error,
            "stray_packet_unanswered",
            Outcome::Silent,
        ),
        (
            b"\0\x06tsize\x001\0",
            Stray::OptionAck,
            "not_for_servers",
            Outcome::Dropped,
        ),
        (b"\0\x04\0", Stray::Noise, "malformed", Outcome::Dropped),
    ];
    for (datagram, packet, slug, outcome) in strange {
        let mut rig = Rig::new();
        rig.hear(datagram);
        assert_eq!(told(&rig), [(Some(packet), slug, outcome)], "{datagram:?}");
    }
}

#[test]
fn an_acknowledgement_from_a_wrong_port_is_told_of_and_a_late_one_is_not() {
    let mut rig = Rig::new();
    rig.read("short", "");
    rig.hear_from(peer(10, 2001), &compose::ack(1));
    rig.ack(1);
    rig.pass(2000).ack(1);
    rig.error(0);
    let sent = (None, "file_sent", Outcome::Answered);
    assert_eq!(
        told(&rig),
        [(Some(Stray::Ack), "stray_packet", Outcome::Refused), sent]
    );
}

#[test]
fn a_flood_of_strange_packets_leaves_the_records_of_requests() {
    let mut rig = Rig::with(|settings| settings.decisions = 1024);
    rig.read("missing", "");
    for n in 0..60_000 {
        let datagram: &[u8] = [&b""[..], b"\0\x01no end", b"\0\x04\0\x01"][n % 3];
        rig.hear_from(peer((n % 200) as u8, 3000 + (n / 200) as u16), datagram);
        rig.pass(10);
    }
    let told = told(&rig);
    assert_eq!(told[0].1, "not_found");
    assert!((3..40).contains(&told.len()), "{}", told.len());
}

#[test]
fn noise_from_a_client_does_not_disturb_its_transfer() {
    let mut rig = Rig::new();
    rig.read("file", "");
    assert_eq!(rig.hear(b"\0\x01no end"), "");
    assert_eq!(rig.hear(b"\0\x07"), "");
    assert_eq!(rig.data(1, b"what"), "", "a read takes no data");
    assert_eq!(rig.hear(b"\0\x06"), "");
    assert_eq!(rig.ack(1), "DATA 2");
}

#[test]
fn bad_names_are_refused_without_a_look_at_the_disk() {
    let mut rig = Rig::new();
    assert_eq!(rig.hear(b"\0\x01caf\xe9\0octet\0"), "ERROR 2 bad file name");
    assert_eq!(rig.record().slug, "name_not_text");
    assert_eq!(rig.read("a\x1b[31mb", ""), "ERROR 2 bad file name");
    let long = "x".repeat(513);
    assert_eq!(rig.read(&long, ""), "ERROR 2 bad file name");
    assert_eq!(rig.record().slug, "name_too_long");
    assert_eq!(rig.record().record.name(), "x".repeat(46));
}

#[test]
fn requests_to_everybody_are_not_answered() {
    let mut rig = Rig::new();
    let request = request(false, "file", Mode::Octet, "");
    for many in ["255.255.255.255", "224.0.1.9", "ff02::1"] {
        let mut from = peer(10, 2000);
        from.local = Some(many.parse().unwrap());
        assert_eq!(rig.hear_from(from, &request), "");
    }
    assert_eq!(rig.count("multicast_request"), 3);
    // The broadcast address of a subnet: only the shell can tell.
    let subnet = Peer {
        many: true,
        ..peer(10, 2000)
    };
    assert_eq!(rig.hear_from(subnet, &request), "");
    assert_eq!(rig.count("multicast_request"), 4);
    let mut unknown = peer(10, 2000);
    unknown.local = None;
    assert_eq!(rig.hear_from(unknown, &request), "192.0.2.10:2000: DATA 1");
}

#[test]
fn nothing_that_everybody_hears_is_answered() {
    let mut rig = Rig::new();
    let everybody = Peer {
        local: Some("255.255.255.255".parse().unwrap()),
        ..peer(10, 2000)
    };
    let strange: [&[u8]; 6] = [
        b"\0\x03\0\x01x",
        b"\0\x04\0\x01",
        b"\0\x05\0\0x\0",
        b"\0\x06tsize\x001\0",
        b"\0\x01no end",
        b"\0\x07",
    ];
    for (n, datagram) in (1..).zip(strange) {
        assert_eq!(rig.hear_from(everybody, datagram), "", "{datagram:?}");
        assert_eq!(rig.count("multicast_request"), n, "{datagram:?}");
    }
    assert_eq!(told(&rig), [], "nobody fills the records of a whole link");
}

#[test]
fn a_request_from_port_0_is_dropped() {
    let mut rig = Rig::new();
    for write in [false, true] {
        let datagram = request(write, "file", Mode::Octet, "");
        assert_eq!(rig.hear_from(peer(10, 0), &datagram), "");
    }
    assert_eq!((rig.engine.transfers(), rig.count("malformed")), (0, 2));
    assert_eq!(rig.after(60_000), "");
}

#[test]
fn ipv6_clients_are_told_apart_by_link_and_not_by_flow() {
    let mut rig = Rig::new();
    let on_link = |scope, flow| {
        let mut from = peer(10, 0);
        let address = "fe80::1".parse().unwrap();
        from.address = std::net::SocketAddrV6::new(address, 2000, flow, scope).into();
        from
    };
    let request = request(false, "file", Mode::Octet, "");
    assert!(rig.hear_from(on_link(1, 0), &request).ends_with("DATA 1"));
    assert!(rig.hear_from(on_link(2, 0), &request).ends_with("DATA 1"));
    assert_eq!(rig.engine.transfers(), 2);
    assert!(
        rig.hear_from(on_link(1, 77), &compose::ack(1))
            .ends_with("DATA 2")
    );
}

#[test]
fn error_texts_name_no_path() {
    let mut rig = Rig::new();
    rig.read("../../etc/shadow", "");
    let told: Vec<u8> = rig.sent.pop().unwrap().1;
    assert!(!told.windows(3).any(|part| part == b"etc" || part == b"../"));
}
