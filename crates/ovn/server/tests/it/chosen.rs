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
