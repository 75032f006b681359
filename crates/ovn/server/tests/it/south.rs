//! What OVN has made of the northbound, with names.

use crate::schema::fits;
use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

/// Two switches with a port each, a router between them, a hypervisor that has one of the ports.
async fn campus() -> World {
    let world = World::with_northd().await;
    let changes = [
        ("switches", json!({ "name": "web" })),
        ("switches", json!({ "name": "lab" })),
        ("routers", json!({ "name": "edge" })),
        (
            "router-ports",
            json!({ "name": "edge-web", "router": "edge", "mac": "02:00:00:00:09:01", "networks": ["10.0.0.1/24"] }),
        ),
        (
            "ports",
            json!({ "name": "web-edge", "switch": "web", "type": "router", "router_port": "edge-web", "addresses": ["router"] }),
        ),
        (
            "ports",
            json!({ "name": "web-1", "switch": "web", "addresses": ["02:00:00:00:00:01 10.0.0.10"] }),
        ),
        (
            "ports?wait=sb",
            json!({ "name": "lab-1", "switch": "lab", "addresses": ["02:00:00:00:00:02"] }),
        ),
    ];
    for (path, body) in changes {
        world.make(&format!("/api/v1/ovn/{path}"), body).await;
    }
    world.sbctl(
        "chassis-add hv-1 geneve 192.0.2.1 -- set Chassis hv-1 hostname=host1.example -- lsp-bind web-1 hv-1",
    );
    world
        .until("/api/v1/ovn/port-bindings/web-1", |port| {
            port["chassis"] == "hv-1"
        })
        .await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn bindings_and_hypervisors_say_names_both_ways() {
    let world = campus().await;
    let binding = world.get("/api/v1/ovn/port-bindings/web-1").await;
    assert_eq!(
        (&binding["switch"], &binding["router"]),
        (&json!("web"), &Value::Null)
    );
    fits(&world, "get", "/api/v1/ovn/port-bindings/{id}", "200", &binding).await;
    let names = async |query: &str| {
        let page = world.get(&format!("/api/v1/ovn/port-bindings?{query}")).await;
        fits(&world, "get", "/api/v1/ovn/port-bindings", "200", &page).await;
        let items = page["items"].as_array().expect("a list").iter();
        let mut names: Vec<String> = items
            .map(|item| item["port"].as_str().expect("a name").to_owned())
            .collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names("switch=web").await, "web-1 web-edge");
    assert_eq!(names("switch=web&type=patch").await, "web-edge");
    assert_eq!(names("router=edge").await, "edge-web");
    assert_eq!(names("chassis=hv-1").await, "web-1");
    assert_eq!(names("port=lab-1").await, "lab-1");
    let chassis = world.get("/api/v1/ovn/chassis/host1.example").await;
    assert_eq!(
        (&chassis["name"], &chassis["ports_count"]),
        (&json!("hv-1"), &json!(1))
    );
    assert_eq!(
        (&chassis["encaps"][0]["type"], &chassis["encaps"][0]["ip"]),
        (&json!("geneve"), &json!("192.0.2.1"))
    );
    fits(&world, "get", "/api/v1/ovn/chassis/{id}", "200", &chassis).await;
    let refused = world
        .send(
            Role::Viewer,
            Method::GET,
            "/api/v1/ovn/port-bindings?switch=edge",
            None,
            &Value::Null,
        )
        .await;
    assert_eq!(refused.status, 404, "a router is no switch: {:#}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_are_chosen_by_switch_stage_port_and_words() {
    let world = campus().await;
    let flows = async |query: &str| -> Vec<Value> {
        let page = world
            .get(&format!("/api/v1/ovn/logical-flows?limit=1000&{query}"))
            .await;
        page["items"].as_array().expect("a list").clone()
    };
    let all = flows("").await;
    let web = flows("switch=web").await;
    assert!(
        !web.is_empty() && web.len() < all.len(),
        "{} of {}",
        web.len(),
        all.len()
    );
    let has = |flow: &Value, member: &str, name: &str| {
        flow[member].as_array().expect("names").contains(&json!(name))
    };
    assert!(web.iter().all(|flow| has(flow, "switches", "web")));
    assert_eq!(
        web.len(),
        all.iter().filter(|flow| has(flow, "switches", "web")).count(),
        "none is missed"
    );
    assert_eq!(
        flows("router=edge").await.len(),
        all.iter().filter(|flow| has(flow, "routers", "edge")).count()
    );
    let lookup = flows("switch=web&stage=ls_in_l2_lkup&pipeline=ingress").await;
    assert!(
        !lookup.is_empty()
            && lookup
                .iter()
                .all(|flow| flow["stage"] == "ls_in_l2_lkup" && flow["pipeline"] == "ingress")
    );
    let table = lookup[0]["table"].clone();
    assert_eq!(
        flows(&format!("switch=web&pipeline=ingress&table={table}"))
            .await
            .len(),
        lookup.len()
    );
    let port = flows("switch=web&port=web-1").await;
    assert!(port.iter().all(|flow| has(flow, "ports", "web-1")), "{port:?}");
    let mac = flows("match=02:00:00:00:00:01").await;
    assert!(
        !mac.is_empty()
            && mac.iter().all(|flow| flow["match"]
                .as_str()
                .expect("text")
                .contains("02:00:00:00:00:01"))
    );
    let page = world.get("/api/v1/ovn/logical-flows?limit=5").await;
    fits(&world, "get", "/api/v1/ovn/logical-flows", "200", &page).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_is_told_with_switch_router_and_port() {
    let world = campus().await;
    let binding = world.get("/api/v1/ovn/sb/Port_Binding?name=web-1").await["items"][0].clone();
    let datapath = binding["datapath"].as_str().expect("a UUID").to_owned();
    let path = world
        .get(&format!("/api/v1/ovn/sb/Datapath_Binding/{datapath}"))
        .await;
    let named = world.get("/api/v1/ovn/sb/Port_Binding/web-1").await;
    assert_eq!(named["_uuid"], binding["_uuid"], "a row is a UUID, or a name");
    let nobody = world
        .send(
            Role::Viewer,
            Method::GET,
            "/api/v1/ovn/sb/Port_Binding/web-9",
            None,
            &Value::Null,
        )
        .await;
    assert_eq!(nobody.status, 404, "{:#}", nobody.body);
    let (switch, port) = (&path["tunnel_key"], &binding["tunnel_key"]);
    world.sbctl(&format!(
        "create FDB mac=\"02:00:00:00:00:aa\" dp_key={switch} port_key={port}"
    ));
    let router = world.get("/api/v1/ovn/sb/Port_Binding?name=edge-web").await["items"][0]["datapath"].clone();
    let router = router.as_str().expect("a UUID");
    world.sbctl(&format!(
        "create MAC_Binding logical_port=edge-web ip=10.0.0.50 mac=\"02:00:00:00:00:bb\" datapath={router}"
    ));
    let fdb = world
        .until("/api/v1/ovn/fdb?switch=web", |page| page["items"][0].is_object())
        .await;
    assert_eq!(
        (&fdb["items"][0]["port"], &fdb["items"][0]["switch"]),
        (&json!("web-1"), &json!("web"))
    );
    fits(&world, "get", "/api/v1/ovn/fdb", "200", &fdb).await;
    let learned = world
        .until("/api/v1/ovn/mac-bindings?router=edge", |page| {
            page["items"][0].is_object()
        })
        .await;
    assert_eq!(
        (&learned["items"][0]["ip"], &learned["items"][0]["router"]),
        (&json!("10.0.0.50"), &json!("edge"))
    );
    fits(&world, "get", "/api/v1/ovn/mac-bindings", "200", &learned).await;
    assert_eq!(
        world.get("/api/v1/ovn/mac-bindings?port=nobody").await["items"],
        json!([])
    );
}
