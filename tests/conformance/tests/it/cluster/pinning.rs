//! Addresses of OVN's ports in a cluster: every node gives them, also one that has not seen the northbound.

use purlin_conformance::{Cluster, Member, met_plainly, northbound};
use serde_json::{Value, json};
use tempfile::TempDir;

const FIRST: &str = "02:00:00:00:01:01";
const STRANGER: &str = "02:00:00:00:01:09";

fn made(node: &Member, path: &str, row: &Value) {
    let (status, body) = node.ask("POST", path, Some(row)).expect("it answers");
    assert_eq!(status, 201, "{body}");
}

/// The addresses that a node keeps for ports.
fn kept(node: &Member) -> Option<Vec<String>> {
    let (_, list) = node.get("/api/v1/dhcp/pins")?;
    let pins = list["items"].as_array()?.iter();
    Some(
        pins.filter_map(|pin| Some(pin["address"].as_str()?.to_owned()))
            .collect(),
    )
}

/// What a machine is told that asks this node, through a relay, for this address; it gives back what it gets.
fn told(node: &Member, mac: &str, wish: &str) -> String {
    let server = format!("127.0.0.1:{}", node.dhcp);
    node.says(&[
        "dhcp",
        "probe",
        &server,
        "--giaddr",
        "10.0.0.5",
        "--bind",
        "127.0.0.1:0",
        "--mac",
        mac,
        "--request",
        wish,
        "--release",
    ])
}

#[test]
fn a_ports_address_is_its_machines_at_every_node_and_while_the_northbound_is_away() {
    if !met_plainly(&["ovsdb-tool", "ovsdb-server"]) {
        return;
    }
    let folder = TempDir::new().expect("a temporary folder can be made");
    let server = northbound(folder.path());
    let config = format!(
        "[ovn]\nenabled = true\nnorthbound = [\"unix:{}\"]\n",
        folder.path().join("db.sock").display()
    );
    // Once in a test run.
    let Some(mut cluster) = Cluster::with_more(2, Box::leak(config.into_boxed_str())) else {
        return;
    };
    let chosen = json!({ "purlin-dhcp": "purlin", "purlin-dhcp-address": "10.0.0.1" });
    let one = &cluster.nodes[0];
    made(
        one,
        "/api/v1/ovn/nb/Logical_Switch",
        &json!({ "name": "web", "external_ids": chosen }),
    );
    let port = json!({ "name": "web-1", "addresses": [format!("{FIRST} 10.0.9.9")] });
    made(
        one,
        "/api/v1/ovn/nb/Logical_Switch_Port?parent=Logical_Switch/web",
        &port,
    );
    let gives = |node: &Member| {
        node.until("it kept the port's address", || {
            kept(node).is_some_and(|kept| kept == ["10.0.9.9"])
        });
        // Whichever node holds the shares of the two machines.
        let machine = told(node, FIRST, "10.0.1.77");
        assert!(machine.contains("10.0.9.9"), "{machine}");
        let stranger = told(node, STRANGER, "10.0.9.9");
        assert!(!stranger.contains("10.0.9.9 "), "{stranger}");
    };
    cluster.nodes.iter().for_each(gives);

    // The northbound goes, and a node that starts then never sees it.
    drop(server);
    cluster.nodes[1].process.crash();
    cluster.nodes[1].start_again();
    // Neither is ready for OVN now; DHCP goes on.
    for node in &cluster.nodes {
        node.until("both gave addresses", || {
            let all = node.members().unwrap_or_default();
            let gives = |member: &Value| member["status"] == "active" && member["slots"].as_u64() > Some(0);
            all.len() == 2 && all.iter().all(gives)
        });
    }
    cluster.nodes.iter().for_each(gives);
}
