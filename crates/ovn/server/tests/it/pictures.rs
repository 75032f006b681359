//! The network as a graph over HTTP.

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

/// As [`crate::tracing::campus`], without flows.
async fn drawn() -> World {
    let world = World::new().await;
    world.nbctl(
        "ls-add web -- lsp-add web web-1 -- lsp-add web web-2 -- ls-add db -- lsp-add db db-1 -- lr-add r0 \
         -- lrp-add r0 r0-web 02:00:00:00:01:01 10.0.0.1/24 -- lrp-add r0 r0-db 02:00:00:00:01:02 10.0.1.1/24 \
         -- lsp-add web web-r0 -- lsp-set-type web-r0 router -- lsp-set-options web-r0 router-port=r0-web \
         -- lsp-add db db-r0 -- lsp-set-type db-r0 router -- lsp-set-options db-r0 router-port=r0-db -- ls-add alone \
         -- set Logical_Switch db external_ids:tenant_id=blue external_ids:purlin-owner=shop",
    );
    world
        .until("/api/v1/ovn/nb/Logical_Switch/alone", Value::is_object)
        .await;
    world
}

fn labels(graph: &Value) -> Vec<&str> {
    let nodes = graph["nodes"].as_array().expect("a list");
    nodes.iter().filter_map(|node| node["label"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_there_and_router_links_name_both_ports() {
    let world = drawn().await;
    // ovncp's topology had no connection at all.
    let graph = world.get("/api/v1/ovn/topology").await;
    assert_eq!(labels(&graph), ["alone", "r0", "db", "web"]);
    let links = graph["links"].as_array().expect("a list");
    assert_eq!(links.len(), 2);
    assert!(
        links
            .iter()
            .any(|link| link["ports"] == json!(["r0-db", "db-r0"])
                && link["addresses"] == json!(["10.0.1.1/24"])),
        "{links:#?}"
    );
    assert_eq!((&graph["truncated"], &graph["total"]), (&json!(false), &json!(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_chosen_by_place_kind_owner_tenant_and_name() {
    let world = drawn().await;
    for (query, expected) in [
        ("detail=ports&around=web", vec!["r0", "web", "web-1", "web-2"]),
        (
            "detail=ports&around=web-1&depth=2",
            vec!["r0", "web", "web-1", "web-2"],
        ),
        ("around=web&depth=2", vec!["r0", "db", "web"]),
        ("kinds=router", vec!["r0"]),
        ("kinds=port&name=DB", vec!["db-1"]),
        ("owner=shop", vec!["db"]),
        ("tenant=blue", vec!["db"]),
        ("max_nodes=2", vec!["alone", "r0"]),
    ] {
        let graph = world.get(&format!("/api/v1/ovn/topology?{query}")).await;
        assert_eq!(labels(&graph), expected, "{query}");
        assert_eq!(graph["truncated"], query == "max_nodes=2");
    }
    for (query, status) in [
        ("around=nobody", 404),
        ("depth=2", 400),
        ("max_nodes=0", 400),
        ("format=png", 400),
    ] {
        let path = format!("/api/v1/ovn/topology?{query}");
        let answer = world
            .send(Role::Viewer, Method::GET, &path, None, &Value::Null)
            .await;
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_is_what_it_says() {
    let world = drawn().await;
    for (format, media, words) in [
        ("json", "application/json", "\"nodes\""),
        ("cytoscape", "application/json", "\"elements\""),
        ("d3", "application/json", "\"source\""),
        ("dot", "text/vnd.graphviz", "graph network {"),
        ("graphml", "application/graphml+xml", "<graphml"),
        ("svg", "image/svg+xml", "<svg"),
    ] {
        let path = format!("/api/v1/ovn/topology?detail=ports&format={format}");
        let (headers, text) = world.text(&path).await;
        assert_eq!(headers["content-type"], media);
        assert!(text.contains(words) && text.contains("web-1"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_etag_changes_with_the_database_and_with_the_question() {
    let world = drawn().await;
    let tag = async |path: &str| world.text(path).await.0["etag"].clone();
    let first = tag("/api/v1/ovn/topology").await;
    assert_eq!(tag("/api/v1/ovn/topology").await, first);
    assert_ne!(tag("/api/v1/ovn/topology?detail=ports").await, first);
    world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "new" }))
        .await;
    assert_ne!(tag("/api/v1/ovn/topology").await, first);
    let graph = world.get("/api/v1/ovn/topology").await;
    assert!(labels(&graph).contains(&"new"), "the graph is drawn anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn ways_and_neighbours_are_found_by_name() {
    let world = drawn().await;
    let way = world.get("/api/v1/ovn/topology/path?from=web-1&to=db-1").await;
    assert_eq!(labels(&way), ["web-1", "web", "r0", "db", "db-1"]);
    assert_eq!(
        (&way["hops"], way["links"].as_array().map(Vec::len)),
        (&json!(4), Some(4))
    );
    let none = world.get("/api/v1/ovn/topology/path?from=web-1&to=alone").await;
    assert_eq!((&none["connected"], &none["nodes"]), (&json!(false), &json!([])));
    let near = world.get("/api/v1/ovn/topology/web").await;
    let neighbours = near["neighbours"].as_array().expect("a list");
    assert_eq!(neighbours.len(), 3);
    let row = world.get(near["href"].as_str().expect("a link")).await;
    assert_eq!(row["name"], "web");
    let path = "/api/v1/ovn/topology/nobody";
    let answer = world
        .send(Role::Viewer, Method::GET, path, None, &Value::Null)
        .await;
    assert_eq!(answer.status, 404);
}
