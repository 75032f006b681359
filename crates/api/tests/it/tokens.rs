//! Tokens: who gets in, for how long, and how guessers are slowed down.

use crate::support::Node;
use axum::http::StatusCode;
use purlin_api::access::Role;
use purlin_api::tokens::{NewToken, Tokens};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_token_survives_a_restart_and_its_secret_is_not_stored() {
    let node = Node::new().await;
    let rows = node.ledger.scan("tokens", Vec::new(), 10).await.unwrap();
    let row = String::from_utf8(rows[0].1.clone()).unwrap();
    assert!(row.contains("$argon2id$") && !row.contains(&node.admin[17..]));
    let again = Tokens::open(node.ledger.clone(), node.clock.clone())
        .await
        .unwrap();
    assert!(
        again.recognise(&node.admin).is_none(),
        "nothing is known before the first check"
    );
    assert_eq!(
        again.verify(&node.admin).await.unwrap().unwrap().role,
        Role::Admin
    );
    assert!(again.recognise(&node.admin).is_some());
}

#[tokio::test]
async fn a_revoked_token_stops_at_once() {
    let node = Node::new().await;
    let api = node.api([]);
    let viewer = node.token(Role::Viewer).await;
    assert_eq!(
        api.with(&viewer).get("/api/v1/whoami").await.status,
        StatusCode::OK
    );
    let id = viewer.split('_').nth(1).unwrap();
    assert_eq!(
        api.delete(&format!("/api/v1/tokens/{id}")).await.body["revoked"],
        true
    );
    assert_eq!(api.with(&viewer).get("/api/v1/whoami").await.code(), "PUR-9402");
    let again = Tokens::open(node.ledger.clone(), node.clock.clone())
        .await
        .unwrap();
    assert!(again.verify(&viewer).await.unwrap().is_none());
}

#[tokio::test]
async fn the_last_admin_stays() {
    let node = Node::new().await;
    let api = node.api([]);
    let id = node.admin.split('_').nth(1).unwrap().to_owned();
    assert_eq!(
        api.delete(&format!("/api/v1/tokens/{id}")).await.code(),
        "PUR-9450"
    );
    node.token(Role::Admin).await;
    assert_eq!(
        api.delete(&format!("/api/v1/tokens/{id}")).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_token_ends_when_it_was_said_to() {
    let node = Node::new().await;
    let api = node.api([]);
    let order = json!({ "name": "short", "role": "viewer", "expires_in": "1h" });
    let made = api.post("/api/v1/tokens", &order).await.body;
    assert_eq!(made["expires"], "2026-03-01T13:00:00Z");
    let short = api.with(made["token"].as_str().unwrap());
    assert_eq!(short.get("/api/v1/whoami").await.status, StatusCode::OK);
    node.clock.step(Duration::from_secs(3600));
    assert_eq!(short.get("/api/v1/whoami").await.code(), "PUR-9402");
}

#[tokio::test]
async fn guessers_wait_but_do_not_lock_out_the_rightful() {
    let node = Node::new().await;
    let api = node.api([]);
    assert_eq!(api.get("/api/v1/whoami").await.status, StatusCode::OK);
    let id = node.admin.split('_').nth(1).unwrap();
    let guess = api.with(&format!("pur_{id}_{}", "0".repeat(40)));
    for _ in 0..10 {
        assert_eq!(guess.get("/api/v1/whoami").await.code(), "PUR-9402");
    }
    let refused = guess.get("/api/v1/whoami").await;
    assert_eq!(refused.code(), "PUR-9429");
    assert_eq!(refused.header("retry-after"), "60");
    assert_eq!(api.get("/api/v1/whoami").await.status, StatusCode::OK);
    node.clock.step(Duration::from_secs(60));
    assert_eq!(guess.get("/api/v1/whoami").await.code(), "PUR-9402");
}

#[tokio::test]
async fn a_token_that_nobody_has_is_only_wrong_however_often_it_comes() {
    let node = Node::new().await;
    let stranger = node.api([]).with(&format!("pur_000000000000_{}", "0".repeat(40)));
    for _ in 0..60 {
        assert_eq!(stranger.get("/api/v1/whoami").await.code(), "PUR-9402");
    }
}

#[tokio::test]
async fn last_use_is_shown() {
    let node = Node::new().await;
    let new = NewToken {
        name: "idle".into(),
        role: Role::Viewer,
        expires: None,
    };
    let (view, _) = node.tokens.create(new).await.unwrap();
    assert_eq!(node.tokens.get(&view.id).unwrap().last_used, None);
    let api = node.api([]);
    node.clock.step(Duration::from_secs(60));
    let list = api.get("/api/v1/tokens").await.body;
    let admin = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|token| token["name"] == "admin");
    assert_eq!(admin.unwrap()["last_used"], "2026-03-01T12:01:00Z");
}

#[tokio::test]
async fn the_query_token_works_on_streams_only() {
    let node = Node::new().await;
    let api = node.api([]).anonymous();
    let answer = api
        .get(&format!("/api/v1/whoami?access_token={}", node.admin))
        .await;
    assert_eq!(answer.code(), "PUR-9406");
}
