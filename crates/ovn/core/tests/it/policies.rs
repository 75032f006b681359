//! What ACLs say about packets between ports.

use crate::base::{database, shop, state, text};
use purlin_ovn_core::policy::Policy;
use purlin_ovn_core::trace::{Protocol, Query};
use purlin_ovsdb::cache::Database;
use serde_json::json;

fn said(database: &Database, from: &str, to: &str, protocol: Protocol) -> String {
    let state = state(database);
    let query = Query::between(&state, from, to, protocol).unwrap();
    Policy::new(&state).verdict(&query, to).unwrap().to_string()
}

const SSH: Protocol = Protocol::Tcp(40000, 22);
const WEB: Protocol = Protocol::Tcp(40000, 80);

/// Ports `a` and `b` on switch 1, `c` on switch 2; ACLs on the switches and on group `g` of `b` and `c`.
fn guarded(global: &serde_json::Value) -> Database {
    let port = |name: &str, n: u8| json!({"name": name, "addresses": [format!("02:00:00:00:00:{n:02x} 10.0.{}.{n}", n / 20)]});
    let acl = |name: &str, direction: &str, priority: u16, text: &str, action: &str| json!({"name": name, "direction": direction, "priority": priority, "match": text, "action": action});
    let end = |name: &str, peer: &str| json!({"name": name, "type": "router", "addresses": ["router"], "options": {"router-port": peer}});
    let inner = |name: &str, n: u8| json!({"name": name, "mac": format!("02:00:00:00:01:{n:02x}"), "networks": [format!("10.0.{n}.1/24")]});
    database(&[
        ("NB_Global", 90, json!({"options": global})),
        (
            "Logical_Switch",
            1,
            json!({"name": "s1", "ports": [text(11), text(12), text(13)], "acls": [text(31), text(32)]}),
        ),
        ("Logical_Switch_Port", 11, port("a", 11)),
        ("Logical_Switch_Port", 12, port("b", 12)),
        ("Logical_Switch_Port", 13, end("s1-r", "r-s1")),
        (
            "Logical_Switch",
            2,
            json!({"name": "s2", "ports": [text(21), text(22)]}),
        ),
        ("Logical_Switch_Port", 21, port("c", 21)),
        ("Logical_Switch_Port", 22, end("s2-r", "r-s2")),
        (
            "Logical_Router",
            40,
            json!({"name": "r", "ports": [text(41), text(42)]}),
        ),
        ("Logical_Router_Port", 41, inner("r-s1", 0)),
        ("Logical_Router_Port", 42, inner("r-s2", 1)),
        (
            "Port_Group",
            50,
            json!({"name": "g", "ports": [text(12), text(21)], "acls": [text(33), text(34)]}),
        ),
        (
            "ACL",
            31,
            acl(
                "no-telnet",
                "from-lport",
                1000,
                "inport == \"a\" && tcp.dst == 23",
                "drop",
            ),
        ),
        (
            "ACL",
            32,
            acl(
                "a-may",
                "from-lport",
                900,
                "inport == \"a\" && ip",
                "allow-related",
            ),
        ),
        (
            "ACL",
            33,
            acl(
                "web",
                "to-lport",
                1001,
                "outport == @g && ip4.src == $g_ip4 && tcp.dst == 80",
                "allow-related",
            ),
        ),
        (
            "ACL",
            34,
            acl("rest", "to-lport", 1000, "outport == @g && ip", "drop"),
        ),
    ])
}

#[test]
fn the_rule_of_highest_priority_decides_at_each_end() {
    let database = guarded(&json!({}));
    for (from, to, protocol, expected) in [
        (
            "a",
            "b",
            Protocol::Tcp(1, 23),
            "dropped where it leaves: ACL no-telnet (1000) says drop",
        ),
        (
            "a",
            "b",
            WEB,
            "dropped: leaving, ACL a-may (900) says allow-related; arriving, ACL rest (1000) says drop",
        ),
        (
            "b",
            "c",
            WEB,
            "allowed: leaving, no ACL matches; arriving, ACL web (1001) says allow-related",
        ),
        (
            "c",
            "b",
            SSH,
            "dropped: leaving, no ACL matches; arriving, ACL rest (1000) says drop",
        ),
        (
            "b",
            "a",
            Protocol::Ping,
            "allowed: leaving, no ACL matches; arriving, no ACL matches",
        ),
    ] {
        assert_eq!(said(&database, from, to, protocol), expected, "{from} to {to}");
    }
}

#[test]
fn a_switch_with_rules_may_drop_by_default() {
    let database = guarded(&json!({"default_acl_drop": "true"}));
    assert_eq!(
        said(&database, "b", "a", Protocol::Ping),
        "dropped where it leaves: no ACL matches"
    );
    let free = shop();
    assert!(said(&free, "vm1", "vm2", WEB).starts_with("allowed"));
}

#[test]
fn a_matrix_names_every_pair_with_a_way() {
    let database = guarded(&json!({}));
    let state = state(&database);
    let matrix = Policy::new(&state).matrix(&state, &["a", "b", "c", "nobody"], &[WEB, SSH]);
    assert_eq!(matrix.len(), 12);
    let open: Vec<(&str, &str)> = matrix
        .iter()
        .filter(|(_, _, protocol, verdict)| *protocol == WEB && verdict.allowed)
        .map(|(from, to, ..)| (from.as_str(), to.as_str()))
        .collect();
    assert_eq!(open, [("b", "a"), ("b", "c"), ("c", "a"), ("c", "b")]);
}
