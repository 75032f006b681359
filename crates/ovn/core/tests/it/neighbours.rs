//! What rows must be to each other where the database keeps no reference: what a careful operator would have seen.

use crate::base::{delete, insert, planned, shop, state, text, under, update};
use crate::plans::refusal;
use purlin_ovn_core::check::lint;
use purlin_ovn_core::model::Change;
use serde_json::{Value, json};

/// Codes of what is said about these changes of the shop, and the words.
fn warned(changes: Vec<Change>) -> Vec<(&'static str, String)> {
    let database = shop();
    let plan = planned(&database, changes).unwrap();
    let said = plan.warnings.iter();
    said.map(|problem| (problem.code, problem.to_string())).collect()
}

fn one(changes: Vec<Change>, code: &str, words: &str) {
    let said = warned(changes);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].0 == code && said[0].1.contains(words), "{said:?}");
}

fn refused(change: Change, code: &str, words: &str) {
    let refusal = refusal(&shop(), vec![change]);
    let shown = refusal.to_string();
    assert!(
        refusal.problems.iter().any(|problem| problem.code == code) && shown.contains(words),
        "{refusal:?}"
    );
}

fn balancer(n: u8, name: &str, more: &Value) -> Change {
    let mut columns = json!({"name": name, "vips": {"10.0.0.100:80": "10.0.0.11:80,10.0.0.12:80"}});
    let own = columns.as_object_mut().unwrap();
    own.extend(more.as_object().unwrap().clone());
    insert("Load_Balancer", n, &columns)
}

fn checked(n: u8, vip: &str) -> Change {
    let columns = json!({ "vip": vip });
    under(
        ("Load_Balancer", 81, "health_check"),
        "Load_Balancer_Health_Check",
        n,
        &columns,
    )
}

#[test]
fn a_health_check_that_cuts_its_backends_off_is_told() {
    let whole = json!({"ip_port_mappings": {"10.0.0.11": "vm1:10.0.0.2", "10.0.0.12": "vm2:10.0.0.2"}});
    let half = json!({"ip_port_mappings": {"10.0.0.11": "vm1:10.0.0.2"}});
    assert_eq!(
        warned(vec![balancer(81, "lb", &whole), checked(82, "10.0.0.100:80")]),
        []
    );
    one(
        vec![balancer(81, "lb", &half), checked(82, "10.0.0.100:80")],
        "lb-health-unmapped",
        "ask 10.0.0.12 of `10.0.0.100:80`",
    );
    let wrong = refusal(
        &shop(),
        vec![balancer(81, "lb", &whole), checked(82, "10.0.0.100:81")],
    );
    assert_eq!(wrong.problems[0].code, "lb-health-vip");
    assert!(
        wrong.to_string().contains("did you mean `10.0.0.100:80`"),
        "{wrong}"
    );
    // A mapping that goes later.
    let database = shop();
    let before = planned(
        &database,
        vec![balancer(81, "lb", &whole), checked(82, "10.0.0.100:80")],
    )
    .unwrap();
    let database = crate::base::committed(&before.after);
    let change = update("Load_Balancer", 81, &json!({"ip_port_mappings": {}}));
    let plan = planned(&database, vec![change]).unwrap();
    assert_eq!(plan.warnings[0].code, "lb-health-unmapped");
}

