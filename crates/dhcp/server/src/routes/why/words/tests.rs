use super::*;
use purlin_config::{Document, Faults, Input};
use purlin_dhcp_core::reader;
use purlin_telemetry::{Decision, ReasonCode};
use purlin_types::WallTime;

fn settings() -> Settings {
    let mut faults = Faults::new();
    let document = Document::parse([Input::builtin("demo.toml", reader::demo())], &mut faults);
    reader::read(&document, &mut faults).expect("the demo has no faults")
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
        partial: None,
    };
    tell(&Subject::parse(subject), &record, &settings(), 1_000_060)
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
