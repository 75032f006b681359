//! Caches and their invalidation over the engines of one process, with time stepped.

mod silence;

use crate::world::World;
use purlin_fabric::invalidate::{Freshness, Outbox};
use purlin_fabric_runtime::cache::{
    BusSetup, Cache, CacheSettings, Invalidation, InvalidationBus, PublishFault, Tier,
};
use purlin_fabric_runtime::local::LocalOutbox;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Three nodes over one service, with an outbox or without.
struct Cluster {
    world: World,
    outbox: Option<Arc<LocalOutbox>>,
    buses: Vec<InvalidationBus>,
    caches: Vec<Cache>,
}

impl Cluster {
    async fn new(outbox: bool, shared: bool) -> Self {
        let world = World::new();
        let outbox = outbox.then(Arc::<LocalOutbox>::default);
        let buses: Vec<InvalidationBus> = ["a", "b", "c"]
            .map(|node| {
                let setup = BusSetup {
                    node: node.into(),
                    hints: Some(world.hints()),
                    outbox: outbox.clone().map(|outbox| outbox as Arc<dyn Outbox>),
                    clock: world.clock(),
                    poll: SECOND,
                };
                InvalidationBus::start(setup).0
            })
            .into();
        let tier = || {
            if shared {
                Tier::Shared(world.hints())
            } else {
                Tier::Memory
            }
        };
        let settings = || CacheSettings {
            tier: tier(),
            ..CacheSettings::default()
        };
        let caches = buses.iter().map(|bus| bus.cache(settings())).collect();
        let cluster = Self {
            world,
            outbox,
            buses,
            caches,
        };
        cluster.until(Freshness::Live).await;
        cluster
    }

    /// Waits until all nodes are in this state.
    async fn until(&self, freshness: Freshness) {
        for bus in &self.buses {
            let mut watch = bus.freshness_watch();
            let reached = timeout(60 * SECOND, watch.wait_for(|now| *now == freshness)).await;
            assert!(reached.is_ok(), "never {freshness:?}");
        }
    }

    async fn fill(&self, keys: &[&str]) {
        for cache in &self.caches {
            for key in keys {
                keep(cache, key, "old").await;
            }
        }
    }

