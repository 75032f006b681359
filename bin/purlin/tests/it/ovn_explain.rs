//! `purlin ovn trace`, `matrix`, `what-if` and `topology` against a node with the packaged OVN.

use crate::harness::Node;
use std::time::{Duration, Instant};

const CONFIG: &str = r#"
[api]
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]
metrics = ["127.0.0.1:0"]

[ovn]
enabled = true
own = "packaged"
"#;

/// Switch `web` with two ports, and an ACL that drops SSH to the second.
const NETWORK: &str = r#"
changes:
  - { op: insert, table: Logical_Switch, as: web, columns: { name: web } }
  - { op: insert, table: Logical_Switch_Port, parent: Logical_Switch/$web, columns: { name: web-1, addresses: ["02:00:00:00:00:11 10.0.0.11"] } }
  - { op: insert, table: Logical_Switch_Port, parent: Logical_Switch/$web, columns: { name: web-2, addresses: ["02:00:00:00:00:12 10.0.0.12"] } }
  - { op: insert, table: ACL, parent: Logical_Switch/$web, columns: { name: no-ssh, priority: 1000, direction: to-lport, action: drop, match: 'outport == "web-2" && tcp.dst == 22' } }
"#;

/// The programs of OVN are started beside the node: it is up before they are.
fn until_read(node: &Node) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let status = node.run(&["ovn", "status", "-o", "json"]);
        let known: serde_json::Value = serde_json::from_str(&status.out).unwrap_or_default();
        if known["ready"] == true {
            return;
        }
        assert!(Instant::now() < deadline, "{}{}", status.out, status.err);
    }
}

#[test]
fn packets_pairs_changes_and_pictures_are_told_on_a_terminal() {
    let node = Node::start(CONFIG);
    until_read(&node);
    std::fs::write(node.path("network.yaml"), NETWORK).expect("the directory is ours");
    let applied = node.run(&[
        "ovn",
        "apply",
        "-f",
        "network.yaml",
        "--wait",
        "sb",
        "--timeout",
        "60",
    ]);
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);

    let ping = node.run(&["ovn", "trace", "web-1", "web-2"]);
    assert_eq!(ping.code, 0, "{}{}", ping.out, ping.err);
    assert!(ping.out.contains("delivered to web-2"), "{}", ping.out);
    let ssh = node.run(&["ovn", "trace", "web-1", "web-2", "tcp/22"]);
    assert_eq!(ssh.code, 1, "{}{}", ssh.out, ssh.err);
    assert!(
        ssh.out
            .contains("dropped at web in ls_out_acl: ACL no-ssh drops it")
            && ssh.out.contains("ACL no-ssh, of purlin: /api/v1/ovn/nb/ACL/"),
        "{}",
        ssh.out
    );
    let wrong = node.run(&["ovn", "trace", "web-9", "web-2"]);
    assert!(
        wrong.code != 0 && wrong.err.contains("did you mean"),
        "{}",
        wrong.err
    );

    let pairs = node.json(&["ovn", "matrix", "--switch", "web", "--protocol", "icmp,tcp/22"]);
    let pairs = pairs.as_array().expect("a list");
    assert_eq!(pairs.len(), 4);
    assert_eq!(pairs.iter().filter(|pair| pair["allowed"] == false).count(), 1);

    std::fs::write(
        node.path("change.yaml"),
        "changes:\n  - { op: update, table: ACL, row: no-ssh, columns: { action: allow } }\n",
    )
    .expect("the directory is ours");
    let tried = node.run(&[
        "ovn",
        "what-if",
        "-f",
        "change.yaml",
        "--trace",
        "web-1,web-2,tcp/22",
    ]);
    assert_eq!(tried.code, 0, "{}{}", tried.out, tried.err);
    for words in [
        "now   dropped at web",
        "then  delivered to web-2",
        "nothing was changed",
    ] {
        assert!(tried.out.contains(words), "{words}: {}", tried.out);
    }
    assert_eq!(
        node.run(&["ovn", "trace", "web-1", "web-2", "tcp/22"]).code,
        1,
        "nothing was changed"
    );

    let drawn = node.run(&["ovn", "topology", "--format", "svg", "--ports"]);
    assert!(
        drawn.out.starts_with("<svg") && drawn.out.contains("web-2"),
        "{}",
        drawn.out
    );
    let listed = node.run(&["ovn", "topology"]);
    assert!(
        listed.out.contains("switch") && listed.out.contains("web"),
        "{}",
        listed.out
    );
}
