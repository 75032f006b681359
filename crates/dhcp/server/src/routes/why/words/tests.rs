use super::*;
use purlin_config::{Document, Faults, Input};
use purlin_dhcp_core::pin::Pin;
use purlin_dhcp_core::reader;
use purlin_telemetry::{Decision, ReasonCode};
use purlin_types::WallTime;
use std::sync::Arc;

fn plan(pins: &[Pin]) -> Arc<Plan> {
    let mut faults = Faults::new();
    let document = Document::parse([Input::builtin("demo.toml", reader::demo())], &mut faults);
    let settings = reader::read(&document, &mut faults).expect("the demo has no faults");
    Plan::compile(&settings, None).pinned(pins.into())
}

fn lease(state: LeaseState) -> LeaseView {
    LeaseView {
        address: Ipv4Addr::new(10, 67, 1, 5),
        state,
        mac: "02:00:00:00:00:09".parse().unwrap(),
        hardware: None,
        client_id: None,
        hostname: Some("node-a".into()),
        circuit_id: None,
        remote_id: None,
        vendor_class: None,
        giaddr: None,
        last_seen: 1_000_000,
        expires: 1_003_600,
        reserved: false,
        network: "demo".into(),
        subnet: "demo".into(),
    }
}

fn decided(outcome: Outcome, code: u16, text: &str) -> Told {
    let at = WallTime(1_000_000_000);
    Told {
        decision: Decision {
            at,
            outcome,
            reason: ReasonCode(code),
            ..Decision::default()
        },
        event: "DHCPDISCOVER",
        answer: if outcome == Outcome::Answered {
            "DHCPOFFER"
        } else {
            "-"
        },
        text: text.into(),
        slug: "",
        subnet: None,
    }
}

fn story(subject: &str, leases: Vec<LeaseView>, decisions: Vec<Told>) -> Words {
    let record = Record {
        leases,
        decisions,
        ..Record::default()
    };
    tell(&Subject::parse(subject), &record, &plan(&[]), 1_000_060)
}

#[test]
fn silence_is_told_with_its_reason_and_its_fix() {
    let silent = decided(Outcome::Silent, 1101, "no subnet matches giaddr 10.9.0.1");
    let words = story("02:00:00:00:00:09", vec![], vec![silent]);
    assert_eq!(
        words.summary,
        "02:00:00:00:00:09 holds no lease: its last DHCPDISCOVER got no answer 60 s ago: no subnet matches giaddr 10.9.0.1."
    );
    assert!(words.checks[0].contains("Add a subnet"), "{:?}", words.checks);
}

#[test]
fn a_lease_is_told_from_every_side() {
    let cases = [
        ("02:00:00:00:00:09", "02:00:00:00:00:09 (node-a) holds 10.67.1.5"),
        ("10.67.1.5", "10.67.1.5 belongs to 02:00:00:00:00:09 (node-a)"),
        ("node-a", "node-a (02:00:00:00:00:09) holds 10.67.1.5"),
    ];
    for (subject, begin) in cases {
        let words = story(subject, vec![lease(LeaseState::Bound)], vec![]);
        let expected = format!("{begin} in subnet \"demo\" until 1970-01-12T14:46:40Z.");
        assert_eq!(words.summary, expected);
        assert!(words.seen && words.checks.is_empty());
    }
}

#[test]
fn every_lease_of_a_machine_is_in_its_summary() {
    let at = |last, mac: &str| LeaseView {
        address: Ipv4Addr::new(10, 67, 1, last),
        mac: mac.parse().unwrap(),
        hostname: None,
        ..lease(LeaseState::Bound)
    };
    let (own, other) = ("02:00:00:00:00:09", "02:00:00:00:00:0a");
    let until = "in subnet \"demo\" until 1970-01-12T14:46:40Z";
    let dropped = decided(Outcome::Dropped, 1301, "the message is malformed");
    let leases = vec![at(5, own), lease(LeaseState::Released), at(6, own), at(7, other)];
    let words = story(own, leases, vec![dropped]);
    assert_eq!(
        words.summary,
        format!(
            "{own} holds 10.67.1.5 {until}, and 10.67.1.6 {until}, and {other} 10.67.1.7 {until}, but its last packet \
             was dropped 60 s ago: the message is malformed."
        )
    );
    let many = (1..=9).map(|last| at(last, own)).collect();
    let words = story(own, many, vec![]);
    assert!(
        words
            .summary
            .ends_with(&format!("10.67.1.4 {until}, and 5 more.")),
        "{}",
        words.summary
    );
}

