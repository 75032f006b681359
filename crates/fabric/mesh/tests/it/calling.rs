//! Nodes that call each other.

use crate::rig::{Cluster, id};
use axum::routing::post;
use axum::{Extension, Json, Router};
use purlin_fabric_mesh::{CallError, MESH, Peer, Refusal};
use serde_json::{Value, json};
use std::time::Duration;

fn echo() -> Router {
    let route = post(
        async |Extension(peer): Extension<Peer>, Json(said): Json<Value>| {
            Json(json!({ "peer": peer.id.as_str(), "said": said }))
        },
    );
    Router::new().route("/test/v1/echo", route)
}

#[tokio::test]
async fn a_node_answers_another_and_knows_who_asks() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1").await, cluster.node_with("n2", echo()).await);
    for turn in 0..3 {
        let said = json!({ "turn": turn });
        let answer = one
            .mesh
            .call(two.at(), &id("n2"), "/test/v1/echo", &said)
            .await
            .unwrap();
        assert_eq!(answer, json!({ "peer": "n1", "said": said }));
    }
    let hello = one
        .mesh
        .call(two.at(), &id("n2"), "/mesh/v1/hello", &json!({}))
        .await
        .unwrap();
    assert_eq!(
        hello,
        json!({ "node": "n2", "incarnation": "0000000000000007", "version": "1.2.3", "protocol": MESH })
    );
}

#[tokio::test]
async fn a_certificate_for_one_node_does_not_answer_as_another() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1").await, cluster.node("n2").await);
    let asked = one
        .mesh
        .call(two.at(), &id("n3"), "/mesh/v1/hello", &json!({}))
        .await;
    let Err(CallError::Untrusted { cause, .. }) = &asked else {
        panic!("{asked:?}")
    };
    assert_eq!(cause, "it is n2 and not n3, as its certificate says");
}

#[tokio::test]
async fn calls_go_on_after_the_other_node_was_started_anew() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let two = cluster.node_with("n2", echo()).await;
    let at = two.at();
    one.mesh
        .call(at, &id("n2"), "/test/v1/echo", &json!(1))
        .await
        .unwrap();
    drop(two);
    // The kept connection is dead; a new one goes to whoever listens there now.
    let gone = one.mesh.call(at, &id("n2"), "/test/v1/echo", &json!(2)).await;
    assert!(
        matches!(
            gone,
            Err(CallError::Unreachable { .. } | CallError::Broken { .. })
        ),
        "{gone:?}"
    );
    let again = cluster.node_with("n2", echo()).await;
    one.mesh
        .call(again.at(), &id("n2"), "/test/v1/echo", &json!(3))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_in_time() {
    let cluster = Cluster::new();
    let silent = Router::new().route("/test/v1/wait", post(std::future::pending::<()>));
    let (one, two) = (cluster.node("n1").await, cluster.node_with("n2", silent).await);
    let soon = Duration::from_millis(300);
    let to = id("n2");
    let asked = one
        .mesh
        .call_within(two.at(), &to, "/test/v1/wait", &json!({}), soon)
        .await;
    assert!(matches!(asked, Err(CallError::Late { .. })), "{asked:?}");
}

#[tokio::test]
async fn a_refusal_comes_with_its_fix_and_an_unknown_call_is_named() {
    let cluster = Cluster::new();
    let no = post(async || Refusal::new(axum::http::StatusCode::CONFLICT, "not now", "later"));
    let routes = Router::new().route("/test/v1/no", no);
    let (one, two) = (cluster.node("n1").await, cluster.node_with("n2", routes).await);
    let ask = async |path: &str| match one.mesh.call(two.at(), &id("n2"), path, &json!({})).await {
        Err(CallError::Refused { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    };
    let refusal = ask("/test/v1/no").await;
    assert_eq!(
        (refusal.status, &*refusal.what, &*refusal.fix),
        (409, "not now", "later")
    );
    let refusal = ask("/test/v1/none").await;
    assert_eq!(
        (refusal.status, &*refusal.what),
        (404, "this node knows no call /test/v1/none")
    );
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_not_taken() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1").await, cluster.node_with("n2", echo()).await);
    let long = json!("x".repeat(9 << 20));
    let asked = one.mesh.call(two.at(), &id("n2"), "/test/v1/echo", &long).await;
    assert!(
        matches!(&asked, Err(CallError::Refused { refusal, .. }) if refusal.status == 413)
            || matches!(
                &asked,
                Err(CallError::Broken { .. } | CallError::Untrusted { .. })
            ),
        "{asked:?}"
    );
}
