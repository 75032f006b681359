//! One write, one transaction: what is refused, what is written, what happens when two write at once.

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_made_under_its_switch_and_read_at_once() {
    let world = World::new().await;
    world
        .make(
            "/api/v1/ovn/nb/Logical_Switch",
            json!({ "name": "web", "other_config": { "subnet": "10.0.0.0/24" } }),
        )
        .await;
    let made = world
        .make(
            "/api/v1/ovn/nb/Logical_Switch_Port?parent=Logical_Switch/web",
            json!({ "name": "web-1", "addresses": ["02:00:00:00:00:01 10.0.0.5"] }),
        )
        .await;
    assert_eq!(
        (&made["row"]["name"], &made["row"]["_parent"]["name"]),
        (&json!("web-1"), &json!("web"))
    );
    assert_eq!(made["affected"], json!(["web-1"]));
    assert_eq!(
        world.get("/api/v1/ovn/nb/Logical_Switch_Port/web-1").await["_owner"],
        json!({ "kind": "purlin", "name": "purlin" })
    );
    assert_eq!(
        world.nbctl("lsp-get-addresses web-1"),
        "02:00:00:00:00:01 10.0.0.5"
    );

    let alone = world
        .post("/api/v1/ovn/nb/Logical_Switch_Port", json!({ "name": "web-2" }))
        .await;
    assert_eq!(alone.status, 400);
    assert!(
        alone.body["detail"]
            .as_str()
            .expect("words")
            .contains("Logical_Switch/NAME/ports"),
        "{}",
        alone.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_valid_network_is_refused_with_what_would_be_right() {
    let world = World::new().await;
    world
        .make(
            "/api/v1/ovn/nb/Logical_Switch",
            json!({ "name": "web", "other_config": { "subnet": "10.0.0.0/24" } }),
        )
        .await;
    world
        .make(
            "/api/v1/ovn/nb/Logical_Switch_Port?parent=Logical_Switch/web",
            json!({ "name": "web-1", "addresses": ["02:00:00:00:00:01 10.0.0.5"] }),
        )
        .await;
    let cases = [
        ("Logical_Switch", json!({ "name": "web" }), "web"),
        ("Logical_Switch", json!({ "nmae": "x" }), "did you mean `name`?"),
        (
            "Logical_Switch_Port?parent=Logical_Switch/web",
            json!({ "name": "web-1" }),
            "web-1",
        ),
        (
            "Logical_Switch_Port?parent=Logical_Switch/web",
            json!({ "name": "web-2", "addresses": ["02:00:00:00:00:02 10.0.0.5"] }),
            "10.0.0.5",
        ),
        (
            "ACL?parent=Logical_Switch/web",
            json!({ "direction": "to-lport", "action": "drop", "priority": 1000, "match": "ip4.src = 10.0.0.1" }),
            "==",
        ),
        (
            "DHCP_Options",
            json!({ "cidr": "10.0.0.0/24", "options": { "rooter": "10.0.0.1" } }),
            "router",
        ),
    ];
    for (table, columns, word) in cases {
        let refused = world
            .post(&format!("/api/v1/ovn/nb/{table}"), columns.clone())
            .await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (422, &json!("PUR-3003")),
            "{columns}: {:#}",
            refused.body
        );
        assert!(
            refused.body["detail"].as_str().expect("words").contains(word),
            "{columns}: {:#}",
            refused.body
        );
    }
    assert_eq!(
        world.nbctl("--bare --columns=name list Logical_Switch_Port"),
        "web-1",
        "nothing of it was written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let world = World::new().await;
    world.nbctl("ls-add web -- lsp-add web web-1");
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/web-1", Value::is_object)
        .await;
    let answer = world
        .delete("/api/v1/ovn/nb/Logical_Switch/web?dryRun=true")
        .await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    let rows = answer.body["diff"].as_array().expect("rows");
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row["label"].as_str(), row["change"].as_str(), row["why"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Some("web"), Some("removed"), Some("asked")),
            (Some("web-1"), Some("removed"), Some("orphaned")),
        ]
    );
    assert_eq!(answer.body["dry_run"], true);
    assert_eq!(world.nbctl("--bare --columns=name list Logical_Switch"), "web");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_add_to_one_switch_at_once_both_have_their_port() {
    let world = World::new().await;
    world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "web" }))
        .await;
    let ports: Vec<String> = (0..40).map(|n| format!("p{n}")).collect();
    let make = async |name: &String| {
        let path = "/api/v1/ovn/nb/Logical_Switch_Port?parent=Logical_Switch/web";
        world.make(path, json!({ "name": name })).await
    };
    let (left, right) = ports.split_at(20);
    let all = async |names: &[String]| {
        for name in names {
            make(name).await;
        }
    };
    tokio::join!(all(left), all(right));
    assert_eq!(world.nbctl("lsp-list web").lines().count(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_one_name_at_once_all_but_one_hear_that_it_is_taken() {
    let world = World::new().await;
    world.make("/api/v1/ovn/switches", json!({"name": "web"})).await;
    for round in 0..5 {
        let name = format!("web-{round}");
        let asks = (0..20).map(|_| world.post("/api/v1/ovn/ports", json!({"name": name, "switch": "web"})));
        let answers = futures_util::future::join_all(asks).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1, "{name}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(
                (answer.status.as_u16(), &answer.body["slug"]),
                (409, &json!("already_there")),
                "{:#}",
                answer.body
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_etag_is_refused_in_the_database_itself() {
    let world = World::new().await;
    world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "web" }))
        .await;
    let path = "/api/v1/ovn/nb/Logical_Switch/web";
    let read = world
        .send(Role::Viewer, Method::GET, path, None, &Value::Null)
        .await;
    let tag = read.headers["etag"].to_str().expect("text").to_owned();
    let set = async |tag: &str, value: &str| {
        let body = json!({ "external_ids": { "note": value, "purlin-owner": "purlin" } });
        world
            .send(Role::Operator, Method::PATCH, path, Some(tag), &body)
            .await
    };
    assert_eq!(set(&tag, "first").await.status, 200);
    let stale = set(&tag, "second").await;
    assert_eq!(
        (stale.status.as_u16(), &stale.body["code"]),
        (412, &json!("PUR-9412")),
        "{:#}",
        stale.body
    );
    assert_eq!(world.nbctl("get Logical_Switch web external_ids:note"), "first");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_other_managers_are_read_only_with_their_owner_named() {
    let world = World::new().await;
    world.nbctl("ls-add theirs -- set Logical_Switch theirs external_ids:neutron\\:network_name=net");
    world
        .until("/api/v1/ovn/nb/Logical_Switch/theirs", Value::is_object)
        .await;
    let refused = world.delete("/api/v1/ovn/nb/Logical_Switch/theirs").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["code"]),
        (409, &json!("PUR-3004")),
        "{:#}",
        refused.body
    );
    assert!(
        refused.body["detail"]
            .as_str()
            .expect("words")
            .contains("neutron"),
        "{:#}",
        refused.body
    );
    let forced = world
        .delete("/api/v1/ovn/nb/Logical_Switch/theirs?force=true")
        .await;
    assert_eq!(forced.status, 409, "an operator may not force");
    let path = "/api/v1/ovn/nb/Logical_Switch/theirs?force=true";
    let forced = world
        .send(Role::Admin, Method::DELETE, path, None, &Value::Null)
        .await;
    assert_eq!(forced.status, 200, "{:#}", forced.body);
    assert_eq!(world.nbctl("ls-list"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_happen_together_or_not_at_all() {
    let world = World::new().await;
    let network = |last: Value| {
        json!({ "changes": [
            { "op": "insert", "table": "Logical_Switch", "columns": { "name": "web" }, "as": "web" },
            { "op": "insert", "table": "Logical_Switch_Port", "parent": "Logical_Switch/$web", "columns": { "name": "web-1" }, "as": "one" },
            { "op": "insert", "table": "Port_Group", "columns": { "name": "servers", "ports": ["$one"] } },
            last,
        ]})
    };
    let broken = network(json!({ "op": "delete", "table": "Logical_Router", "row": "nobody" }));
    let refused = world.post("/api/v1/ovn/changes", broken).await;
    assert_eq!(refused.status, 404);
    assert!(
        refused.body["detail"]
            .as_str()
            .expect("words")
            .starts_with("changes[3]"),
        "{:#}",
        refused.body
    );
    assert_eq!(world.nbctl("ls-list"), "");

    let whole = network(json!({ "op": "insert", "table": "Address_Set", "columns": { "name": "lab" } }));
    let made = world.make("/api/v1/ovn/changes", whole).await;
    assert_eq!(made["diff"].as_array().map(Vec::len), Some(4));
    let add = json!({ "changes": [{ "op": "add", "table": "Address_Set", "row": "lab", "column": "addresses", "values": ["10.0.0.7"] }] });
    world.make("/api/v1/ovn/changes", add).await;
    assert_eq!(
        world.nbctl("--bare --columns=addresses list Address_Set lab"),
        "10.0.0.7"
    );
    assert_ne!(world.nbctl("--bare --columns=ports list Port_Group servers"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_changes_nothing_is_not_sent() {
    let world = World::new().await;
    world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "web" }))
        .await;
    let before = world.transactions();
    let same = world
        .patch("/api/v1/ovn/nb/Logical_Switch/web", json!({ "name": "web" }))
        .await;
    assert_eq!(
        (same.status.as_u16(), &same.body["changed"]),
        (200, &json!(false)),
        "{:#}",
        same.body
    );
    assert_eq!(world.transactions(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_about_a_port_that_is_not_there_is_written_with_a_warning() {
    let world = World::new().await;
    world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "web" }))
        .await;
    world
        .make(
            "/api/v1/ovn/nb/Logical_Switch_Port?parent=Logical_Switch/web",
            json!({ "name": "web-1" }),
        )
        .await;
    let rule = json!({ "direction": "to-lport", "action": "drop", "priority": 1000, "match": "outport == \"web-9\"" });
    let made = world
        .make("/api/v1/ovn/nb/ACL?parent=Logical_Switch/web", rule)
        .await;
    let warning = &made["warnings"][0];
    assert_eq!(warning["code"], "match-port-unknown");
    assert!(
        warning["message"]
            .as_str()
            .expect("words")
            .contains("did you mean `web-1`?"),
        "{warning:#}"
    );
    let lint = world.get("/api/v1/ovn/lint").await;
    assert!(
        lint.as_array()
            .expect("a list")
            .iter()
            .any(|problem| problem["code"] == "match-port-unknown"),
        "{lint:#}"
    );
}
