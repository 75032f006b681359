//! Cluster: masters die or freeze, the others serve on and the next ones are found.

use super::rig::{self, Cluster, eventually, promptly};
use purlin_fabric::port::{HintFault, Hints, SessionRow, Token};
use purlin_fabric_redis::RedisHints;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(600);

/// Writes over all slots and the three indexes; whether all of it worked.
async fn all_serve(hints: &RedisHints, slowest: &mut Duration) -> Option<()> {
    let session = SessionRow {
        id: "s".into(),
        node: "a".into(),
        user: "u".into(),
        generation: 1,
        cursor: 0,
        ttl: 0,
    };
    let mut whole = Some(());
    let mut note = |call: Instant, outcome: Result<(), HintFault>| {
        *slowest = (*slowest).max(call.elapsed());
        if let Err(fault) = outcome {
            assert!(matches!(fault, HintFault::Away(_)), "{fault:?}");
            whole = None;
        }
    };
    for key in 0..24 {
        let call = Instant::now();
        let kept = promptly(hints.keep(&format!("key-{key}"), b"v", LONG)).await;
        note(call, kept);
    }
    let call = Instant::now();
    note(call, promptly(hints.put_session(&session, LONG)).await);
    let call = Instant::now();
    note(call, promptly(hints.lock("l", Token(1), LONG)).await.map(|_| ()));
    let call = Instant::now();
    note(call, promptly(hints.beats()).await.map(|_| ()));
    whole
}

#[tokio::test]
async fn masters_that_die_or_freeze_are_replaced() {
    if !rig::met() {
        return;
    }
    let mut cluster = Cluster::start().await;
    let hints = rig::ready(cluster.settings()).await;
    let mut subscription = hints.subscribe(&["c"]).await.expect("it answers");
    let mut slowest = Duration::ZERO;
    assert_eq!(all_serve(&hints, &mut slowest).await, Some(()));
    let whole = slowest;

    let start = Instant::now();
    cluster.nodes[0].kill();
    eventually("a replica has taken over", async || {
        all_serve(&hints, &mut slowest).await
    })
    .await;
    println!(
        "a killed master was followed in {:?}; slowest call {whole:?}, then {slowest:?}",
        start.elapsed()
    );
    cluster.nodes[0].restart().await;

    let start = Instant::now();
    cluster.nodes[1].freeze();
    eventually("a replica has taken over", async || {
        all_serve(&hints, &mut slowest).await
    })
    .await;
    println!(
        "a frozen master was followed in {:?}; slowest call {slowest:?}",
        start.elapsed()
    );
    cluster.nodes[1].thaw();
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");

    eventually("messages pass", async || {
        hints.publish("c", b"end").await.ok()?;
        while promptly(subscription.next()).await.is_none() {}
        Some(())
    })
    .await;
}

#[tokio::test]
async fn s4_79_patterns_reach_the_keys_of_all_masters() {
    if !rig::met() {
        return;
    }
    let cluster = Cluster::start().await;
    let hints = rig::ready(cluster.settings()).await;
    let keys: Vec<String> = (0..2000).map(|n| format!("switch:{n}")).collect();
    let kept = keys.iter().map(|key| hints.keep(key, b"v", LONG));
    for outcome in futures_util::future::join_all(kept).await {
        outcome.expect("it answers");
    }
    for node in &cluster.nodes[..3] {
        let keys: usize = node.ask(&["DBSIZE"]).await;
        assert!(keys > 400, "{keys}");
    }
    assert_eq!(hints.forget("switch:1*").await.expect("it answers"), 1111);
    assert_eq!(hints.forget("*").await.expect("it answers"), 889);
    for node in &cluster.nodes[..3] {
        assert_eq!(node.keys(0).await, []);
    }
}

/// A slot on its way from one master to another, and after its arrival.
#[tokio::test]
async fn s2_27_moved_and_ask_are_followed() {
    if !rig::met() {
        return;
    }
    let cluster = Cluster::start().await;
    let mut settings = cluster.settings();
    // Long: what is followed here is the answer to a call, not a probe.
    settings.probe_every = Duration::from_secs(60);
    let hints = rig::ready(settings).await;
    hints.keep("old", b"v", LONG).await.expect("it answers");
    let [from, to] = cluster.migrating("purlin:kept:old").await;
    let slot = from.slot("purlin:kept:old").await;
    assert_eq!(
        hints.recall("old").await.expect("it answers"),
        Some(b"v".to_vec())
    );
    let port = to.address.port.to_string();
    let () = from
        .ask(&["MIGRATE", "127.0.0.1", &port, "purlin:kept:old", "0", "1000"])
        .await;
    assert_eq!(
        hints.recall("old").await.expect("ASK is followed"),
        Some(b"v".to_vec())
    );
    let id: String = to.ask(&["CLUSTER", "MYID"]).await;
    for node in [to, from] {
        let () = node.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &id]).await;
    }
    assert_eq!(
        hints.recall("old").await.expect("MOVED is followed"),
        Some(b"v".to_vec())
    );
    hints.keep("old", b"w", LONG).await.expect("it answers");
    let kept: String = to.ask(&["GET", "purlin:kept:old"]).await;
    assert_eq!(kept, "w");
}
