//! Addresses of OVN's ports as DHCP gives them: what the northbound says reaches the packet threads, and stays over a restart
//! without it.

use crate::harness::{Ended, Node};
use std::time::{Duration, Instant};

const CONFIG: &str = r#"
[api]
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]
metrics = ["127.0.0.1:0"]

[dhcp]
listen = ["127.0.0.1:0"]

[[dhcp.subnets]]
name = "web"
network = "10.9.0.0/24"
pools = ["10.9.0.10-10.9.0.12"]
relays = ["127.0.0.0/8"]

[[dhcp.subnets]]
name = "lab"
network = "10.8.0.0/24"
pools = ["10.8.0.10-10.8.0.20"]
relays = ["10.8.0.0/24"]

[ovn]
enabled = true
"#;

const FIRST: &str = "02:00:00:00:01:01";
const STRANGER: &str = "02:00:00:00:01:09";

fn own() -> String {
    format!("{CONFIG}own = \"in_process\"\n")
}

fn good(ended: &Ended) -> &str {
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    &ended.out
}

/// Makes a port of the switch.
fn port(node: &Node, name: &str, address: &str) {
    let addresses = format!("addresses={address}");
    good(&node.run(&[
        "ovn",
        "create",
        "lsp",
        &format!("name={name}"),
        &addresses,
        "--parent",
        "switch/web",
    ]));
}

/// Waits until these are all addresses that are kept.
fn kept(node: &Node, wanted: &[&str]) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let pins = node.json(&["dhcp", "pin", "list"]);
        let pins = pins.as_array().expect("a list");
        let now: Vec<&str> = pins.iter().filter_map(|pin| pin["address"].as_str()).collect();
        if now == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{now:?} are kept, not {wanted:?}");
    }
}

/// The address that a machine gets, which asks for this one and gives back what it got.
fn given(node: &Node, mac: &str, wish: &str) -> String {
    leased(node, &["--mac", mac, "--request", wish, "--release"])
}

/// The address that a machine gets and keeps.
fn taken(node: &Node, mac: &str) -> String {
    leased(node, &["--mac", mac])
}

fn leased(node: &Node, more: &[&str]) -> String {
    let probe = node.json(&[&["dhcp", "probe", "--giaddr", "10.9.0.1"], more].concat());
    let address = probe["lease"]["address"].as_str();
    address.unwrap_or_else(|| panic!("{probe:#}")).to_owned()
}

#[test]
fn what_ports_have_is_given_to_their_machines_and_over_a_restart_without_the_northbound() {
    let node = Node::start(&own());
    good(&node.run(&["ovn", "create", "switch", "name=web"]));
    port(&node, "web-1", &format!("{FIRST} 10.9.0.11"));
    kept(&node, &[]);
    let chosen = [
        "external_ids:purlin-dhcp=purlin",
        "external_ids:purlin-dhcp-address=10.9.0.2",
    ];
    good(&node.run(&[&["ovn", "set", "switch", "web"][..], &chosen].concat()));
    kept(&node, &["10.9.0.11"]);
    assert_eq!(given(&node, FIRST, "10.9.0.10"), "10.9.0.11");
    let stranger = given(&node, STRANGER, "10.9.0.11");
    assert!(
        ["10.9.0.10", "10.9.0.12"].contains(&stranger.as_str()),
        "{stranger}"
    );
    let story = node.run(&["why", "10.9.0.11"]);
    let told = format!("10.9.0.11 is kept for {FIRST} by port web-1 of switch web");
    assert!(story.out.contains(&told), "{}", story.out);

    // What does not hold is told, and harms nobody: addresses of another link are not this switch's to give.
    port(&node, "web-2", "02:00:00:00:01:02 10.8.0.11");
    kept(&node, &["10.9.0.11", "10.8.0.11"]);
    let pins = node.json(&["dhcp", "pin", "list", "--filter", "address=10.8.0.11"]);
    assert!(
        pins[0]["conflict"]
            .as_str()
            .is_some_and(|why| why.contains("another link")),
        "{pins:#}"
    );
    let health = node.run(&["doctor"]);
    assert!(
        health.out.contains("10.8.0.11 for 02:00:00:00:01:02"),
        "{}",
        health.out
    );
    good(&node.run(&["ovn", "delete", "lsp", "web-2"]));
    kept(&node, &["10.9.0.11"]);

    let (_, dir) = node.stop();
    let away = format!(
        "{CONFIG}northbound = [\"unix:{}\"]\n",
        dir.path().join("nobody.sock").display()
    );
    let node = Node::start_in(dir, &away);
    kept(&node, &["10.9.0.11"]);
    assert_ne!(given(&node, STRANGER, "10.9.0.11"), "10.9.0.11");
    assert_eq!(given(&node, FIRST, "10.9.0.10"), "10.9.0.11");

    // Back again, and the port goes: its address is for whoever comes.
    let (_, dir) = node.stop();
    let node = Node::start_in(dir, &own());
    kept(&node, &["10.9.0.11"]);
    good(&node.run(&["ovn", "delete", "lsp", "web-1"]));
    kept(&node, &[]);
    let mut all = [0x21, 0x22, 0x23].map(|n| taken(&node, &format!("02:00:00:00:01:{n:02x}")));
    all.sort_unstable();
    assert_eq!(all, ["10.9.0.10", "10.9.0.11", "10.9.0.12"]);

    // Without OVN nobody says whose addresses they are.
    let (_, dir) = node.stop();
    let node = Node::start_in(dir, &own());
    port(&node, "web-3", "02:00:00:00:01:03 10.9.0.12");
    kept(&node, &["10.9.0.12"]);
    let (_, dir) = node.stop();
    let without = CONFIG.replace("[ovn]\nenabled = true\n", "");
    kept(&Node::start_in(dir, &without), &[]);
}
