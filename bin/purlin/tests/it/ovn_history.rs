//! `purlin ovn` for documents, the journal, templates and backups, against a northbound in the node's own process.

use crate::harness::{Ended, Node, OVN};
use serde_json::{Value, json};

const SHOP: &str = "switches:
  - name: front
    other_config: {subnet: 10.1.0.0/24}
    ports:
      - name: front-1
        addresses: [\"02:00:00:00:01:01 10.1.0.11\"]
";

fn good(ended: &Ended) -> &str {
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    &ended.out
}

fn newest(node: &Node) -> String {
    let list = node.json(&["ovn", "journal", "list", "--limit", "1"]);
    list[0]["id"].as_str().expect("an entry").to_owned()
}

#[test]
fn a_document_is_planned_applied_compared_and_written_again() {
    let node = Node::start(OVN);
    let file = |text: &str| std::fs::write(node.path("shop.yaml"), text).expect("the directory is ours");
    file(SHOP);
    let of = ["-f", "shop.yaml", "--owner", "shop"];
    let plan = node.run(&[&["ovn", "plan"][..], &of].concat());
    assert!(
        good(&plan).contains("+ Logical_Switch_Port front-1"),
        "{}",
        plan.out
    );
    assert!(plan.out.contains("would be: 2 rows added"), "{}", plan.out);
    assert_eq!(
        node.json(&["ovn", "ls", "switch"]),
        json!([]),
        "nothing is written"
    );
    let apply = [&["ovn", "apply"][..], &of].concat();
    assert!(good(&node.run(&apply)).ends_with("2 rows added\ntraffic may change of front-1\n"));
    assert!(good(&node.run(&apply)).contains("nothing is other than before"));
    assert_eq!(
        good(&node.run(&["ovn", "drift", "shop"])),
        "shop is as its document says\n"
    );

    good(&node.run(&[
        "ovn",
        "set",
        "switch",
        "front",
        "other_config:subnet=10.2.0.0/24",
        "--owner",
        "shop",
    ]));
    let drift = node.run(&["ovn", "drift", "shop"]);
    assert_eq!(drift.code, 1, "{}", drift.out);
    assert!(
        drift.out.contains("subnet: \"10.2.0.0/24\" -> \"10.1.0.0/24\""),
        "{}",
        drift.out
    );
    assert!(
        drift
            .out
            .contains("shop has drifted from its document: 1 different"),
        "{}",
        drift.out
    );
    let all = node.run(&["ovn", "drift"]);
    let row = all
        .out
        .lines()
        .any(|line| line.split_whitespace().take(2).eq(["shop", "true"]));
    assert!(all.code == 1 && row, "{}", all.out);

    let exported = node.run(&["ovn", "export", "shop"]);
    assert!(
        good(&exported).contains("subnet: \"10.2.0.0/24\""),
        "{}",
        exported.out
    );
    file(&exported.out);
    assert!(good(&node.run(&apply)).contains("nothing is other than before"));
    assert_eq!(node.run(&["ovn", "drift"]).code, 0);

    // Faults are told with the lines of the file; what is missing on the command line, too.
    file("switches:\n  - name: front\n    prots: []\n");
    let wrong = node.run(&apply);
    assert_eq!(wrong.code, 1, "{}", wrong.out);
    assert!(
        wrong.err.contains("line 3") && wrong.err.contains("ports"),
        "{}",
        wrong.err
    );
    let whose = node.run(&["ovn", "apply", "-f", "shop.yaml"]);
    assert!(whose.code == 2 && whose.err.contains("--owner"), "{}", whose.err);
    file("changes: []\n");
    let both = node.run(&[&apply[..], &["--prune"]].concat());
    assert!(
        both.code == 2 && both.err.contains("list of changes"),
        "{}",
        both.err
    );
    assert_eq!(node.run(&["ovn", "drift", "nobody"]).code, 3);
}

#[test]
fn what_was_done_is_listed_shown_and_taken_back() {
    let node = Node::start(OVN);
    good(&node.run(&["ovn", "create", "switch", "name=web"]));
    let point = newest(&node);
    good(&node.run(&["ovn", "create", "lsp", "name=web-1", "--parent", "switch/web"]));
    let port = newest(&node);
    good(&node.run(&["ovn", "set", "switch", "web", "other_config:mtu=1400"]));
    let listed = node.run(&["ovn", "journal", "ls"]);
    assert_eq!(good(&listed).lines().count(), 4, "{}", listed.out);
    let last = newest(&node);
    assert_eq!(
        good(&node.run(&["ovn", "journal", "ls", "--port", "web-1", "-o", "name"])),
        format!("{last}\n{port}\n"),
        "what concerns its switch concerns a port"
    );
    let shown = node.run(&["ovn", "journal", "show", &port]);
    assert!(
        good(&shown).contains("+ Logical_Switch_Port web-1"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("committed"), "{}", shown.out);

    // A row is not taken away under what has come to hang on it.
    let early = node.run(&["ovn", "undo", &point]);
    assert_eq!(early.code, 4, "{}", early.out);
    assert!(
        early.err.contains("`ports` has been changed since"),
        "{}",
        early.err
    );
    let dry = node.run(&["ovn", "undo", &point, "--to", "--dry-run"]);
    assert!(good(&dry).contains("- Logical_Switch_Port web-1"), "{}", dry.out);
    assert!(dry.out.contains("would be: "), "{}", dry.out);
    good(&node.run(&["ovn", "undo", &point, "--to"]));
    assert_eq!(node.json(&["ovn", "ls", "lsp"]), json!([]));
    assert_eq!(
        node.json(&["ovn", "get", "switch", "web"])["other_config"],
        json!({})
    );
    let entry = node.json(&["ovn", "journal", "show", &port]);
    assert_eq!(entry["undone_by"], json!(newest(&node)));
    good(&node.run(&["ovn", "undo", &newest(&node)]));
    assert_eq!(good(&node.run(&["ovn", "ls", "lsp", "-o", "name"])), "web-1\n");
    assert_eq!(
        node.run(&["ovn", "undo", "0198c2f0-0000-7000-8000-000000000000"])
            .code,
        3
    );
}

#[test]
fn templates_are_tried_and_written() {
    let node = Node::start(OVN);
    let listed = node.run(&["ovn", "template", "list", "-o", "name"]);
    assert!(good(&listed).contains("web-server\n"), "{}", listed.out);
    good(&node.run(&["ovn", "create", "pg", "name=web"]));
    let values = ["web-server", "--var", "group=web", "--var", "admins=10.0.0.0/24"];
    let wrong = ["ovn", "template", "preview", "web-server", "--var", "admins=nine"];
    let wrong = node.run(&wrong);
    assert!(
        wrong.code == 1 && wrong.out.contains("error: "),
        "{}{}",
        wrong.out,
        wrong.err
    );
    let preview = node.run(&[&["ovn", "template", "preview"][..], &values].concat());
    assert!(good(&preview).contains("to-lport"), "{}", preview.out);
    assert_eq!(node.json(&["ovn", "ls", "acl"]), json!([]));
    good(&node.run(&[&["ovn", "template", "apply"][..], &values].concat()));
    let rules = node.json(&["ovn", "ls", "acl"]);
    assert!(rules.as_array().is_some_and(|rules| !rules.is_empty()));
    let template = node.json(&["ovn", "template", "show", "web-server"]);
    let mut mine = template.clone();
    mine["id"] = json!("mine");
    mine.as_object_mut().expect("an object").remove("builtin");
    std::fs::write(node.path("mine.json"), mine.to_string()).expect("the directory is ours");
    good(&node.run(&["ovn", "template", "import", "-f", "mine.json"]));
    assert_eq!(
        node.run(&["ovn", "template", "import", "-f", "mine.json"]).code,
        4
    );
    good(&node.run(&["ovn", "template", "rm", "mine"]));
    assert_eq!(node.run(&["ovn", "template", "show", "mine"]).code, 3);
}

#[test]
fn backups_are_made_verified_and_brought_back() {
    let node = Node::start(OVN);
    good(&node.run(&["ovn", "create", "switch", "name=web"]));
    good(&node.run(&[
        "ovn",
        "backup",
        "create",
        "nightly",
        "--compress",
        "--tag",
        "night",
    ]));
    std::fs::write(node.path("key"), "correct horse battery\n").expect("the directory is ours");
    good(&node.run(&["ovn", "backup", "create", "vault", "--key-file", "key"]));
    let listed = node.json(&["ovn", "backup", "ls"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    assert!(good(&node.run(&["ovn", "backup", "verify", "nightly"])).contains("nightly is whole"));
    assert!(good(&node.run(&["ovn", "backup", "verify", "vault", "--key-file", "key"])).contains("rows"));
    std::fs::write(node.path("other"), "another key of ours\n").expect("the directory is ours");
    let closed = node.run(&["ovn", "backup", "verify", "vault", "--key-file", "other"]);
    assert_eq!(closed.code, 1, "{}", closed.out);

    good(&node.run(&["ovn", "rm", "switch", "web"]));
    let dry = node.run(&["ovn", "backup", "restore", "nightly", "--dry-run"]);
    assert!(good(&dry).contains("+ Logical_Switch web"), "{}", dry.out);
    good(&node.run(&["ovn", "backup", "restore", "vault", "--key-file", "key"]));
    assert_eq!(good(&node.run(&["ovn", "ls", "switch", "-o", "name"])), "web\n");
    good(&node.run(&["ovn", "set", "switch", "web", "other_config:mtu=1400"]));
    let differs = node.run(&["ovn", "backup", "restore", "nightly"]);
    assert_eq!(differs.code, 4, "{}", differs.out);
    good(&node.run(&["ovn", "backup", "restore", "nightly", "--conflict", "overwrite"]));
    assert_eq!(
        node.json(&["ovn", "get", "switch", "web"])["other_config"],
        json!({})
    );
    let file: Value =
        serde_json::from_str(good(&node.run(&["ovn", "backup", "export", "nightly"]))).expect("JSON");
    assert_eq!(file["metadata"]["name"], "nightly");
    good(&node.run(&["ovn", "backup", "rm", "nightly"]));
    assert_eq!(node.run(&["ovn", "backup", "verify", "nightly"]).code, 3);
}
