//! Transactions of ovncp.

use crate::schema::fits;
use crate::world::World;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_in_either_spelling_is_one_transaction_of_the_database() {
    let world = World::new().await;
    let before = world.transactions();
    let body = json!({ "operations": [
        { "id": "net", "type": "create", "resource": "switch", "data": { "name": "web" } },
        { "id": "vm", "type": "create", "resource": "port", "switch_id": "net", "data": { "name": "web-1", "mac": "02:00:00:00:00:01", "addresses": ["10.0.0.5"] } },
        { "id": "rule", "type": "create", "resource": "acl", "switch_id": "web", "data": { "direction": "to-lport", "priority": 5, "match": "outport == \"web-1\"", "action": "drop" } },
        { "id": "fix", "type": "update", "resource": "port", "resource_id": "vm", "data": { "enabled": false } },
    ]});
    let mut dry = body.clone();
    dry["dry_run"] = json!(true);
    let tried = world.make("/api/v1/transactions", dry).await;
    assert_eq!(
        (&tried["dry_run"], &tried["success"]),
        (&json!(true), &json!(true)),
        "{tried:#}"
    );
    assert_eq!(world.transactions(), before);
    let made = world.make("/api/v1/transactions", body).await;
    fits(&world, "post", "/api/v1/transactions", "200", &made).await;
    assert_eq!(world.transactions(), before + 1, "one transaction");
    assert_eq!(
        made["results"][1]["data"]["addresses"],
        json!(["02:00:00:00:00:01 10.0.0.5"]),
        "{made:#}"
    );
    assert_eq!(made["results"][3]["data"]["enabled"], json!(false));
    assert_eq!(made["warnings"], json!([]), "the rule finds its port");
    assert_eq!(world.nbctl("lsp-list web").lines().count(), 1);

    let other = json!({ "operations": [
        { "operation": "create", "resource_type": "logical_router", "data": { "name": "edge" } },
        { "operation": "delete", "resource_type": "logical_port", "resource_id": "web-1" },
        { "operation": "update", "resource_type": "logical_switch", "resource_id": "web", "data": { "description": "x" } },
    ]});
    let made = world.make("/api/v1/transactions", other).await;
    assert_eq!(made["results"][1]["data"], Value::Null, "{made:#}");
    assert_eq!(
        (
            world.nbctl("lsp-list web"),
            world.nbctl("lr-list").lines().count()
        ),
        (String::new(), 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_cannot_be_whole_says_which_operation_is_why() {
    let world = World::new().await;
    let good = json!({ "id": "a", "type": "create", "resource": "switch", "data": { "name": "web" } });
    let cases = [
        (
            json!({ "id": "b", "type": "delete", "resource": "router", "resource_id": "nobody" }),
            404,
        ),
        (
            json!({ "id": "b", "type": "create", "resource": "port", "switch_id": "a", "data": { "name": "p", "adresses": [] } }),
            422,
        ),
        (
            json!({ "id": "b", "type": "create", "resource": "port", "switch_id": "a", "data": { "name": "p", "addresses": ["nonsense"] } }),
            422,
        ),
        (
            json!({ "id": "b", "type": "create", "resource": "switch", "data": { "name": "web" } }),
            409,
        ),
    ];
    for (bad, status) in cases {
        let refused = world
            .post("/api/v1/transactions", json!({ "operations": [good, bad] }))
            .await;
        assert_eq!(refused.status.as_u16(), status, "{bad}: {:#}", refused.body);
        assert_eq!(
            (&refused.body["success"], &refused.body["failed_operation"]),
            (&json!(false), &json!(1)),
            "{:#}",
            refused.body
        );
        assert_eq!(refused.body["results"][0]["success"], json!(false));
        assert!(refused.body["error"].is_string() && refused.body["transaction_id"].is_string());
        assert_eq!(world.nbctl("ls-list"), "", "nothing of it happened");
    }
    let many: Vec<Value> = (0..101)
        .map(|n| json!({ "type": "create", "resource": "switch", "data": { "name": format!("s{n}") } }))
        .collect();
    let refused = world
        .post("/api/v1/transactions", json!({ "operations": many }))
        .await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body["details"]
            .as_str()
            .expect("words")
            .contains("1 to 100"),
        "{:#}",
        refused.body
    );
    let whole = world
        .make("/api/v1/transactions", json!({ "operations": many[..100] }))
        .await;
    assert_eq!(whole["results"].as_array().map(Vec::len), Some(100));
}