#[test]
fn trouble_behind_a_lease_is_told_too() {
    let dropped = decided(Outcome::Dropped, 1301, "the message is malformed");
    let words = story("node-a", vec![lease(LeaseState::Bound)], vec![dropped]);
    assert!(
        words
            .summary
            .ends_with("but its last packet was dropped 60 s ago: the message is malformed."),
        "{}",
        words.summary
    );
}

#[test]
fn an_offer_that_led_nowhere_is_no_lease() {
    let offered = decided(Outcome::Answered, 1001, "offered 10.67.1.5");
    let words = story(
        "02:00:00:00:00:09",
        vec![lease(LeaseState::Offered)],
        vec![offered],
    );
    assert!(
        words
            .summary
            .contains("holds no lease; its last DHCPDISCOVER was answered with DHCPOFFER"),
        "{}",
        words.summary
    );
}

#[test]
fn an_unknown_subject_gets_a_window_and_checks() {
    let words = story("02:00:00:00:00:09", vec![], vec![]);
    assert!(!words.seen);
    assert!(
        words.summary.starts_with("Nothing was seen of 02:00:00:00:00:09"),
        "{}",
        words.summary
    );
    assert!(
        words.checks.iter().any(|check| check.contains("127.0.0.1:6767")),
        "{:?}",
        words.checks
    );
}

#[test]
fn an_unknown_address_is_placed() {
    let said = |subject: &str| story(subject, vec![], vec![]).summary;
    assert!(said("192.0.2.1").contains("lies in no configured subnet"));
    assert!(said("10.67.1.9").contains("is free in a pool of subnet \"demo\""));
    assert!(said("10.67.0.50").contains("is reserved in subnet \"demo\""));
    assert!(said("10.67.0.9").contains("but in none of its pools"));
}

fn pin(address: &str, by: &str) -> Pin {
    Pin {
        mac: "02:00:00:00:00:77".parse().unwrap(),
        address: address.parse().unwrap(),
        within: "10.67.0.1".parse().unwrap(),
        by: by.into(),
    }
}

fn pinned_story(subject: &str, pins: &[Pin], leases: Vec<LeaseView>) -> Words {
    let record = Record {
        pinned: leases,
        ..Record::default()
    };
    tell(&Subject::parse(subject), &record, &plan(pins), 1_000_060)
}

#[test]
fn an_address_that_is_pinned_to_a_machine_is_told_with_who_says_so() {
    let one = [pin("10.67.1.7", "port web-1 of switch web")];
    for subject in ["02:00:00:00:00:77", "10.67.1.7"] {
        let words = pinned_story(subject, &one, vec![]);
        let told = "10.67.1.7 is kept for 02:00:00:00:00:77 by port web-1 of switch web.";
        assert!(words.summary.ends_with(told), "{}", words.summary);
        assert!(words.seen, "another service's part does not silence it");
    }
    assert!(!pinned_story("10.67.1.8", &one, vec![]).seen);
    let words = pinned_story("10.67.1.7", &one, vec![]).summary;
    assert!(words.contains("is reserved in subnet"), "not free: {words}");
}

#[test]
fn what_keeps_a_machine_from_its_pinned_address_is_told() {
    let one = [pin("10.67.1.5", "port web-1 of switch web")];
    let words = pinned_story("02:00:00:00:00:77", &one, vec![lease(LeaseState::Bound)]).summary;
    let told = "and goes to it when the lease of 02:00:00:00:00:09 has ended.";
    assert!(words.ends_with(told), "{words}");
    let words = pinned_story("02:00:00:00:00:77", &one, vec![lease(LeaseState::Expired)]).summary;
    assert!(words.ends_with("by port web-1 of switch web."), "{words}");

    let reserved = [pin("10.67.0.50", "port web-1 of switch web")];
    let words = pinned_story("02:00:00:00:00:77", &reserved, vec![]);
    let told = "the configuration reserves it for another client.";
    assert!(words.summary.ends_with(told), "{}", words.summary);
    assert!(
        words.checks[0].contains("remove the reservation"),
        "{:?}",
        words.checks
    );
}
