//! Leases over a restart of the server.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use purlin_dhcp_client::bench::{BenchReport, Ledger, VerifyOptions, ViolationKind, verify};

use crate::bench::{go, options};
use crate::responder::{Leases, Manner, Responder};

fn fill(path: &Path) -> Leases {
    let server = Responder::start(Manner::Honest);
    let mut options = options(&server, 100, "dora", 60);
    options.ledger = Some(path.to_owned());
    assert!(go(&options).verification.is_clean());
    server.stop()
}

fn ask_again(path: &Path, server: &Responder) -> BenchReport {
    let mut options = VerifyOptions::new(server.address());
    options.strangers = 20;
    options.timeout = Duration::from_millis(50);
    let ledger = Ledger::load(path).expect("just saved");
    assert_eq!(ledger.leases.len(), 60);
    verify(&ledger, &options, &AtomicBool::new(false), &mut |_| {}).expect("loopback binds")
}

#[test]
fn a_server_that_keeps_its_leases_passes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("leases");
    let server = Responder::restart(Manner::Honest, fill(&path));
    let report = ask_again(&path, &server);
    assert!(report.verification.is_clean(), "{:?}", report.verification);
    let done: Vec<_> = report
        .phases
        .iter()
        .map(|phase| (phase.name.as_str(), phase.done))
        .collect();
    assert_eq!(done, [("strangers", 20), ("owners", 60)]);
    assert_eq!(report.verification.leases, 80);
}

#[test]
fn a_server_that_forgot_gives_live_addresses_to_strangers_and_is_caught() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("leases");
    fill(&path);
    let server = Responder::start(Manner::Honest);
    let report = ask_again(&path, &server);
    assert_eq!(report.verification.count(ViolationKind::LiveAddressOffered), 20);
    // The strangers' 20, and the owners who are then moved onto each other's addresses.
    assert!(report.verification.count(ViolationKind::AddressGivenTwice) >= 20);
    assert!(report.verification.count(ViolationKind::AddressChanged) > 0);
}
