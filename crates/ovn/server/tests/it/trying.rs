//! What a change would do, on copies that nobody else sees.

use crate::tracing::campus;
use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/ovn/what-if";

async fn tried(world: &World, body: Value) -> Value {
    let answer = world.post(PATH, body.clone()).await;
    assert_eq!(answer.status, 200, "{body}: {:#}", answer.body);
    answer.body
}

/// Lets SSH through to `web-2`, and drops pings to it.
fn candidate() -> Value {
    json!([
        { "op": "update", "table": "ACL", "row": "no-ssh", "columns": { "action": "allow" } },
        { "op": "insert", "table": "ACL", "parent": "Logical_Switch/web", "columns": {
            "name": "no-ping", "priority": 1001, "direction": "to-lport", "match": "outport == \"web-2\" && icmp4", "action": "drop" } },
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_packets_and_pairs_are_compared_and_nothing_is_committed() {
    let world = campus().await;
    let before = world.transactions();
    let ssh = json!({ "from": "web-1", "to": "web-2", "protocol": "tcp", "destination_port": 22 });
    let told = tried(
        &world,
        json!({ "changes": candidate(), "traces": [ssh, { "from": "web-1", "to": "db-2" }],
            "matrix": { "from": { "switches": ["web"] }, "protocols": ["icmp", "tcp/22", "tcp/443"] } }),
    )
    .await;
    let first = &told["traces"][0];
    assert_eq!(first["changed"], true);
    assert_eq!(first["before"]["dropped"]["by"]["name"], "no-ssh", "{first:#}");
    assert_eq!(first["after"]["reached"], true, "{first:#}");
    assert_eq!(
        (
            &told["traces"][1]["changed"],
            &told["traces"][1]["after"]["reached"]
        ),
        (&json!(false), &json!(true))
    );
    let stages = told["flows"]["stages"].as_array().expect("a list");
    assert!(
        stages
            .iter()
            .all(|stage| stage["datapath"] == "web" && stage["stage"] == "ls_out_acl"),
        "{stages:#?}"
    );
    let added = stages
        .iter()
        .flat_map(|stage| stage["added"].as_array().expect("a list"));
    assert!(
        added
            .clone()
            .any(|flow| flow["match"].as_str().is_some_and(|text| text.contains("icmp4")))
    );
    assert!(
        told["flows"]["removed"]
            .as_u64()
            .is_some_and(|removed| removed > 0)
    );
    let cells: Vec<String> = told["matrix"]["cells"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|cell| {
            format!(
                "{} {} {}: {} {}",
                cell["from"],
                cell["to"],
                cell["protocol"],
                cell["before"]["allowed"],
                cell["after"]["allowed"]
            )
        })
        .collect();
    assert_eq!(
        cells,
        [
            r#""web-1" "web-2" "icmp": true false"#,
            r#""web-1" "web-2" "tcp/22": false true"#
        ]
    );
    assert_eq!(told["copies"]["southbound"], "copied");
    assert_eq!(
        told["change"]["diff"].as_array().map(Vec::len),
        Some(3),
        "{:#}",
        told["change"]
    );

    assert_eq!(
        world.transactions(),
        before,
        "the real northbound was not written to"
    );
    let acl = world.get("/api/v1/ovn/nb/ACL/no-ssh").await;
    assert_eq!(acl["action"], "drop");
    world.until_scratches(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_that_a_change_brings_are_part_of_the_picture() {
    let world = campus().await;
    let changes = json!([
        { "op": "insert", "table": "Logical_Switch_Port", "parent": "Logical_Switch/web",
          "columns": { "name": "web-3", "addresses": ["02:00:00:00:00:13 10.0.0.13"] } },
    ]);
    let told = tried(
        &world,
        json!({ "changes": changes, "traces": [{ "from": "web-3", "to": "db-1" }],
            "matrix": { "from": { "ports": ["web-3", "web-1"] } } }),
    )
    .await;
    let trace = &told["traces"][0];
    assert!(
        trace["before"]["summary"]
            .as_str()
            .expect("words")
            .contains("no switch port `web-3`"),
        "{trace:#}"
    );
    assert_eq!(trace["after"]["reached"], true);
    let cells = told["matrix"]["cells"].as_array().expect("a list");
    assert_eq!(cells.len(), 2);
    assert!(
        cells
            .iter()
            .all(|cell| cell["before"].is_null() && cell["after"]["allowed"] == true)
    );
    let nobody = world
        .post(
            PATH,
            json!({ "changes": [], "matrix": { "from": { "ports": ["web-9"] } } }),
        )
        .await;
    assert_eq!(nobody.status, 422, "{:#}", nobody.body);
    world.until_scratches(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_question_the_affected_ports_are_compared() {
    let world = campus().await;
    let told = tried(&world, json!({ "changes": candidate() })).await;
    assert_eq!(
        told["change"]["affected"],
        json!(["web-1", "web-2", "web-r0"]),
        "{:#}",
        told["change"]
    );
    assert_eq!(told["matrix"]["changed"], 1, "{:#}", told["matrix"]);
    let none = tried(&world, json!({ "changes": [] })).await;
    assert_eq!(
        (
            &none["flows"]["added"],
            &none["flows"]["removed"],
            &none["matrix"]["changed"]
        ),
        (&json!(0), &json!(0), &json!(0)),
        "what did not change does not differ"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_would_be_refused_starts_nothing() {
    let world = campus().await;
    let changes =
        json!([{ "op": "update", "table": "ACL", "row": "no-ssh", "columns": { "match": "tcp.dst ==" } }]);
    let refused = world.post(PATH, json!({ "changes": changes })).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["code"]),
        (422, &json!("PUR-3003"))
    );
    assert!(!world.scratch_folder().exists(), "no copy was made");
    let viewer = world
        .send(Role::Viewer, Method::POST, PATH, None, &json!({ "changes": [] }))
        .await;
    assert_eq!(viewer.status, 403, "who may not change may not try either");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_and_folder_end_with_the_request() {
    let world = campus().await;
    let body = json!({ "changes": candidate() });
    let request = world.post(PATH, body);
    let running = world.until_scratches(2);
    // Who asked goes away while both programs run.
    tokio::select! {
        answer = request => panic!("it was answered before: {:#}", answer.body),
        () = running => {}
    }
    world.until_scratches(0).await;
    let left = std::fs::read_dir(world.scratch_folder()).map(Iterator::count);
    assert_eq!(left.expect("the folder of all"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_southbound_northd_makes_one() {
    let world = World::without_southbound().await;
    world.nbctl(
        "ls-add web -- lsp-add web web-1 -- lsp-set-addresses web-1 02:00:00:00:00:11\\ 10.0.0.11 \
         -- lsp-add web web-2 -- lsp-set-addresses web-2 02:00:00:00:00:12\\ 10.0.0.12",
    );
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/web-2", Value::is_object)
        .await;
    let changes = json!([{ "op": "insert", "table": "ACL", "parent": "Logical_Switch/web", "columns": {
        "name": "quiet", "priority": 1, "direction": "to-lport", "match": "outport == \"web-2\" && ip4", "action": "drop" } }]);
    let told = tried(
        &world,
        json!({ "changes": changes, "traces": [{ "from": "web-1", "to": "web-2" }] }),
    )
    .await;
    assert_eq!(told["copies"]["southbound"], "made anew");
    assert_eq!(told["traces"][0]["before"]["reached"], true, "{told:#}");
    assert_eq!(
        told["traces"][0]["after"]["dropped"]["by"]["name"], "quiet",
        "{told:#}"
    );
}
