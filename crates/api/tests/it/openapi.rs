//! The OpenAPI document and the router say the same.

use crate::support::Node;
use axum::http::{Method, StatusCode};
use serde_json::Value;
use std::collections::BTreeSet;

/// Every `$ref` below `value`.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                found.insert(target.clone());
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_open_and_its_references_hold() {
    let node = Node::new().await;
    let document = node.api([]).anonymous().get("/api/v1/openapi.json").await;
    assert_eq!(
        (document.status, document.header("content-type")),
        (StatusCode::OK, "application/json")
    );
    assert_eq!(document.body["openapi"], "3.1.0");
    let mut found = BTreeSet::new();
    references(&document.body, &mut found);
    for target in found {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(
            document.body.pointer(pointer).is_some(),
            "{target} is not in the document"
        );
    }
}

#[tokio::test]
async fn every_route_is_in_the_document_and_every_operation_is_routed() {
    let node = Node::new().await;
    let shell = node.shell();
    let mut declared: BTreeSet<(String, String)> = shell
        .entries()
        .flat_map(|entry| {
            entry
                .paths()
                .map(|path| (entry.method.as_str().to_lowercase(), path.to_owned()))
        })
        .collect();
    let own = [
        "/api/v1/openapi.json",
        "/api/v1/explain",
        "/api/v1/explain/{code}",
    ];
    declared.extend(own.map(|path| ("get".to_owned(), path.to_owned())));
    let api = node.api([]);
    let document = api.get("/api/v1/openapi.json").await.body;
    let mut listed = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            listed.insert((method.clone(), path.clone()));
            assert!(
                !operation["summary"].as_str().unwrap().is_empty(),
                "{method} {path}"
            );
            assert!(
                operation["responses"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .any(|status| status.starts_with('2'))
            );
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = api
                .anonymous()
                .send(api.anonymous().request(method, path, None))
                .await;
            let routed = !["PUR-9404", "PUR-9405"]
                .map(Value::from)
                .contains(&answer.body["code"]);
            assert!(routed, "{path} is documented but not routed");
            let open = operation["x-role"] == "none";
            assert_eq!(
                answer.status == StatusCode::UNAUTHORIZED,
                !open,
                "{path}: {:?}",
                answer.body
            );
        }
    }
    assert_eq!(listed, declared);
}

#[tokio::test]
async fn operation_ids_are_unique() {
    let node = Node::new().await;
    let document = node.api([]).get("/api/v1/openapi.json").await.body;
    let mut ids = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()));
        }
    }
}

#[tokio::test]
async fn bounds_of_parameters_are_in_the_document_and_hold() {
    let node = Node::new().await;
    let api = node.api([]);
    let document = api.get("/api/v1/openapi.json").await.body;
    let parameters = document["paths"]["/api/v1/tokens"]["get"]["parameters"].clone();
    let limit = parameters
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["name"] == "limit")
        .unwrap();
    assert_eq!(limit["schema"]["minimum"], 1);
    assert_eq!(limit["schema"]["maximum"], 1000);
    for query in ["limit=0", "limit=1001", "limit=", "limit=1&limit=2", "limt=1"] {
        let answer = api.get(&format!("/api/v1/tokens?{query}")).await;
        assert_eq!(answer.code(), "PUR-9406", "{query}");
    }
}

#[tokio::test]
async fn a_page_of_chosen_members_has_a_schema_of_its_own() {
    let node = Node::new().await;
    let document = node.api([]).get("/api/v1/openapi.json").await.body;
    let schemas = &document["components"]["schemas"];
    assert!(schemas["Token"]["required"].is_array());
    assert!(schemas["TokenPart"]["required"].is_null());
    assert_eq!(schemas["TokenPart"]["properties"], schemas["Token"]["properties"]);
}

#[tokio::test]
async fn an_unknown_field_is_refused_with_the_nearest_and_those_there_are() {
    let node = Node::new().await;
    let api = node.api([]);
    assert_eq!(api.get("/api/v1/tokens?fields=id,role").await.status, 200);
    let answer = api.get("/api/v1/tokens?fields=id,rloe").await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "PUR-9406"));
    assert_eq!(answer.body["unknown"], "rloe");
    assert_eq!(answer.body["nearest"], "role");
    assert!(answer.body["known"].as_array().unwrap().contains(&"id".into()));
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("there is no field \"rloe\" here; did you mean \"role\"? known are: "),
        "{detail}"
    );
}

#[tokio::test]
async fn every_list_knows_the_members_that_fields_may_name() {
    let node = Node::new().await;
    let api = node.api([]);
    let document = api.get("/api/v1/openapi.json").await.body;
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array();
        if !parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "fields")) {
            continue;
        }
        let answer = api.get(&format!("{path}?fields=nonsense_of_ours")).await;
        assert_eq!(answer.code(), "PUR-9406", "{path}");
        assert_eq!(answer.body["nearest"], Value::Null);
        assert!(!answer.body["known"].as_array().unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_with_the_nearest() {
    let node = Node::new().await;
    let answer = node.api([]).get("/api/v1/tokens?limt=1").await;
    assert_eq!(
        (answer.code(), &answer.body["nearest"]),
        ("PUR-9406", &"limit".into())
    );
}

#[tokio::test]
async fn a_method_that_is_not_known_is_a_problem_with_those_that_are() {
    let node = Node::new().await;
    let api = node.api([]);
    for method in [Method::TRACE, Method::OPTIONS, Method::PUT] {
        let answer = api
            .send(api.request(method.clone(), "/api/v1/tokens", None))
            .await;
        assert_eq!(answer.code(), "PUR-9405", "{method}");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(method.as_str()), "{detail}");
        assert!(answer.header("allow").contains("POST"));
    }
}
