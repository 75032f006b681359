//! Lists of rules, and what is found in them.

use crate::names::formula;
use purlin_ovn_core::review::{Finding, Rule, review};

fn rules(lines: &[(&str, i64, &str, &str)]) -> Vec<Rule> {
    let rule = |(at, (stage, priority, text, action)): (usize, &(&str, i64, &str, &str))| Rule {
        name: format!("rule {at}"),
        priority: *priority,
        stage: (*stage).to_owned(),
        action: (*action).to_owned(),
        formula: formula(text),
    };
    lines.iter().enumerate().map(rule).collect()
}

fn said(lines: &[(&str, i64, &str, &str)]) -> Vec<String> {
    let rules = rules(lines);
    review(&rules)
        .iter()
        .map(|finding| finding.say(&rules).to_string())
        .collect()
}

#[test]
fn a_clean_list_has_no_findings() {
    let list = [
        (
            "to-lport",
            1002,
            "outport == @web && tcp.dst == {80, 443}",
            "allow-related",
        ),
        ("to-lport", 1001, "outport == @web && ip", "drop"),
        ("from-lport", 1001, "inport == @web && ip", "allow-related"),
    ];
    assert_eq!(said(&list), Vec::<String>::new());
}

#[test]
fn what_never_matches_or_never_decides_is_named_with_its_reason() {
    let list = [
        ("to-lport", 2000, "tcp && udp", "drop"),
        ("to-lport", 1900, "ip4", "drop"),
        ("to-lport", 1900, "ip6", "drop"),
        ("to-lport", 1000, "tcp.dst == 22", "allow"),
        ("to-lport", 900, "ip4.src == 10.0.0.1", "drop"),
        ("from-lport", 1000, "tcp.dst == 22", "allow"),
    ];
    assert_eq!(
        said(&list),
        [
            "rule 0 can never match",
            "rule 3 never decides: rule 1, rule 2 decide first about all that it matches",
            "rule 4 never decides: rule 1 decides first about all that it matches, and does the same",
        ]
    );
}

#[test]
fn rules_of_other_directions_and_lower_priorities_cover_nothing() {
    let list = [
        ("from-lport", 2000, "ip", "drop"),
        ("to-lport", 1000, "tcp.dst == 22", "allow"),
        ("to-lport", 900, "tcp", "drop"),
    ];
    assert_eq!(said(&list), Vec::<String>::new());
}

#[test]
fn equal_priorities_that_decide_differently_are_named_with_a_packet() {
    let list = [
        ("to-lport", 1000, "tcp.dst == 22", "allow"),
        ("to-lport", 1000, "ip4.src == 10.0.0.1", "drop"),
        ("to-lport", 1000, "udp", "drop"),
    ];
    let rules = rules(&list);
    let findings = review(&rules);
    let [
        Finding::Unordered {
            rule: 0,
            other: 1,
            packet,
        },
    ] = &findings[..]
    else {
        panic!("{findings:?}");
    };
    assert!(packet.satisfies(&rules[0].formula) && packet.satisfies(&rules[1].formula));
    assert!(findings[0].say(&rules).to_string().contains("tcp.dst == 22"));
}

#[test]
fn a_rule_written_twice_is_superfluous_once() {
    let list = [
        ("to-lport", 1000, "tcp.dst == 22", "allow"),
        ("to-lport", 1000, "tcp.dst == 22", "allow"),
    ];
    assert_eq!(
        said(&list),
        ["rule 1 never decides: rule 0 decides first about all that it matches, and does the same"]
    );
}

#[test]
fn five_hundred_rules_are_reviewed_in_a_blink() {
    let texts: Vec<String> = (0..500)
        .map(|n| {
            format!(
                "outport == \"vm{n}\" && ip4.src == 10.{}.0.0/16 && tcp.dst == {n}",
                n % 250
            )
        })
        .collect();
    let list: Vec<_> = texts
        .iter()
        .zip(0i64..)
        .map(|(text, n)| ("to-lport", 2000 - n, text.as_str(), "allow"))
        .collect();
    assert_eq!(said(&list), Vec::<String>::new());
}