#[test]
fn a_virtual_address_of_two_in_one_place_is_told() {
    let attach = |ns: &[u8]| {
        let all: Vec<String> = ns.iter().map(|n| text(*n)).collect();
        update("Logical_Switch", 1, &json!({ "load_balancer": all }))
    };
    let two = |more: &Value| vec![balancer(81, "a", &json!({})), balancer(82, "b", more)];
    let with = |mut changes: Vec<Change>, more: Change| {
        changes.push(more);
        changes
    };
    assert_eq!(warned(two(&json!({}))), [], "nobody has them");
    one(
        with(two(&json!({})), attach(&[81, 82])),
        "lb-vip-twice",
        "load balancers a and b both answer",
    );
    assert_eq!(
        warned(with(two(&json!({"protocol": "udp"})), attach(&[81, 82]))),
        []
    );
    let other = json!({"vips": {"10.0.0.100:81": "10.0.0.11:80"}});
    assert_eq!(warned(with(two(&other), attach(&[81, 82]))), []);
    // One comes by a group.
    let grouped = with(
        two(&json!({})),
        insert(
            "Load_Balancer_Group",
            83,
            &json!({"name": "g", "load_balancer": [text(82)]}),
        ),
    );
    let grouped = with(
        grouped,
        update(
            "Logical_Switch",
            1,
            &json!({"load_balancer": [text(81)], "load_balancer_group": [text(83)]}),
        ),
    );
    one(grouped, "lb-vip-twice", "Logical_Switch web");
    // What stands already is told by a lint, and not to whoever changes something else there.
    let database = shop();
    let plan = planned(&database, with(two(&json!({})), attach(&[81, 82]))).unwrap();
    let database = crate::base::committed(&plan.after);
    let said = lint(&state(&database));
    assert!(
        said.iter().any(|problem| problem.code == "lb-vip-twice"),
        "{said:?}"
    );
    let far = planned(
        &database,
        vec![update("Logical_Switch", 1, &json!({"other_config": {}}))],
    )
    .unwrap();
    assert_eq!(far.warnings, []);
    let change = update("Load_Balancer", 82, &json!({"vips": {"10.0.0.100:80": ""}}));
    let near = planned(&database, vec![change]).unwrap();
    assert_eq!(near.warnings[0].code, "lb-vip-twice");
}

#[test]
fn a_policy_that_leads_nowhere_is_told() {
    let policy = |action: &str, hops: &[&str]| {
        let columns = json!({"priority": 5, "match": "ip4", "action": action, "nexthops": hops});
        under(
            ("Logical_Router", 51, "policies"),
            "Logical_Router_Policy",
            71,
            &columns,
        )
    };
    assert_eq!(warned(vec![policy("reroute", &["10.0.0.254", "10.0.0.253"])]), []);
    refused(
        policy("reroute", &["nope"]),
        "policy-nexthop",
        "`nope` is no address",
    );
    refused(policy("reroute", &[]), "policy-nexthop", "goes nowhere");
    refused(
        policy("reroute", &["10.0.0.254", "fe80::1"]),
        "policy-family",
        "both IP versions",
    );
    one(
        vec![policy("reroute", &["172.31.0.1"])],
        "policy-unreachable",
        "172.31.0.1",
    );
    one(
        vec![policy("drop", &["10.0.0.254"])],
        "policy-nexthop-unused",
        "`reroute` only",
    );
}

#[test]
fn a_router_port_has_one_port_on_its_other_side() {
    let port = |columns: Value| {
        under(
            ("Logical_Switch", 1, "ports"),
            "Logical_Switch_Port",
            15,
            &columns,
        )
    };
    let second = json!({"name": "web-r1", "type": "router", "addresses": ["router"], "options": {"router-port": "r0-web"}});
    refused(port(second.clone()), "port-peer-taken", "port `web-r0` already");
    assert_eq!(
        warned(vec![delete("Logical_Switch_Port", 13), port(second)]),
        [],
        "one takes the other's place"
    );
    let untyped = json!({"name": "web-r1", "options": {"router-port": "r0-web"}});
    one(vec![port(untyped)], "port-option-unused", "type = `router`");
}

#[test]
fn the_same_route_is_written_once() {
    let route = |n: u8, hop: &str| {
        let columns = json!({"ip_prefix": "0.0.0.0/0", "nexthop": hop});
        under(
            ("Logical_Router", 51, "static_routes"),
            "Logical_Router_Static_Route",
            n,
            &columns,
        )
    };
    assert_eq!(
        warned(vec![route(71, "10.0.0.254"), route(72, "10.0.0.253")]),
        [],
        "traffic is shared"
    );
    let twice = refusal(&shop(), vec![route(71, "10.0.0.254"), route(72, "10.0.0.254")]);
    assert_eq!(twice.problems[0].code, "route-twice");
}

