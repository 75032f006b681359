//! Matches that can never be true, and rules that others leave nothing.

use crate::names::formula;
use purlin_ovn_core::expr::{Answer, covered, satisfiable};
use std::fmt::Write;

fn never(text: &str) {
    assert_eq!(satisfiable(&formula(text)), Answer::Never, "{text}");
}

fn sometimes(text: &str) {
    assert!(matches!(satisfiable(&formula(text)), Answer::Packet(_)), "{text}");
}

fn left(rule: &str, others: &[&str]) -> Answer {
    let others: Vec<_> = others.iter().map(|text| formula(text)).collect();
    covered(&formula(rule), &others.iter().collect::<Vec<_>>())
}

#[test]
fn contradictions_are_found() {
    for text in [
        "0",
        "ip4 && ip6",
        "tcp && udp",
        "tcp.dst == 80 && udp",
        "ip4 && ip6.src == ::1",
        "arp && tcp",
        "tcp.dst == 80 && tcp.dst == 443",
        "tcp.dst > 100 && tcp.dst < 50",
        "100 < tcp.dst < 101",
        "tcp.dst > 65535",
        "ip4.src == 10.0.0.0/8 && ip4.src == 192.168.0.0/16",
        "ip4.src == 10.0.0.1 && ip4.src != 10.0.0.0/24",
        "inport == \"vm1\" && inport == \"vm2\"",
        "inport == @web && inport == \"vm3\"",
        "is_chassis_resident(\"a\") && !is_chassis_resident(\"a\")",
        "ct.est && !ct.trk",
        "vlan.vid == 5 && !vlan.present",
        "ip4.src == $empty",
        "ip.frag != {0, 1, 2, 3}",
        "icmp4.type == 8 && icmp6",
        "reg0 == 1 && xxreg0[96..127] == 2",
        "eth.bcast && !eth.mcast",
    ] {
        never(text);
    }
}

#[test]
fn what_can_be_true_comes_with_a_packet() {
    for text in [
        "1",
        "ip && tcp.dst != 80",
        "ip4.src != {10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16}",
        "inport == @web && outport == \"vm2\"",
        "tcp.dst > 65534",
        "ip.frag != {0, 1, 2}",
        "nd_ns && nd.sll == 02:00:00:00:00:01",
        "ct.new && !ct.est && ip4 && (tcp.dst == 22 || udp.dst == 53)",
    ] {
        sometimes(text);
    }
    let Answer::Packet(packet) = satisfiable(&formula(
        "ip4.src == 10.0.0.0/8 && ip4.src != 10.0.0.0/9 && tcp.dst == 80",
    )) else {
        panic!("there is one");
    };
    assert_eq!(
        packet.to_string(),
        "eth.type == 0x800 && ip.proto == 6 && ip4.src == 10.128.0.0 && tcp.dst == 80"
    );
    assert!(packet.satisfies(&formula(&packet.to_string())));
}

#[test]
fn a_rule_that_others_cover_has_nothing_left() {
    for (rule, others) in [
        ("tcp.dst == 80", vec!["tcp"]),
        ("ip4 && tcp.dst == 80", vec!["tcp.dst == {80, 443}"]),
        ("ip4.src == 10.1.0.0/16", vec!["ip4.src == 10.0.0.0/8"]),
        ("ip", vec!["ip4", "ip6"]),
        ("tcp.dst == 1000", vec!["tcp.dst < 500", "tcp.dst >= 500"]),
        (
            "tcp",
            vec!["tcp.dst < 500", "500 <= tcp.dst < 900", "tcp.dst >= 900"],
        ),
        ("inport == \"vm1\" && ip4", vec!["inport == @web && ip"]),
        ("ip4.src == $set1", vec!["ip4.src == 10.0.0.0/30"]),
        (
            "ip4.src == 10.0.0.0/24",
            vec!["ip4.src == 10.0.0.0/25", "ip4.src == 10.0.0.128/25"],
        ),
        ("udp.dst == 53 && inport == \"vm1\"", vec!["1"]),
    ] {
        assert_eq!(left(rule, &others), Answer::Never, "{rule} under {others:?}");
    }
}

#[test]
fn a_rule_with_something_left_says_what() {
    for (rule, others) in [
        ("tcp", vec!["tcp.dst == 80"]),
        ("ip4", vec!["ip4.src == 10.0.0.0/8", "tcp"]),
        ("ip4.src == 10.0.0.0/24", vec!["ip4.src == 10.0.0.0/25"]),
        ("inport == @web", vec!["inport == \"vm1\""]),
        ("ip4 && tcp.dst == 80", vec!["ip4 && ct.est", "ip4 && ct.rel"]),
    ] {
        let Answer::Packet(packet) = left(rule, &others) else {
            panic!("{rule} under {others:?}");
        };
        assert!(packet.satisfies(&formula(rule)));
        for other in others {
            // Fields without what they need are judged by the written-out form.
            let other = purlin_ovn_core::expr::annotate(&formula(other));
            assert!(!packet.satisfies(&other), "{packet}");
        }
    }
}

#[test]
fn three_hundred_rules_are_judged_in_a_bounded_time() {
    let mut set = String::from("ip4.src == {");
    for n in 0..255 {
        write!(set, "10.0.{n}.0/24, ").unwrap();
    }
    set.push_str("10.0.255.0/24}");
    assert_eq!(left("ip4.src == 10.0.0.0/16", &[&set]), Answer::Never);
    assert!(matches!(
        left("ip4.src == 10.0.0.0/15", &[&set]),
        Answer::Packet(_)
    ));
    let rules: Vec<String> = (0..300)
        .map(|n| format!("ip4.src == 10.1.{}.{} && tcp.dst == {n}", n / 256, n % 256))
        .collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    assert!(matches!(left("ip4 && tcp", &rules), Answer::Packet(_)));
}
