//! Load and verification.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use purlin_tftp_client::Faults;
use purlin_tftp_client::bench::{
    BenchOptions, BenchReport, FileSpec, Load, Phase, PhaseReport, PortUse, Profile, ViolationKind, run,
};

use crate::server::{Manner, Server, content};

const SIZE: usize = 20_000;

fn serve(manner: Manner) -> Server {
    Server::start(manner, &[("f", &content(SIZE))])
}

fn options(server: &Server, profile: Profile, clients: u32, boots: u64) -> BenchOptions {
    let phase = Phase {
        boots: Some(boots),
        duration: None,
        ..Phase::new(profile, Load::Closed { in_flight: clients })
    };
    let files = vec![FileSpec::octets("f", content(SIZE))];
    BenchOptions {
        wait: Duration::from_millis(50),
        ..BenchOptions::new(server.address(), files, phase)
    }
}

fn go(options: &BenchOptions) -> BenchReport {
    run(options, &AtomicBool::new(false), &mut |_| {}).unwrap()
}

fn only(report: &BenchReport) -> &PhaseReport {
    assert!(report.is_clean(), "{:?}", report.evidence);
    &report.phases[0]
}

fn shared(options: BenchOptions) -> BenchOptions {
    BenchOptions {
        ports: PortUse::Shared { sockets: 2 },
        ..options
    }
}

#[test]
fn every_profile_boots_over_own_and_shared_ports() {
    let server = serve(Manner::Honest);
    let put = Profile::Put {
        blksize: 1024,
        windowsize: 4,
    };
    let geometry = Profile::Geometry {
        blksize: 1468,
        windowsize: 16,
    };
    for profile in Profile::NAMED.into_iter().chain([put, geometry]) {
        for change in [|options| options, shared] {
            let report = go(&change(options(&server, profile, 3, 6)));
            let phase = only(&report);
            assert_eq!(
                (phase.boots_done, phase.boots_failed),
                (6, 0),
                "{profile}: {phase:?}"
            );
            let (done, probed, missed) = match profile {
                Profile::Edk2 => (6, 6, 0),
                Profile::Pxelinux => (6, 0, 60),
                Profile::Grub => (12, 0, 0),
                Profile::Miss => (0, 0, 6),
                _ => (6, 0, 0),
            };
            let counted = phase.transfers;
            assert_eq!(
                (counted.done, counted.probed, counted.missed),
                (done, probed, missed),
                "{profile}"
            );
            assert_eq!(counted.started, done + probed + missed);
            assert_eq!(phase.octets, done * SIZE as u64, "{profile}");
            assert_eq!((phase.strangers, phase.malformed, phase.send_failures), (0, 0, 0));
            assert!(phase.errors.is_empty());
        }
    }
}

/// PXELINUX asks for its configuration by ten names and reads the first that is there, whatever it says.
#[test]
fn a_configuration_that_is_served_ends_the_search() {
    for (config, missed) in [("pxelinux.cfg/0A000000", 2), ("pxelinux.cfg/0A", 8)] {
        let server = Server::start(
            Manner::Honest,
            &[("f", &content(SIZE)), (config, b"default linux\n")],
        );
        let report = go(&options(&server, Profile::Pxelinux, 1, 1));
        let phase = only(&report);
        assert_eq!((phase.boots_done, phase.boots_failed), (1, 0), "{phase:?}");
        assert_eq!(
            (phase.transfers.missed, phase.transfers.done),
            (missed, 2),
            "{config}"
        );
    }
}

#[test]
fn what_is_served_and_should_not_be_is_named() {
    let server = serve(Manner::Everything);
    let report = go(&options(&server, Profile::Miss, 1, 1));
    let evidence = &report.evidence[0];
    assert_eq!(evidence.kind, ViolationKind::ServedMissing);
    assert!(evidence.file.ends_with(".none"), "{evidence:?}");
}

#[test]
fn servers_with_a_port_per_transfer_are_followed() {
    let server = serve(Manner::OwnPorts);
    for change in [|options| options, shared] {
        let report = go(&change(options(&server, Profile::Ipxe, 4, 8)));
        assert_eq!(only(&report).boots_done, 8);
    }
}

#[test]
fn each_violation_has_its_name_and_its_place() {
    for (manner, kind, offset) in [
        (Manner::WrongOctet(3), ViolationKind::WrongOctet, 2 * 1432),
        (Manner::Shorter, ViolationKind::WrongSize, 13 * 1432 - 1),
        (Manner::BadOack, ViolationKind::WrongOack, 0),
        (Manner::TooLong, ViolationKind::LongBlock, 0),
    ] {
        let server = serve(manner);
        let report = go(&options(&server, Profile::Ipxe, 1, 2));
        assert_eq!(
            (report.phases[0].violations, report.phases[0].transfers.wrong),
            (2, 2),
            "{manner:?}"
        );
        let evidence = &report.evidence[0];
        assert_eq!((evidence.kind, evidence.offset), (kind, offset), "{evidence:?}");
        assert_eq!((&evidence.file[..], &evidence.profile[..]), ("f", "ipxe"));
    }
}

