//! Sessions, locks and caches of two nodes, as a service uses them.
//!
//! ```sh
//! cargo run -p purlin-fabric-runtime --example guide
//! ```
//!
//! Both nodes live in this process and hint each other through its memory; over Redis nothing else changes.

use purlin_fabric::lock::LockOptions;
use purlin_fabric::port::Hints;
use purlin_fabric::session::SessionSettings;
use purlin_fabric_runtime::cache::{BusSetup, Cache, CacheSettings, InvalidationBus};
use purlin_fabric_runtime::local::{LocalHints, LocalOutbox, ReadClock};
use purlin_fabric_runtime::locks::LockManager;
use purlin_fabric_runtime::sessions::SessionStore;
use purlin_types::{BootTime, NodeId, Now, WallTime};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What a service of one node works with.
struct Node {
    locks: LockManager,
    sessions: SessionStore,
    bus: InvalidationBus,
    cache: Cache,
}

impl Node {
    fn new(id: &str, hints: &Arc<dyn Hints>, outbox: &Arc<LocalOutbox>, clock: &ReadClock) -> Self {
        let node = NodeId::parse(id).expect("letters and digits");
        let settings = SessionSettings {
            ttl: Duration::from_secs(30 * 60),
            ..SessionSettings::default()
        };
        let (bus, _listening) = InvalidationBus::start(BusSetup {
            node: id.to_owned(),
            hints: Some(Arc::clone(hints)),
            outbox: Some(outbox.clone()),
            clock: Arc::clone(clock),
            poll: Duration::from_secs(1),
        });
        Self {
            // Fenced locks need a claim store and a lease: `Fencing::over(&fabric, claims)`.
            locks: LockManager::new(Arc::clone(hints), None, Arc::clone(clock)),
            sessions: SessionStore::new(settings, node, Arc::clone(hints), Arc::clone(clock)),
            cache: bus.cache(CacheSettings::default()),
            bus,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = clock();
    let hints: Arc<dyn Hints> = Arc::new(LocalHints::new(Arc::clone(&clock)));
    let outbox = Arc::new(LocalOutbox::default());
    let [one, two] = ["node-1", "node-2"].map(|id| Node::new(id, &hints, &outbox, &clock));
    locked(&one, &two).await?;
    moved(&one, &two).await?;
    forgotten(&one, &two).await
}

/// One of two nodes does the work. The lock is renewed for as long as the guard lives, and given back when it is dropped.
async fn locked(one: &Node, two: &Node) -> Result<(), Box<dyn Error>> {
    let options = LockOptions {
        ttl: Duration::from_secs(30),
        max_retries: 3,
        ..LockOptions::default()
    };
    let guard = one.locks.acquire("switch:update:6f1c", options.clone()).await?;
    println!("node-1 holds {} under {}", guard.name(), guard.token());
    if let Err(busy) = two.locks.acquire("switch:update:6f1c", options.clone()).await {
        println!("node-2: {busy}");
    }
    // Right before what must not be done twice.
    guard.check()?;
    guard.release().await;
    let next = two.locks.acquire("switch:update:6f1c", options).await?;
    println!("node-2 holds {} under {}", next.name(), next.token());
    Ok(())
}

/// A client moves from one node to the other with the events that it has not got.
async fn moved(one: &Node, two: &Node) -> Result<(), Box<dyn Error>> {
    let id = SessionStore::new_id();
    one.sessions.register(&id, "ops").await?;
    println!(
        "the session lives at {}",
        two.sessions.node_for_session(&id).await?
    );
    for event in ["created", "changed", "removed"] {
        one.sessions.event(&id, event.into())?;
    }
    let token = one.sessions.hand_over(&id, "").await?;
    // The client has seen the first event, and comes with the token.
    let resumed = two.sessions.resume(&token, 1).await?;
    for (number, body) in resumed.events.unwrap_or_default() {
        println!(
            "event {number} at {}: {}",
            resumed.session.node,
            String::from_utf8_lossy(&body)
        );
    }
    Ok(())
}

/// What one node is told to forget, the other forgets.
async fn forgotten(one: &Node, two: &Node) -> Result<(), Box<dyn Error>> {
    let mut told = two.bus.subscribe();
    let load = async || Ok::<_, Box<dyn Error>>(b"ls-1".to_vec());
    two.cache.get_or_load("switch:6f1c", load).await?;
    one.bus
        .publish(&["switch:*".to_owned(), "topology:*".to_owned()])
        .await?;
    println!("node-2 is told of {:?}", told.recv().await?);
    println!("node-2 has {:?}", two.cache.get("switch:6f1c").await);
    Ok(())
}

/// A service of Purlin gets its clock from the node; it counts while the machine sleeps.
fn clock() -> ReadClock {
    let start = Instant::now();
    Arc::new(move || {
        let wall = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Now {
            boot: BootTime(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)),
            wall: WallTime(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX)),
        }
    })
}
