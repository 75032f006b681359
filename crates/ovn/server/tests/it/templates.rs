//! Sets of rules with typed variables: written as one transaction, taken by all of OVN.

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};
use std::process::Command;

const TEMPLATES: &str = "/api/v1/templates";

async fn network(world: &World) {
    world.nbctl("ls-add net -- lsp-add net p1 -- lsp-set-addresses p1 02:00:00:00:00:01\\ 10.0.0.1");
    world.nbctl("lsp-add net p2 -- lsp-set-addresses p2 02:00:00:00:00:02\\ 10.0.0.2");
    world.nbctl("pg-add web p1");
    world
        .until("/api/v1/ovn/nb/Port_Group/web", Value::is_object)
        .await;
}

/// The examples of a template, about rows that are there.
async fn examples(world: &World, id: &str) -> Value {
    let template = world.get(&format!("{TEMPLATES}/{id}")).await;
    let mut values = serde_json::Map::new();
    for variable in template["variables"].as_array().expect("variables") {
        let name = variable["name"].as_str().expect("a name");
        let value = match variable["type"].as_str() {
            Some("port_group") => json!("web"),
            Some("address_set") => json!("web_ip4"),
            _ => variable["example"].clone(),
        };
        values.insert(name.to_owned(), value);
    }
    Value::Object(values)
}

async fn instantiate(world: &World, body: Value) -> crate::world::Answer {
    world.post(&format!("{TEMPLATES}/instantiate"), body).await
}

