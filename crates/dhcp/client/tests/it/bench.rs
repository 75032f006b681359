//! Load and verification.

use std::net::Ipv4Addr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use purlin_dhcp_client::bench::{BenchOptions, BenchReport, Fleet, Load, Phase, Relay, ViolationKind, run};

use crate::responder::{Manner, Responder};

pub(crate) fn relay() -> Relay {
    Relay::ephemeral(Ipv4Addr::new(10, 1, 0, 1), Ipv4Addr::LOCALHOST)
}

fn phase(mix: &str, operations: u64) -> Phase {
    Phase {
        name: "phase".into(),
        mix: mix.parse().expect("a mix"),
        load: Load::Closed { in_flight: 8 },
        operations: Some(operations),
        duration: None,
    }
}

pub(crate) fn options(server: &Responder, clients: u32, mix: &str, operations: u64) -> BenchOptions {
    let mut options = BenchOptions::new(
        server.address(),
        Fleet::new(clients, relay()),
        phase(mix, operations),
    );
    options.timeout = Duration::from_millis(20);
    options
}

pub(crate) fn go(options: &BenchOptions) -> BenchReport {
    run(options, &AtomicBool::new(false), &mut |_| {}).expect("loopback binds")
}

fn broken(manner: Manner, mix: &str) -> BenchReport {
    let server = Responder::start(manner);
    go(&options(&server, 10, mix, 10))
}

#[test]
fn an_honest_server_is_found_clean_and_every_step_is_timed() {
    let server = Responder::start(Manner::Honest);
    let report = go(&options(&server, 200, "dora", 200));
    assert!(report.verification.is_clean(), "{:?}", report.verification);
    assert_eq!(report.verification.leases, 200);
    assert_eq!(report.verification.servers, [Ipv4Addr::LOCALHOST]);
    let phase = &report.phases[0];
    assert_eq!(phase.done, 200);
    let steps: Vec<_> = phase
        .latency
        .iter()
        .map(|latency| (latency.step, latency.count))
        .collect();
    assert_eq!(
        steps,
        [("DISCOVER-OFFER", 200), ("REQUEST-ACK", 200), ("DORA", 200)]
    );
    assert!(
        phase
            .latency
            .iter()
            .all(|latency| latency.p50_us <= latency.p99_us)
    );
}

#[test]
fn an_address_given_twice_is_caught_at_the_offer_and_at_the_ack() {
    let report = broken(Manner::OneAddressForAll, "dora");
    assert!(
        report.verification.count(ViolationKind::AddressGivenTwice) >= 9,
        "{:?}",
        report.verification
    );
    assert!(report.verification.count(ViolationKind::LiveAddressOffered) >= 1);
    let evidence = &report.verification.evidence[0];
    assert_eq!(evidence.address, Ipv4Addr::new(10, 1, 1, 1));
    assert!(evidence.against.starts_with("02:01:"), "{evidence:?}");
}

#[test]
fn an_address_given_twice_is_caught_across_threads() {
    let server = Responder::start(Manner::OneAddressForAll);
    let mut options = options(&server, 2, "dora", 2);
    options.threads = 2;
    let report = go(&options);
    assert_eq!(report.verification.count(ViolationKind::AddressGivenTwice), 1);
}

#[test]
fn each_broken_promise_has_its_name() {
    for (manner, mix, kind) in [
        (Manner::ChangesAddress, "dora", ViolationKind::AddressChanged),
        (Manner::NoTime, "dora", ViolationKind::NoLease),
        (Manner::RefusesOwners, "renew", ViolationKind::OwnerRefused),
        (Manner::WrongClient, "dora", ViolationKind::WrongClient),
    ] {
        let report = broken(manner, mix);
        assert!(
            report.verification.count(kind) > 0,
            "{manner:?}: {:?}",
            report.verification
        );
    }
}

