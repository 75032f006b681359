//! The deployment guides' variables, each against the servers that it speaks of.

use super::rig::{self, Cluster, Server, Watched, promptly};
use purlin_fabric::port::Hints;
use purlin_fabric_redis::{Address, RedisHints, Settings, Topology};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(600);

/// What the variables say, with times for tests.
fn read(variables: &[(&str, &str)]) -> Settings {
    let lookup = |key: &str| {
        let found = variables.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| (*value).to_owned())
    };
    let settings = Settings::from_variables(&lookup).expect("no faults");
    let settings = settings.expect("they say where Redis is");
    let times = rig::quick(settings.topology.clone());
    Settings {
        timeout: times.timeout,
        probe_every: times.probe_every,
        back_off: times.back_off,
        ..settings
    }
}

fn list<'a>(servers: impl IntoIterator<Item = &'a Server>) -> String {
    let addresses: Vec<String> = servers
        .into_iter()
        .map(|server| server.address.to_string())
        .collect();
    addresses.join(",")
}

async fn works(hints: &RedisHints) {
    promptly(hints.keep("k", b"v", LONG)).await.expect("it answers");
    let kept = promptly(hints.recall("k")).await.expect("it answers");
    assert_eq!(kept.as_deref(), Some(&b"v"[..]));
}

#[tokio::test]
async fn s4_56_the_url_gives_place_password_and_database() {
    if !rig::met() {
        return;
    }
    let server = Server::with_password("p@ss:word").await;
    let url = format!("redis://:p%40ss%3Aword@{}/5", server.address);
    let hints = rig::ready(read(&[("REDIS_URL", &url)])).await;
    works(&hints).await;
    assert_eq!(server.keys(5).await.len(), 1);
}

#[tokio::test]
async fn s4_36_a_server_that_appends_remembers_what_was_kept() {
    if !rig::met() {
        return;
    }
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let url = format!("redis://{}", server.address);
    let hints = rig::ready(read(&[("REDIS_URL", &url)])).await;
    works(&hints).await;
    server.restart().await;
    rig::eventually("it is recalled", async || hints.recall("k").await.ok().flatten()).await;
}

#[tokio::test]
async fn s4_57_cluster_mode_speaks_to_a_cluster() {
    if !rig::met() {
        return;
    }
    let cluster = Cluster::start().await;
    let url = format!("redis://{}", list(&cluster.nodes[..1]));
    let hints = rig::ready(read(&[("REDIS_URL", &url), ("REDIS_CLUSTER_MODE", "true")])).await;
    for key in 0..20 {
        let key = format!("key-{key}");
        hints.keep(&key, b"v", LONG).await.expect("it answers");
    }
    for node in &cluster.nodes[..3] {
        let keys: usize = node.ask(&["DBSIZE"]).await;
        assert!(keys > 0, "all masters have a part");
    }
}

#[tokio::test]
async fn s4_59_one_sentinel_alive_names_the_master() {
    if !rig::met() {
        return;
    }
    let mut watched = Watched::start().await;
    let sentinels = list(&watched.sentinels);
    let variables = [
        ("REDIS_URL", "redis://nowhere.invalid:6379"),
        ("REDIS_SENTINEL_MASTER", "mymaster"),
        ("REDIS_SENTINEL_NODES", sentinels.as_str()),
    ];
    watched.sentinels[0].kill();
    watched.sentinels[1].kill();
    let hints = rig::ready(read(&variables)).await;
    works(&hints).await;
    assert_eq!(watched.servers[0].keys(0).await.len(), 1);
}

#[tokio::test]
async fn s4_66_the_pool_has_its_size_and_one_listener() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let url = format!("redis://{}", server.address);
    let hints = rig::ready(read(&[("REDIS_URL", &url), ("REDIS_POOL_SIZE", "10")])).await;
    let calls = (0..64).map(|_| hints.keep("k", b"v", LONG));
    for outcome in futures_util::future::join_all(calls).await {
        outcome.expect("it answers");
    }
    let clients: String = server.ask(&["CLIENT", "LIST"]).await;
    // Ten, the one that listens, and the one that asks.
    assert_eq!(clients.lines().count(), 12, "{clients}");
}

#[tokio::test]
async fn s4_77_one_address_alive_is_enough() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let nobody = [1, 2].map(|port| Address::new("127.0.0.1", port));
    let [first, second] = nobody;
    let addresses = vec![first, second, server.address.clone()];
    works(&rig::ready(rig::quick(Topology::Single(addresses))).await).await;
}
