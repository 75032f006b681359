//! What a scrape shows of locks, sessions and caches.

use crate::world::World;
use purlin_fabric::lock::LockOptions;
use purlin_fabric::session::SessionSettings;
use purlin_fabric_runtime::cache::{BusSetup, InvalidationBus};
use purlin_fabric_runtime::locks::LockManager;
use purlin_fabric_runtime::metrics::SharedWork;
use purlin_fabric_runtime::sessions::SessionStore;
use purlin_telemetry::metrics::{Collector, Encoder};
use purlin_types::NodeId;
use std::time::Duration;
use tokio::time::sleep;

fn work(world: &World, node: &str) -> SharedWork {
    let node = NodeId::parse(node).expect("a good name");
    let setup = BusSetup {
        node: node.to_string(),
        hints: Some(world.hints()),
        outbox: None,
        clock: world.clock(),
        poll: Duration::from_secs(1),
    };
    SharedWork {
        locks: LockManager::new(world.hints(), None, world.clock()),
        sessions: SessionStore::new(
            SessionSettings::default(),
            node.clone(),
            world.hints(),
            world.clock(),
        ),
        bus: InvalidationBus::start(setup).0,
        node,
    }
}

fn scrape(work: &SharedWork) -> String {
    let mut encoder = Encoder::default();
    work.collect(&mut encoder);
    assert_eq!(encoder.faults(), []);
    encoder.text()
}

#[tokio::test(start_paused = true)]
async fn the_guides_names_show_what_was_done() {
    let world = World::new();
    let (one, two) = (work(&world, "node-1"), work(&world, "node-2"));
    sleep(Duration::from_secs(2)).await;
    let lock = one.locks.acquire("switch:update:1", LockOptions::default()).await;
    let _lock = lock.expect("free");
    one.sessions.register("s", "ops").await.expect("new");
    one.sessions.register("t", "ops").await.expect("new");
    let token = one.sessions.hand_over("t", "").await.expect("here");
    two.sessions.resume(&token, 0).await.expect("good once");
    one.bus
        .publish(&["switch:*".to_owned()])
        .await
        .expect("announced");
    sleep(Duration::from_millis(1)).await;

    let (first, second) = (scrape(&one), scrape(&two));
    for line in [
        r#"ovncp_sessions_total{node_id="node-1"} 2"#,
        r#"ovncp_sessions_active{node_id="node-1"} 1"#,
        r#"ovncp_distributed_locks_acquired_total{node_id="node-1"} 1"#,
        r#"ovncp_distributed_locks_held{node_id="node-1"} 1"#,
        r#"ovncp_distributed_lock_wait_seconds_count{node_id="node-1"} 1"#,
        r#"ovncp_cache_invalidation_events_total{node_id="node-1"} 1"#,
        r#"purlin_cache_freshness{state="live"} 1"#,
    ] {
        assert!(first.lines().any(|one| one == line), "{line} is not in\n{first}");
    }
    for line in [
        r#"ovncp_session_migrations_total{from="node-1",to="node-2"} 1"#,
        r#"ovncp_cache_invalidation_events_total{node_id="node-2"} 1"#,
        r#"ovncp_cache_invalidation_latency_seconds_count{node_id="node-2"} 1"#,
    ] {
        assert!(
            second.lines().any(|one| one == line),
            "{line} is not in\n{second}"
        );
    }
    assert!(
        second.contains(r#"ovncp_cache_invalidation_latency_seconds{node_id="node-2",quantile="0.99"}"#),
        "{second}"
    );
}
