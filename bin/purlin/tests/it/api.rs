//! The commands that ask a node.

use crate::harness::{CONFIG, Node};

#[test]
fn https_works_with_the_nodes_own_authority() {
    let node = Node::start(CONFIG);
    let https = node.json(&["status"])["api"]["https"]
        .as_str()
        .expect("it listens")
        .to_owned();
    let ended = node.run(&["status", "--server", &https]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let untrusted = node.run(&["status", "--server", &https, "--ca", "/etc/hostname"]);
    assert_eq!(untrusted.code, 1, "{}", untrusted.err);
}

#[test]
fn a_wrong_token_ends_with_5() {
    let node = Node::start(CONFIG);
    let ended = node.run(&[
        "token",
        "list",
        "--token",
        "pur_000000000000_0000000000000000000000000000000000000000",
    ]);
    assert_eq!(ended.code, 5, "{}", ended.err);
    assert!(ended.err.contains("PUR-"), "{}", ended.err);
}

#[test]
fn a_token_does_what_its_role_allows_until_it_is_revoked() {
    let node = Node::start(CONFIG);
    let made = node.json(&["token", "create", "grafana", "--role", "viewer"]);
    let (token, id) = (
        made["token"].as_str().expect("told once"),
        made["id"].as_str().expect("it has one"),
    );
    assert_eq!(node.run(&["status", "--token", token]).code, 0);
    assert_eq!(
        node.run(&["token", "list", "--token", token]).code,
        5,
        "a viewer manages no tokens"
    );
    assert_eq!(node.run(&["token", "revoke", id]).code, 0);
    assert_eq!(node.run(&["status", "--token", token]).code, 5);
    assert_eq!(node.run(&["token", "revoke", id]).code, 3);
}

#[test]
fn lists_come_in_every_form() {
    let node = Node::start(CONFIG);
    let names = node.run(&["config", "history", "-o", "name"]);
    assert_eq!(names.out, "1\n", "{}", names.err);
    assert!(
        node.run(&["config", "history", "-o", "csv"])
            .out
            .starts_with("revision,when,origin")
    );
    assert!(
        node.run(&["config", "history", "-o", "yaml"])
            .out
            .starts_with("- ")
    );
    assert!(
        node.run(&["config", "history", "--columns", "origin", "--no-headers"])
            .out
            .starts_with("file")
    );
    let none = node.run(&["config", "history", "--filter", "origin=api"]);
    assert_eq!(
        (none.code, none.out.as_str(), none.err.as_str()),
        (0, "", "no revisions\n")
    );
}

#[test]
fn a_subnet_is_added_changed_and_removed_live() {
    let node = Node::start(CONFIG);
    let add = [
        "dhcp",
        "subnet",
        "add",
        "name=b",
        "network=10.8.0.0/16",
        "pools=10.8.1.0-10.8.1.255",
    ];
    let added = node.run(&add);
    assert_eq!(added.code, 0, "{}", added.err);
    assert_eq!(
        added.out,
        "subnet b added (revision 2; undo: purlin config rollback 1)\n"
    );
    assert_eq!(node.run(&add).code, 4, "a second one of that name is a conflict");
    let leased = node.json(&["dhcp", "probe", "--giaddr", "10.8.0.1"]);
    assert_eq!(leased["verdict"], "bound", "{leased}");

    let list = node.json(&["dhcp", "subnet", "list"]);
    assert_eq!(list[1]["utilization"]["bound"], 1, "{list}");
    assert_eq!(node.run(&["dhcp", "subnet", "set", "b", "lease_time=2h"]).code, 0);
    assert_eq!(node.json(&["dhcp", "subnet", "get", "b"])["lease_time"], "2h");
    let dry = node.run(&["dhcp", "subnet", "remove", "b", "--dry-run"]);
    assert!(
        dry.out.ends_with("subnet b would be removed (revision 4)\n"),
        "{}{}",
        dry.out,
        dry.err
    );
    assert_eq!(node.run(&["dhcp", "subnet", "remove", "b"]).code, 0);
    assert_eq!(node.run(&["dhcp", "subnet", "get", "b"]).code, 3);
}

#[test]
fn a_faulty_change_is_refused_with_its_faults() {
    let node = Node::start(CONFIG);
    let ended = node.run(&["dhcp", "subnet", "set", "lab", "pools=10.1.0.0-10.1.0.9"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("10.1.0.0") && ended.err.contains("PUR-"),
        "{}",
        ended.err
    );
    assert_eq!(
        node.json(&["config", "history"]).as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn leases_are_listed_shown_and_released() {
    let node = Node::start(CONFIG);
    let probe = node.json(&["dhcp", "probe", "--giaddr", "10.9.0.1", "--host-name", "web-1"]);
    let address = probe["lease"]["address"]
        .as_str()
        .expect("it was granted")
        .to_owned();
    let bound = ["dhcp", "lease", "list", "--state", "bound"];
    assert_eq!(
        node.run(&[&bound[..], &["-o", "name"]].concat()).out,
        format!("{address}\n")
    );
    assert_eq!(
        node.run(&[&bound[..], &["--search", "web-", "-o", "name"]].concat())
            .out,
        format!("{address}\n")
    );
    assert_eq!(
        node.json(&["dhcp", "lease", "get", &address])["hostname"],
        "web-1"
    );
    assert_eq!(node.run(&["dhcp", "lease", "release", &address]).code, 0);
    assert_eq!(node.run(&[&bound[..], &["-o", "name"]].concat()).out, "");
    assert_eq!(node.run(&["dhcp", "lease", "release", "10.9.77.77"]).code, 3);
}

#[test]
fn a_list_of_many_pages_is_whole() {
    let node = Node::start(CONFIG);
    let load = [
        "bench",
        "dhcp",
        "--relay",
        "10.9.0.1@127.0.0.1:0",
        "--clients",
        "2500",
        "--operations",
        "2500",
    ];
    assert_eq!(node.json(&load)["clean"], true);
    let names = node.run(&["dhcp", "lease", "list", "--state", "bound", "-o", "name"]);
    assert_eq!(names.out.lines().count(), 2500);
    assert_eq!(
        node.json(&["dhcp", "lease", "list", "--limit", "1234"])
            .as_array()
            .map(Vec::len),
        Some(1234)
    );
    let decisions = node.json(&["dhcp", "decision", "list", "--limit", "2345"]);
    let at: Vec<&str> = decisions
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|decision| decision["at"].as_str())
        .collect();
    assert_eq!(at.len(), 2345);
    assert!(at.is_sorted(), "pages into the past are shown in order of time");
}

#[test]
fn why_tells_a_story_and_silence_as_well() {
    let node = Node::start(CONFIG);
    node.json(&[
        "dhcp",
        "probe",
        "--giaddr",
        "10.9.0.1",
        "--mac",
        "02:00:00:00:00:07",
    ]);
    let story = node.run(&["why", "02:00:00:00:00:07"]);
    assert_eq!(story.code, 0, "{}", story.err);
    assert!(
        story.out.contains("DHCPDISCOVER") && story.out.contains("DHCPACK"),
        "{}",
        story.out
    );

    let silent = [
        "dhcp",
        "probe",
        "--giaddr",
        "10.77.0.1",
        "--mac",
        "02:00:00:00:00:08",
        "--attempts",
        "1",
        "--timeout",
        "100ms",
    ];
    assert_eq!(node.run(&silent).code, 1);
    let story = node.run(&["why", "02:00:00:00:00:08"]);
    assert!(
        story.out.contains("no subnet matches giaddr 10.77.0.1"),
        "{}",
        story.out
    );
    assert_eq!(node.run(&["why", "02:00:00:00:00:09"]).code, 3);
}

#[test]
fn events_tell_what_happened() {
    let node = Node::start(CONFIG);
    node.json(&["dhcp", "probe", "--giaddr", "10.9.0.1"]);
    let told = node.run(&["events", "--topics", "config,dhcp.lease"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(
        told.out.contains("config.revision") && told.out.contains("dhcp.lease"),
        "{}",
        told.out
    );
}

#[test]
fn metrics_are_served_without_a_token_on_their_own_port() {
    use std::io::{Read, Write};
    let node = Node::start(CONFIG);
    let url = node.json(&["status"])["api"]["metrics"]
        .as_str()
        .expect("it listens")
        .to_owned();
    let address = url.trim_start_matches("http://").trim_end_matches("/metrics");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    for name in [
        "purlin_build_info",
        "process_resident_memory_bytes",
        "purlin_dhcp_packets_received_total",
    ] {
        assert!(text.contains(name), "no {name}");
    }
}