#[test]
fn another_file_than_expected_is_noticed() {
    let server = serve(Manner::Honest);
    let mut options = options(&server, Profile::Ipxe, 1, 1);
    options.files = vec![FileSpec::octets("f", content(SIZE - 1))];
    assert_eq!(go(&options).evidence[0].kind, ViolationKind::WrongTsize);
    options.phases[0].profiles = "plain".parse().unwrap();
    assert_eq!(go(&options).evidence[0].kind, ViolationKind::WrongSize);
    options.files = vec![FileSpec::pattern("f", SIZE as u64)];
    assert_eq!(go(&options).evidence[0].kind, ViolationKind::WrongOctet);
}

#[test]
fn silence_and_refusals_are_counted() {
    let server = serve(Manner::Silent);
    let mut options = options(&server, Profile::Ipxe, 4, 4);
    options.wait = Duration::from_millis(10);
    options.attempts = 3;
    let report = go(&options);
    let phase = only(&report);
    assert_eq!(
        (
            phase.transfers.timed_out,
            phase.boots_failed,
            phase.requests_repeated
        ),
        (4, 4, 8)
    );
    assert_eq!((phase.sent, phase.received), (12, 0));
    options.files = vec![FileSpec::octets("other", Vec::new())];
    let server = serve(Manner::Honest);
    options.server = server.address();
    let report = go(&options);
    let phase = only(&report);
    assert_eq!(phase.transfers.refused, 4);
    let error = &phase.errors[0];
    assert_eq!((error.code, &error.text[..], error.count), (1, "no such file", 4));
}

#[test]
fn faults_cost_time_but_no_octet() {
    let server = serve(Manner::Honest);
    for profile in ["1432x1", "1432x8", "put:1432x8"] {
        for change in [|options| options, shared] {
            let mut options = change(options(&server, profile.parse().unwrap(), 8, 40));
            let faults = Faults {
                loss: 0.03,
                duplicate: 0.03,
                reorder: 0.03,
                corrupt: 0.0,
            };
            (options.to_client, options.to_server, options.attempts) = (faults, faults, 20);
            options.wait = Duration::from_millis(20);
            let report = go(&options);
            let phase = only(&report);
            assert_eq!(phase.boots_done, 40, "{profile}: {phase:?}");
            let (client, server) = (phase.injected_to_client, phase.injected_to_server);
            assert!(client.lost + client.doubled + client.reordered > 0, "{phase:?}");
            assert!(server.lost + server.doubled + server.reordered > 0, "{phase:?}");
            assert!(phase.amplification < 2.0, "{phase:?}");
        }
    }
}

#[test]
fn a_phase_ends_by_its_duration_and_breaks_off_what_does_not() {
    let server = serve(Manner::StopsAfter(2));
    let mut options = options(&server, Profile::Ipxe, 5, 5);
    options.wait = Duration::from_secs(10);
    options.phases[0].duration = Some(Duration::from_millis(50));
    options.phases[0].drain = Duration::from_millis(50);
    let report = go(&options);
    let phase = only(&report);
    assert_eq!(
        (
            phase.transfers.unfinished,
            phase.transfers.served,
            phase.boots_done
        ),
        (5, 5, 0)
    );
    options.phases[0].duration = None;
    options.transfer_limit = Duration::from_millis(60);
    assert_eq!(only(&go(&options)).transfers.too_slow, 5);
    options.transfer_limit = Duration::from_secs(60);
    options.time_limit = Duration::from_millis(60);
    let report = go(&options);
    assert!(report.interrupted);
    assert_eq!(only(&report).transfers.unfinished, 5);
}

#[test]
fn octets_of_any_kind_are_no_boot() {
    let server = serve(Manner::Garbage);
    let mut options = options(&server, Profile::Ipxe, 4, 8);
    (options.attempts, options.wait) = (2, Duration::from_millis(10));
    let report = go(&options);
    assert_eq!(
        (report.phases[0].boots_done, report.phases[0].boots_failed),
        (0, 8)
    );
}

#[test]
fn an_open_loop_starts_its_number_whatever_the_server_does() {
    let server = serve(Manner::Silent);
    let mut options = options(&server, Profile::Plain, 1, 100);
    options.phases[0].load = Load::Open { per_second: 2000.0 };
    options.phases[0].ramp = Duration::from_millis(20);
    (options.threads, options.attempts, options.wait) = (2, 1, Duration::from_millis(10));
    let mut told = 0;
    let report = run(&options, &AtomicBool::new(false), &mut |_| told += 1).unwrap();
    assert_eq!(only(&report).transfers.timed_out, 100);
}

#[test]
fn a_thousand_clients_at_once_are_all_served() {
    let server = serve(Manner::Honest);
    for change in [|options| options, shared] {
        let mut options = change(options(&server, "1468x16".parse().unwrap(), 1000, 1000));
        options.threads = 2;
        options.wait = Duration::from_millis(300);
        options.attempts = 20;
        let report = go(&options);
        let phase = only(&report);
        assert_eq!((phase.boots_done, phase.transfers.served), (1000, 1000));
        assert_eq!(phase.latency[0].step, "first-block");
        assert_eq!(phase.latency[0].count, 1000);
    }
}

#[test]
fn ipv6_servers_are_loaded_too() {
    let server = Server::start_at("[::1]:0", Manner::Honest, &[("f", &content(SIZE))]);
    assert_eq!(only(&go(&options(&server, Profile::Edk2, 2, 4))).boots_done, 4);
}
