//! What the project that this API is compatible with does wrong, each as a test that it does not happen here.

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_creates_lose_none() {
    let world = World::new().await;
    world.make("/api/v1/switches", json!({ "name": "web" })).await;
    let make = async |from: usize| {
        for n in from..from + 15 {
            let port = json!({ "name": format!("p{n}"), "mac": format!("02:00:00:00:01:{n:02x}"), "addresses": ["unknown"] });
            world.make("/api/v1/switches/web/ports", port).await;
            let rule = json!({ "priority": n, "direction": "to-lport", "match": format!("outport == \"p{n}\""), "action": "drop" });
            world.make("/api/v1/acls?switch_id=web", rule).await;
        }
    };
    tokio::join!(make(0), make(20), make(40));
    assert_eq!(world.nbctl("lsp-list web").lines().count(), 45);
    assert_eq!(world.nbctl("acl-list web").lines().count(), 45);
    let switch = world.get("/api/v1/switches/web").await;
    assert_eq!(switch["ports"].as_array().map(Vec::len), Some(45));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_add_to_one_list_at_once_lose_none() {
    let world = World::new().await;
    world.make("/api/v1/ovn/switches", json!({ "name": "web" })).await;
    world
        .make(
            "/api/v1/ovn/address-sets",
            json!({ "name": "lab", "addresses": ["10.0.9.9"] }),
        )
        .await;
    world
        .make("/api/v1/ovn/port-groups", json!({ "name": "servers" }))
        .await;
    let add = async |from: usize| {
        for n in from..from + 12 {
            let port = json!({ "name": format!("p{n}"), "switch": "web", "port_groups": ["servers"] });
            world.make("/api/v1/ovn/ports", port).await;
            let address = json!({ "addresses": [format!("10.0.0.{n}")] });
            world.make("/api/v1/ovn/address-sets/lab/add", address).await;
        }
        let first = json!({ "ports": [format!("p{from}")] });
        world.make("/api/v1/ovn/port-groups/servers/remove", first).await;
    };
    tokio::join!(add(0), add(20), add(40));
    let set = world.get("/api/v1/ovn/address-sets/lab").await;
    assert_eq!(set["addresses"].as_array().map(Vec::len), Some(37));
    let group = world.get("/api/v1/ovn/port-groups/servers").await;
    assert_eq!(group["ports"].as_array().map(Vec::len), Some(33));
    let log = world.nbctl("--bare --columns=ports list Port_Group servers");
    assert_eq!(log.split_whitespace().count(), 33);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_transaction_is_no_half_state_that_is_rolled_back_afterwards() {
    let world = World::new().await;
    world
        .make(
            "/api/v1/switches",
            json!({ "name": "web", "description": "before" }),
        )
        .await;
    let before = world.transactions();
    let body = json!({ "operations": [
        { "id": "a", "type": "update", "resource": "switch", "resource_id": "web", "data": { "description": "after" } },
        { "id": "b", "type": "create", "resource": "switch", "data": { "name": "lab" } },
        { "id": "c", "type": "create", "resource": "acl", "switch_id": "lab", "data": { "direction": "to-lport", "match": "nonsense", "action": "drop" } },
    ]});
    let refused = world.post("/api/v1/transactions", body).await;
    assert_eq!(refused.status, 422, "{:#}", refused.body);
    assert_eq!(
        world.transactions(),
        before,
        "nothing was sent, so nobody who watches saw anything"
    );
    assert_eq!(world.get("/api/v1/switches/web").await["description"], "before");
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_checks_more_than_the_shape() {
    let world = World::new().await;
    let operation = json!({ "id": "p", "type": "create", "resource": "port", "switch_id": "nobody", "data": { "name": "p" } });
    let refused = world
        .post(
            "/api/v1/transactions",
            json!({ "operations": [operation], "dry_run": true }),
        )
        .await;
    assert_eq!(refused.status, 422, "{:#}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_not_kept_in_external_ids() {
    let world = World::new().await;
    let made = world.make("/api/v1/switches", json!({ "name": "web" })).await;
    assert_eq!(
        (&made["created_at"], &made["updated_at"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        world.nbctl("get Logical_Switch web external_ids"),
        "{purlin-owner=purlin}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_classified_by_kind_and_not_by_their_words() {
    let world = World::new().await;
    // A name in whose error message "not found" and "already exists" stand.
    let name = "not found already exists in use";
    world.make("/api/v1/switches", json!({ "name": name })).await;
    let taken = world.post("/api/v1/switches", json!({ "name": name })).await;
    assert_eq!(taken.status, 409, "{:#}", taken.body);
    let wrong = world
        .post("/api/v1/switches", json!({ "name": "x", "subnet": "not found" }))
        .await;
    assert_eq!(wrong.status, 422, "{:#}", wrong.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_can_be_conditional_on_what_was_read() {
    let world = World::new().await;
    world.make("/api/v1/switches", json!({ "name": "web" })).await;
    let path = "/api/v1/switches/web";
    let read = world
        .send(Role::Viewer, Method::GET, path, None, &Value::Null)
        .await;
    let tag = read.headers["etag"].to_str().expect("text").to_owned();
    let set = async |method: Method, tag: &str| {
        let body = json!({ "description": format!("by {method}") });
        world.send(Role::Operator, method, path, Some(tag), &body).await
    };
    let changed = set(Method::PUT, &tag).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
    for method in [Method::PUT, Method::PATCH] {
        assert_eq!(set(method, &tag).await.status, 412);
    }
    let stale = world
        .send(Role::Operator, Method::DELETE, path, Some(&tag), &Value::Null)
        .await;
    assert_eq!(stale.status, 412, "{:#}", stale.body);
    let now = changed.headers["etag"].to_str().expect("text").to_owned();
    assert_eq!(set(Method::PATCH, &now).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn acls_are_not_only_on_switches_and_routers_have_ports() {
    let world = World::new().await;
    world
        .make("/api/v1/ovn/port-groups", json!({ "name": "servers" }))
        .await;
    let rule = json!({ "port_group": "servers", "direction": "to-lport", "priority": 1, "match": "outport == @servers", "action": "drop" });
    world.make("/api/v1/ovn/acls", rule).await;
    world.make("/api/v1/ovn/routers", json!({ "name": "edge" })).await;
    let port = json!({ "name": "edge-web", "router": "edge", "mac": "02:00:00:00:00:01", "networks": ["10.0.0.1/24"] });
    world.make("/api/v1/ovn/router-ports", port).await;
    assert_eq!(world.nbctl("acl-list servers").lines().count(), 1);
    assert!(world.nbctl("lrp-get-enabled edge-web").contains("enabled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_of_the_northbound_that_people_make_has_a_path_of_its_own() {
    let world = World::new().await;
    let document = world.get("/api/v1/openapi.json").await;
    let paths = document["paths"].as_object().expect("paths");
    let nouns = [
        "load-balancers",
        "nat",
        "dhcp-options",
        "dns",
        "qos",
        "port-groups",
        "address-sets",
        "router-ports",
        "routes",
        "policies",
        "health-checks",
        "meters",
        "gateway-chassis",
        "ha-groups",
        "mirrors",
        "bfd",
        "static-mac-bindings",
        "forwarding-groups",
        "copp",
        "switches",
        "ports",
        "routers",
        "acls",
    ];
    for noun in nouns {
        let methods = |path: String| -> BTreeSet<String> {
            let item = paths.get(&path).unwrap_or_else(|| panic!("{path} is documented"));
            item.as_object().expect("methods").keys().cloned().collect()
        };
        assert_eq!(
            methods(format!("/api/v1/ovn/{noun}")),
            BTreeSet::from(["get".into(), "post".into()])
        );
        let row = BTreeSet::from(["get".into(), "patch".into(), "delete".into()]);
        assert_eq!(methods(format!("/api/v1/ovn/{noun}/{{id}}")), row);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_document_lists_is_routed_and_what_is_routed_is_listed() {
    let world = World::new().await;
    let document = world.get("/api/v1/openapi.json").await;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let asked = path.replace("{id}", "x").replace(['{', '}'], "");
        for (method, operation) in item.as_object().expect("methods") {
            if operation["responses"]["200"]["content"]["text/event-stream"].is_object() {
                // It answers for as long as somebody listens.
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let answer = world
                .send(Role::Viewer, method.clone(), &asked, None, &Value::Null)
                .await;
            let code = answer.body["code"].as_str().unwrap_or_default();
            assert!(!["PUR-9404", "PUR-9405"].contains(&code), "{method} {path}");
        }
    }
    // Those that ovncp documents and this crate serves.
    for path in [
        "/api/v1/switches",
        "/api/v1/switches/{id}",
        "/api/v1/switches/{id}/ports",
        "/api/v1/ports/{id}",
        "/api/v1/routers",
        "/api/v1/routers/{id}",
        "/api/v1/acls",
        "/api/v1/acls/{id}",
        "/api/v1/transactions",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_a_token_or_the_role_gets_in() {
    let world = World::new().await;
    for path in ["/api/v1/switches", "/api/v1/ovn/switches", "/api/v1/transactions"] {
        let refused = world
            .send(Role::Viewer, Method::POST, path, None, &json!({ "name": "web" }))
            .await;
        assert_eq!(refused.status, 403, "{path}: a viewer writes nothing");
    }
    assert_eq!(world.nbctl("ls-list"), "");
}