    /// Which of the keys each node still has.
    async fn kept(&self, keys: &[&'static str]) -> Vec<Vec<&'static str>> {
        let mut kept = Vec::new();
        for cache in &self.caches {
            let mut of_node = Vec::new();
            for key in keys {
                of_node.extend(cache.get(key).await.map(|_| *key));
            }
            kept.push(of_node);
        }
        kept
    }
}

async fn keep(cache: &Cache, key: &str, value: &str) {
    let loaded = cache
        .get_or_load(key, async || Ok::<_, Infallible>(value.into()))
        .await;
    let Ok(_) = loaded;
}

fn patterns(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

const KEYS: [&str; 4] = ["switch:1", "switch:2", "topology:x", "port:1"];

#[tokio::test(start_paused = true)]
async fn both_patterns_are_cleared_on_all_nodes_and_nothing_else() {
    for (outbox, shared) in [(true, false), (false, false), (true, true)] {
        let cluster = Cluster::new(outbox, shared).await;
        cluster.fill(&KEYS).await;
        assert_eq!(cluster.kept(&KEYS).await, [KEYS; 3]);
        let mut heard = cluster.buses[1].subscribe();
        let published = cluster.buses[0]
            .publish(&patterns(&["switch:*", "topology:*"]))
            .await;
        published.expect("all is there");
        let told = heard.recv().await.expect("told");
        assert_eq!(
            told,
            Invalidation::Patterns {
                patterns: patterns(&["switch:*", "topology:*"]),
                from: Some("a".into())
            }
        );
        sleep(Duration::from_millis(1)).await;
        assert_eq!(
            cluster.kept(&KEYS).await,
            [["port:1"]; 3],
            "outbox {outbox}, shared {shared}"
        );
        let figures: Vec<_> = cluster.buses.iter().map(InvalidationBus::figures).collect();
        assert_eq!((figures[0].published, figures[0].heard), (1, 0));
        assert_eq!((figures[1].heard, figures[2].heard), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn s4_130_nodes_that_replace_one_value_at_one_time_do_not_keep_different_ones() {
    for outbox in [true, false] {
        let cluster = Cluster::new(outbox, false).await;
        let replace = async |node: usize| {
            let value = format!("of {node}").into_bytes();
            let kept = cluster.buses[node]
                .replace(&cluster.caches[node], "switch:1", value)
                .await;
            kept.expect("all is there");
        };
        // All have told before any of them hears.
        tokio::join!(replace(0), replace(1), replace(2));
        sleep(Duration::from_millis(1)).await;
        let digests: Vec<_> = cluster.caches.iter().map(|cache| cache.digests(10)).collect();
        let kept: Vec<_> = digests
            .iter()
            .flat_map(|digests| digests.get("switch:1"))
            .collect();
        assert!(kept.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
        // One alone stays, and is what others do not have.
        replace(1).await;
        sleep(Duration::from_millis(1)).await;
        assert_eq!(
            cluster.kept(&["switch:1"]).await,
            [vec![], vec!["switch:1"], vec![]]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_announced_to_a_cut_line_is_found_in_the_outbox() {
    let cluster = Cluster::new(true, false).await;
    cluster.fill(&KEYS).await;
    cluster.world.hints.away(true);
    cluster.until(Freshness::Polling).await;
    cluster.buses[0]
        .publish(&patterns(&["switch:1"]))
        .await
        .expect("left");
    sleep(2 * SECOND).await;
    assert_eq!(cluster.kept(&["switch:1", "switch:2"]).await, [["switch:2"]; 3]);
    cluster.world.hints.away(false);
    cluster.until(Freshness::Live).await;
    assert_eq!(
        cluster.kept(&["switch:2"]).await,
        [["switch:2"]; 3],
        "nothing was flushed"
    );
    let flushes: Vec<u64> = cluster.buses.iter().map(|bus| bus.figures().flushes).collect();
    assert_eq!(flushes, [1; 3], "at the start only");
}

#[tokio::test(start_paused = true)]
async fn caches_keep_for_5_seconds_while_nobody_announces() {
    let cluster = Cluster::new(true, false).await;
    cluster.fill(&["switch:1"]).await;
    sleep(20 * SECOND).await;
    assert_eq!(cluster.kept(&["switch:1"]).await, [["switch:1"]; 3]);
    cluster.world.hints.away(true);
    cluster.until(Freshness::Polling).await;
    let none: [[&str; 0]; 3] = [[]; 3];
    assert_eq!(cluster.kept(&["switch:1"]).await, none, "20 s old");
    cluster.outbox.as_ref().expect("one").cut(true);
    cluster.until(Freshness::Blind).await;
    cluster.fill(&["switch:2"]).await;
    sleep(4 * SECOND).await;
    assert_eq!(cluster.kept(&["switch:2"]).await, [["switch:2"]; 3]);
    sleep(2 * SECOND).await;
    assert_eq!(cluster.kept(&["switch:2"]).await, none);
    let published = cluster.buses[0].publish(&patterns(&["switch:*"])).await;
    assert!(matches!(published, Err(PublishFault::Outbox(_))));
}

#[tokio::test(start_paused = true)]
async fn whoever_missed_what_was_trimmed_forgets_everything() {
    let cluster = Cluster::new(true, false).await;
    cluster.fill(&KEYS).await;
    let outbox = cluster.outbox.as_ref().expect("one");
    outbox.leave(&[("cache", b"switch:1")]).await.expect("left");
    outbox.trim();
    cluster.world.hints.cut();
    sleep(2 * SECOND).await;
    let none: [[&str; 0]; 3] = [[]; 3];
    assert_eq!(cluster.kept(&KEYS).await, none);
}

#[tokio::test(start_paused = true)]
async fn a_cut_line_without_an_outbox_forgets_everything() {
    let cluster = Cluster::new(false, false).await;
    cluster.fill(&KEYS).await;
    cluster.world.hints.cut();
    sleep(2 * SECOND).await;
    let none: [[&str; 0]; 3] = [[]; 3];
    assert_eq!(cluster.kept(&KEYS).await, none);
    cluster.world.hints.away(true);
    cluster.until(Freshness::Blind).await;
    let published = cluster.buses[0].publish(&patterns(&["switch:*"])).await;
    assert!(matches!(published, Err(PublishFault::Announcement(_))));
}

/// A note that its author could not announce, or whose announcement a balancer swallowed.
#[tokio::test(start_paused = true)]
async fn a_note_that_nobody_announced_is_found_within_five_polls() {
    let cluster = Cluster::new(true, false).await;
    cluster.fill(&KEYS).await;
    let outbox = cluster.outbox.as_ref().expect("one");
    outbox.leave(&[("cache", b"switch:1")]).await.expect("left");
    sleep(6 * SECOND).await;
    assert_eq!(cluster.kept(&["switch:1"]).await, [[""; 0]; 3]);
    outbox.leave(&[("cache", b"switch:2")]).await.expect("left");
    // The next announcement shows the gap at once.
    cluster.buses[0]
        .publish(&patterns(&["port:*"]))
        .await
        .expect("left");
    sleep(Duration::from_millis(1)).await;
    assert_eq!(cluster.kept(&KEYS).await, [["topology:x"]; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_value_loaded_before_an_invalidation_is_not_kept_after_it() {
    for shared in [false, true] {
        let cluster = Cluster::new(true, shared).await;
        let cache = &cluster.caches[1];
        let loaded = cache
            .get_or_load("switch:1", async || {
                let read_before_the_change = b"old".to_vec();
                cluster.buses[0]
                    .publish(&patterns(&["switch:*"]))
                    .await
                    .expect("left");
                sleep(SECOND).await;
                Ok::<_, Infallible>(read_before_the_change)
            })
            .await;
        assert_eq!(
            loaded.as_deref(),
            Ok(&b"old"[..]),
            "its asker began before the change"
        );
        assert_eq!(cache.get("switch:1").await, None);
        assert_eq!(cache.figures().overtaken, 1);
        keep(cache, "switch:1", "new").await;
        assert_eq!(cache.get("switch:1").await.as_deref(), Some(&b"new"[..]));
    }
}

/// The invalidation overtakes the value on its way to the shared tier, and finds nothing there to forget.
#[tokio::test(start_paused = true)]
async fn a_value_that_arrives_late_in_the_shared_tier_is_taken_back() {
    let cluster = Cluster::new(true, true).await;
    let cache = cluster.caches[1].clone();
    let hints = Arc::clone(&cluster.world.hints);
    let filling = tokio::spawn(async move {
        let load = async || {
            hints.slow(3 * SECOND);
            Ok::<_, Infallible>(b"old".to_vec())
        };
        cache.get_or_load("switch:1", load).await
    });
    sleep(SECOND).await;
    cluster.world.hints.slow(Duration::ZERO);
    cluster.buses[0]
        .publish(&patterns(&["switch:*"]))
        .await
        .expect("left");
    sleep(SECOND).await;
    filling.await.expect("it ends").expect("it loads");
    assert_eq!(cluster.kept(&["switch:1"]).await, [[""; 0]; 3]);
    assert_eq!(cluster.caches[1].figures().overtaken, 1);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_cut_is_not_trusted_before_the_outbox_was_read() {
    let cluster = Cluster::new(true, false).await;
    let outbox = cluster.outbox.as_ref().expect("one");
    outbox.cut(true);
    sleep(20 * SECOND).await;
    cluster.until(Freshness::Live).await;
    cluster.world.hints.cut();
    cluster.until(Freshness::Blind).await;
    sleep(20 * SECOND).await;
    cluster.until(Freshness::Blind).await;
    outbox.cut(false);
    cluster.until(Freshness::Live).await;
}

/// A process under a name that another one has already: neither takes the other's changes for its own.
#[tokio::test(start_paused = true)]
async fn two_processes_of_one_name_hear_each_other() {
    let world = World::new();
    let outbox = Arc::<LocalOutbox>::default();
    let bus = || {
        let setup = BusSetup {
            node: "a".into(),
            hints: Some(world.hints()),
            outbox: Some(Arc::clone(&outbox) as Arc<dyn Outbox>),
            clock: world.clock(),
            poll: SECOND,
        };
        InvalidationBus::start(setup).0
    };
    let (one, two) = (bus(), bus());
    let cache = two.cache(CacheSettings::default());
    for bus in [&one, &two] {
        let mut watch = bus.freshness_watch();
        let live = timeout(60 * SECOND, watch.wait_for(|now| *now == Freshness::Live)).await;
        assert!(live.is_ok(), "never live");
    }
    keep(&cache, "switch:1", "old").await;
    one.publish(&patterns(&["switch:*"])).await.expect("left");
    sleep(Duration::from_millis(1)).await;
    assert_eq!(cache.get("switch:1").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_cache_counts_lapses_and_stays_within_its_bound() {
    let cluster = Cluster::new(true, false).await;
    let cache = cluster.buses[0].cache(CacheSettings {
        entries_max: 100,
        ..CacheSettings::default()
    });
    for n in 0..1000 {
        keep(&cache, &n.to_string(), "value").await;
        assert!(cache.figures().entries <= 100);
    }
    assert!(cache.get("999").await.is_some(), "the newest is kept");
    assert_eq!(cache.clear("999").await, 1);
    assert_eq!(cache.figures().cleared, 1);
    sleep(301 * SECOND).await;
    assert!(cache.get("980").await.is_none());
    let figures = cache.figures();
    assert_eq!((figures.hits, figures.misses), (1, 1001));
    let failed = cache.get_or_load("bad", async || Err("no")).await;
    assert_eq!(failed, Err("no"));
    assert_eq!(cache.get("bad").await, None);
}