#[test]
fn silence_is_counted_once_per_operation_after_all_attempts() {
    let server = Responder::start(Manner::Silent);
    let report = go(&options(&server, 4, "dora", 4));
    let phase = &report.phases[0];
    assert_eq!(
        (
            phase.operations[0].started,
            phase.operations[0].timed_out,
            phase.done
        ),
        (4, 4, 0)
    );
    assert_eq!((phase.retransmitted, phase.sent), (8, 12));
    assert_eq!(phase.loss(), 1.0);
}

#[test]
fn a_lost_message_is_sent_again() {
    let server = Responder::start(Manner::DropsFirst);
    let report = go(&options(&server, 5, "dora", 5));
    assert_eq!(report.phases[0].done, 5);
    assert!(report.phases[0].retransmitted >= 10);
    // The time of the DORA counts from its first sending: two waits of 20 ms are in it.
    let dora = report.phases[0]
        .latency
        .iter()
        .find(|latency| latency.step == "DORA")
        .expect("timed");
    assert!(dora.p50_us >= 40_000.0, "{dora:?}");
}

#[test]
fn a_mix_does_every_operation_and_renewals_get_a_fill_first() {
    let server = Responder::start(Manner::Honest);
    let report = go(&options(
        &server,
        50,
        "renew=3,rebind=1,reboot=1,inform=1,release=1",
        70,
    ));
    assert_eq!(report.phases[0].name, "fill");
    assert_eq!(report.phases[0].done, 50);
    let counts: Vec<_> = report.phases[1]
        .operations
        .iter()
        .map(|count| (count.operation.name(), count.done))
        .collect();
    assert_eq!(
        counts,
        [
            ("renew", 30),
            ("rebind", 10),
            ("reboot", 10),
            ("release", 10),
            ("inform", 10)
        ]
    );
    assert!(report.verification.is_clean(), "{:?}", report.verification);
    assert_eq!(report.verification.leases, 40);
}

#[test]
fn an_open_loop_starts_its_number_whatever_the_server_does() {
    let server = Responder::start(Manner::Silent);
    let mut options = options(&server, 1000, "dora", 100);
    options.phases[0].load = Load::Open { per_second: 5000.0 };
    let report = go(&options);
    assert_eq!(report.phases[0].operations[0].started, 100);
    assert_eq!(report.phases[0].operations[0].timed_out, 100);
}

#[test]
fn an_open_loop_without_idle_clients_sheds_and_says_so() {
    let server = Responder::start(Manner::Silent);
    let mut options = options(&server, 10, "dora", 100);
    options.phases[0].load = Load::Open { per_second: 50_000.0 };
    let report = go(&options);
    assert!(report.phases[0].shed > 0);
    assert_eq!(
        report.phases[0].operations[0].started + report.phases[0].shed,
        100
    );
}

#[test]
fn a_run_can_be_stopped_and_still_reports() {
    let server = Responder::start(Manner::Honest);
    let mut options = options(&server, 100, "dora", 1);
    options.phases[0].operations = None;
    options.phases[0].duration = Some(Duration::from_secs(3600));
    let stop = AtomicBool::new(false);
    let mut told = 0;
    let report = run(&options, &stop, &mut |progress| {
        told += 1;
        assert_eq!(progress.total, None);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    })
    .expect("loopback binds");
    assert!(report.interrupted && told >= 1 && report.phases[0].done > 0);
}

#[test]
fn limits_are_checked_before_anything_is_sent() {
    let server = Responder::start(Manner::Honest);
    let refused = |change: fn(&mut BenchOptions)| {
        let mut options = options(&server, 10, "dora", 1);
        change(&mut options);
        options.check().expect_err("refused").to_string()
    };
    assert!(refused(|o| o.fleet.clients = 0).contains("clients is 0"));
    assert!(refused(|o| o.threads = 11).contains("each thread"));
    assert!(refused(|o| o.phases[0].operations = None).contains("never ends"));
    assert!(refused(|o| o.phases[0].load = Load::Open { per_second: f64::NAN }).contains("rate per second"));
    let shared = |o: &mut BenchOptions| {
        o.threads = 2;
        o.fleet.relays[0].bind.set_port(6700);
    };
    assert!(refused(shared).contains("cannot share"));
}
