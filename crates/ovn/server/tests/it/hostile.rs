//! Bodies that nobody means.

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Map, Value, json};

/// What a member may be sent in place of what it should be.
fn odd() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(18_446_744_073_709_551_615_u64),
        json!(""),
        json!("\u{0}"),
        json!("\"quoted\\"),
        json!("x".repeat(70_000)),
        json!("00000000-0000-0000-0000-000000000000"),
        json!([]),
        json!([null, [1], {}]),
        json!(["02:00:00:00:00:01 10.0.0.5", "10.0.0.5", "é"]),
        json!({}),
        json!({ "": "", "purlin-owner": "somebody", "a": { "b": 1 } }),
        json!([{ "uuid": "nonsense", "chassis": 7, "rate": "fast", "ip_prefix": [], "type": "switch" }]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_any_member_breaks_the_platform() {
    let world = World::new().await;
    world.make("/api/v1/ovn/switches", json!({ "name": "web" })).await;
    world
        .make("/api/v1/ovn/ports", json!({ "name": "p", "switch": "web" }))
        .await;
    let before = world.transactions();
    let document = world.get("/api/v1/openapi.json").await;
    let paths = document["paths"].as_object().expect("paths").iter();
    let mut tried = 0;
    for (path, item) in paths {
        let ours = ["ovn", "ovncp"].contains(&item["post"]["tags"][0].as_str().unwrap_or_default());
        let named = item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
        let Some(shape) = named.filter(|_| ours && !path.contains("{")) else {
            continue;
        };
        let shape = document
            .pointer(shape.trim_start_matches('#'))
            .expect("it is there");
        let Some(example) = shape["examples"][0].as_object() else {
            continue;
        };
        for member in shape["properties"].as_object().expect("members").keys() {
            for value in odd() {
                let mut body: Map<String, Value> = example.clone();
                body.insert(member.clone(), value);
                tried += 1;
                let body = Value::Object(body);
                let answer = world
                    .send(
                        Role::Operator,
                        Method::POST,
                        &format!("{path}?dryRun=true"),
                        None,
                        &body,
                    )
                    .await;
                let told: String = body.to_string().chars().take(300).collect();
                assert!(answer.status.as_u16() < 500, "{path}: {told}: {:#}", answer.body);
            }
        }
    }
    assert!(tried > 2000, "{tried} bodies");
    assert_eq!(world.transactions(), before, "nothing of it was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mark_of_an_owner_is_neither_taken_nor_written_over() {
    let world = World::new().await;
    world.make("/api/v1/ovn/switches", json!({ "name": "web" })).await;
    let order = |op: &str, values: Value| {
        let order = json!({ "op": op, "table": "Logical_Switch", "row": "web", "column": "external_ids", "values": values });
        json!({ "changes": [order] })
    };
    let mark = |value: Value| json!({ "external_ids": { "purlin-owner": value } });
    let refused = [
        world
            .patch("/api/v1/ovn/switches/web", mark(json!("other")))
            .await,
        world.patch("/api/v1/ovn/switches/web", mark(Value::Null)).await,
        world.patch("/api/v1/switches/web", mark(json!("other"))).await,
        world
            .post("/api/v1/ovn/switches/web/add", mark(json!("other")))
            .await,
        world
            .post(
                "/api/v1/ovn/changes",
                order("add", json!({ "purlin-owner": "other" })),
            )
            .await,
        world
            .post("/api/v1/ovn/changes", order("remove", json!(["purlin-owner"])))
            .await,
    ];
    for answer in refused {
        assert_eq!(answer.status, 422, "{:#}", answer.body);
        let words = answer.body["detail"].as_str().expect("words");
        assert!(words.contains("mark of the owner"), "{words}");
    }
    // Replacing the whole map keeps it.
    let put = json!({ "external_ids": { "purlin-owner": "other", "a": "b" } });
    let answer = world
        .send(Role::Operator, Method::PUT, "/api/v1/switches/web", None, &put)
        .await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    assert_eq!(
        world.nbctl("get Logical_Switch web external_ids:purlin-owner"),
        "purlin"
    );
    assert_eq!(world.nbctl("get Logical_Switch web external_ids:a"), "b");
}
