//! Uploads.

use std::ops::ControlFlow;
use std::time::Duration;

use purlin_tftp_client::{Mode, TransferOptions, put, put_file};

use crate::server::{Manner, Server, content};

fn options(server: &Server) -> TransferOptions {
    TransferOptions {
        wait: Duration::from_millis(50),
        ..TransferOptions::new(server.address())
    }
}

#[test]
fn files_of_every_ending_are_stored_in_every_geometry() {
    for manner in [Manner::Honest, Manner::NoOptions, Manner::OwnPorts] {
        let server = Server::start(manner, &[]);
        for (blksize, windowsize) in [(None, None), (Some(1024), Some(1)), (Some(1428), Some(16))] {
            for size in [0, 1, 511, 512, 4096, 50_000] {
                let options = TransferOptions {
                    blksize,
                    windowsize,
                    ..options(&server)
                };
                let octets = content(size);
                let report = put(&options, &octets, "up", &mut |_| ControlFlow::Continue(())).unwrap();
                assert_eq!(report.octets, size as u64);
                let stored = server.stored("up");
                assert_eq!(
                    stored,
                    Some(octets),
                    "{manner:?} {size} {blksize:?} x {windowsize:?}"
                );
            }
        }
    }
}

#[test]
fn text_goes_out_in_netascii() {
    let server = Server::start(Manner::Honest, &[]);
    let options = TransferOptions {
        mode: Mode::Netascii,
        ..options(&server)
    };
    put(&options, b"a\nb\rc", "t", &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(server.stored("t").unwrap(), b"a\r\nb\r\0c");
}

#[test]
fn a_local_file_is_read_where_it_lies() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    std::fs::write(&path, content(70_000)).unwrap();
    let server = Server::start(Manner::Honest, &[]);
    let mut told = Vec::new();
    let report = put_file(&options(&server), &path, "f", &mut |progress| {
        told.push(*progress);
        ControlFlow::Continue(())
    });
    assert_eq!(report.unwrap().tsize, Some(70_000));
    assert_eq!(server.stored("f").unwrap(), content(70_000));
    assert_eq!(
        told.last().map(|p| (p.octets, p.total)),
        Some((70_000, Some(70_000)))
    );
    let missing = put_file(&options(&server), &dir.path().join("none"), "f", &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(
        missing.unwrap_err().to_string().contains("cannot read"),
        "the path is named"
    );
}
