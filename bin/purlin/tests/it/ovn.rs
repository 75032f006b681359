//! `purlin ovn` against a node that keeps a northbound in its own process.

use crate::harness::{Node, OVN};

#[test]
fn rows_come_change_and_go_by_the_words_of_people() {
    let node = Node::start(OVN);
    let made = node.run(&[
        "ovn",
        "create",
        "switch",
        "name=web",
        "other_config:subnet=10.0.0.0/24",
    ]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.out.contains("+ Logical_Switch web\n"), "{}", made.out);
    assert!(made.out.ends_with("1 row added\n"), "{}", made.out);
    let port = [
        "ovn",
        "create",
        "lsp",
        "name=web-1",
        "addresses=02:00:00:00:00:01 10.0.0.5",
    ];
    let made = node.json(&[&port[..], &["--parent", "switch/web"]].concat());
    assert_eq!(made["row"]["addresses"][0], "02:00:00:00:00:01 10.0.0.5");

    let set = [
        "ovn",
        "set",
        "switch",
        "web",
        "other_config:mtu=1400",
        "other_config-=subnet",
    ];
    let shown = node.run(&[&set[..], &["--dry-run"]].concat());
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("+ mtu: \"1400\"") && shown.out.contains("- subnet: \"10.0.0.0/24\""));
    assert!(shown.out.contains("\nwould be: 1 row changed\n"), "{}", shown.out);
    let config = |node: &Node| node.json(&["ovn", "get", "switch", "web"])["other_config"].clone();
    assert_eq!(
        config(&node),
        serde_json::json!({ "subnet": "10.0.0.0/24" }),
        "it was a dry run"
    );
    assert_eq!(node.run(&set).code, 0);
    assert_eq!(config(&node), serde_json::json!({ "mtu": "1400" }));

    let listed = node.run(&["ovn", "ls", "lsp"]);
    assert!(
        listed.out.starts_with("NAME    PARENT   TYPE   ADDRESSES"),
        "{}",
        listed.out
    );
    assert_eq!(node.run(&["ovn", "ls", "lsp", "-o", "name"]).out, "web-1\n");
    let gone = node.run(&["ovn", "rm", "switch", "web"]);
    assert!(gone.out.contains("nothing points to it any more"), "{}", gone.out);
    assert!(gone.out.contains("2 rows removed"), "{}", gone.out);
    assert_eq!(node.run(&["ovn", "get", "switch", "web"]).code, 3);
}

#[test]
fn a_file_of_changes_happens_as_one_or_not_at_all() {
    let node = Node::start(OVN);
    let file = |text: &str| std::fs::write(node.path("changes.yaml"), text).expect("the directory is ours");
    file(
        "changes:\n  - { op: insert, table: Logical_Switch, columns: { name: db } }\n  - { op: delete, table: Logical_Switch, row: absent }\n",
    );
    let apply = ["ovn", "apply", "-f", "changes.yaml"];
    let refused = node.run(&apply);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("changes[1]"), "{}", refused.err);
    assert_eq!(node.json(&["ovn", "ls", "switch"]), serde_json::json!([]));
    file(
        "changes:\n  - { op: insert, table: Logical_Switch, as: db, columns: { name: db } }\n  - { op: insert, table: Logical_Switch_Port, parent: Logical_Switch/$db, columns: { name: db-1 } }\n",
    );
    let dry = node.run(&[&apply[..], &["--dry-run"]].concat());
    assert!(dry.out.contains("would be: 2 rows added"), "{}", dry.out);
    assert_eq!(node.run(&apply).code, 0);
    assert_eq!(node.run(&["ovn", "ls", "ports", "-o", "name"]).out, "db-1\n");
}

#[test]
fn what_cannot_be_ends_with_a_code_and_what_would_be_right() {
    let node = Node::start(OVN);
    assert_eq!(node.run(&["ovn", "create", "switch", "name=web"]).code, 0);
    let acl = [
        "ovn",
        "create",
        "acl",
        "direction=to-lport",
        "priority=1",
        "action=drop",
    ];
    let wrong = node.run(
        &[
            &acl[..],
            &["match=ip4.srcc == 10.0.0.9", "--parent", "switch/web"],
        ]
        .concat(),
    );
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("did you mean `ip4.src`?"), "{}", wrong.err);
    assert_eq!(wrong.err.matches("is no field").count(), 1, "{}", wrong.err);
    let stale = node.run(&["ovn", "set", "switch", "web", "name=db", "--if-match", "0123"]);
    assert_eq!(stale.code, 4, "{}", stale.err);
    let etag = node.json(&["ovn", "get", "switch", "web"])["_etag"].clone();
    let etag = etag.as_str().expect("a text");
    let set = node.run(&["ovn", "set", "switch", "web", "name=db", "--if-match", etag]);
    assert_eq!(set.code, 0, "{}", set.err);
    assert_eq!(node.run(&["ovn", "ls", "swich"]).code, 3);
    // Nobody makes flows here: what was asked for is not so, and that is said.
    let waited = node.run(&[
        "ovn",
        "create",
        "switch",
        "name=x",
        "--wait",
        "sb",
        "--timeout",
        "1",
    ]);
    assert_eq!(waited.code, 1, "{}", waited.out);
    assert!(waited.out.contains("written, and not done"), "{}", waited.out);
    assert_eq!(node.run(&["ovn", "lint"]).code, 0);
    let health = node.json(&["ovn", "health"]);
    assert_eq!(health["databases"][0]["model"], "standalone");
    let refused = node.run(&["ovn", "raft", "transfer", "nb"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("is in no cluster"), "{}", refused.err);
    let raft = node.run(&["ovn", "raft", "status"]);
    assert!(raft.out.contains("nobody to elect"), "{}", raft.out);
    assert_eq!(node.run(&["ovn", "sync", "--sb", "--timeout", "1"]).code, 1);
    let status = node.run(&["ovn", "status"]);
    assert!(status.out.contains("OVN_Northbound"), "{}", status.out);
}

#[test]
fn the_start_tells_which_ovn_it_is_and_where() {
    let mut node = Node::start(OVN);
    let told = node.facts();
    assert!(told.contains("a northbound in this process"), "{told}");
    let text = std::fs::read_to_string(node.path("purlin-data/node.json")).expect("the node is up");
    let file: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let northbound = file["ovn"][0].as_str().expect("an endpoint");
    assert!(told.contains(northbound), "{told}");
    assert!(northbound.starts_with("unix:/"), "{northbound}");
}
