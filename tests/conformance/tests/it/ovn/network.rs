//! Packets between machines: through a switch, past an ACL or not, through a router.

use super::{applied, config, hypervisor, made, port};
use purlin_conformance::{Guest, Node, Ovn, until};
use serde_json::{Value, json};

const NO_DHCP: &str = "[dhcp]\nenabled = false";
const MACS: [&str; 2] = ["02:00:00:00:01:01", "02:00:00:00:01:02"];

/// Two machines on one switch, and packets between them.
fn two_on_a_switch<'lab>(ovn: &Ovn<'lab>, node: &Node<'_>) -> [Guest<'lab>; 2] {
    hypervisor(node);
    let _ = made(
        node,
        "switches",
        &json!({ "name": "web", "subnet": "10.88.0.0/24" }),
    );
    let guests = [1, 2].map(|number| {
        let (name, mac) = (format!("web-{number}"), MACS[number - 1]);
        let guest = ovn.guest(&name, mac);
        port(node, "web", &name, mac, &format!("10.88.0.1{number}"));
        guest.address(&format!("10.88.0.1{number}/24"), None);
        guest
    });
    until("packets went through the switch", || {
        guests[0].reaches("10.88.0.12")
    });
    guests
}

/// An ACL that drops what the second machine is asked.
fn no_ping(node: &Node<'_>) -> Value {
    let acl = json!({
        "switch": "web", "name": "no-ping", "direction": "to-lport", "priority": 1000,
        "match": "outport == \"web-2\" && icmp4", "action": "drop",
    });
    applied(node, "POST", "/api/v1/ovn/acls", &acl)
}

#[test]
fn an_acl_made_by_rest_drops_the_packet_and_the_trace_names_it() {
    let Some(lab) = Ovn::lab(&[]) else { return };
    let ovn = Ovn::start(&lab);
    let node = lab.node(&config(&ovn, NO_DHCP));
    let [one, _two] = two_on_a_switch(&ovn, &node);
    let up = node.get("/api/v1/ovn/port-bindings?chassis=hypervisor-1&up=true");
    assert_eq!(up["items"].as_array().map(Vec::len), Some(2), "{up:#}");

    let acl = no_ping(&node);
    // Flows are there; what the datapath remembers of them is looked at again a moment later.
    until("the packet was dropped", || !one.reaches("10.88.0.12"));
    let trace = node.done(
        "POST",
        "/api/v1/ovn/trace",
        &json!({ "from": "web-1", "to": "web-2" }),
    );
    let by = &trace["dropped"]["by"];
    assert_eq!(
        (&trace["reached"], &by["name"]),
        (&json!(false), &json!("no-ping")),
        "{trace:#}"
    );
    assert_eq!(by["uuid"], acl["item"]["uuid"], "{trace:#}");
    let told = node.cli(&["ovn", "trace", "web-1", "web-2"]);
    let said = String::from_utf8_lossy(&told.stdout);
    assert!(
        !told.status.success() && said.contains("ACL no-ping drops it"),
        "{said}"
    );

    let uuid = acl["item"]["uuid"].as_str().expect("it has one");
    let _ = applied(&node, "DELETE", &format!("/api/v1/ovn/acls/{uuid}"), &Value::Null);
    until("packets went through again", || one.reaches("10.88.0.12"));
    let trace = node.done(
        "POST",
        "/api/v1/ovn/trace",
        &json!({ "from": "web-1", "to": "web-2" }),
    );
    assert_eq!(trace["reached"], true, "{trace:#}");
}

#[test]
fn an_undone_acl_lets_packets_through_again() {
    let Some(lab) = Ovn::lab(&[]) else { return };
    let ovn = Ovn::start(&lab);
    let node = lab.node(&config(&ovn, NO_DHCP));
    let [one, _two] = two_on_a_switch(&ovn, &node);
    let acl = no_ping(&node);
    until("the packet was dropped", || !one.reaches("10.88.0.12"));
    let entry = acl["request"].as_str().expect("a change has one");
    let undo = applied(
        &node,
        "POST",
        &format!("/api/v1/ovn/journal/{entry}/undo"),
        &Value::Null,
    );
    assert_eq!(undo["diff"][0]["table"], "ACL", "{undo:#}");
    until("packets went through again", || one.reaches("10.88.0.12"));
    // And the undo of the undo: the same ACL is back.
    let entry = undo["request"].as_str().expect("a change has one");
    let _ = applied(
        &node,
        "POST",
        &format!("/api/v1/ovn/journal/{entry}/undo"),
        &Value::Null,
    );
    until("the packet was dropped again", || !one.reaches("10.88.0.12"));
}

#[test]
fn a_router_made_by_rest_carries_packets_between_two_switches() {
    let Some(lab) = Ovn::lab(&[]) else { return };
    let ovn = Ovn::start(&lab);
    let node = lab.node(&config(&ovn, NO_DHCP));
    hypervisor(&node);
    let _ = made(&node, "routers", &json!({ "name": "edge" }));
    for (number, name) in [(1, "web"), (2, "db")] {
        let (router_port, mac) = (format!("edge-{name}"), format!("02:00:00:00:00:0{number}"));
        let networks = json!([format!("10.88.{number}.1/24")]);
        let _ = made(&node, "switches", &json!({ "name": name }));
        let its = json!({ "name": router_port, "router": "edge", "mac": mac, "networks": networks });
        let _ = made(&node, "router-ports", &its);
        let plug = json!({ "name": format!("{name}-edge"), "switch": name, "type": "router",
            "addresses": ["router"], "router_port": router_port });
        let _ = made(&node, "ports", &plug);
    }
    let web = ovn.guest("web-1", MACS[0]);
    let db = ovn.guest("db-1", MACS[1]);
    port(&node, "web", "web-1", MACS[0], "10.88.1.11");
    port(&node, "db", "db-1", MACS[1], "10.88.2.11");
    web.address("10.88.1.11/24", Some("10.88.1.1"));
    db.address("10.88.2.11/24", Some("10.88.2.1"));
    until("packets went through the router", || web.reaches("10.88.2.11"));
    let trace = node.done(
        "POST",
        "/api/v1/ovn/trace",
        &json!({ "from": "web-1", "to": "db-1" }),
    );
    let hops = trace["hops"].as_array().expect("a way");
    let kinds: Vec<&str> = hops.iter().filter_map(|hop| hop["kind"].as_str()).collect();
    assert_eq!(
        (&trace["reached"], &kinds[..]),
        (&json!(true), &["switch", "router", "switch"][..]),
        "{trace:#}"
    );

    // A policy of the router, made by REST, says no.
    let policy =
        json!({ "router": "edge", "priority": 100, "match": "ip4.dst == 10.88.2.11", "action": "drop" });
    let _ = applied(&node, "POST", "/api/v1/ovn/policies", &policy);
    until("the router dropped it", || !web.reaches("10.88.2.11"));
}
