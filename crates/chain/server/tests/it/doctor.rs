//! What the doctor says of validators that are missing or slow, and what is told meanwhile.

use crate::network::{Network, key, until};
use crate::served::Served;
use crate::slow::SlowLine;
use purlin_chain_server::Role;
use serde_json::{Value, json};
use std::time::Duration;

/// What the node says of the validator with this key.
fn about(served: &Served, n: u8) -> Option<Value> {
    let told = served.handle.diagnosis().expect("among others");
    let items = told["items"].as_array().expect("findings");
    items
        .iter()
        .find(|item| item["validator"] == json!(key(n).address()))
        .cloned()
}

fn says(served: &Served, n: u8, words: &str) -> bool {
    about(served, n).is_some_and(|item| item["detail"].as_str().is_some_and(|said| said.contains(words)))
}

/// Whether this was told of the validator with this key.
fn told(served: &Served, n: u8, code: &str) -> bool {
    let decisions = served.decisions();
    decisions
        .iter()
        .any(|one| one["code"] == code && one["subject"] == json!(key(n).address().to_string()))
}

#[test]
fn s3_57_the_doctor_names_the_validator_that_is_absent_and_events_tell_when_it_went_and_came_back() {
    let mut network = Network::of(4);
    network.agree_on(5);
    let told_first = network.node(1).handle.diagnosis().expect("among others");
    assert_eq!(told_first["quorum"]["quorum"], 3);
    assert_eq!(told_first["validators"].as_array().map(Vec::len), Some(4));
    assert_eq!(
        about(network.node(1), 4),
        None,
        "nothing is said against it: {told_first}"
    );
    network.stop(4);
    until("the doctor names it", || says(network.node(1), 4, "was silent"));
    let item = about(network.node(1), 4).expect("it");
    assert_eq!(item["grade"], "warn");
    let detail = item["detail"].as_str().expect("words");
    assert!(
        detail.contains("it is not connected with this node")
            && detail.ends_with("without it the quorum of 3 of 4 has nobody to spare"),
        "{detail}"
    );
    for code in ["PUR-4101", "PUR-4111", "PUR-4121", "PUR-4122"] {
        until(&format!("{code} is told"), || told(network.node(1), 4, code));
    }
    let metrics = network.node(1).metrics();
    let failed = "purlin_chain_consensus_rounds_failed_total{reason=\"no_proposal\"}";
    let line = metrics
        .lines()
        .find(|line| line.starts_with(failed))
        .expect("counted");
    assert!(!line.ends_with(" 0"), "{line}");
    let missed = format!(
        "purlin_chain_validator_missed_ratio{{validator=\"{}\"}}",
        key(4).address()
    );
    assert!(metrics.contains(&missed), "{metrics}");
    network.start(4, Role::Validator);
    until("its return is told", || told(network.node(1), 4, "PUR-4113"));
    until("it is forgiven", || about(network.node(1), 4).is_none());
}

#[test]
fn s3_57_the_doctor_names_the_validator_behind_a_slow_line_and_how_late_it_votes() {
    let mut network = Network::three_of_four();
    let line = SlowLine::new(Duration::from_millis(150));
    network.start_dialling(4, Role::Validator, |there| line.to(there));
    network.agree_on(4);
    until("the doctor names it", || {
        says(network.node(1), 4, "after the others in")
    });
    let item = about(network.node(1), 4).expect("it");
    let fix = item["fix"].as_str().expect("words");
    assert!(
        fix.contains("a round trip takes"),
        "its pings are slow, too: {item}"
    );
    for n in 1..=3 {
        assert!(!says(network.node(1), n, "after the others in"), "{n}");
    }
}

#[test]
fn s3_57_when_all_are_connected_and_nothing_is_decided_the_doctor_names_who_does_not_vote() {
    let network = Network::of(4);
    network.agree_on(3);
    // Two that have no room left keep their connections and sign nothing.
    for n in [3, 4] {
        network.node(n).handle.limit_storage(Some(1));
    }
    let stalled = |n: u8| {
        let told = network.node(n).handle.diagnosis().expect("among others");
        let items = told["items"].as_array().expect("findings").clone();
        let failed = |item: &Value| item["name"] == "chain.agreement" && item["grade"] == "fail";
        items.into_iter().find(failed)
    };
    let silent = |n: u8| key(n).address().to_string();
    for n in [1, 2] {
        until("it says that nothing is decided", || stalled(n).is_some());
        let item = stalled(n).expect("a finding");
        let detail = item["detail"].as_str().expect("words");
        let (whole, named) = detail
            .split_once("; connected, and no votes come from: ")
            .unwrap_or_else(|| panic!("{detail}"));
        // Those that do vote may have heard of no block in time.
        let named = named.split("; for no block vote: ").next().unwrap_or(named);
        assert!(
            whole.ends_with("power 4 of 4 is connected, 3 must agree, and they do not"),
            "{detail}"
        );
        for other in 1..=4 {
            assert_eq!(named.contains(&silent(other)), other > 2, "{other}: {detail}");
        }
        let fix = item["fix"].as_str().expect("words");
        assert!(fix.contains("why they do not vote"), "{fix}");
        let named = |one: &Value| one["text"].as_str().is_some_and(|text| text.contains(&silent(3)));
        until("it is told with the same names", || {
            let decisions = network.node(n).decisions();
            decisions
                .iter()
                .any(|one| one["code"] == "PUR-4131" && named(one))
        });
    }
    for n in [3, 4] {
        network.node(n).handle.limit_storage(None);
    }
    network.agree_on(network.highest() + 2);
}
