//! Packets and bindings as a tenant may look at them.

use super::{ACME, ask};
use crate::tracing::{campus, settled};
use crate::world::{Answer, World};
use axum::http::Method;
use serde_json::{Value, json};

/// What a tenant must not read: names of rows that it does not see.
pub(super) const SECRETS: [&str; 6] = ["secret-rule", "guard", "\"r0", "r0-web", "zed-1", "bnet"];

/// The campus, its switches acme's, its router nobody's, with a rule over a port of acme that acme does not see, and a
/// network of bolt.
pub(super) async fn two_on_one_campus() -> World {
    let world = campus().await;
    world.nbctl("pg-add guard web-2 -- --name=secret-rule acl-add guard to-lport 2000 outport==@guard&&tcp.dst==8443 drop");
    world.nbctl(
        "ls-add bnet -- lsp-add bnet zed-1 -- lsp-set-addresses zed-1 02:00:00:00:00:31\\ 10.0.2.31 \
         -- set Logical_Switch bnet external_ids:purlin-tenant=t-bolt \
         -- set Logical_Switch web external_ids:purlin-tenant=t-acme -- set Logical_Switch db external_ids:purlin-tenant=t-acme",
    );
    settled(&world).await;
    world
        .until("/api/v1/ovn/nb/Logical_Switch/web", |row| {
            row["external_ids"]["purlin-tenant"] == "t-acme"
        })
        .await;
    world
}

pub(super) async fn post(world: &World, path: &str, body: Value) -> Answer {
    ask(world, ACME, Method::POST, path, body).await
}

/// Nothing of others is in it.
pub(super) fn hushed(answer: &Value) -> &Value {
    let text = answer.to_string();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret}: {answer:#}");
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_traces_between_its_own_ports_and_reads_no_names_of_others() {
    let world = two_on_one_campus().await;
    let trace = async |question: Value| {
        let answer = post(&world, "/api/v1/ovn/trace", question.clone()).await;
        assert_eq!(answer.status, 200, "{question}: {:#}", answer.body);
        hushed(&answer.body).clone()
    };
    let near = trace(json!({"from": "web-1", "to": "web-2"})).await;
    assert_eq!(
        (&near["reached"], &near["ports"]),
        (&json!(true), &json!(["web-2"]))
    );
    let own = trace(json!({"from": "web-1", "to": "web-2", "protocol": "tcp", "destination_port": 22})).await;
    assert_eq!(
        own["dropped"]["by"]["name"], "no-ssh",
        "its own rules it reads: {own:#}"
    );
    let others = trace(
        json!({"from": "web-1", "to": "web-2", "protocol": "tcp", "destination_port": 8443, "raw": true}),
    )
    .await;
    assert_eq!(others["reached"], false);
    assert_eq!(others["dropped"]["by"]["label"], "another tenant's", "{others:#}");
    assert_eq!(others["raw"], Value::Null);
    let far = trace(json!({"from": "web-1", "to": "db-2"})).await;
    assert_eq!(far["reached"], true);
    let names: Vec<&Value> = far["hops"]
        .as_array()
        .expect("hops")
        .iter()
        .map(|hop| &hop["name"])
        .collect();
    assert!(
        names.contains(&&json!("another tenant's")) && names.contains(&&json!("db")),
        "{far:#}"
    );
    // The same under ovncp's paths.
    let flow = json!({"source_port": "web-1", "destination_ip": "10.0.0.12", "protocol": "tcp", "destination_port_num": 8443});
    let flow = post(&world, "/api/v1/trace/flow", flow).await;
    assert_eq!(flow.status, 200, "{:#}", flow.body);
    assert_eq!(hushed(&flow.body)["reaches_destination"], false);
    let whom = post(
        &world,
        "/api/v1/trace/connectivity",
        json!({"source_port": "web-1", "target_ports": ["db-2"]}),
    )
    .await;
    assert_eq!(whom.status, 200, "{:#}", whom.body);
    hushed(&whom.body);
    let matrix = json!({"from": {"ports": ["web-1"]}, "to": {"ports": ["web-2"]}, "protocols": ["tcp/8443", "tcp/9"], "confirm": "never"});
    let matrix = post(&world, "/api/v1/ovn/matrix", matrix).await;
    assert_eq!(matrix.status, 200, "{:#}", matrix.body);
    let allowed: Vec<&Value> = hushed(&matrix.body)["cells"]
        .as_array()
        .expect("cells")
        .iter()
        .map(|cell| &cell["allowed"])
        .collect();
    assert_eq!(
        allowed,
        [&json!(false), &json!(true)],
        "the rule counts that it does not see"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_asks_about_no_other_ends() {
    let world = two_on_one_campus().await;
    for question in [
        json!({"from": "zed-1", "to": "web-1"}),
        json!({"from": "web-1", "to": "zed-1"}),
        json!({"from": "web-1", "to": "10.0.2.31"}),
        json!({"from": "web-1", "to": "192.0.2.1"}),
        json!({"from": "web-1", "to": "r0-web"}),
        json!({"from": "web-1", "to": "web-2", "destination_ip": "10.0.2.31"}),
        json!({"from": "web-1", "microflow": "ip4.dst == 10.0.2.31"}),
    ] {
        let answer = post(&world, "/api/v1/ovn/trace", question.clone()).await;
        assert_eq!(answer.status, 422, "{question}: {:#}", answer.body);
        let near = answer.body["detail"].as_str().unwrap_or_default();
        assert!(
            !near.contains("did you mean `zed-1`") && !near.contains("bnet"),
            "{near}"
        );
    }
    let matrix = json!({"from": {"ports": ["web-1"]}, "to": {"switches": ["bnet"]}});
    assert_eq!(post(&world, "/api/v1/ovn/matrix", matrix).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_southbound_a_tenant_reads_the_bindings_of_its_ports() {
    let world = two_on_one_campus().await;
    let get = async |path: &str| ask(&world, ACME, Method::GET, path, Value::Null).await;
    let rows = get("/api/v1/ovn/sb/Port_Binding?sort=logical_port").await.body;
    let rows = rows["items"].as_array().expect("a list");
    let ports: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["logical_port"].as_str())
        .collect();
    assert_eq!(ports, ["db-1", "db-2", "db-r0", "web-1", "web-2", "web-r0"]);
    for row in rows {
        for hidden in ["chassis", "datapath", "tunnel_key", "options", "encap"] {
            let value = &row[hidden];
            let nothing = [
                json!(null),
                json!({}),
                json!([]),
                json!(0),
                json!("00000000-0000-0000-0000-000000000000"),
            ];
            let empty = nothing.contains(value);
            assert!(empty, "{hidden}: {row:#}");
        }
    }
    let all = world.get("/api/v1/ovn/sb/Port_Binding?logical_port=zed-1").await;
    let others = all["items"][0]["_uuid"].as_str().expect("it is there");
    assert_eq!(
        get(&format!("/api/v1/ovn/sb/Port_Binding/{others}")).await.status,
        404
    );
    let found = get("/api/v1/ovn/sb/Port_Binding?logical_port=zed-1").await.body;
    assert_eq!(found["items"], json!([]));
    let tables = get("/api/v1/ovn/sb").await.body;
    assert_eq!(tables, json!([{"name": "Port_Binding", "rows": 6}]));
    for table in ["Logical_Flow", "Chassis", "MAC_Binding", "SB_Global"] {
        let answer = get(&format!("/api/v1/ovn/sb/{table}")).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["slug"]),
            (403, &json!("beyond_tenant")),
            "{table}"
        );
    }
}
