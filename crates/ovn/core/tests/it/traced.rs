//! What `ovn-trace` of OVN 23.03 printed, told with our objects.

use crate::base::{database, id, shop, state, text};
use proptest::prelude::*;
use purlin_ovn_core::expr::parse;
use purlin_ovn_core::trace::{Conntrack, Outcome, Protocol, Query, QueryError, Story, read, story};
use purlin_ovsdb::Uuid;
use purlin_ovsdb::cache::Database;
use serde_json::json;

const ACL_DROP: &str = include_str!("traces/acl_drop.txt");
const ROUTED: &str = include_str!("traces/routed.txt");
const BALANCED: &str = include_str!("traces/lb.txt");
const ARP: &str = include_str!("traces/arp.txt");
const NOBODY: &str = include_str!("traces/nobody.txt");
const NO_ROUTE: &str = include_str!("traces/noroute.txt");

/// The ACL that the traced database had, by its own UUID.
const ACL: &str = "e1d4d8e7-9fb6-4307-bd69-ddf4803b783e";

fn traced() -> Database {
    let acl = Uuid::parse(ACL).unwrap();
    let rows = [
        ("Logical_Switch", 1, json!({"name": "sw0"})),
        ("Logical_Switch", 2, json!({"name": "sw1"})),
        ("Logical_Router", 3, json!({"name": "r0"})),
        (
            "Port_Group",
            4,
            json!({"name": "web", "acls": [text(5)], "external_ids": {"purlin-owner": "shop"}}),
        ),
        (
            "ACL",
            5,
            json!({"name": "ssh", "priority": 1002, "direction": "to-lport", "match": "outport == @web && tcp.dst == 22", "action": "drop"}),
        ),
    ];
    // Rows have numbers for UUIDs here; this one has the one that the flow's hint names.
    crate::base::renamed(&database(&rows), id(5), acl)
}

/// What the southbound database said of two flows.
fn hint(flow: &str) -> Option<String> {
    (flow == "205819e0").then(|| "e1d4d8e7".to_owned())
}

fn told(text: &str) -> Story {
    let database = traced();
    story(&read(text).unwrap(), &state(&database), &hint)
}

#[test]
fn the_rule_that_drops_is_named() {
    let story = told(ACL_DROP);
    let Outcome::Dropped {
        at,
        stage,
        reason,
        by,
    } = &story.outcome
    else {
        panic!("{story}");
    };
    assert_eq!((at.as_str(), stage.as_str()), ("sw0", "ls_out_acl"));
    assert_eq!(reason, "ACL ssh drops it");
    let by = by.as_ref().unwrap();
    assert_eq!((by.uuid.as_str(), by.owner.to_string()), (ACL, "shop".to_owned()));
    let json = serde_json::to_value(&story).unwrap();
    assert_eq!(json["outcome"]["by"]["table"], "ACL");
}

