//! Trust in copies while the store is silent, and while the line is cut, flaps, or was never there.

use super::{SECOND, keep, patterns};
use crate::world::World;
use purlin_fabric::invalidate::{Cursor, Freshness, News, Outbox};
use purlin_fabric::port::{Fault, Later};
use purlin_fabric_runtime::cache::{BusSetup, Cache, CacheSettings, InvalidationBus};
use purlin_fabric_runtime::local::LocalOutbox;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// An outbox that takes every question and, while told so, answers none. Remembers when it was asked.
#[derive(Debug, Default)]
struct Silent {
    outbox: LocalOutbox,
    silent: AtomicBool,
    asked: Mutex<Vec<Instant>>,
}

impl Silent {
    fn fall_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }

    async fn speaks(&self) {
        while self.silent.load(Ordering::Relaxed) {
            sleep(SECOND).await;
        }
    }

    /// When it was asked since it was last asked about this.
    fn asked(&self) -> Vec<Instant> {
        std::mem::take(&mut self.asked.lock().expect("no panic with it"))
    }
}

impl Outbox for Silent {
    fn leave<'a>(&'a self, notes: &'a [(&'a str, &'a [u8])]) -> Later<'a, Result<Cursor, Fault>> {
        self.outbox.leave(notes)
    }

    fn since(&self, cursor: Cursor, limit: usize) -> Later<'_, Result<News, Fault>> {
        self.asked.lock().expect("no panic with it").push(Instant::now());
        Box::pin(async move {
            self.speaks().await;
            self.outbox.since(cursor, limit).await
        })
    }

    fn now(&self) -> Later<'_, Result<Cursor, Fault>> {
        self.outbox.now()
    }
}

/// Nodes over an outbox that may fall silent, with a line in common or without.
struct Hushed {
    world: World,
    outbox: Arc<Silent>,
    buses: Vec<InvalidationBus>,
    caches: Vec<Cache>,
}

impl Hushed {
    async fn new(nodes: usize, line: bool) -> Self {
        let world = World::new();
        let outbox = Arc::<Silent>::default();
        let bus = |node: usize| {
            let setup = BusSetup {
                node: format!("node-{node}"),
                hints: line.then(|| world.hints()),
                outbox: Some(Arc::clone(&outbox) as Arc<dyn Outbox>),
                clock: world.clock(),
                poll: SECOND,
            };
            InvalidationBus::start(setup).0
        };
        let buses: Vec<InvalidationBus> = (0..nodes).map(bus).collect();
        let caches = buses.iter().map(|bus| bus.cache(CacheSettings::default()));
        let hushed = Self {
            caches: caches.collect(),
            world,
            outbox,
            buses,
        };
        for node in 0..nodes {
            hushed.until(node, Freshness::Live).await;
        }
        hushed
    }

    async fn until(&self, node: usize, freshness: Freshness) {
        let mut watch = self.buses[node].freshness_watch();
        // The guard that this gives would keep the bus from saying anything else.
        let reached = timeout(60 * SECOND, watch.wait_for(|now| *now == freshness))
            .await
            .is_ok();
        assert!(reached, "never {freshness:?}");
    }

    fn is_trusted(&self) -> bool {
        self.buses[0].freshness() == Freshness::Live
    }

    async fn kept(&self, key: &str) -> bool {
        self.caches[0].get(key).await.is_some()
    }
}

/// A store that is silent takes its time to fail: copies are not trusted for as long as that.
#[tokio::test(start_paused = true)]
async fn a_line_that_is_cut_ends_trust_at_once_even_if_the_outbox_is_silent() {
    // At whatever moment of a look it falls silent, and the line is cut.
    for (silent, cut) in [
        (19_500, 0),
        (20_000, 0),
        (20_000, 3000),
        (22_500, 1),
        (24_000, 9000),
    ] {
        let node = Hushed::new(1, true).await;
        let (line, cache) = (&node.world.hints, &node.caches[0]);
        for key in ["switch:1", "switch:2"] {
            keep(cache, key, "old").await;
        }
        sleep(Duration::from_millis(silent)).await;
        node.outbox.fall_silent(true);
        sleep(Duration::from_millis(cut)).await;
        assert!(
            node.is_trusted() && node.kept("switch:1").await,
            "the line is whole"
        );
        line.drop_lines(true);
        sleep(Duration::from_millis(1)).await;
        assert!(!node.is_trusted(), "after {silent} ms");
        assert!(
            !node.kept("switch:1").await,
            "20 s old, and nobody vouches for it"
        );
        node.until(0, Freshness::Blind).await;
        // Another node's change, of which this one hears nothing.
        node.outbox.leave(&[("cache", b"switch:1")]).await.expect("left");
        line.drop_lines(false);
        sleep(30 * SECOND).await;
        assert!(!node.is_trusted(), "what was missed has not been read");
        assert!(!node.kept("switch:2").await);
        node.outbox.fall_silent(false);
        node.until(0, Freshness::Live).await;
        assert!(!node.kept("switch:1").await, "it was changed meanwhile");
        assert!(node.kept("switch:2").await, "nothing was flushed");
    }
}