/// What ovn-trace, which reads every flow as a hypervisor does, has to complain about.
fn complaints(world: &World) -> String {
    let output = Command::new("ovn-trace")
        .arg(format!("--db=unix:{}", world.folder().join("db.sock").display()))
        .arg("net")
        .arg("inport == \"p1\" && eth.src == 02:00:00:00:00:01 && eth.dst == 02:00:00:00:00:02 && ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && ip.ttl == 64 && tcp.dst == 80")
        .output()
        .expect("ovn-trace runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stderr).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_builtin_makes_flows_without_a_warning() {
    let world = World::with_northd().await;
    network(&world).await;
    let list = world.get(&format!("{TEMPLATES}?page_size=50")).await;
    assert_eq!(list["pagination"]["total_count"], 6);
    for template in list["templates"].as_array().expect("templates") {
        let id = template["id"].as_str().expect("an id");
        let variables = examples(&world, id).await;
        let use_of = json!({ "template_id": id, "variables": variables });
        let valid = world.post(&format!("{TEMPLATES}/validate"), use_of.clone()).await;
        assert_eq!(
            (&valid.body["valid"], &valid.body["warnings"]),
            (&json!(true), &json!([])),
            "{id}: {:#}",
            valid.body
        );
        let before = world.transactions();
        let path = format!("{TEMPLATES}/instantiate?wait=sb&timeout=60");
        let made = world.post(&path, use_of).await;
        assert_eq!(made.status, 200, "{id}: {:#}", made.body);
        assert_eq!(
            made.body["realised"]["done"], true,
            "{id}: {:#}",
            made.body["realised"]
        );
        let rules = template["rules"].as_array().expect("rules").len();
        assert_eq!(made.body["rules"].as_array().map(Vec::len), Some(rules));
        // One for the rules; northd writes its own.
        assert!(world.transactions() > before);
        assert_eq!(complaints(&world), "", "{id}");
        let text = world.nbctl("acl-list web");
        assert_eq!(
            text.lines().filter(|line| line.contains("-lport")).count(),
            rules,
            "{id}: {text}"
        );
        for (rule, told) in template["rules"]
            .as_array()
            .expect("rules")
            .iter()
            .zip(made.body["rules"].as_array().expect("rules"))
        {
            let wanted = match rule["direction"].as_str() {
                Some("ingress") => "to-lport",
                _ => "from-lport",
            };
            assert_eq!(told["direction"], wanted);
            // A rule for what comes to a port speaks of outport, one for what leaves it of inport.
            let port = if wanted == "to-lport" { "outport" } else { "inport" };
            assert!(
                told["match"].as_str().expect("a match").starts_with(port),
                "{told}"
            );
        }
        world.nbctl("acl-del web");
        world
            .until("/api/v1/ovn/nb/ACL", |rows| rows["items"] == json!([]))
            .await;
    }
    assert_eq!(world.northd_warnings(), Vec::<String>::new());
    // The judge does judge.
    world.nbctl_of(&[
        "--wait=sb",
        "acl-add",
        "net",
        "to-lport",
        "1",
        "ip4.src = 10.0.0.1",
        "drop",
    ]);
    assert_ne!(complaints(&world), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rules_are_one_transaction_or_none_is_written() {
    let world = World::new().await;
    network(&world).await;
    let before = world.transactions();
    let variables = json!({ "group": "web", "admins": ["10.0.0.0/24", "10.0.9.1"], "ports": [80, 443] });
    let use_of = |target: &str, dry: bool| json!({ "template_id": "web-server", "variables": variables, "target_switch": target, "dry_run": dry });
    let dry = instantiate(&world, use_of("net", true)).await;
    assert_eq!(
        (dry.status.as_u16(), &dry.body["dry_run"]),
        (200, &json!(true)),
        "{:#}",
        dry.body
    );
    let nobody = instantiate(&world, use_of("nobody", false)).await;
    assert_eq!(nobody.status, 404, "{:#}", nobody.body);
    assert_eq!(world.transactions(), before);
    let made = instantiate(&world, use_of("net", false)).await;
    assert_eq!(made.status, 200, "{:#}", made.body);
    assert_eq!(world.transactions(), before + 1, "four rules, one transaction");
    assert!(
        world
            .nbctl("acl-list net")
            .contains("ip4.src == {10.0.0.0/24, 10.0.9.1}")
    );
    let entry = world.get("/api/v1/ovn/journal?source=purlin").await["items"][0].clone();
    assert_eq!(entry["about"], "template web-server");
    // Once more is nothing more; what somebody took away comes back, alone.
    let again = instantiate(&world, use_of("net", false)).await;
    assert_eq!(again.body["changed"], false, "{:#}", again.body);
    assert_eq!(world.transactions(), before + 1);
    let rule = &made.body["rules"][0];
    let rows = made.body["diff"].as_array().expect("a list").iter();
    let gone = rows
        .filter(|row| row["table"] == "ACL")
        .map(|row| &row["uuid"])
        .next();
    let gone = gone.and_then(Value::as_str).expect("a row");
    assert_eq!(
        world.delete(&format!("/api/v1/ovn/acls/{gone}")).await.status,
        200
    );
    let back = instantiate(&world, use_of("net", false)).await;
    let rows = back.body["diff"].as_array().expect("a list").iter();
    assert_eq!(
        rows.filter(|row| row["table"] == "ACL").count(),
        1,
        "{:#}",
        back.body
    );
    assert_eq!(world.nbctl("acl-list net").lines().count(), 4, "{rule:#}");
    // Another owner has rules of its own.
    let path = format!("{TEMPLATES}/instantiate?owner=shop");
    let theirs = world.post(&path, use_of("net", false)).await;
    assert_eq!(theirs.body["changed"], true, "{:#}", theirs.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_a_variable_gets_into_a_match_as_anything_else() {
    let world = World::new().await;
    network(&world).await;
    let before = world.transactions();
    let good = json!({ "group": "web", "admins": "10.0.0.0/24", "ports": "80" });
    for (name, evil) in [
        ("group", json!("web || ip4")),
        ("group", json!("@web && (1")),
        ("admins", json!("10.0.0.0/24 || ip4.src == 0.0.0.0/0")),
        ("admins", json!("0.0.0.0/0} || {ip4.src == 10.0.0.1")),
        ("admins", json!(["10.0.0.1", "$set"])),
        ("ports", json!("80} || (tcp.dst == {22")),
        ("ports", json!("80..90 || 1")),
        ("ports", json!(["443", "0"])),
        ("ports", json!({ "x": 1 })),
        ("port", json!("80")),
    ] {
        let mut variables = good.clone();
        variables[name] = evil.clone();
        let use_of = json!({ "template_id": "web-server", "variables": variables });
        let refused = instantiate(&world, use_of.clone()).await;
        assert_eq!(refused.status, 422, "{name}={evil}: {:#}", refused.body);
        assert_eq!(
            refused.body["error"].as_str().map(str::is_empty),
            Some(false),
            "ovncp's member: {:#}",
            refused.body
        );
        let told = world.post(&format!("{TEMPLATES}/validate"), use_of).await;
        if told.status == 200 {
            assert_eq!(told.body["valid"], false, "{name}={evil}");
            assert_ne!(told.body["errors"], json!([]));
        }
    }
    assert_eq!(world.transactions(), before, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_is_checked_kept_and_comes_back_the_same() {
    let world = World::new().await;
    network(&world).await;
    let own = json!({
        "id": "quiet", "name": "Quiet", "description": "One port hears nobody", "category": "own", "tags": ["a"],
        "variables": [{ "name": "vm", "type": "port", "description": "Which", "example": "p1" }],
        "rules": [{ "name": "drop-in", "direction": "ingress", "priority": 1500, "match": "outport == {{vm}} && ip", "action": "drop", "log": false }],
    });
    let made = world.post(&format!("{TEMPLATES}/import"), own.clone()).await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    assert_eq!(world.get(&format!("{TEMPLATES}/quiet/export")).await, own);
    let twice = world.post(&format!("{TEMPLATES}/import"), own.clone()).await;
    assert_eq!(twice.status, 409, "{:#}", twice.body);
    let (_, text) = world.text(&format!("{TEMPLATES}/quiet/export?format=yaml")).await;
    let again = world
        .send_text(
            &format!("{TEMPLATES}/import?replace=true"),
            "application/yaml",
            &text,
        )
        .await;
    assert_eq!(again.status, 201, "{:#}", again.body);
    assert_eq!(world.get(&format!("{TEMPLATES}/quiet/export")).await, own);

    let quoted =
        json!({ "template_id": "quiet", "variables": { "vm": "p\"1 || ip" }, "target_switch": "net" });
    let made = instantiate(&world, quoted).await;
    assert_eq!(made.status, 200, "{:#}", made.body);
    assert_eq!(
        made.body["rules"][0]["match"], "outport == \"p\\\"1 || ip\" && ip",
        "a name stays one name"
    );
    assert_eq!(made.body["warnings"][0]["code"], "match-port-unknown");

    let mut broken = own.clone();
    broken["id"] = json!("broken");
    broken["rules"][0]["match"] = json!("outport = {{vm}}");
    let refused = world.post(&format!("{TEMPLATES}/import"), broken).await;
    assert_eq!(refused.status, 422, "{:#}", refused.body);
    let mut taken = own;
    taken["id"] = json!("dmz");
    assert_eq!(
        world.post(&format!("{TEMPLATES}/import"), taken).await.status,
        409
    );
    let gone = world.delete(&format!("{TEMPLATES}/quiet")).await;
    assert_eq!(gone.status, 204);
    let missing = world
        .send(
            Role::Viewer,
            Method::GET,
            &format!("{TEMPLATES}/quiet"),
            None,
            &Value::Null,
        )
        .await;
    assert_eq!(missing.status, 404);
    assert_eq!(world.delete(&format!("{TEMPLATES}/dmz")).await.status, 409);
}
