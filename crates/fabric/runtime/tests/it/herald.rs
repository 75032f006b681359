//! Signs of life over the hints of one process, with time stepped.

use crate::world::World;
use purlin_fabric::presence::Change;
use purlin_fabric_runtime::herald::{Herald, HeraldSetup};
use purlin_types::{Incarnation, NodeId};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

fn herald(world: &World, node: &str, incarnation: u64) -> Herald {
    Herald::start(HeraldSetup {
        node: NodeId::parse(node).expect("a good name"),
        incarnation: Incarnation(incarnation),
        hints: world.hints(),
        clock: world.clock(),
        interval: 5 * SECOND,
        timeout: 30 * SECOND,
        say: Arc::new(|| json!({ "load": 0.5 })),
    })
}

fn joined(node: &str, incarnation: u64) -> Change {
    Change::Joined {
        node: node.into(),
        incarnation,
    }
}

fn left(node: &str, incarnation: u64, graceful: bool) -> Change {
    Change::Left {
        node: node.into(),
        incarnation,
        graceful,
    }
}

fn all(changes: &mut Receiver<Change>) -> Vec<Change> {
    let mut all = Vec::new();
    loop {
        match changes.try_recv() {
            Ok(change) => all.push(change),
            Err(TryRecvError::Empty) => return all,
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_is_missed_after_30_seconds_and_not_before() {
    let world = World::new();
    let watcher = herald(&world, "a", 1);
    let mut changes = watcher.subscribe();
    let silent = herald(&world, "b", 2);
    sleep(23 * SECOND).await;
    assert_eq!(all(&mut changes), [joined("a", 1), joined("b", 2)]);
    let around = watcher.around();
    assert!(
        around.iter().all(|(_, _, silence)| *silence < 7 * SECOND),
        "{around:?}"
    );
    assert_eq!(silent.counts(), (5, 0));
    drop(silent);
    let stopped = Instant::now();
    assert_eq!(changes.recv().await, Ok(left("b", 2, false)));
    // Its last sign was up to 5 s before it stopped, and is seen up to a second after it was given.
    let silence = stopped.elapsed();
    assert!(silence > 25 * SECOND && silence < 32 * SECOND, "{silence:?}");
    sleep(60 * SECOND).await;
    assert_eq!(all(&mut changes), [], "once");
}

#[tokio::test(start_paused = true)]
async fn a_farewell_is_known_at_once_and_a_return_is_a_join() {
    let world = World::new();
    let watcher = herald(&world, "a", 1);
    let mut changes = watcher.subscribe();
    let leaving = herald(&world, "b", u64::MAX);
    sleep(10 * SECOND).await;
    assert_eq!(all(&mut changes), [joined("a", 1), joined("b", u64::MAX)]);
    leaving.leave().await.expect("heard");
    sleep(Duration::from_millis(1)).await;
    assert_eq!(all(&mut changes), [left("b", u64::MAX, true)]);
    sleep(60 * SECOND).await;
    assert_eq!(all(&mut changes), []);
    let _back = herald(&world, "b", 3);
    sleep(2 * SECOND).await;
    assert_eq!(all(&mut changes), [joined("b", 3)]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_missed_while_the_service_is_away_or_was_emptied() {
    let world = World::new();
    let watcher = herald(&world, "a", 1);
    let mut changes = watcher.subscribe();
    let _other = herald(&world, "b", 2);
    sleep(10 * SECOND).await;
    assert_eq!(all(&mut changes).len(), 2);
    world.hints.away(true);
    sleep(100 * SECOND).await;
    world.hints.flush();
    world.hints.away(false);
    sleep(100 * SECOND).await;
    world.hints.flush();
    sleep(100 * SECOND).await;
    assert_eq!(all(&mut changes), []);
    assert!(watcher.counts().1 > 10, "unsaid signs are counted");
}
