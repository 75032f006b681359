//! Who changed what, and the way back.

mod killed;
mod order;
mod shared;
mod undo_to;

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

const JOURNAL: &str = "/api/v1/ovn/journal";

async fn entries(world: &World, query: &str) -> Vec<Value> {
    let page = world.get(&format!("{JOURNAL}?{query}")).await;
    page["items"].as_array().expect("items").clone()
}

/// Waits until the journal has so many entries that are ended.
async fn ended(world: &World, query: &str, count: usize) -> Vec<Value> {
    let path = format!("{JOURNAL}?{query}");
    let is = |page: &Value| {
        let items = page["items"].as_array().expect("items");
        items.len() == count && items.iter().all(|item| item["outcome"] != "open")
    };
    let page = world.until(&path, is).await;
    page["items"].as_array().expect("items").clone()
}

async fn undo(world: &World, entry: &Value, query: &str) -> crate::world::Answer {
    let id = entry["id"].as_str().expect("an id");
    world
        .post(&format!("{JOURNAL}/{id}/undo?{query}"), Value::Null)
        .await
}

async fn port(world: &World, name: &str) -> Value {
    let path = "/api/v1/ovn/nb/Logical_Switch_Port?parent=Logical_Switch/web";
    world.make(path, json!({ "name": name })).await
}

