//! Downloads.

use std::ops::ControlFlow;
use std::time::Duration;

use purlin_tftp_client::{Mode, Rollover, TransferError, TransferOptions, TransferReport, get, get_to_file};

use crate::server::{Manner, Server, content};

fn options(server: &Server) -> TransferOptions {
    TransferOptions {
        wait: Duration::from_millis(50),
        attempts: 3,
        ..TransferOptions::new(server.address())
    }
}

fn fetch(options: &TransferOptions, name: &str) -> Result<(Vec<u8>, TransferReport), TransferError> {
    let mut octets = Vec::new();
    let report = get(options, name, &mut octets, &mut |_| ControlFlow::Continue(()))?;
    Ok((octets, report))
}

#[test]
fn files_of_every_ending_arrive_in_every_geometry() {
    let (empty, one, even, odd) = (content(0), content(1), content(4096), content(100_001));
    let files: [(&str, &[u8]); 4] = [("empty", &empty), ("one", &one), ("even", &even), ("odd", &odd)];
    for manner in [Manner::Honest, Manner::NoOptions, Manner::OwnPorts] {
        let server = Server::start(manner, &files);
        for (blksize, windowsize) in [
            (None, None),
            (Some(1024), None),
            (Some(8), Some(64)),
            (Some(1428), Some(16)),
        ] {
            for (name, expected) in files {
                if blksize == Some(8) && expected.len() > 5000 {
                    continue;
                }
                let options = TransferOptions {
                    blksize,
                    windowsize,
                    ..options(&server)
                };
                let (octets, report) = fetch(&options, name).unwrap();
                assert_eq!(octets, expected, "{manner:?} {name} {blksize:?} x {windowsize:?}");
                assert_eq!(report.octets, expected.len() as u64);
                assert_eq!((report.gaps, report.strangers), (0, 0));
                let agreed = if manner == Manner::NoOptions {
                    512
                } else {
                    blksize.unwrap_or(512)
                };
                assert_eq!(report.blksize, agreed);
            }
        }
    }
}

#[test]
fn ipv6_works_as_ipv4_does() {
    let server = Server::start_at("[::1]:0", Manner::Honest, &[("f", &content(5000))]);
    assert_eq!(fetch(&options(&server), "f").unwrap().0, content(5000));
}

#[test]
fn netascii_text_gets_local_line_ends() {
    let server = Server::start(Manner::Honest, &[("t", b"a\r\nb\r\0c\r\n")]);
    let options = TransferOptions {
        mode: Mode::Netascii,
        blksize: Some(8),
        tsize: false,
        ..options(&server)
    };
    let (octets, report) = fetch(&options, "t").unwrap();
    assert_eq!(octets, b"a\nb\rc\n");
    assert_eq!(report.octets, 9);
}

#[test]
fn either_rollover_is_followed() {
    let big = content(8 * 65_600 + 3);
    for manner in [Manner::Honest, Manner::RolloverOne] {
        let server = Server::start(manner, &[("big", &big)]);
        for (windowsize, rollover) in [(None, None), (Some(32), None), (Some(32), Some(Rollover::One))] {
            if rollover.is_some() && manner == Manner::Honest {
                continue;
            }
            let mut options = TransferOptions {
                blksize: Some(8),
                windowsize,
                rollover,
                ..options(&server)
            };
            options.attempts = 8;
            let (octets, report) = fetch(&options, "big").unwrap();
            assert!(
                octets == big,
                "{manner:?} {windowsize:?} {rollover:?}: {report:?}"
            );
        }
    }
}

#[test]
fn a_missing_file_is_refused_in_words() {
    let server = Server::start(Manner::Honest, &[]);
    let error = fetch(&options(&server), "none").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{} refused \"none\": no such file (error 1)", server.address())
    );
}

#[test]
fn silence_is_told_apart_from_a_server_that_went_silent() {
    let server = Server::start(Manner::Silent, &[]);
    let error = fetch(&options(&server), "f").unwrap_err();
    assert!(
        matches!(error, TransferError::NoAnswer { attempts: 3, .. }),
        "{error}"
    );
    assert_eq!(server.requests.load(std::sync::atomic::Ordering::Relaxed), 3);
    let server = Server::start(Manner::StopsAfter(4), &[("f", &content(100_000))]);
    let error = fetch(&options(&server), "f").unwrap_err();
    assert!(
        matches!(error, TransferError::Silence { octets: 5712, .. }),
        "{error}"
    );
}

#[test]
fn a_server_that_breaks_the_protocol_is_named() {
    let file = content(3000);
    for (manner, words) in [
        (Manner::BadOack, "its OACK answers option blksize"),
        (Manner::TooLong, "a block of 600 octets is longer than agreed"),
        (Manner::Shorter, "announced 3000 octets but sent 2855"),
        (
            Manner::FailsAfter(1),
            "ended the transfer after 1428 octets: file changed (error 0)",
        ),
    ] {
        let server = Server::start(manner, &[("f", &file)]);
        let options = TransferOptions {
            windowsize: None,
            ..options(&server)
        };
        let error = fetch(&options, "f").unwrap_err().to_string();
        assert!(error.contains(words), "{manner:?}: {error}");
    }
}

#[test]
fn octets_of_any_kind_end_in_an_error_and_nothing_worse() {
    let server = Server::start(Manner::Garbage, &[]);
    fetch(&options(&server), "f").unwrap_err();
}

#[test]
fn a_file_appears_only_when_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("local");
    let go = |manner| {
        let server = Server::start(manner, &[("f", &content(9000))]);
        get_to_file(&options(&server), "f", &path, &mut |_| ControlFlow::Continue(()))
    };
    go(Manner::StopsAfter(2)).unwrap_err();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    go(Manner::Honest).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), content(9000));
    go(Manner::FailsAfter(1)).err();
    assert_eq!(std::fs::read(&path).unwrap(), content(9000));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_transfer_stops_when_told_to_and_at_its_limit() {
    let server = Server::start(Manner::StopsAfter(1), &[("f", &content(9000))]);
    let options = TransferOptions {
        wait: Duration::from_secs(5),
        ..options(&server)
    };
    let stopped = get(&options, "f", &mut Vec::new(), &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(TransferError::Stopped { octets: 1428 })));
    let options = TransferOptions {
        limit: Some(Duration::from_millis(150)),
        ..options
    };
    let error = fetch(&options, "f").unwrap_err();
    assert!(
        matches!(error, TransferError::Limit { octets: 1428, .. }),
        "{error}"
    );
}

#[test]
fn a_strangers_packets_do_not_disturb() {
    use std::net::UdpSocket;
    // A server that lets a stranger speak in the middle of the transfer.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let play = std::thread::spawn(move || {
        let mut buffer = [0; 600];
        let (_, client) = socket.recv_from(&mut buffer).unwrap();
        socket
            .send_to(&[&[0, 3, 0, 1][..], &[1; 512]].concat(), client)
            .unwrap();
        stranger.send_to(b"\0\x03\0\x01evil", client).unwrap();
        stranger.send_to(b"\0\x05\0\x01evil\0", client).unwrap();
        let (length, _) = stranger.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..4], [0, 5, 0, 5], "{length}");
        socket.recv_from(&mut buffer).unwrap();
        socket.send_to(b"\0\x03\0\x02end", client).unwrap();
        socket.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..4], [0, 4, 0, 2]);
    });
    let (octets, report) = fetch(&TransferOptions::plain(address), "f").unwrap();
    assert_eq!(octets, [&[1; 512][..], b"end"].concat());
    assert_eq!(report.strangers, 2);
    play.join().unwrap();
}
