//! Lists of objects by their nouns.

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_chosen_by_references_and_members() {
    let world = World::new().await;
    world.nbctl("ls-add web -- ls-add lab -- lsp-add web a -- lsp-add web b -- lsp-add lab c -- set Logical_Switch_Port b type=localport");
    world.nbctl("pg-add servers a c -- lb-add api 10.0.0.1:80 10.0.0.2:80 -- ls-lb-add web api");
    world
        .until("/api/v1/ovn/load-balancers/api", |lb| {
            lb["switches"] == json!(["web"])
        })
        .await;
    let names = async |query: &str| {
        let page = world.get(&format!("/api/v1/ovn/{query}")).await;
        let items = page["items"].as_array().expect("a list").iter();
        let mut names: Vec<String> = items
            .map(|item| item["name"].as_str().expect("a name").to_owned())
            .collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names("ports?switch=web").await, "a b");
    assert_eq!(names("ports?port_group=servers").await, "a c");
    assert_eq!(names("ports?port_group=servers&switch=web").await, "a");
    assert_eq!(names("ports?type=localport").await, "b");
    assert_eq!(names("load-balancers?switch=web").await, "api");
    assert_eq!(names("load-balancers?switch=lab").await, "");
    assert_eq!(names("switches?load_balancer=api").await, "web");
    assert_eq!(names("switches?name=lab").await, "lab");
    assert_eq!(names("switches?owned_by=nobody").await, "lab web");
    let refused = world
        .send(
            Role::Viewer,
            Method::GET,
            "/api/v1/ovn/ports?switch=wbe",
            None,
            &Value::Null,
        )
        .await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["nearest"]),
        (404, &json!("web")),
        "{:#}",
        refused.body
    );
    let refused = world
        .send(
            Role::Viewer,
            Method::GET,
            "/api/v1/ovn/ports?up=maybe",
            None,
            &Value::Null,
        )
        .await;
    assert_eq!(refused.status, 400, "{:#}", refused.body);
    assert!(
        refused.body["detail"]
            .as_str()
            .expect("words")
            .contains("boolean"),
        "{:#}",
        refused.body
    );
    let page = world.get("/api/v1/ovn/ports?fields=name,switch&limit=2").await;
    assert_eq!(page["items"][0].as_object().map(serde_json::Map::len), Some(2));
    assert!(page["next_cursor"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_ovn_is_told_apart_member_by_member_and_table_by_table() {
    let world = World::with_schema(|schema| {
        let tables = schema["tables"].as_object_mut().expect("tables");
        tables.remove("Mirror");
        tables.remove("Chassis_Template_Var");
        let port = tables["Logical_Switch_Port"]["columns"]
            .as_object_mut()
            .expect("columns");
        port.remove("mirror_rules");
        schema["version"] = json!("6.3.0");
    })
    .await;
    world.make("/api/v1/ovn/switches", json!({ "name": "web" })).await;
    let made = world
        .make("/api/v1/ovn/ports", json!({ "name": "p", "switch": "web" }))
        .await;
    assert_eq!(made["item"]["mirrors"], json!([]));
    let refused = world
        .post(
            "/api/v1/ovn/ports",
            json!({ "name": "q", "switch": "web", "mirrors": ["watch"] }),
        )
        .await;
    assert_eq!(refused.status, 422, "{:#}", refused.body);
    assert!(
        refused.body["detail"].as_str().expect("words").contains("6.3.0"),
        "{:#}",
        refused.body
    );
    for noun in ["mirrors", "template-vars"] {
        let path = format!("/api/v1/ovn/{noun}");
        let list = world
            .send(Role::Viewer, Method::GET, &path, None, &Value::Null)
            .await;
        let make = world.post(&path, json!({ "name": "m" })).await;
        for answer in [list, make] {
            assert_eq!(
                (answer.status.as_u16(), &answer.body["code"]),
                (404, &json!("PUR-3002")),
                "{:#}",
                answer.body
            );
        }
    }
    let same = world
        .patch("/api/v1/ovn/ports/p", world.get("/api/v1/ovn/ports/p").await)
        .await;
    assert_eq!(
        (same.status.as_u16(), &same.body["changed"]),
        (200, &json!(false)),
        "{:#}",
        same.body
    );
}
