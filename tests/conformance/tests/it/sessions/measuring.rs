//! Metrics under the names of the guide: their values move with what happens.

use super::{NUMBERED, happen, metric};
use purlin_conformance::{Cluster, Socket};
use serde_json::json;

#[test]
fn s4_107_s4_108_s4_110_s4_111_s4_112_s4_113_s4_114_metrics_move_with_what_happens() {
    let Some(cluster) = Cluster::of_platform(2, "[sessions]\nclose_spread = \"0s\"\n") else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let of = |name: &str| metric(one, &format!("{name}{{node_id=\"n1\"}}"));
    assert_eq!(
        (of("ovncp_sessions_total"), of("ovncp_sessions_active")),
        (0.0, 0.0)
    );
    let mut socket = Socket::open(one, &one.admin_token(), &format!("topics={NUMBERED}")).expect("a session");
    assert_eq!(
        (of("ovncp_sessions_total"), of("ovncp_sessions_active")),
        (1.0, 1.0)
    );

    let order = json!({ "name": "switch:update:uuid", "retries": 100 });
    let (_, lease) = one
        .ask("POST", "/api/v1/cluster/locks", Some(&order))
        .expect("it answers");
    let counts = || {
        (
            of("ovncp_distributed_locks_acquired_total"),
            of("ovncp_distributed_locks_held"),
        )
    };
    assert_eq!(counts(), (1.0, 1.0));
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| two.ask("POST", "/api/v1/cluster/locks", Some(&order)));
        one.until("the waiter was seen", || {
            let (_, lock) = one
                .get("/api/v1/cluster/locks/switch:update:uuid")
                .expect("it answers");
            lock["waiters"] == 1
        });
        let token = json!({ "token": lease["token"] });
        let given = one.ask("DELETE", "/api/v1/cluster/locks/switch:update:uuid", Some(&token));
        assert_eq!(given.map(|(status, _)| status), Some(200));
        assert_eq!(waits.join().expect("it ran").map(|(status, _)| status), Some(201));
    });
    assert_eq!(counts(), (1.0, 0.0));
    let wait = "ovncp_distributed_lock_wait_seconds";
    let waited = metric(two, &format!("{wait}{{node_id=\"n2\",quantile=\"0.99\"}}"));
    assert!(waited > 0.0, "{}", two.scrape());
    assert_eq!(metric(two, &format!("{wait}_count{{node_id=\"n2\"}}")), 1.0);
    assert!(metric(two, &format!("{wait}_sum{{node_id=\"n2\"}}")) > 0.0);

    let events = || metric(one, "ovncp_cache_invalidation_events_total{node_id=\"n1\"}");
    let before = events();
    assert!(happen(two, 1));
    socket.until("it was heard", |socket| !socket.events.is_empty());
    assert_eq!(events(), before + 1.0);
    let latency = "ovncp_cache_invalidation_latency_seconds";
    one.until("it was timed", || {
        metric(one, &format!("{latency}_count{{node_id=\"n1\"}}")) >= 1.0
            && metric(one, &format!("{latency}{{node_id=\"n1\",quantile=\"0.99\"}}")) < 5.0
    });
    socket.say(&json!({ "seen": socket.seen() }));
    drop(socket);
}
