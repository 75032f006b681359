//! DHCP for a port: by OVN itself, then by Purlin behind a localport, with the same client.

use super::{applied, config, hypervisor, made, port};
use purlin_conformance::{Lease, Node, Ovn};
use serde_json::json;

const MAC: &str = "02:00:00:00:01:01";
const PURLIN: &str = "02:00:00:00:00:fe";

const SECTION: &str = r#"[dhcp]
interfaces = ["purlin0"]

[[dhcp.subnets]]
name = "web"
network = "10.88.0.0/24"
gateway = "10.88.0.1"
dns_servers = ["10.88.0.54"]
pools = ["10.88.0.100-10.88.0.199"]
"#;

/// A switch with a router on it, and a machine's port.
fn network(node: &Node<'_>) {
    hypervisor(node);
    let _ = made(
        node,
        "switches",
        &json!({ "name": "web", "subnet": "10.88.0.0/24" }),
    );
    let _ = made(node, "routers", &json!({ "name": "edge" }));
    let its = json!({ "name": "edge-web", "router": "edge", "mac": "02:00:00:00:00:01", "networks": ["10.88.0.1/24"] });
    let _ = made(node, "router-ports", &its);
    let plug = json!({ "name": "web-edge", "switch": "web", "type": "router", "addresses": ["router"],
        "router_port": "edge-web" });
    let _ = made(node, "ports", &plug);
    port(node, "web", "web-1", MAC, "10.88.0.11");
}

fn told(lease: &Lease, names: &[&str]) -> Vec<String> {
    let value = |name: &&str| lease.get(*name).cloned().unwrap_or_default();
    names.iter().map(value).collect()
}

#[test]
fn a_port_is_answered_by_ovn_and_then_by_purlin_behind_the_localport() {
    let Some(lab) = Ovn::lab(&["udhcpc"]) else { return };
    let ovn = Ovn::start(&lab);
    ovn.interface("purlin0", "purlin-dhcp-web", PURLIN, "10.88.0.2/24");
    let node = lab.node(&config(&ovn, SECTION));
    let guest = ovn.guest("web-1", MAC);
    network(&node);

    let choice = "/api/v1/ovn/switches/web/dhcp";
    let options = json!({ "bootfile_name": "ipxe.efi", "dns_server": "10.88.0.53", "lease_time": "1800" });
    let (status, refused) = node.ask(
        "PUT",
        choice,
        Some(&json!({ "served_by": "ovn", "options": { "dns_server": "nine" } })),
    );
    assert_eq!(
        status, 422,
        "an option of the wrong type is refused before it harms anybody: {refused:#}"
    );
    let _ = applied(
        &node,
        "PUT",
        choice,
        &json!({ "served_by": "ovn", "options": options }),
    );
    let lease = guest.lease().expect("OVN answers");
    assert_eq!(
        told(&lease, &["ip", "router", "dns", "bootfile", "lease", "serverid"]),
        [
            "10.88.0.11",
            "10.88.0.1",
            "10.88.0.53",
            "ipxe.efi",
            "1800",
            "10.88.0.1"
        ]
    );
    assert!(node.leases("bound").is_empty(), "Purlin did not answer");
    let story = node.says(&["why", MAC]);
    assert!(
        story.contains("port web-1 of switch web, which is up on hypervisor hypervisor-1"),
        "{story}"
    );
    assert!(story.contains("OVN answers its DHCP"), "{story}");

    let reservation = json!({ "subnet": "web", "mac": MAC, "address": "10.88.0.11" });
    let _ = node.done("POST", "/api/v1/dhcp/reservations", &reservation);
    let order = json!({ "served_by": "purlin", "addresses": format!("{PURLIN} 10.88.0.2") });
    let chosen = applied(&node, "PUT", choice, &order);
    assert_eq!(chosen["item"]["port"], "purlin-dhcp-web", "{chosen:#}");
    let lease = guest.lease().expect("Purlin answers");
    assert_eq!(
        told(&lease, &["ip", "router", "dns", "serverid"]),
        ["10.88.0.11", "10.88.0.1", "10.88.0.54", "10.88.0.2"]
    );
    assert_eq!(node.leases("bound").len(), 1);
    let story = node.says(&["why", MAC]);
    for words in [
        "bound 10.88.0.11",
        "port web-1 of switch web",
        "OVN does not answer its DHCP",
    ] {
        assert!(story.contains(words), "{words} in\n{story}");
    }
}
