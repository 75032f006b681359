//! Uploads: whole or not at all.

use crate::bench::{Bench, refused};
use purlin_tftp_client::{TransferOptions, put};
use purlin_tftp_core::settings::Settings;
use purlin_tftp_core::template::NamePattern;
use purlin_types::ByteSize;
use std::ops::ControlFlow;

fn writable(settings: &mut Settings) {
    let uploads = &mut settings.files.uploads;
    uploads.allow = vec![NamePattern::parse("up/*").unwrap()];
    uploads.create = true;
    uploads.overwrite = false;
    uploads.size_max = ByteSize(1 << 20);
}

fn send(
    options: &TransferOptions,
    octets: &[u8],
    name: &str,
) -> Result<purlin_tftp_client::TransferReport, purlin_tftp_client::TransferError> {
    put(options, octets, name, &mut |_| ControlFlow::Continue(()))
}

#[test]
fn an_upload_is_there_whole_when_it_is_acknowledged() {
    let bench = Bench::with(writable);
    std::fs::create_dir(bench.folder.path().join("up")).unwrap();
    for (number, size) in [0usize, 511, 512, 1428 * 16, 700_001].into_iter().enumerate() {
        for windowsize in [None, Some(8)] {
            let name = format!("up/{number}-{windowsize:?}");
            let octets: Vec<u8> = (0..size).map(|i| (i * 13) as u8).collect();
            let options = TransferOptions {
                windowsize,
                ..bench.options()
            };
            send(&options, &octets, &name).unwrap();
            assert!(
                std::fs::read(bench.folder.path().join(&name)).unwrap() == octets,
                "{name}"
            );
        }
    }
}

#[test]
fn nothing_is_written_where_nothing_may_be() {
    let bench = Bench::new();
    assert_eq!(refused(send(&bench.options(), b"x", "up/x")).0, 2);
    let bench = Bench::with(writable);
    std::fs::create_dir(bench.folder.path().join("up")).unwrap();
    assert_eq!(refused(send(&bench.options(), b"x", "elsewhere")).0, 2);
    bench.file("up/there", 10);
    assert_eq!(refused(send(&bench.options(), b"x", "up/there")).0, 6);
    let large = vec![0; (1 << 20) + 1];
    assert_eq!(refused(send(&bench.options(), &large, "up/large")).0, 3);
    let unannounced = TransferOptions {
        tsize: false,
        ..bench.options()
    };
    assert_eq!(refused(send(&unannounced, &large, "up/large")).0, 3);
    bench.settle();
    let left: Vec<_> = std::fs::read_dir(bench.folder.path().join("up"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["there"], "nothing half-written stays");
}
