//! The scaling guide's own code, call by call.

use crate::world::World;
use purlin_fabric::lock::{LockError, LockOptions};
use purlin_fabric::port::{Candidate, ClaimStore, NodeFacts};
use purlin_fabric::session::{SessionError, SessionSettings};
use purlin_fabric::{Coordinator, Timing};
use purlin_fabric_runtime::cache::{BusSetup, CacheSettings, Invalidation, InvalidationBus};
use purlin_fabric_runtime::herald::{Herald, HeraldSetup};
use purlin_fabric_runtime::local::{LocalClaims, LocalOutbox};
use purlin_fabric_runtime::locks::LockManager;
use purlin_fabric_runtime::sessions::SessionStore;
use purlin_fabric_runtime::{Clock, Fabric, Setup, SharedTenure};
use purlin_types::{Incarnation, NodeId};
use std::sync::Arc;
use std::time::Duration;

/// The guide's coordinator: claims in the store, signs of life through the hints.
fn coordinator(world: &World, claims: &Arc<LocalClaims>, id: &str, life: u64, ip: &str) -> (Fabric, Herald) {
    let me = Candidate {
        id: NodeId::parse(id).expect("a good name"),
        incarnation: Incarnation(life),
    };
    let facts = NodeFacts {
        hostname: format!("{id}.example.com"),
        address: ip.to_owned(),
        port: 8080,
        weight: 100,
        ..NodeFacts::default()
    };
    let clock = world.clock();
    let clock: Clock = Arc::new(move || clock());
    let setup = Setup {
        me: me.clone(),
        timing: Timing::default(),
        claims: Arc::clone(claims) as Arc<dyn ClaimStore>,
        tenants: Vec::new(),
        tenure: SharedTenure::default(),
        clock,
    };
    let herald = Herald::start(HeraldSetup {
        node: me.id.clone(),
        incarnation: me.incarnation,
        hints: world.hints(),
        clock: world.clock(),
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(30),
        say: Arc::new(|| serde_json::json!({})),
    });
    let (fabric, _task) = Fabric::start(setup, Coordinator::new(Timing::default(), me, facts));
    (fabric, herald)
}

#[tokio::test(start_paused = true)]
async fn s4_8_s4_9_s4_10_s4_11_s4_12_a_coordinator_shows_its_node_and_refuses_a_second_of_its_id() {
    let world = World::new();
    let clock = world.clock();
    let claims = Arc::new(LocalClaims::new(Arc::new(move || clock()), 1));
    let (one, _herald) = coordinator(&world, &claims, "node-1", 1, "192.168.1.10");
    let (two, _other) = coordinator(&world, &claims, "node-2", 2, "192.168.1.11");
    tokio::time::sleep(Duration::from_secs(60)).await;
    for fabric in [&one, &two] {
        let snapshot = fabric.snapshot();
        let shown: Vec<_> = snapshot
            .members
            .iter()
            .map(|m| (m.id.as_str(), &*m.facts.hostname, &*m.facts.address, m.facts.port))
            .collect();
        assert_eq!(
            shown,
            [
                ("node-1", "node-1.example.com", "192.168.1.10", 8080),
                ("node-2", "node-2.example.com", "192.168.1.11", 8080),
            ]
        );
        assert_eq!(snapshot.readiness, Ok(()));
    }
    let (second, _third) = coordinator(&world, &claims, "node-1", 3, "192.168.1.66");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let why = second.snapshot().readiness.expect_err("its id is taken");
    assert!(
        why.to_string()
            .contains("another process lives under this node's id"),
        "{why}"
    );
    assert!(second.holdings().borrow().slots().is_empty());
    let snapshot = one.snapshot();
    assert_eq!(snapshot.readiness, Ok(()), "the first is not disturbed");
    assert!(snapshot.members.iter().all(|m| m.facts.address != "192.168.1.66"));
}

#[tokio::test(start_paused = true)]
async fn s4_18_s4_19_s4_20_sessions_are_registered_and_found() {
    let world = World::new();
    let of = |node: &str| {
        let settings = SessionSettings {
            ttl: Duration::from_secs(30 * 60),
            ..SessionSettings::default()
        };
        let node = NodeId::parse(node).expect("a good name");
        SessionStore::new(settings, node, world.hints(), world.clock())
    };
    let (one, two) = (of("node-1"), of("node-2"));
    one.register("session", "user").await.expect("new");
    assert_eq!(
        two.node_for_session("session").await.expect("known").as_str(),
        "node-1"
    );
    let unknown = SessionError::Unknown {
        id: "other".to_owned(),
    };
    assert_eq!(two.node_for_session("other").await, Err(unknown));
}

#[tokio::test(start_paused = true)]
async fn s4_21_s4_22_s4_23_s4_24_a_lock_is_taken_tried_for_and_given_back() {
    let world = World::new();
    let of = || LockManager::new(world.hints(), None, world.clock());
    let (one, two) = (of(), of());
    let options = LockOptions {
        ttl: Duration::from_secs(30),
        max_retries: 10,
        ..LockOptions::default()
    };
    let held = one
        .acquire("switch:update:uuid", options.clone())
        .await
        .expect("free");
    match two.acquire("switch:update:uuid", options.clone()).await {
        Err(LockError::Busy { tries, .. }) => assert_eq!(tries, 10),
        other => panic!("{other:?}"),
    }
    held.release().await;
    held.release().await;
    let next = two
        .acquire("switch:update:uuid", options.clone())
        .await
        .expect("free again");
    drop(next);
    one.acquire("switch:update:uuid", options)
        .await
        .expect("as if deferred");
}

#[tokio::test(start_paused = true)]
async fn s4_25_s4_26_s4_27_s4_28_handlers_are_told_of_patterns_and_clear_by_them() {
    let world = World::new();
    let outbox = Arc::new(LocalOutbox::default());
    let of = |node: &str| {
        let setup = BusSetup {
            node: node.to_owned(),
            hints: Some(world.hints()),
            outbox: Some(outbox.clone()),
            clock: world.clock(),
            poll: Duration::from_secs(1),
        };
        InvalidationBus::start(setup).0
    };
    let (one, two) = (of("node-1"), of("node-2"));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (mut told, cache) = (two.subscribe(), two.cache(CacheSettings::default()));
    for key in ["switch:1", "topology:1", "port:1"] {
        assert!(cache.put(key, key.as_bytes().to_vec()).await);
    }
    let patterns = ["switch:*".to_owned(), "topology:*".to_owned()];
    one.publish(&patterns).await.expect("the outbox answers");
    let handled = told.recv().await.expect("told");
    let from = Some("node-1".to_owned());
    let patterns = patterns.to_vec();
    assert_eq!(handled, Invalidation::Patterns { patterns, from });
    assert!(cache.get("switch:1").await.is_none() && cache.get("topology:1").await.is_none());
    assert!(cache.get("port:1").await.is_some());
    assert_eq!(cache.clear("po?t:*").await, 1);
    assert!(one.figures().published >= 1);
}