#[test]
fn a_port_needs_a_name() {
    let port = under(
        ("Logical_Switch", 1, "ports"),
        "Logical_Switch_Port",
        15,
        &json!({"name": ""}),
    );
    refused(port, "name-empty", "a port needs a name");
    refused(
        update("Logical_Switch_Port", 11, &json!({"name": ""})),
        "name-empty",
        "a port needs a name",
    );
    one(
        vec![insert("Logical_Switch", 3, &json!({}))],
        "name-empty",
        "only its UUID",
    );
}

#[test]
fn what_goes_while_others_name_it_is_told() {
    let database = shop();
    let rows = vec![
        under(
            ("Logical_Router", 51, "nat"),
            "NAT",
            71,
            &json!({"type": "dnat_and_snat", "external_ip": "192.0.2.1", "logical_ip": "10.0.0.11", "logical_port": "vm1", "external_mac": "02:00:00:00:00:71"}),
        ),
        under(
            ("Logical_Switch", 1, "forwarding_groups"),
            "Forwarding_Group",
            72,
            &json!({"name": "f", "vip": "10.0.0.50", "vmac": "02:00:00:00:00:72", "child_port": ["vm1", "vm2"]}),
        ),
        insert(
            "Meter",
            73,
            &json!({"name": "m1", "unit": "pktps", "bands": [text(74)]}),
        ),
        insert("Meter_Band", 74, &json!({"action": "drop", "rate": 10})),
        insert("Copp", 75, &json!({"name": "c", "meters": {"arp": "m1"}})),
        update("ACL", 21, &json!({"meter": "m1", "log": true})),
        insert(
            "BFD",
            76,
            &json!({"logical_port": "r0-web", "dst_ip": "10.0.0.254"}),
        ),
    ];
    let before = planned(&database, rows).unwrap();
    assert_eq!(before.warnings, []);
    let database = crate::base::committed(&before.after);
    let told = |changes: Vec<Change>| {
        let plan = planned(&database, changes).unwrap();
        let lost = plan.warnings.iter().filter(|problem| problem.code == "name-lost");
        let mut places: Vec<String> = lost.map(|problem| problem.place.clone()).collect();
        places.sort();
        places
    };
    assert_eq!(
        told(vec![delete("Logical_Switch_Port", 11)]),
        ["Forwarding_Group f: child_port", "NAT 192.0.2.1: logical_port"]
    );
    assert_eq!(
        told(vec![update("Logical_Switch_Port", 11, &json!({"name": "vm1b"}))]),
        ["Forwarding_Group f: child_port", "NAT 192.0.2.1: logical_port"]
    );
    let both = vec![delete("Logical_Switch_Port", 11), delete("Forwarding_Group", 72)];
    assert_eq!(
        told(both),
        ["NAT 192.0.2.1: logical_port"],
        "who goes too loses nothing"
    );
    assert_eq!(
        told(vec![delete("Meter", 73)]),
        ["ACL outport == @web && tcp.dst == 22: meter", "Copp c: meters"]
    );
    assert_eq!(
        told(vec![delete("Logical_Router_Port", 52)]),
        [
            "BFD 10.0.0.254: logical_port",
            "Logical_Switch_Port web-r0: options:router-port"
        ]
    );
}

#[test]
fn meters_mirrors_and_rules_without_work_are_told() {
    one(
        vec![update("ACL", 21, &json!({"meter": "zz", "log": true}))],
        "meter-unknown",
        "no meter `zz`",
    );
    one(
        vec![insert("Copp", 75, &json!({"name": "c", "meters": {"apr": "m1"}}))],
        "copp-protocol",
        "did you mean `arp`",
    );
    one(
        vec![insert("Copp", 75, &json!({"name": "c", "meters": {"arp": "m1"}}))],
        "meter-unknown",
        "`m1`",
    );
    let mirror = json!({"name": "m", "type": "gre", "filter": "to-lport", "sink": "not-ip", "index": 1});
    refused(insert("Mirror", 76, &mirror), "address-value", "`not-ip`");
    let rule = json!({"priority": 1, "direction": "to-lport", "match": "ip4"});
    one(
        vec![under(("Logical_Switch", 1, "qos_rules"), "QoS", 77, &rule)],
        "qos-empty",
        "neither",
    );
}