async fn switch(world: &World) -> Value {
    world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "web" }))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_through_is_kept_with_who_wanted_it_and_what_it_did() {
    let world = World::new().await;
    switch(&world).await;
    let made = port(&world, "web-1").await;
    let dry = world
        .delete("/api/v1/ovn/nb/Logical_Switch/web?dryRun=true")
        .await;
    assert_eq!(dry.status, 200);
    let refused = world
        .post("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "web" }))
        .await;
    assert_eq!(refused.status, 422);
    let all = ended(&world, "", 2).await;
    assert_eq!(
        all[0]["id"], made["request"],
        "the newest first, by the request's id"
    );
    assert_eq!(
        (
            &all[0]["actor"],
            &all[0]["source"],
            &all[0]["outcome"],
            &all[0]["owner"]
        ),
        (
            &json!("operator"),
            &json!("purlin"),
            &json!("committed"),
            &json!("purlin")
        )
    );
    assert_eq!(
        all[0]["counts"],
        json!({ "added": 1, "changed": 1, "removed": 0 })
    );
    let id = made["request"].as_str().expect("an id");
    let one = world.get(&format!("{JOURNAL}/{id}")).await;
    assert_eq!(one["diff"], made["diff"]);
    for (query, count) in [
        ("actor=operator", 2),
        ("actor=admin", 0),
        ("port=web-1", 1),
        ("port=web-2", 0),
        ("table=Logical_Switch", 2),
        ("table=Logical_Switch_Port&row=web-1", 1),
        ("table=ACL", 0),
        ("source=foreign", 0),
        ("since=2020-01-01T00:00:00Z", 2),
        ("since=2990-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(entries(&world, query).await.len(), count, "{query}");
    }
    let first = world.get(&format!("{JOURNAL}?limit=1")).await;
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let second = world.get(&format!("{JOURNAL}?limit=1&cursor={cursor}")).await;
    assert_eq!(second["items"][0]["id"], all[1]["id"]);
    assert_eq!(second["next_cursor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_leads_to_what_it_changed() {
    let world = World::new().await;
    switch(&world).await;
    for name in ["web-1", "web-2"] {
        let path = "/api/v1/ovn/ports";
        let made = world.post(path, json!({ "name": name, "switch": "web" })).await;
        assert_eq!(made.status, 201, "{:#}", made.body);
        let called = made.headers["x-request-id"].to_str().expect("text");
        let [entry] = &entries(&world, &format!("request={called}")).await[..] else {
            panic!("one entry of {called}");
        };
        assert_eq!(
            (&entry["id"], &entry["request"], &entry["rows"][1]["label"]),
            (&made.body["request"], &json!(called), &json!(name))
        );
    }
    assert!(entries(&world, "request=nobodys").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_did_is_told_apart_to_the_element() {
    let world = World::new().await;
    switch(&world).await;
    let ours = async {
        for n in 0..30 {
            port(&world, &format!("ours-{n}")).await;
        }
    };
    let theirs = async {
        for n in 0..15 {
            let words = format!("lsp-add web theirs-{n}");
            tokio::task::block_in_place(|| world.nbctl(&words));
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(ours, theirs);
    let foreign = ended(&world, "source=foreign&limit=100&table=Logical_Switch_Port", 15).await;
    for (at, entry) in foreign.iter().rev().enumerate() {
        assert_eq!(entry["actor"], Value::Null);
        let id = entry["id"].as_str().expect("an id");
        let diff = world.get(&format!("{JOURNAL}/{id}")).await["diff"].clone();
        let rows = diff.as_array().expect("rows");
        let port = rows
            .iter()
            .find(|row| row["table"] == "Logical_Switch_Port")
            .expect("the port");
        assert_eq!(port["label"], format!("theirs-{at}"));
        let parent = rows
            .iter()
            .find(|row| row["table"] == "Logical_Switch")
            .expect("the switch");
        assert_eq!(
            parent["columns"]["ports"],
            json!({ "added": [port["uuid"]], "removed": [] })
        );
    }
    ended(&world, "source=purlin&limit=100", 31).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_is_undone_again() {
    let world = World::new().await;
    switch(&world).await;
    port(&world, "web-1").await;
    let gone = world.delete("/api/v1/ovn/nb/Logical_Switch/web").await;
    assert_eq!(gone.status, 200, "{:#}", gone.body);
    let [removal, _, _] = &ended(&world, "", 3).await[..] else {
        panic!("three entries");
    };
    let dry = undo(&world, removal, "dryRun=true").await;
    assert_eq!(
        (dry.status.as_u16(), &dry.body["dry_run"]),
        (200, &json!(true)),
        "{:#}",
        dry.body
    );
    assert_eq!(world.nbctl("ls-list"), "");

    let back = undo(&world, removal, "").await;
    assert_eq!(back.status, 200, "{:#}", back.body);
    assert!(world.nbctl("lsp-list web").contains("web-1"));
    let uuid = removal["rows"][0]["uuid"].as_str().expect("a UUID");
    assert!(
        world.nbctl("ls-list").contains(uuid),
        "the same row, not another one"
    );
    let all = ended(&world, "source=purlin", 4).await;
    assert_eq!(all[0]["undoes"], removal["id"]);
    assert_eq!(all[1]["undone_by"], all[0]["id"]);

    let again = undo(&world, &all[0], "").await;
    assert_eq!(again.status, 200, "{:#}", again.body);
    assert_eq!(world.nbctl("ls-list"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_names_every_row_that_has_moved_on() {
    let world = World::new().await;
    switch(&world).await;
    let change = json!({ "changes": [
        { "op": "insert", "table": "Logical_Switch", "columns": { "name": "a" } },
        { "op": "insert", "table": "Logical_Switch", "columns": { "name": "b" } },
        { "op": "insert", "table": "Logical_Switch", "columns": { "name": "c" } },
    ]});
    let made = world.make("/api/v1/ovn/changes", change).await;
    world.nbctl("set Logical_Switch a other_config:vlan-passthru=true -- ls-del c");
    world
        .until("/api/v1/ovn/nb/Logical_Switch", |rows| {
            rows["items"].as_array().map(Vec::len) == Some(3)
        })
        .await;
    let refused = undo(&world, &json!({ "id": made["request"] }), "").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["code"]),
        (409, &json!("PUR-3020")),
        "{:#}",
        refused.body
    );
    let moved: Vec<&str> = refused.body["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .map(|problem| problem["code"].as_str().expect("a code"))
        .collect();
    // `a` has another column now; it is not one that the transaction wrote.
    assert!(moved.contains(&"row-missing"), "{:#}", refused.body);
    assert!(world.nbctl("ls-list").contains("(b)"), "nothing was undone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_manager_did_is_undone_by_an_admin_only() {
    let world = World::new().await;
    world.nbctl("ls-add theirs -- set Logical_Switch theirs external_ids:neutron\\:network_name=net");
    let entry = &ended(&world, "source=foreign&row=theirs", 1).await[0];
    let refused = undo(&world, entry, "").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["code"]),
        (409, &json!("PUR-3004")),
        "{:#}",
        refused.body
    );
    let id = entry["id"].as_str().expect("an id");
    let path = format!("{JOURNAL}/{id}/undo?force=true");
    let forced = world
        .send(Role::Admin, Method::POST, &path, None, &Value::Null)
        .await;
    assert_eq!(forced.status, 200, "{:#}", forced.body);
    assert_eq!(world.nbctl("ls-list"), "");
}
