//! Everybody who must not get in, and what they are told.

use crate::rig::{Cluster, Node, SECRET, id};
use purlin_fabric_mesh::{CallError, Mesh, MeshError, Notice};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a call is refused with, by whichever side.
async fn cause(from: &Mesh, to: &Node, name: &str) -> String {
    match from.call(to.at(), &id(name), "/mesh/v1/hello", &json!({})).await {
        Err(CallError::Untrusted { cause, .. } | CallError::Broken { cause, .. }) => cause,
        other => panic!("{other:?}"),
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}

#[tokio::test]
async fn a_node_of_another_cluster_is_refused_by_both_sides() {
    let (ours, theirs) = (Cluster::new(), Cluster::new());
    let (one, stranger) = (ours.node("n1").await, theirs.node("n2").await);
    let said = cause(&one.mesh, &stranger, "n2").await;
    assert_eq!(
        said,
        "its certificate is from another authority: it belongs to another cluster"
    );
    let said = cause(&stranger.mesh, &one, "n1").await;
    assert_eq!(
        said,
        "its certificate is from another authority: it belongs to another cluster"
    );
}

#[tokio::test]
async fn a_caller_with_a_foreign_certificate_is_refused_by_the_server_too() {
    // The caller believes the server's authority, but shows a certificate of its own.
    let (ours, theirs) = (Cluster::new(), Cluster::new());
    let one = ours.node("n1").await;
    let stranger = theirs.open("n2").await;
    let mut mixed = stranger.identity();
    mixed.authority = one.mesh.identity().authority;
    let (setup, _) = ours.setup("mixed", SECRET);
    mixed.id = id("mixed");
    mixed.save(&setup.folder).unwrap();
    let mixed = Mesh::open(setup).await.unwrap();
    let said = cause(&mixed, &one, "n1").await;
    assert!(said.contains("does not know the authority"), "{said}");
    until("the server said why", || {
        one.refused().contains("from another authority")
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused() {
    let cluster = Cluster::new();
    let one = cluster.open("n1").await;
    let two = cluster.node("n2").await;
    cluster.days_pass(31);
    let said = cause(&one, &two, "n2").await;
    assert_eq!(said, "its certificate has expired");
    // The server renews its own; the caller did not.
    two.mesh.tend().await.unwrap();
    let said = cause(&one, &two, "n2").await;
    assert_eq!(said, "it says that this node's certificate has expired");
    until("the server said why", || {
        two.refused().contains("its certificate has expired")
    })
    .await;
}

#[tokio::test]
async fn a_removed_node_is_refused_at_once_even_on_an_open_connection() {
    let cluster = Cluster::new();
    let (one, two, three) = (
        cluster.node("n1").await,
        cluster.node("n2").await,
        cluster.open("n3").await,
    );
    three
        .call(one.at(), &id("n1"), "/mesh/v1/hello", &json!({}))
        .await
        .unwrap();
    assert_eq!(one.mesh.revoke(&id("n3")).await.unwrap(), 1);
    // On the connection that is open already.
    match three
        .call(one.at(), &id("n1"), "/mesh/v1/hello", &json!({}))
        .await
    {
        Err(CallError::Refused { refusal, .. }) => assert!(refusal.what.contains("revoked"), "{refusal:?}"),
        other => panic!("{other:?}"),
    }
    // And at a node that reads the list.
    two.mesh.tend().await.unwrap();
    let said = cause(&three, &two, "n2").await;
    assert_eq!(
        said,
        "it says that this node's certificate is revoked: this node was removed"
    );
    assert!(
        two.refused().contains("the node was removed"),
        "{}",
        two.refused()
    );
}

#[tokio::test]
async fn a_removed_node_does_not_renew_itself_but_joins_anew_when_started() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let three = cluster.node("n3").await;
    one.mesh.revoke(&id("n3")).await.unwrap();
    cluster.days_pass(25);
    let before = three.mesh.identity().serial;
    three.mesh.tend().await.unwrap();
    assert!(three.mesh.is_revoked() && three.told(&Notice::Revoked));
    assert_eq!(three.mesh.identity().serial, before);
    drop(three);
    let again = cluster.open("n3").await;
    assert!(again.identity().serial != before && !again.is_revoked());
    one.mesh.tend().await.unwrap();
    again
        .call(one.at(), &id("n1"), "/mesh/v1/hello", &json!({}))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_removed_node_is_not_called_any_more() {
    let cluster = Cluster::new();
    let (one, three) = (cluster.node("n1").await, cluster.node("n3").await);
    one.mesh
        .call(three.at(), &id("n3"), "/mesh/v1/hello", &json!({}))
        .await
        .unwrap();
    one.mesh.revoke(&id("n3")).await.unwrap();
    let said = cause(&one.mesh, &three, "n3").await;
    assert_eq!(said, "its certificate is revoked: the node was removed");
}

#[tokio::test]
async fn somebody_who_speaks_no_tls_is_told_in_http() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let mut stream = TcpStream::connect(one.at()).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    assert!(
        said.contains("nodes of a Purlin cluster call each other"),
        "{said}"
    );
    assert!(one.refused().contains("does not speak TLS"));
}

#[tokio::test]
async fn another_secret_is_noticed_at_the_start() {
    let cluster = Cluster::new();
    let _one = cluster.open("n1").await;
    let (setup, _) = cluster.setup("n2", b"another secret of sixteen");
    let opened = Mesh::open(setup).await;
    assert!(matches!(opened, Err(MeshError::OtherSecret)), "{opened:?}");
}

#[tokio::test]
async fn the_store_holds_no_key_that_can_be_read() {
    let cluster = Cluster::new();
    let one = cluster.open("n1").await;
    let dump = cluster.records.dump();
    assert!(
        dump.contains("mesh.authority") && dump.contains("BEGIN CERTIFICATE"),
        "{dump}"
    );
    assert!(!dump.contains("PRIVATE KEY"), "{dump}");
    assert!(one.identity().key.contains("PRIVATE KEY"));
}
