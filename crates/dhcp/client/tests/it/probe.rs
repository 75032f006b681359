//! One DORA, told step by step.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use purlin_dhcp_client::{Probe, ProbeError, ProbeVerdict, ProbeVia, StepKind, probe};

use crate::responder::{Manner, Responder};

fn to(server: &Responder) -> Probe {
    let via = ProbeVia::Relay {
        server: server.address(),
        giaddr: Ipv4Addr::new(10, 1, 0, 1),
        bind: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0),
    };
    Probe {
        timeout: Duration::from_millis(20),
        ..Probe::new(via)
    }
}

#[test]
fn a_lease_is_told_with_its_steps_and_options() {
    let server = Responder::start(Manner::Honest);
    let report = probe(&Probe {
        release: true,
        ..to(&server)
    })
    .expect("sent");
    assert_eq!(report.verdict, ProbeVerdict::Bound);
    let kinds: Vec<_> = report.steps.iter().map(|step| step.kind).collect();
    assert_eq!(
        kinds,
        [
            StepKind::Discover,
            StepKind::Offer,
            StepKind::Request,
            StepKind::Ack,
            StepKind::Release
        ]
    );
    let lease = report.lease.as_ref().expect("bound");
    assert_eq!(lease.address, Ipv4Addr::new(10, 1, 0, 1));
    assert_eq!(
        (lease.lease_secs, lease.renewal_secs, lease.rebinding_secs),
        (Some(3600), Some(1800), None)
    );
    assert_eq!(lease.option(3), Some("10.1.0.254"));
    assert!(report.hints.is_empty());
    let json = serde_json::to_value(&report).expect("plain data");
    assert_eq!(json["verdict"], "bound");
    assert_eq!(json["steps"][1]["kind"], "OFFER");
}

#[test]
fn silence_is_explained_with_hints() {
    let server = Responder::start(Manner::Silent);
    let report = probe(&Probe {
        attempts: 2,
        ..to(&server)
    })
    .expect("sent");
    assert_eq!(report.verdict, ProbeVerdict::NoOffer);
    assert_eq!(report.explanation, "no server answered 2 DISCOVER");
    assert!(
        report.hints.iter().any(|hint| hint.contains("giaddr 10.1.0.1")),
        "{:?}",
        report.hints
    );
    assert!(
        report
            .hints
            .iter()
            .any(|hint| hint.contains("purlin why 02:50:52:4f:42:45"))
    );
}

#[test]
fn what_a_proxy_says_is_told_and_the_lease_comes_from_the_server_beside_it() {
    let server = Responder::start(Manner::BesideProxy);
    let report = probe(&to(&server)).expect("sent");
    assert_eq!(report.verdict, ProbeVerdict::Bound);
    let offers: Vec<_> = report
        .steps
        .iter()
        .filter(|step| step.kind == StepKind::Offer)
        .collect();
    assert_eq!((offers.len(), offers[0].address), (2, None), "{:?}", report.steps);
    let [proxy] = &report.proxies[..] else {
        panic!("one proxy: {:?}", report.proxies)
    };
    assert_eq!(proxy.server_id, Some(Ipv4Addr::new(127, 0, 0, 9)));
    assert_eq!(proxy.boot_server, Some(Ipv4Addr::new(10, 9, 9, 9)));
    assert_eq!(proxy.boot_file.as_deref(), Some("x.efi"));
    let lease = report.lease.expect("bound");
    assert_eq!(lease.server_id, Some(Ipv4Addr::LOCALHOST));
}

#[test]
fn a_proxy_alone_is_no_lease() {
    let server = Responder::start(Manner::OnlyProxy);
    let report = probe(&Probe {
        attempts: 2,
        ..to(&server)
    })
    .expect("sent");
    assert_eq!((report.verdict, report.proxies.len()), (ProbeVerdict::NoOffer, 1));
    assert!(
        report.explanation.contains("a proxy told what to boot"),
        "{}",
        report.explanation
    );
}

#[test]
fn a_lost_message_is_sent_again() {
    let server = Responder::start(Manner::DropsFirst);
    let report = probe(&to(&server)).expect("sent");
    assert_eq!(report.verdict, ProbeVerdict::Bound);
    assert_eq!(
        report
            .steps
            .iter()
            .filter(|step| step.kind == StepKind::Discover)
            .count(),
        2
    );
}

#[test]
fn an_address_that_is_not_here_is_an_error_with_advice() {
    let mut probe_elsewhere = to(&Responder::start(Manner::Honest));
    if let ProbeVia::Relay { bind, .. } = &mut probe_elsewhere.via {
        bind.set_ip(Ipv4Addr::new(192, 0, 2, 1));
    }
    let error = probe(&probe_elsewhere).expect_err("not an address of this machine");
    assert!(matches!(error, ProbeError::Bind { .. }), "{error}");
    let missing = Probe::new(ProbeVia::Interface("no-such-device".into()));
    assert!(matches!(probe(&missing), Err(ProbeError::NoInterface(_))));
}
