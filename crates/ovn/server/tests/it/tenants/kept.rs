//! What is kept for a tenant: its journal, templates and backups.

use super::{ACME, BOLT, ask, make, networks};
use crate::world::{Answer, World};
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const JOURNAL: &str = "/api/v1/ovn/journal";
const SWITCHES: &str = "/api/v1/ovn/nb/Logical_Switch";

fn template(id: &str) -> Value {
    json!({
        "id": id, "name": id, "description": "", "category": "mine", "tags": [],
        "variables": [],
        "rules": [{"name": "all", "priority": 1000, "direction": "ingress", "match": "ip4", "action": "allow"}],
    })
}

async fn get(world: &World, key: &str, path: &str) -> Answer {
    ask(world, key, Method::GET, path, Value::Null).await
}

async fn post(world: &World, key: &str, path: &str, body: Value) -> Answer {
    ask(world, key, Method::POST, path, body).await
}

async fn back_up(world: &World, key: &str) -> String {
    let made = post(
        world,
        key,
        "/api/v1/backups",
        json!({"name": format!("of {key}")}),
    )
    .await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    made.body["id"].as_str().expect("an id").to_owned()
}

/// One of each for a tenant; ids that nobody else may be shown.
pub(super) async fn things(world: &World, key: &str, name: &str) -> Vec<String> {
    let own = format!("{name}-template");
    let imported = post(world, key, "/api/v1/templates/import", template(&own)).await;
    assert_eq!(imported.status, 201, "{:#}", imported.body);
    let (owner, wanted) = (
        format!("{name}-documents"),
        json!({"switches": [{"name": "docs"}]}),
    );
    let path = format!("/api/v1/ovn/documents/{owner}/apply");
    let applied = post(world, key, &path, wanted).await;
    assert_eq!(applied.status, 200, "{:#}", applied.body);
    let entries = get(world, key, JOURNAL).await.body["items"].clone();
    let entries = entries.as_array().expect("a list").iter();
    let ids = entries.map(|entry| entry["id"].as_str().expect("an id").to_owned());
    ids.chain([own, owner, back_up(world, key).await]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_journal_has_its_own_changes_and_it_undoes_no_others() {
    let world = World::new().await;
    networks(&world).await;
    world.make(SWITCHES, json!({"name": "whose"})).await;
    make(&world, ACME, SWITCHES, json!({"name": "acme-last"})).await;
    let all = world.get(&format!("{JOURNAL}?limit=1000")).await;
    let of = |tenant: Value| -> Vec<Value> {
        let items = all["items"].as_array().expect("a list").iter();
        items.filter(|entry| entry["tenant"] == tenant).cloned().collect()
    };
    let (own, others, nobodys) = (of(json!("t-acme")), of(json!("t-bolt")), of(Value::Null));
    assert!(
        own.len() == 10 && others.len() == 9 && !nobodys.is_empty(),
        "{all:#}"
    );
    let ids = |entries: &[Value]| -> Vec<Value> { entries.iter().map(|entry| entry["id"].clone()).collect() };
    let listed = get(&world, ACME, &format!("{JOURNAL}?limit=1000")).await;
    assert_eq!(ids(listed.body["items"].as_array().expect("a list")), ids(&own));
    // Page by page, across what others did between.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    while paged.len() < own.len() {
        let page = get(&world, ACME, &format!("{JOURNAL}?limit=1&cursor={cursor}"))
            .await
            .body;
        paged.extend(page["items"].as_array().expect("a list").iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        next.clone_into(&mut cursor);
    }
    assert_eq!(ids(&paged), ids(&own));
    for entry in others.iter().chain(&nobodys) {
        let id = entry["id"].as_str().expect("an id");
        for (method, path) in [
            (Method::GET, format!("{JOURNAL}/{id}")),
            (Method::POST, format!("{JOURNAL}/{id}/undo")),
        ] {
            let answer = ask(&world, ACME, method, &path, Value::Null).await;
            assert_eq!(answer.status, 404, "{path}: {:#}", answer.body);
        }
    }
    let before = world.nbctl("ls-list");
    assert!(before.contains("bolt-web") && before.contains("whose"));
    let last = own[0]["id"].as_str().expect("an id");
    let undone = post(&world, ACME, &format!("{JOURNAL}/{last}/undo"), Value::Null).await;
    assert_eq!(undone.status, 200, "{:#}", undone.body);
    let after = world.nbctl("ls-list");
    assert!(!after.contains("acme-last") && after.contains("bolt-web"));
    let first = &get(&world, ACME, JOURNAL).await.body["items"][0];
    assert_eq!(first["undoes"], own[0]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_templates_of_its_own_beside_the_built_in_ones() {
    let world = World::new().await;
    networks(&world).await;
    let import = async |key: &str| {
        post(&world, key, "/api/v1/templates/import", template("mine"))
            .await
            .status
    };
    assert_eq!(import(ACME).await, 201);
    assert_eq!(import(ACME).await, 409, "there already");
    let ids = async |key: Option<&str>| -> Vec<String> {
        let path = "/api/v1/templates?page_size=100";
        let page = match key {
            Some(key) => get(&world, key, path).await.body,
            None => world.get(path).await,
        };
        let all = page["templates"].as_array().expect("a list").iter();
        all.map(|one| one["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let (acme, bolt, whole) = (ids(Some(ACME)).await, ids(Some(BOLT)).await, ids(None).await);
    assert!(acme.contains(&"mine".to_owned()) && !bolt.contains(&"mine".to_owned()));
    assert!(
        bolt == whole && acme.len() == bolt.len() + 1,
        "{acme:?} {bolt:?} {whole:?}"
    );
    assert_eq!(get(&world, BOLT, "/api/v1/templates/mine").await.status, 404);
    assert_eq!(
        ask(
            &world,
            BOLT,
            Method::DELETE,
            "/api/v1/templates/mine",
            Value::Null
        )
        .await
        .status,
        404
    );
    assert_eq!(import(BOLT).await, 201, "another one of that name");
    // Its rules go into its own switch, and into nobody else's.
    let into = |switch: &str| json!({"template_id": "mine", "variables": {}, "target_switch": switch});
    let instantiate = "/api/v1/templates/instantiate";
    let done = post(&world, ACME, instantiate, into("acme-web")).await;
    assert_eq!(done.status, 200, "{:#}", done.body);
    let refused = post(&world, ACME, instantiate, into("bolt-web")).await;
    assert_eq!(refused.status, 404, "{:#}", refused.body);
    assert!(!world.nbctl("acl-list bolt-web").contains("ip4)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_backup_has_its_rows_and_comes_back_into_its_part() {
    let world = World::new().await;
    networks(&world).await;
    let id = back_up(&world, ACME).await;
    let file = get(&world, ACME, &format!("/api/v1/backups/{id}/export"))
        .await
        .body;
    let data = STANDARD
        .decode(file["data"].as_str().expect("base64"))
        .expect("base64");
    let text = String::from_utf8(data).expect("JSON");
    assert!(text.contains("acme-web") && !text.contains("bolt"), "{text}");
    for (method, path) in [
        (Method::GET, format!("/api/v1/backups/{id}")),
        (Method::GET, format!("/api/v1/backups/{id}/export")),
        (Method::POST, format!("/api/v1/backups/{id}/restore")),
        (Method::DELETE, format!("/api/v1/backups/{id}")),
    ] {
        let answer = ask(&world, BOLT, method, &path, Value::Null).await;
        assert_eq!(answer.status, 404, "{path}: {:#}", answer.body);
    }
    // What went comes back, what others did meanwhile stays.
    let gone = ask(
        &world,
        ACME,
        Method::DELETE,
        &format!("{SWITCHES}/acme-web"),
        Value::Null,
    )
    .await;
    assert_eq!(gone.status, 200, "{:#}", gone.body);
    make(&world, BOLT, SWITCHES, json!({"name": "bolt-later"})).await;
    let path = format!("/api/v1/backups/{id}/restore");
    let back = post(
        &world,
        ACME,
        &path,
        json!({"exact": true, "conflict_policy": "overwrite"}),
    )
    .await;
    assert_eq!(back.status, 200, "{:#}", back.body);
    let there = world.nbctl("ls-list");
    assert!(there.contains("acme-web") && there.contains("bolt-web") && there.contains("bolt-later"));
    assert!(world.nbctl("lsp-list acme-web").contains("acme-vm2"));
    // Those who run the installation see whose it is; their operators make none.
    let whole = world.get(&format!("/api/v1/backups/{id}")).await;
    assert_eq!(whole["tenant"], "t-acme");
    let refused = world.post("/api/v1/backups", json!({"name": "all"})).await;
    assert_eq!(refused.status, 403);
    // As many as its quota allows.
    let full = post(
        &world,
        "key:acme:max_backups=1",
        "/api/v1/backups",
        json!({"name": "more"}),
    )
    .await;
    assert_eq!(full.status, 409, "{:#}", full.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_backup_leads_out_of_no_tenant() {
    let world = World::new().await;
    let [_, others] = networks(&world).await;
    let before = world.nbctl("--columns=name,external_ids,ports list Logical_Switch bolt-web");
    let backup = |tables: Value| json!({"data": {"backup": "purlin-ovn-backup", "version": 1, "database": "OVN_Northbound", "schema": "7.0.0", "tables": tables}});
    let fresh = "00000000-0000-4000-8000-00000000000a";
    let marked = |mark: &str| json!({"name": "acme-x", "external_ids": ["map", [["purlin-tenant", mark]]]});
    let forged = [
        // Another's row anew, a row for another, one for all, and one that has no mark.
        json!({"Logical_Switch": {(others[0].as_str()): {"name": "acme-web", "external_ids": ["map", [["purlin-tenant", "t-acme"]]]}}}),
        json!({"Logical_Switch": {(fresh): marked("t-bolt")}}),
        json!({"Logical_Switch": {(fresh): {"name": "acme-x", "external_ids": ["map", [["purlin-tenant", "t-acme"], ["purlin-shared", "true"]]]}}}),
        json!({"Logical_Switch": {(fresh): {"name": "acme-x"}}}),
        // A switch with another's port in it.
        json!({"Logical_Switch": {(fresh): {"name": "acme-x", "ports": ["uuid", others[1]], "external_ids": ["map", [["purlin-tenant", "t-acme"]]]}}}),
    ];
    for tables in forged {
        let imported = post(&world, ACME, "/api/v1/backups/import", backup(tables.clone())).await;
        assert_eq!(imported.status, 201, "{:#}", imported.body);
        let id = imported.body["id"].as_str().expect("an id");
        let body = json!({"conflict_policy": "overwrite", "force": true, "skip_validation": true});
        let answer = post(&world, ACME, &format!("/api/v1/backups/{id}/restore"), body).await;
        let told = answer.body.to_string();
        assert!(!told.contains("bolt"), "{tables}: {told}");
        let after = world.nbctl("--columns=name,external_ids,ports list Logical_Switch bolt-web");
        assert_eq!(after, before, "{tables}: {told}");
        let marks = world.nbctl("--bare --columns=external_ids find Logical_Switch name=acme-x");
        assert!(
            !marks.contains("t-bolt") && !marks.contains("purlin-shared"),
            "{tables}: {marks}"
        );
    }
}