#[test]
fn a_way_over_a_router_has_three_hops() {
    for text in [ROUTED, BALANCED] {
        let story = told(text);
        let hops: Vec<(&str, &str, &str, &str)> = story
            .hops
            .iter()
            .map(|hop| {
                (
                    hop.kind,
                    hop.name.as_str(),
                    hop.inport.as_deref().unwrap(),
                    hop.outport.as_deref().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            hops,
            [
                ("switch", "sw0", "vm1", "sw0-r0"),
                ("router", "r0", "r0-sw0", "r0-sw1"),
                ("switch", "sw1", "sw1-r0", "db1"),
            ]
        );
        let delivered = Outcome::Delivered {
            ports: vec!["db1".to_owned()],
        };
        assert_eq!(story.outcome, delivered);
    }
    let story = told(BALANCED);
    assert!(
        story.to_string().contains("ct_lb_mark(backends=10.0.1.11:8080);"),
        "{story}"
    );
}

#[test]
fn an_answer_of_the_switch_itself_is_delivered_to_who_asked() {
    assert_eq!(
        told(ARP).outcome,
        Outcome::Delivered {
            ports: vec!["vm1".to_owned()]
        }
    );
}

#[test]
fn a_drop_without_a_rule_is_explained() {
    for (text, at, word) in [
        (NOBODY, "sw0", "no port of the switch has"),
        (NO_ROUTE, "r0", "no route"),
    ] {
        let story = told(text);
        let shown = story.to_string();
        assert!(
            shown.contains(&format!("dropped at {at}")) && shown.contains(word),
            "{shown}"
        );
    }
}

#[test]
fn what_is_no_trace_is_refused_with_its_own_words() {
    let error = read("ovn-trace: unknown datapath \"sw9\"\n").unwrap_err();
    assert_eq!(error.to_string(), "no trace: ovn-trace: unknown datapath \"sw9\"");
    assert!(read("").is_err());
}

#[test]
fn a_question_is_filled_in_from_the_database() {
    let database = shop();
    let state = state(&database);
    let query = Query::between(&state, "vm1", "vm2", Protocol::Tcp(1000, 22)).unwrap();
    assert_eq!(query.destination.0.to_string(), "02:00:00:00:00:12");
    assert_eq!(
        query.microflow(),
        "inport == \"vm1\" && eth.src == 02:00:00:00:00:11 && eth.dst == 02:00:00:00:00:12 && ip4.src == 10.0.0.11 \
         && ip4.dst == 10.0.0.12 && ip.ttl == 64 && tcp && tcp.src == 1000 && tcp.dst == 22"
    );
    // On another switch: over the router.
    let query = Query::between(&state, "vm2", "n1", Protocol::Ping).unwrap();
    assert_eq!(query.destination.0.to_string(), "02:00:00:00:00:01");
    assert_eq!(
        Query::between(&state, "n1", "vm1", Protocol::Ping),
        Err(QueryError::NoWay("theirs".to_owned()))
    );
    assert_eq!(
        Query::between(&state, "vm9", "vm1", Protocol::Ping),
        Err(QueryError::NoPort("vm9".to_owned()))
    );
    assert!(matches!(
        Query::between(&state, "web-r0", "vm1", Protocol::Ping),
        Err(QueryError::NoAddress(_))
    ));
}

fn query(switch: &str, port: &str) -> Query {
    Query {
        switch: switch.to_owned(),
        port: port.to_owned(),
        source: ("02:00:00:00:00:01".parse().unwrap(), "10.0.0.1".parse().unwrap()),
        destination: ("02:00:00:00:00:02".parse().unwrap(), "10.0.0.2".parse().unwrap()),
        protocol: Protocol::Udp(1, 53),
        conntrack: vec![Conntrack::Reply],
    }
}

#[test]
fn a_switch_that_is_called_like_an_option_is_none() {
    let arguments = query("--ovs", "vm1").arguments("unix:/run/sb.sock");
    let [.., separator, switch, _] = &arguments[..] else {
        panic!("{arguments:?}");
    };
    assert_eq!((separator.as_str(), switch.as_str()), ("--", "--ovs"));
    assert!(arguments.contains(&"--ct=est,rpl".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_name_of_a_port_is_never_more_than_a_name(port in "[ -~]{1,40}") {
        let parsed = parse(&query("sw0", &port).microflow()).unwrap();
        prop_assert_eq!(&parsed.uses[0].name, &port);
        prop_assert_eq!(parsed.uses.len(), 1);
    }

    #[test]
    fn no_text_panics_as_a_trace(cut in 0usize..4000, from in 0usize..3000, noise in "\\PC{0,80}") {
        for text in [ROUTED, ACL_DROP] {
            let piece: String = text.chars().skip(from).take(cut).collect();
            for text in [piece.clone(), format!("{piece}{noise}"), noise.clone()] {
                if let Ok(trace) = read(&text) {
                    let database = traced();
                    story(&trace, &state(&database), &hint).to_string();
                }
            }
        }
    }
}
