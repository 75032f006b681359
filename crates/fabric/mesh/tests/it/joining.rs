//! Machines with a token.

use crate::rig::{Cluster, Node, id};
use purlin_fabric_mesh::{JoinError, JoinToken, Joined, Mesh, Offer, Refusal, Wish, join};
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

async fn token(node: &Node, wanted: Option<&str>) -> JoinToken {
    token_at(node, wanted, vec![node.at()]).await
}

async fn token_at(node: &Node, wanted: Option<&str>, addresses: Vec<SocketAddr>) -> JoinToken {
    let offer = Offer {
        node: wanted.map(id),
        lasting: Duration::from_secs(3600),
        addresses,
    };
    let pin = node.mesh.pin().await.unwrap();
    node.mesh.tokens().create(pin, offer).await.unwrap().0
}

async fn try_to(cluster: &Cluster, token: &JoinToken, node: Option<&str>) -> Result<Joined, JoinError> {
    let wish = Wish {
        node: node.map(id),
        address: None,
        clock: cluster.clock(),
    };
    join(token, &wish).await
}

async fn refused(cluster: &Cluster, token: &JoinToken, node: Option<&str>) -> Refusal {
    match try_to(cluster, token, node).await {
        Err(JoinError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_machine_with_a_token_becomes_a_node_that_others_believe() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let token = token(&one, Some("n3")).await;
    let joined = try_to(&cluster, &token.to_string().parse().unwrap(), None)
        .await
        .unwrap();
    assert_eq!(joined.identity.id, id("n3"));
    assert_eq!(
        joined.configuration,
        json!({ "node": { "id": "n3" }, "at": "127.0.0.1" })
    );
    // It starts with what it got: the same certificate.
    let (setup, _) = cluster.setup("n3", crate::rig::SECRET);
    joined.identity.save(&setup.folder).unwrap();
    let three = Mesh::open(setup).await.unwrap();
    assert_eq!(three.identity(), joined.identity);
    three
        .call(one.at(), &id("n1"), "/mesh/v1/hello", &json!({}))
        .await
        .unwrap();
    // And it can be removed like any other.
    assert_eq!(one.mesh.revoke(&id("n3")).await.unwrap(), 1);
}

#[tokio::test]
async fn a_token_works_once() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let token = token(&one, None).await;
    try_to(&cluster, &token, Some("n3")).await.unwrap();
    let refusal = refused(&cluster, &token, Some("n4")).await;
    assert_eq!(
        (refusal.status, &*refusal.what),
        (410, "the token was used already, by n3; it works once")
    );
    assert!(refusal.fix.contains("purlin cluster token create"), "{refusal:?}");
}

#[tokio::test]
async fn of_many_that_use_a_token_at_once_one_gets_in() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let token = token(&one, Some("n3")).await;
    let tries = [(); 8].map(|()| try_to(&cluster, &token, None));
    let mut got_in = 0;
    let [a, b, c, d, e, f, g, h] = tries;
    let all = tokio::join!(a, b, c, d, e, f, g, h);
    for outcome in [all.0, all.1, all.2, all.3, all.4, all.5, all.6, all.7] {
        match outcome {
            Ok(_) => got_in += 1,
            Err(JoinError::Refused(refusal)) => assert_eq!(refusal.status, 410),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(got_in, 1);
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let token = token(&one, Some("n3")).await;
    cluster.seconds_pass(3610);
    assert_eq!(
        refused(&cluster, &token, None).await.what,
        "the token expired 10 s ago"
    );
    assert_eq!(one.mesh.tokens().list().await.unwrap()[0].state, "expired");
}

#[tokio::test]
async fn a_revoked_token_is_refused() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let token = token(&one, Some("n3")).await;
    assert_eq!(one.mesh.tokens().revoke("none").await.unwrap(), None);
    let ended = one.mesh.tokens().revoke(&token.id).await.unwrap();
    assert_eq!(ended.map(|view| view.state), Some("revoked"));
    let refusal = refused(&cluster, &token, None).await;
    assert_eq!(refusal.what, "the token was revoked or replaced by a newer one");
}

#[tokio::test]
async fn a_second_token_for_a_node_replaces_the_first() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let first = token(&one, Some("n3")).await;
    let other = token(&one, Some("n4")).await;
    let second = token(&one, Some("n3")).await;
    refused(&cluster, &first, None).await;
    try_to(&cluster, &other, None).await.unwrap();
    try_to(&cluster, &second, None).await.unwrap();
}

#[tokio::test]
async fn a_token_of_another_cluster_is_not_shown_its_secret() {
    let (ours, theirs) = (Cluster::new(), Cluster::new());
    let (one, stranger) = (ours.node("n1").await, theirs.node("n1").await);
    // The right addresses with a foreign pin: somebody else answers.
    let token = token_at(&stranger, Some("n3"), vec![one.at()]).await;
    let Err(JoinError::Untrusted { cause, .. }) = try_to(&ours, &token, None).await else {
        panic!("it was trusted")
    };
    assert_eq!(cause, "its authority is not the one that the token names");
}

#[tokio::test]
async fn a_guessed_secret_learns_nothing_about_the_token() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let real = token(&one, Some("n3")).await;
    try_to(&cluster, &real, None).await.unwrap();
    // Another token's secret under the first one's id.
    let mut guessed = token(&one, Some("n4")).await;
    guessed.id = real.id;
    let refusal = refused(&cluster, &guessed, None).await;
    assert_eq!(
        (refusal.status, &*refusal.what),
        (403, "the cluster does not know this token")
    );
}

#[tokio::test]
async fn a_token_for_one_node_makes_no_other() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let bound = token(&one, Some("n3")).await;
    let refusal = refused(&cluster, &bound, Some("n4")).await;
    assert_eq!(refusal.what, "the token is for n3, not for n4");
    // That did not use it up.
    try_to(&cluster, &bound, Some("n3")).await.unwrap();
    let open = token(&one, None).await;
    let refusal = refused(&cluster, &open, None).await;
    assert_eq!(
        refusal.what,
        "the token is for any node, so the node must be named"
    );
}

#[tokio::test]
async fn a_name_that_is_alive_is_refused_and_costs_no_token() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let token = token(&one, None).await;
    assert_eq!(refused(&cluster, &token, Some("n9")).await.what, "n9 is a member");
    try_to(&cluster, &token, Some("n3")).await.unwrap();
}

#[tokio::test]
async fn the_next_member_is_asked_when_one_is_away() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let away = closed_port();
    let token = token_at(&one, Some("n3"), vec![away, one.at()]).await;
    let joined = try_to(&cluster, &token, None).await.unwrap();
    assert_eq!(joined.member, one.at());
    let token = token_at(&one, Some("n4"), vec![away]).await;
    let Err(JoinError::Unreachable(tried)) = try_to(&cluster, &token, None).await else {
        panic!("nobody listens there")
    };
    assert!(tried[0].contains(&away.to_string()), "{tried:?}");
}

#[tokio::test]
async fn the_store_does_not_hold_what_a_token_says() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let token = token(&one, Some("n3")).await.to_string();
    let secret = token.split('_').nth(2).unwrap();
    assert_eq!(secret.len(), 40);
    assert!(!cluster.records.dump().contains(secret));
}
