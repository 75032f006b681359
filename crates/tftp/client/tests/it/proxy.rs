//! Transfers through the fault proxy.

use std::ops::ControlFlow;
use std::time::Duration;

use purlin_tftp_client::proxy::{Proxy, ProxyCounts, ProxyOptions};
use purlin_tftp_client::{Faults, TransferError, TransferOptions, get, put};

use crate::server::{Manner, Server, content};

const SIZE: usize = 100_000;

fn through(
    change: impl FnOnce(&mut ProxyOptions),
    windowsize: u16,
) -> (Result<Vec<u8>, TransferError>, ProxyCounts) {
    let server = Server::start(Manner::OwnPorts, &[("f", &content(SIZE))]);
    let mut options = ProxyOptions::new(server.address());
    change(&mut options);
    let proxy = Proxy::start(options).unwrap();
    let options = TransferOptions {
        windowsize: Some(windowsize),
        wait: Duration::from_millis(20),
        attempts: 20,
        ..TransferOptions::new(proxy.address())
    };
    let mut octets = Vec::new();
    let got = get(&options, "f", &mut octets, &mut |_| ControlFlow::Continue(()));
    (got.map(|_| octets), proxy.counts())
}

#[test]
fn a_file_survives_each_kind_of_harm() {
    let kinds = [
        Faults::loss(0.03),
        Faults {
            duplicate: 0.05,
            ..Faults::NONE
        },
        Faults {
            reorder: 0.05,
            ..Faults::NONE
        },
        Faults {
            loss: 0.02,
            duplicate: 0.02,
            reorder: 0.02,
            corrupt: 0.0,
        },
    ];
    for faults in kinds {
        for windowsize in [1, 8] {
            let (octets, counts) = through(
                |options| (options.to_client, options.to_server, options.seed) = (faults, faults, 42),
                windowsize,
            );
            assert!(
                octets.unwrap() == content(SIZE),
                "{faults} in windows of {windowsize}"
            );
            assert!(counts.to_client.received >= (SIZE / 1428) as u64, "{counts:?}");
        }
    }
}

#[test]
fn duplicates_do_not_multiply_in_lock_step() {
    let faults = Faults {
        duplicate: 0.2,
        ..Faults::NONE
    };
    let (octets, counts) = through(
        |options| (options.to_client, options.to_server) = (faults, faults),
        1,
    );
    assert!(octets.unwrap() == content(SIZE));
    // Every doubled packet may cause one more and no more; with the Sorcerer's Apprentice their number has no bound.
    let blocks = (SIZE / 1428 + 2) as u64;
    assert!(counts.to_client.received <= blocks * 4, "{counts:?}");
    assert!(counts.to_server.received <= blocks * 4, "{counts:?}");
}

#[test]
fn an_upload_survives_loss() {
    let server = Server::start(Manner::Honest, &[]);
    let faults = Faults::loss(0.03);
    let proxy = Proxy::start(ProxyOptions {
        to_client: faults,
        to_server: faults,
        ..ProxyOptions::new(server.address())
    });
    let proxy = proxy.unwrap();
    let options = TransferOptions {
        windowsize: Some(8),
        wait: Duration::from_millis(20),
        attempts: 20,
        ..TransferOptions::new(proxy.address())
    };
    let sent = put(&options, &content(SIZE), "f", &mut |_| ControlFlow::Continue(()));
    sent.unwrap();
    assert!(server.stored("f") == Some(content(SIZE)));
}

#[test]
fn a_loss_costs_round_trips_not_the_longest_wait() {
    let server = Server::start(Manner::Honest, &[]);
    let faults = Faults::loss(0.05);
    let options = ProxyOptions {
        to_client: faults,
        to_server: faults,
        seed: 3,
        ..ProxyOptions::new(server.address())
    };
    let proxy = Proxy::start(options).unwrap();
    let options = TransferOptions {
        windowsize: Some(4),
        wait: Duration::from_secs(10),
        ..TransferOptions::new(proxy.address())
    };
    let report = put(&options, &content(SIZE), "f", &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(report.timeouts > 0 && report.seconds < 10.0, "{report:?}");
}

#[test]
fn corruption_gets_through_and_is_counted() {
    let faults = Faults {
        corrupt: 1.0,
        ..Faults::NONE
    };
    let (octets, counts) = through(|options| options.to_client = faults, 1);
    assert_ne!(octets.ok(), Some(content(SIZE)));
    assert_eq!(counts.to_client.corrupted, counts.to_client.received);
}

#[test]
fn delay_adds_to_every_round() {
    let began = std::time::Instant::now();
    let (octets, _) = through(|options| options.delay = Duration::from_millis(10), 64);
    assert!(octets.unwrap() == content(SIZE));
    // The request and two windows of 64 blocks: three rounds of 20 ms.
    assert!(began.elapsed() >= Duration::from_millis(60));
}

#[test]
fn a_share_outside_its_range_is_refused() {
    let server = "127.0.0.1:69".parse().unwrap();
    let options = ProxyOptions {
        to_client: Faults::loss(1.5),
        ..ProxyOptions::new(server)
    };
    assert!(
        Proxy::start(options)
            .unwrap_err()
            .to_string()
            .contains("share of loss is 1.5")
    );
}
