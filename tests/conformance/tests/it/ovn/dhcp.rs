//! DHCP for a port: by OVN itself, then by Purlin behind a localport, with the same client.

use super::{applied, config, hypervisor, made, port};
use purlin_conformance::{Lease, Node, Ovn, until};
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

    let order = json!({ "served_by": "purlin", "addresses": format!("{PURLIN} 10.88.0.2") });
    let chosen = applied(&node, "PUT", choice, &order);
    assert_eq!(chosen["item"]["port"], "purlin-dhcp-web", "{chosen:#}");
    kept_for(&node, "10.88.0.11", MAC, "web-1");
    let lease = guest.lease().expect("Purlin answers");
    assert_eq!(
        told(&lease, &["ip", "router", "dns", "serverid"]),
        ["10.88.0.11", "10.88.0.1", "10.88.0.54", "10.88.0.2"]
    );
    assert_eq!(node.leases("bound").len(), 1);
    let story = node.says(&["why", MAC]);
    for words in [
        "bound 10.88.0.11",
        "10.88.0.11 is kept for 02:00:00:00:01:01 by port web-1 of switch web",
        "Purlin answers its DHCP",
    ] {
        assert!(story.contains(words), "{words} in\n{story}");
    }
}

/// Waits until an address is a machine's alone, by its port.
fn kept_for(node: &Node<'_>, address: &str, mac: &str, port: &str) {
    let words = format!("{address} is kept for {mac} by port {port} of switch web");
    until("the address was kept for its port", || {
        told_of(node, address).contains(&words)
    });
}

/// What `purlin why` says, whether anything was seen or not.
fn told_of(node: &Node<'_>, subject: &str) -> String {
    String::from_utf8_lossy(&node.cli(&["why", subject]).stdout).into_owned()
}

#[test]
fn ports_keep_their_addresses_as_they_come_and_go_and_over_a_restart() {
    let Some(lab) = Ovn::lab(&["udhcpc"]) else { return };
    let ovn = Ovn::start(&lab);
    ovn.interface("purlin0", "purlin-dhcp-web", PURLIN, "10.88.0.2/24");
    // Just the addresses of the ports to come, and one more.
    let section = SECTION.replace("10.88.0.100-10.88.0.199", "10.88.0.11-10.88.0.13");
    let mut node = lab.node(&config(&ovn, &section));
    network(&node);
    let order = json!({ "served_by": "purlin", "addresses": format!("{PURLIN} 10.88.0.2") });
    let _ = applied(&node, "PUT", "/api/v1/ovn/switches/web/dhcp", &order);
    // Another program makes a port, and three for whoever comes.
    let second = "02:00:00:00:01:02";
    let strangers = ["02:00:00:00:01:07", "02:00:00:00:01:08", "02:00:00:00:01:09"];
    let both = format!("{second} 10.88.0.12");
    let any = ["any-1", "any-2", "any-3"];
    for (port, addresses) in [("web-2", both.as_str())]
        .into_iter()
        .chain(any.map(|port| (port, "unknown")))
    {
        ovn.nbctl(&["lsp-add", "web", port, "--", "lsp-set-addresses", port, addresses]);
    }
    kept_for(&node, "10.88.0.11", MAC, "web-1");
    kept_for(&node, "10.88.0.12", second, "web-2");
    let (guest, anybody) = (ovn.guest("web-2", second), ovn.guest(any[0], strangers[0]));
    let address = |lease: Option<Lease>| told(&lease.expect("Purlin answers"), &["ip"]).concat();
    assert_eq!(
        address(anybody.lease_of("10.88.0.12")),
        "10.88.0.13",
        "the only one that is no port's"
    );
    assert_eq!(address(guest.lease()), "10.88.0.12");

    // A port goes, and its address is for whoever comes.
    ovn.nbctl(&["lsp-del", "web-1"]);
    until("the address was let go", || {
        !told_of(&node, "10.88.0.11").contains("is kept for")
    });
    let newcomer = ovn.guest(any[1], strangers[1]);
    assert_eq!(address(newcomer.lease_of("10.88.0.11")), "10.88.0.11");
    let last = ovn.guest(any[2], strangers[2]);
    let nothing_for_the_last = |node: &Node<'_>| {
        assert!(
            last.lease_of("10.88.0.12").is_none(),
            "all that is left is a port's"
        );
        let story = node.says(&["why", strangers[2]]);
        assert!(
            story.contains("DHCPDISCOVER got no answer"),
            "it was heard:\n{story}"
        );
    };
    nothing_for_the_last(&node);

    // What a node knew last holds before it has its northbound again; here it never does. The hypervisor goes on by the flows
    // that it has.
    ovn.lose_network();
    node.crash_and_restart();
    kept_for(&node, "10.88.0.12", second, "web-2");
    nothing_for_the_last(&node);
    assert_eq!(address(guest.lease()), "10.88.0.12");
}
