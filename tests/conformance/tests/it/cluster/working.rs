//! Locks, sessions and caches, as the scaling guide practises them, over real nodes and Redis.

use purlin_conformance::{Cluster, Member, within};
use serde_json::{Value, json};
use std::time::Duration;

const LOCKS: &str = "/api/v1/cluster/locks";

fn lock(node: &Member, body: &Value) -> (u16, Value) {
    node.ask("POST", LOCKS, Some(body)).expect("it answers")
}

fn row(node: &Member, name: &str) -> Option<Value> {
    let (status, row) = node.get(&format!("{LOCKS}/{name}"))?;
    (status == 200).then_some(row)
}

#[test]
fn s4_129_every_node_shows_who_holds_a_lock_and_how_long() {
    let Some(cluster) = Cluster::new(2) else { return };
    for class in ["advisory", "fenced"] {
        let name = format!("switch:update:{class}");
        let body = json!({ "name": name, "ttl": "20s", "retries": 0, "class": class });
        let (status, lease) = lock(&cluster.nodes[0], &body);
        assert_eq!(status, 201, "{lease}");
        let (status, refused) = lock(&cluster.nodes[1], &body);
        assert_eq!(status, 409, "{refused}");
        let seen = within(Duration::from_secs(10), || {
            row(&cluster.nodes[1], &name).filter(|row| row["node"] == "n1")
        });
        let seen = seen.expect("the other node sees it");
        assert_eq!(seen["class"], class, "{seen}");
        assert!(
            seen["owner"].is_string() && seen["age_seconds"].is_number(),
            "{seen}"
        );
        assert!(
            seen.to_string()
                .find(lease["token"].as_str().expect("a token"))
                .is_none(),
            "{seen}"
        );
        let token = json!({ "token": lease["token"] });
        let path = format!("{LOCKS}/{name}");
        let (status, released) = cluster.nodes[0]
            .ask("DELETE", &path, Some(&token))
            .expect("it answers");
        assert_eq!(status, 200, "{released}");
        let (status, again) = lock(&cluster.nodes[1], &body);
        assert_eq!(status, 201, "{again}");
    }
}

#[test]
fn s4_121_a_lock_that_is_renewed_outlives_its_ttl_and_one_that_is_not_is_free() {
    let Some(cluster) = Cluster::new(2) else { return };
    let body = json!({ "name": "long-work", "ttl": "2s", "retries": 0 });
    let (status, lease) = lock(&cluster.nodes[0], &body);
    assert_eq!(status, 201, "{lease}");
    let token = json!({ "token": lease["token"] });
    // Work of more than two lifetimes, renewed all along: nobody else gets it.
    for _ in 0..10 {
        std::thread::park_timeout(Duration::from_millis(500));
        let (status, said) = cluster.nodes[0]
            .ask("PUT", &format!("{LOCKS}/long-work"), Some(&token))
            .expect("it answers");
        assert_eq!(status, 200, "{said}");
        assert_eq!(lock(&cluster.nodes[1], &body).0, 409);
    }
    let free = within(Duration::from_secs(10), || {
        (lock(&cluster.nodes[1], &body).0 == 201).then_some(())
    });
    assert!(free.is_some(), "it is not renewed any more");
}

#[test]
fn s4_122_what_one_node_invalidates_every_node_forgets() {
    let Some(cluster) = Cluster::new(3) else { return };
    let body = json!({ "patterns": ["switch:*"] });
    let (status, said) = cluster.nodes[0]
        .ask("POST", "/api/v1/cluster/invalidations", Some(&body))
        .expect("it answers");
    assert_eq!(status, 202, "{said}");
    for node in &cluster.nodes {
        node.until("it heard of the invalidation", || {
            let heard = node.get("/api/v1/cluster/invalidations");
            heard.is_some_and(|(_, page)| {
                let items = page["items"].as_array().into_iter().flatten();
                items
                    .into_iter()
                    .any(|one| one["patterns"] == body["patterns"] && one["from"] == "n1")
            })
        });
        let (status, caches) = node.get("/api/v1/cluster/caches").expect("it answers");
        assert_eq!(status, 200, "{caches}");
        assert!(
            caches["freshness"].is_string() && caches["caches"].is_array(),
            "{caches}"
        );
    }
}

#[test]
fn s4_133_sessions_are_a_page_at_every_node_and_locks_survive_an_emptied_redis() {
    let Some(mut cluster) = Cluster::new(2) else {
        return;
    };
    let fenced = json!({ "name": "kept", "ttl": "60s", "retries": 0, "class": "fenced" });
    assert_eq!(lock(&cluster.nodes[0], &fenced).0, 201);
    for node in &cluster.nodes {
        let (status, page) = node.get("/api/v1/cluster/sessions?limit=1").expect("it answers");
        assert_eq!((status, page["items"].is_array()), (200, true), "{page}");
        assert!(!page.to_string().contains("token"), "{page}");
    }
    cluster.redis.as_mut().expect("made with it").crash();
    // What Redis forgets was a hint: a fenced lock is a claim in the database.
    assert_eq!(lock(&cluster.nodes[1], &fenced).0, 409);
}
