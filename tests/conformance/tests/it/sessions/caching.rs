//! Values that nodes cache: what one of them is told to forget, all forget.

use super::metric;
use purlin_conformance::{Cluster, Member, Process, program};
use serde_json::{Value, json};
use std::process::Command;

const CACHE: &str = "/api/v1/cluster/cache";

/// A value may always be gone at once; here it is kept until it is there.
fn keep(node: &Member, key: &str, value: &Value) {
    let order = json!({ "value": value });
    node.until("it was kept", || {
        let (status, kept) = node
            .ask("PUT", &format!("{CACHE}/{key}"), Some(&order))
            .expect("it answers");
        assert_eq!(status, 200, "{kept}");
        cached(node, key).as_ref() == Some(value)
    });
}

fn cached(node: &Member, key: &str) -> Option<Value> {
    let (status, found) = node.get(&format!("{CACHE}/{key}")).expect("it answers");
    (status == 200).then(|| found["value"].clone())
}

fn invalidate(node: &Member, patterns: &[&str]) {
    let order = json!({ "patterns": patterns });
    let (status, said) = node
        .ask("POST", "/api/v1/cluster/invalidations", Some(&order))
        .expect("it answers");
    assert_eq!(status, 202, "{said}");
}

/// Each node has a value of its own under each kind.
fn fill(nodes: &[Member]) {
    for node in nodes {
        for kind in ["switch", "topology", "port"] {
            keep(node, &format!("{kind}:{}", node.id), &json!({ "of": node.id }));
        }
    }
}

/// How many of the values of a kind their own nodes still have.
fn left(nodes: &[Member], kind: &str) -> usize {
    nodes
        .iter()
        .filter(|node| cached(node, &format!("{kind}:{}", node.id)).is_some())
        .count()
}

#[test]
fn s4_28_patterns_published_at_one_node_are_cleared_at_all_and_nothing_else() {
    let Some(mut cluster) = Cluster::caching_in_memory(3) else {
        return;
    };
    for node in &cluster.nodes {
        node.until("invalidations arrived", || freshness(node) == "live");
    }
    fill(&cluster.nodes);
    let nodes = &cluster.nodes;
    assert_eq!((left(nodes, "switch"), left(nodes, "port")), (3, 3));
    let before = metric(&nodes[2], "ovncp_cache_invalidation_events_total");
    invalidate(&nodes[0], &["switch:*", "topology:*"]);
    assert_eq!(
        cached(&nodes[0], "switch:n1"),
        None,
        "at once where it was published"
    );
    for kind in ["switch", "topology"] {
        nodes[2].until("they were forgotten everywhere", || left(nodes, kind) == 0);
    }
    assert_eq!(left(nodes, "port"), 3, "nobody named them");
    assert!(metric(&nodes[2], "ovncp_cache_invalidation_events_total") > before);
    let (_, history) = nodes[2]
        .get("/api/v1/cluster/invalidations?limit=100")
        .expect("it answers");
    let heard = history["items"]
        .as_array()
        .expect("a page")
        .iter()
        .find(|past| past["patterns"] == json!(["switch:*", "topology:*"]) && past["from"] == "n1");
    let heard = heard.unwrap_or_else(|| panic!("{history}"));
    assert!(
        heard["latency_seconds"]
            .as_f64()
            .is_some_and(|latency| latency < 5.0),
        "{history}"
    );
    while_redis_is_away(&mut cluster);
}

/// What is published meanwhile is found in the outbox.
fn while_redis_is_away(cluster: &mut Cluster) {
    fill(&cluster.nodes);
    cluster.lose_redis();
    let nodes = &cluster.nodes;
    invalidate(&nodes[1], &["port:*"]);
    nodes[1].until("all had found it in the outbox", || left(nodes, "port") == 0);
    assert_eq!(
        left(nodes, "switch"),
        3,
        "nobody named them, and nothing was dropped unread"
    );
    cluster.bring_redis_back();
    let nodes = &cluster.nodes;
    for node in nodes {
        node.until("invalidations arrived again", || freshness(node) == "live");
    }
    fill(nodes);
    invalidate(&nodes[2], &["*:n1"]);
    nodes[0].until("it heard", || cached(&nodes[0], "switch:n1").is_none());
    assert_eq!((left(nodes, "switch"), left(nodes, "port")), (2, 2));
}

fn freshness(node: &Member) -> String {
    let (_, caches) = node.get("/api/v1/cluster/caches").expect("it answers");
    caches["freshness"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn s4_5_a_value_cached_at_one_node_is_read_and_forgotten_at_another() {
    let Some(mut cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    for node in [one, two] {
        node.until("invalidations arrived", || freshness(node) == "live");
    }
    keep(one, "switch:1", &json!({ "name": "ls-1" }));
    assert_eq!(cached(two, "switch:1"), Some(json!({ "name": "ls-1" })));
    keep(two, "switch:1", &json!({ "name": "ls-2" }));
    assert_eq!(cached(one, "switch:1"), Some(json!({ "name": "ls-2" })));
    let said = two.says(&["cache", "get", "switch:1", "-o", "json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&said).expect("JSON")["value"]["name"],
        "ls-2"
    );
    let _ = one.says(&["cache", "clear", "switch:*"]);
    assert_eq!(cached(one, "switch:1"), None);
    two.until("it was forgotten", || cached(two, "switch:1").is_none());
    assert!(
        metric(
            two,
            "purlin_cache_lookups_total{cache=\"clients\",result=\"hit\"}"
        ) >= 1.0
    );
    // Without Redis nothing is shared, and that is said; the node goes on.
    cluster.lose_redis();
    let one = &cluster.nodes[0];
    let put = || {
        one.ask("PUT", &format!("{CACHE}/switch:1"), Some(&json!({ "value": 1 })))
            .expect("it answers")
    };
    one.until("it saw that Redis is away", || put().1["kept"] == false);
    assert_eq!(one.readiness().map(|(ready, _)| ready), Some(true));
}

#[test]
fn s4_122_a_node_is_not_ready_before_it_is_warm() {
    let Some(mut cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    cluster.nodes[1].process.crash();
    // Nobody can read what nodes have left for each other: the table is locked.
    let mut psql = Command::new(program("psql").expect("asked for before"));
    let lock = "BEGIN; LOCK TABLE purlin.outbox IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(120);";
    psql.args(["-X", "-h", "127.0.0.1", "-U", "purlin", "-d", "purlin"]);
    psql.args(["-p", &cluster.database.port().to_string(), "-c", lock]);
    let held = Process::begun(psql, cluster.path("lock.log"));
    let locks = "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' \
                 AND relation = 'purlin.outbox'::regclass";
    cluster.nodes[0].until("the table was locked", || cluster.database.ask(locks) == "1");
    cluster.nodes[1].start_again();
    let late = &cluster.nodes[1];
    late.until("it said what it waits for", || match late.readiness() {
        Some((ready, why)) => {
            assert!(!ready, "ready before it was warm");
            why.contains("reads ahead") && why.contains("events")
        }
        None => false,
    });
    assert_eq!(late.get("/health/startup").map(|(status, _)| status), Some(503));
    assert_eq!(late.get("/health/live").map(|(status, _)| status), Some(200));
    drop(held);
    let _ = cluster.database.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'purlin.outbox'::regclass",
    );
    late.until("it was ready", || {
        late.readiness().is_some_and(|(ready, _)| ready)
    });
}