#[test]
fn load_balancers_beside_two_gateway_ports_are_told() {
    let gateway = |port: u8, n: u8| {
        let name = format!("r0-out{n}");
        let networks = [format!("172.16.{n}.1/24")];
        let mac = format!("02:00:00:00:01:{n:02}");
        vec![
            under(
                ("Logical_Router", 51, "ports"),
                "Logical_Router_Port",
                port,
                &json!({"name": name, "mac": mac, "networks": networks}),
            ),
            under(
                ("Logical_Router_Port", port, "gateway_chassis"),
                "Gateway_Chassis",
                port + 10,
                &json!({"name": format!("{name}-hv"), "chassis_name": "hv", "priority": 1}),
            ),
        ]
    };
    let attached = update("Logical_Router", 51, &json!({"load_balancer": [text(81)]}));
    let balanced = vec![balancer(81, "lb", &json!({})), attached];
    assert_eq!(warned([gateway(61, 1), balanced.clone()].concat()), []);
    assert_eq!(warned([gateway(61, 1), gateway(62, 2)].concat()), []);
    let all = [gateway(61, 1), gateway(62, 2), balanced].concat();
    one(
        all.clone(),
        "lb-gateways",
        "Logical_Router r0: it has load balancers and 2",
    );
    // The second gateway comes to what stands; the lint knows both.
    let database = shop();
    let plan = planned(&database, all[..3].iter().chain(&all[4..]).cloned().collect()).unwrap();
    assert_eq!(plan.warnings, []);
    let database = crate::base::committed(&plan.after);
    let plan = planned(&database, all[3..4].to_vec()).unwrap();
    assert_eq!(plan.warnings[0].code, "lb-gateways");
    let database = crate::base::committed(&plan.after);
    assert!(
        lint(&state(&database))
            .iter()
            .any(|problem| problem.code == "lb-gateways")
    );
    // One that is at one hypervisor as a whole balances there.
    let whole = update("Logical_Router", 51, &json!({"options": {"chassis": "hv"}}));
    assert_eq!(warned([all, vec![whole]].concat()), []);
}

#[test]
fn a_name_in_two_sets_of_one_switch_is_told() {
    let set = |n: u8, address: &str| insert("DNS", n, &json!({"records": {"db.shop": address}}));
    let sets = update("Logical_Switch", 1, &json!({"dns_records": [text(81), text(82)]}));
    let two = |other: &str| vec![set(81, "10.0.0.11"), set(82, other), sets.clone()];
    assert_eq!(warned(two("10.0.0.11")), []);
    one(two("10.0.0.12"), "dns-name-twice", "Logical_Switch web");
    let database = shop();
    let plan = planned(&database, two("10.0.0.11")).unwrap();
    let database = crate::base::committed(&plan.after);
    assert_eq!(lint(&state(&database)), lint(&state(&shop())));
    let moved = update("DNS", 82, &json!({"records": {"db.shop": "10.0.0.13"}}));
    let plan = planned(&database, vec![moved]).unwrap();
    assert_eq!(plan.warnings[0].code, "dns-name-twice");
}

#[test]
fn two_switches_on_one_wire_are_told() {
    let port = |switch: u8, n: u8, network: &str, tag: Value| {
        under(
            ("Logical_Switch", switch, "ports"),
            "Logical_Switch_Port",
            n,
            &json!({"name": format!("net{n}"), "type": "localnet", "addresses": ["unknown"], "options": {"network_name": network}, "tag": tag}),
        )
    };
    let other = insert("Logical_Switch", 91, &json!({"name": "copy"}));
    let on = |network: &str, tag: Value| {
        vec![
            other.clone(),
            port(1, 81, "phys", json!(7)),
            port(91, 82, network, tag),
        ]
    };
    assert_eq!(warned(on("phys2", json!(7))), []);
    assert_eq!(warned(on("phys", json!(8))), []);
    let said = warned(on("phys", json!(7)));
    assert!(
        said.len() == 2
            && said
                .iter()
                .all(|(code, words)| *code == "localnet-shared" && words.contains("with tag 7")),
        "{said:?}"
    );
}