/// A cut that is told with the line whole again, as when too much was said at once.
#[tokio::test(start_paused = true)]
async fn a_cut_that_is_told_afterwards_ends_trust_too() {
    let node = Hushed::new(1, true).await;
    keep(&node.caches[0], "switch:1", "old").await;
    sleep(20 * SECOND).await;
    node.outbox.fall_silent(true);
    // The next look is under way when it is told.
    sleep(6 * SECOND).await;
    node.world.hints.cut();
    sleep(Duration::from_millis(1)).await;
    assert!(!node.is_trusted() && !node.kept("switch:1").await);
}

#[tokio::test(start_paused = true)]
async fn what_is_announced_is_forgotten_while_the_outbox_is_silent() {
    let node = Hushed::new(2, true).await;
    keep(&node.caches[0], "switch:1", "old").await;
    node.outbox.fall_silent(true);
    // A look is under way.
    sleep(6 * SECOND).await;
    node.buses[1]
        .publish(&patterns(&["switch:*"]))
        .await
        .expect("left");
    sleep(Duration::from_millis(1)).await;
    assert!(!node.kept("switch:1").await);
    assert!(node.is_trusted(), "it was the next one, and nothing was missed");
}

/// Two changes, of which only the second is announced: the first must be read before anything is trusted again.
#[tokio::test(start_paused = true)]
async fn a_gap_that_cannot_be_read_ends_trust() {
    let node = Hushed::new(2, true).await;
    keep(&node.caches[0], "switch:1", "old").await;
    sleep(20 * SECOND).await;
    node.outbox.fall_silent(true);
    node.outbox.leave(&[("cache", b"switch:1")]).await.expect("left");
    node.buses[1].publish(&patterns(&["port:*"])).await.expect("left");
    sleep(Duration::from_millis(1)).await;
    assert!(!node.is_trusted() && !node.kept("switch:1").await);
    node.outbox.fall_silent(false);
    node.until(0, Freshness::Live).await;
    assert!(!node.kept("switch:1").await);
}

/// Nodes whose only word from each other is the database: it is read every second, and trusted while it answers.
#[tokio::test(start_paused = true)]
async fn without_a_line_the_outbox_is_trusted_as_long_as_it_answers() {
    let node = Hushed::new(2, false).await;
    for key in ["switch:1", "switch:2"] {
        keep(&node.caches[0], key, "old").await;
    }
    node.buses[1]
        .publish(&patterns(&["switch:1"]))
        .await
        .expect("left");
    sleep(2 * SECOND).await;
    assert!(!node.kept("switch:1").await && node.kept("switch:2").await);
    sleep(20 * SECOND).await;
    assert!(node.is_trusted() && node.kept("switch:2").await);
    node.outbox.fall_silent(true);
    sleep(5 * SECOND).await;
    assert_eq!(node.buses[0].freshness(), Freshness::Blind);
    assert!(
        !node.kept("switch:2").await,
        "25 s old, and nobody vouches for it"
    );
    node.outbox.fall_silent(false);
    node.until(0, Freshness::Live).await;
    assert!(node.kept("switch:2").await, "it was not changed");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_flaps_makes_nodes_ask_no_more_than_a_lost_one() {
    let nodes = Hushed::new(5, true).await;
    sleep(10 * SECOND).await;
    let _before = nodes.outbox.asked();
    for _ in 0..600 {
        nodes.world.hints.cut();
        sleep(SECOND / 10).await;
    }
    // A look for each subscription and one for each cut of it; a node subscribes again after half a second at least.
    let asked = nodes.outbox.asked().len();
    assert!(asked <= 5 * 60 * 2 * 2, "{asked}");
    assert!(asked >= 5 * 60, "it is read at least every second: {asked}");
    for node in 0..5 {
        nodes.until(node, Freshness::Live).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_that_lose_a_line_together_do_not_ask_at_one_moment() {
    let nodes = Hushed::new(20, true).await;
    sleep(10 * SECOND).await;
    let _before = nodes.outbox.asked();
    let start = Instant::now();
    nodes.world.hints.cut();
    sleep(SECOND / 2).await;
    let mut asked = nodes.outbox.asked();
    asked.sort_unstable();
    asked.dedup_by_key(|at| at.duration_since(start).as_millis() / 10);
    assert!(asked.len() >= 10, "of 25 hundredths of a second: {asked:?}");
}
