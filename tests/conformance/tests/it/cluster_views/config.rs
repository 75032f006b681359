//! One configuration and one set of tokens, whichever node is asked.

use purlin_conformance::{Cluster, Member};
use serde_json::{Value, json};

fn revision(node: &Member) -> Value {
    let (_, status) = node.get("/api/v1/status").expect("it answers");
    status["revision"].clone()
}

#[test]
fn s0_4_nodes_have_one_configuration_and_a_change_at_one_is_in_effect_at_all() {
    let Some(mut cluster) = Cluster::without_redis(3) else {
        return;
    };
    for node in &cluster.nodes {
        assert_eq!(revision(node), 1, "{} made one of its own", node.id);
        let (_, config) = node.get("/api/v1/config").expect("it answers");
        assert_eq!(config["node"]["id"], node.id.as_str(), "{config}");
    }
    let patch = json!({ "lease_time": "2h" });
    let (status, made) = cluster.nodes[1]
        .ask("PATCH", "/api/v1/dhcp/subnets/all", Some(&patch))
        .expect("it answers");
    assert_eq!((status, &made["revision"]), (200, &json!(2)), "{made}");
    for node in &cluster.nodes {
        node.until("the change was in effect", || revision(node) == 2);
        let (_, subnet) = node.get("/api/v1/dhcp/subnets/all").expect("it answers");
        assert_eq!(subnet["lease_time"], "2h", "{subnet}");
        let (_, config) = node.get("/api/v1/config").expect("it answers");
        assert_eq!(config["node"]["id"], node.id.as_str(), "{config}");
        let (_, history) = node.get("/api/v1/revisions").expect("it answers");
        assert_eq!(history["items"].as_array().map(Vec::len), Some(2), "{history}");
    }
    // Started again with the file that it has always had.
    cluster.nodes[2].process.crash();
    cluster.nodes[2] = cluster.member("n3", "n3");
    let again = &cluster.nodes[2];
    again.until("it ran again", || again.get("/api/v1/status").is_some());
    assert_eq!(
        (revision(again), revision(&cluster.nodes[0])),
        (json!(2), json!(2))
    );
    let (status, _) = again
        .ask("POST", "/api/v1/revisions/1/rollback", None)
        .expect("it answers");
    assert_eq!(status, 200);
    let first = &cluster.nodes[0];
    first.until("the way back was taken everywhere", || revision(first) == 3);
}

/// Nodes have files of their own and one answer to what a name means.
#[test]
fn s2_33_rules_for_boot_files_that_one_node_was_given_count_at_all() {
    let files = concat!(
        "[tftp]\nlisten = [\"127.0.0.1:0\"]\nroot = \"",
        env!("CARGO_MANIFEST_DIR"),
        "\"\n"
    );
    let Some(cluster) = Cluster::of_platform(2, files) else {
        return;
    };
    let [one, other] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let path = |node: &Member| {
        let (status, resolved) = node.get("/api/v1/boot/resolve?name=kernel").expect("it answers");
        assert_eq!(status, 200, "{resolved}");
        resolved["path"].clone()
    };
    assert_eq!((path(one), path(other)), (json!("kernel"), json!("kernel")));
    let (_, mut config) = one.get("/api/v1/config").expect("it answers");
    config["tftp"]["rules"] = json!([{ "pattern": "^kernel$", "replace": "Cargo.toml" }]);
    let (status, made) = one
        .ask("PUT", "/api/v1/config", Some(&config))
        .expect("it answers");
    assert_eq!((status, path(one)), (200, json!("Cargo.toml")), "{made}");
    other.until("the other followed the rule", || path(other) == "Cargo.toml");
}

#[test]
fn a_token_made_at_one_node_is_valid_at_all_until_it_is_revoked_at_any() {
    let Some(cluster) = Cluster::without_redis(2) else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let wanted = json!({ "name": "reader", "role": "viewer" });
    let (status, made) = one
        .ask("POST", "/api/v1/tokens", Some(&wanted))
        .expect("it answers");
    assert_eq!(status, 201, "{made}");
    let (id, text) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let asked = || {
        two.ask_as(text, "GET", "/api/v1/status", None)
            .expect("it answers")
            .0
    };
    two.until("the token was known", || asked() == 200);
    // That is also so for the one that a node makes at its first start.
    let (_, tokens) = one.get("/api/v1/tokens").expect("it answers");
    assert_eq!(tokens["items"].as_array().map(Vec::len), Some(3), "{tokens}");
    let revoked = one
        .ask("DELETE", &format!("/api/v1/tokens/{id}"), None)
        .expect("it answers");
    assert!(revoked.0 < 300, "{revoked:?}");
    two.until("it was known no longer", || asked() == 401);
}
