//! Certificates over time.

use crate::rig::{Cluster, id};
use purlin_fabric_mesh::Notice;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn a_certificate_is_replaced_in_time_and_calls_go_on() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.node("n1").await, cluster.node("n2").await);
    let mut serials = vec![one.mesh.identity().serial];
    for _ in 0..6 {
        cluster.days_pass(15);
        for node in [&one, &two] {
            node.mesh.tend().await.unwrap();
        }
        one.mesh
            .call(two.at(), &id("n2"), "/mesh/v1/hello", &json!({}))
            .await
            .unwrap();
        serials.push(one.mesh.identity().serial);
    }
    // 90 days: replaced on the 30th, 60th and 90th, since on the 15th two thirds were not over.
    serials.dedup();
    assert_eq!(serials.len(), 4);
}

#[tokio::test]
async fn a_restart_goes_on_with_the_same_certificate() {
    let cluster = Cluster::new();
    let before = cluster.open("n1").await.identity();
    cluster.days_pass(10);
    assert_eq!(cluster.open("n1").await.identity(), before);
    cluster.days_pass(25);
    assert_ne!(cluster.open("n1").await.identity().serial, before.serial);
}

#[tokio::test]
async fn damaged_files_are_issued_anew() {
    let cluster = Cluster::new();
    let (setup, _) = cluster.setup("n1", crate::rig::SECRET);
    let before = cluster.open("n1").await.identity();
    for damage in ["node.key", "node.pem", "ca.pem", "node.json"] {
        std::fs::write(setup.folder.join(damage), "nothing").unwrap();
        assert_ne!(
            cluster.open("n1").await.identity().serial,
            before.serial,
            "{damage}"
        );
    }
}

#[tokio::test]
async fn the_key_is_for_its_owner_only() {
    let cluster = Cluster::new();
    let (setup, _) = cluster.setup("n1", crate::rig::SECRET);
    let _one = cluster.open("n1").await;
    for file in ["node.key", "node.pem", "ca.pem", "node.json"] {
        let mode = std::fs::metadata(setup.folder.join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn several_nodes_that_start_at_once_make_one_authority() {
    let cluster = Cluster::new();
    let (one, two, three) = tokio::join!(cluster.node("n1"), cluster.node("n2"), cluster.node("n3"));
    let nodes = [one, two, three];
    let founders = nodes.iter().filter(|node| node.told(&Notice::Founded)).count();
    assert_eq!(founders, 1);
    for (from, to, name) in [(0, 1, "n2"), (1, 2, "n3"), (2, 0, "n1")] {
        let (from, to) = (&nodes[from], &nodes[to]);
        from.mesh
            .call(to.at(), &id(name), "/mesh/v1/hello", &json!({}))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn the_list_of_certificates_does_not_grow_for_ever() {
    let cluster = Cluster::new();
    let one = cluster.open("n1").await;
    let two = cluster.open("n2").await;
    one.revoke(&id("n2")).await.unwrap();
    for _ in 0..10 {
        cluster.days_pass(21);
        one.tend().await.unwrap();
    }
    drop(two);
    let dump = cluster.records.dump();
    assert!(!dump.contains("mesh.revoked"), "{dump}");
    assert!(dump.matches("mesh.certificate").count() <= 2, "{dump}");
}
