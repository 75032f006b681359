//! What ovncp's traces and pictures were not: answers to what was asked.

use crate::tracing::campus;
use crate::world::{Answer, World};
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

async fn ask(world: &World, path: &str, body: Value) -> Value {
    let answer = world.post(path, body.clone()).await;
    assert_eq!(answer.status, 200, "{path} {body}: {:#}", answer.body);
    answer.body
}

async fn try_get(world: &World, path: &str) -> Answer {
    world
        .send(Role::Viewer, Method::GET, path, None, &Value::Null)
        .await
}

fn flow(from: &str, to: &str, protocol: &str, port: u16) -> Value {
    json!({ "source_port": from, "destination_ip": to, "protocol": protocol, "destination_port_num": port })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_no_constant() {
    let world = campus().await;
    let ssh = ask(
        &world,
        "/api/v1/trace/flow",
        flow("web-1", "10.0.0.12", "tcp", 22),
    )
    .await;
    assert_eq!(
        (&ssh["success"], &ssh["reaches_destination"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(ssh["dropped_at"]["component"], "web", "{ssh:#}");
    assert_eq!(ssh["drop_reason"], "ACL no-ssh drops it");
    let hop = ssh["hops"]
        .as_array()
        .and_then(|hops| hops.last())
        .expect("a hop");
    assert_eq!((&hop["type"], &hop["action"]), (&json!("switch"), &json!("drop")));
    let acl = &hop["acl_matches"][0];
    assert_eq!(
        (
            &acl["acl_name"],
            &acl["priority"],
            &acl["direction"],
            &acl["action"]
        ),
        (&json!("no-ssh"), &json!(1000), &json!("to-lport"), &json!("drop")),
        "{hop:#}"
    );
    let routed = ask(
        &world,
        "/api/v1/trace/flow",
        flow("web-1", "10.0.1.22", "icmp", 0),
    )
    .await;
    assert_eq!(routed["reaches_destination"], true, "{routed:#}");
    let way: Vec<&str> = routed["hops"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|hop| hop["component"].as_str())
        .collect();
    assert_eq!(way, ["web", "r0", "db"]);
    assert_eq!(routed["hops"][1]["action"], "modify", "{routed:#}");
    assert_eq!(routed["raw_output"], Value::Null);
    let mut loud = flow("db-2", "10.0.0.11", "udp", 9);
    loud["verbose"] = json!(true);
    loud["max_hops"] = json!(1);
    let loud = ask(&world, "/api/v1/trace/flow", loud).await;
    assert!(
        loud["raw_output"]
            .as_str()
            .is_some_and(|raw| raw.contains("inport=\"db-2\""))
    );
    assert_eq!(loud["hops"].as_array().map(Vec::len), Some(1));
    let unknown = world
        .post("/api/v1/trace/flow", flow("vm1", "10.0.0.12", "tcp", 22))
        .await;
    assert_eq!(unknown.status, 422);
    assert!(
        unknown.body["error"].is_string() && unknown.body["details"].is_string(),
        "{}",
        unknown.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn connectivity_invents_no_ports_and_no_addresses() {
    let world = campus().await;
    let told = ask(
        &world,
        "/api/v1/trace/connectivity",
        json!({ "source_port": "web-1", "target_ports": ["web-2", "db-1"] }),
    )
    .await;
    let [near, far] = told["target_ports"].as_array().expect("a list").as_slice() else {
        panic!("{told:#}");
    };
    assert_eq!(
        (&near["port_ip"], &near["protocols"]),
        (
            &json!("10.0.0.12"),
            &json!({ "icmp": true, "tcp:22": false, "tcp:80": true, "tcp:443": true })
        )
    );
    assert_eq!(
        (&far["port_ip"], &far["protocols"]["tcp:80"]),
        (&json!("10.0.1.21"), &json!(false))
    );
    let advice = told["recommendations"].to_string();
    assert!(
        advice.contains("no-ssh") && advice.contains("no-http"),
        "{advice}"
    );
    let nobody = json!({ "source_port": "web-1", "target_ports": ["nobody"] });
    assert_eq!(world.post("/api/v1/trace/connectivity", nobody).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_paths_name_what_blocks_each() {
    let world = campus().await;
    let told = ask(
        &world,
        "/api/v1/trace/multi-path",
        json!({ "source_port": "web-1", "destination_ip": "10.0.0.12", "protocols": ["tcp", "icmp"], "ports": [22, 23, 443] }),
    )
    .await;
    let paths: Vec<(bool, &Value)> = told["paths"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|path| (path["blocked"] == true, &path["blocked_by"]))
        .collect();
    assert_eq!(
        paths,
        [
            (true, &json!("ACL: no-ssh")),
            (true, &json!("ACL: no-telnet")),
            (false, &Value::Null),
            (false, &Value::Null)
        ]
    );
    assert_eq!(told["summary"], "2 of 4 paths blocked. Allowed: tcp:443, icmp");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulation_is_of_the_change_that_is_asked_about() {
    let world = campus().await;
    let mut packet = flow("web-1", "10.0.0.12", "tcp", 22);
    let now = ask(&world, "/api/v1/trace/simulate", packet.clone()).await;
    assert_eq!(now["reaches_destination"], false);
    assert!(
        now["summary"]
            .as_str()
            .is_some_and(|words| words.starts_with("[SIMULATION] dropped"))
    );
    packet["changes"] = json!([{ "op": "delete", "table": "ACL", "row": "no-ssh" }]);
    let then = ask(&world, "/api/v1/trace/simulate", packet).await;
    assert_eq!(then["reaches_destination"], true, "{then:#}");
    assert_eq!(world.get("/api/v1/ovn/nb/ACL/no-ssh").await["action"], "drop");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_a_port_are_all_of_them() {
    let world = World::new().await;
    world.nbctl(
        "ls-add web -- lsp-add web web-1 -- lsp-set-addresses web-1 02:00:00:00:00:11\\ 10.0.0.11\\ fd00::11 02:00:00:00:00:12 unknown",
    );
    let path = "/api/v1/trace/ports/web-1/addresses";
    let told = world.until(path, |told| told["addresses"][0].is_object()).await;
    assert_eq!(
        told["addresses"],
        json!([
            { "mac": "02:00:00:00:00:11", "ip": "10.0.0.11" },
            { "mac": "02:00:00:00:00:11", "ip": "fd00::11" },
            { "mac": "02:00:00:00:00:12" }
        ])
    );
    assert_eq!(told["port_name"], "web-1");
    assert_eq!(
        try_get(&world, "/api/v1/trace/ports/nobody/addresses")
            .await
            .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topology_has_connections() {
    let world = campus().await;
    let told = world.get("/api/v1/topology").await;
    let count = |member: &str| told[member].as_array().map(Vec::len);
    assert_eq!(
        [
            "switches",
            "routers",
            "ports",
            "router_ports",
            "acls",
            "connections"
        ]
        .map(count),
        [Some(2), Some(1), Some(6), Some(2), Some(3), Some(6)],
        "{told:#}"
    );
    let connections = told["connections"].as_array().expect("a list");
    let switches = told["switches"].as_array().expect("a list");
    let web = switches
        .iter()
        .find(|switch| switch["name"] == "web")
        .expect("it is there");
    let routed = connections
        .iter()
        .find(|connection| connection["port_id"] == "r0-web")
        .expect("a link");
    assert_eq!(
        (&routed["to"], &routed["from"], &routed["type"]),
        (&web["uuid"], &told["routers"][0]["uuid"], &json!("router-switch"))
    );
    assert!(
        told["timestamp"]
            .as_str()
            .is_some_and(|time| time.starts_with("20"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_treats_ports_as_objects_and_has_router_links() {
    let world = campus().await;
    let picture = world.get("/api/v1/visualization/topology?acls=true").await;
    let nodes = picture["nodes"].as_array().expect("a list");
    let of = |kind: &str| -> Vec<&str> {
        let nodes = nodes.iter().filter(|node| node["type"] == kind);
        let mut labels: Vec<&str> = nodes.filter_map(|node| node["label"].as_str()).collect();
        labels.sort_unstable();
        labels
    };
    assert_eq!(of("port"), ["db-1", "db-2", "web-1", "web-2"]);
    assert_eq!((of("router"), of("loadbalancer")), (vec!["r0"], vec!["front"]));
    assert_eq!(of("acl"), ["1 ACLs", "2 ACLs"]);
    let edges = picture["edges"].as_array().expect("a list");
    assert_eq!(
        edges
            .iter()
            .filter(|edge| edge["type"] == "router-switch")
            .count(),
        2
    );
    let ids: Vec<&Value> = nodes.iter().map(|node| &node["id"]).collect();
    for edge in edges {
        assert!(
            ids.contains(&&edge["source"]) && ids.contains(&&edge["target"]),
            "{edge:#}"
        );
    }
    assert_eq!(picture["groups"].as_array().map(Vec::len), Some(2));
    assert_eq!(picture["properties"]["nodeCount"], nodes.len());
    let custom = ask(
        &world,
        "/api/v1/visualization/topology/custom",
        json!({ "includePorts": false, "includeLoadBalancers": false, "layout": "grid", "filterByType": ["switch"] }),
    )
    .await;
    assert_eq!(
        (&custom["properties"]["nodeCount"], &custom["layout"]),
        (&json!(2), &json!("grid"))
    );
    let wrong = world
        .post(
            "/api/v1/visualization/topology/custom",
            json!({ "layout": "spiral" }),
        )
        .await;
    assert!(wrong.status.is_client_error(), "{}", wrong.body);
    for (format, media, file) in [
        ("graphviz", "text/vnd.graphviz", "topology.dot"),
        ("svg", "image/svg+xml", "topology.svg"),
        ("cytoscape", "application/json", "topology.json"),
    ] {
        let path = format!("/api/v1/visualization/topology/export?format={format}");
        let (headers, text) = world.text(&path).await;
        assert_eq!(headers["content-type"], media);
        assert!(
            headers["content-disposition"]
                .to_str()
                .is_ok_and(|value| value.ends_with(file))
        );
        assert!(text.contains("web-1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_and_paths_are_found_through_routers() {
    let world = campus().await;
    let node = world.get("/api/v1/visualization/topology/node/web-1").await;
    assert_eq!(
        (&node["type"], &node["parentType"], &node["parentName"]),
        (&json!("port"), &json!("switch"), &json!("web")),
        "{node:#}"
    );
    let switch = world.get("/api/v1/visualization/topology/node/web").await;
    let id = format!("switch:{}", switch["id"].as_str().expect("a UUID"));
    assert_eq!(switch["ports"].as_array().map(Vec::len), Some(3), "{switch:#}");
    let path = format!("/api/v1/visualization/topology/path/{id}/db-1");
    let way = world.get(&path).await;
    assert_eq!(
        (&way["hops"], &way["names"]),
        (&json!(3), &json!(["web", "r0", "db", "db-1"]))
    );
    assert_eq!(way["path"][0], id.as_str());
    let none = try_get(&world, "/api/v1/visualization/topology/path/web/nobody").await;
    assert_eq!(none.status, 404);
    assert!(none.body["error"].is_string());
}
