//! Locks over the engines of one process, with time stepped.

use crate::world::World;
use purlin_fabric::lock::{Class, LockError, LockOptions, LockToken, Loss};
use purlin_fabric::port::{Candidate, ClaimKey, ClaimStore, Enrolment, NodeFacts, Version, Wish};
use purlin_fabric::{Coordinator, Timing};
use purlin_fabric_runtime::local::LocalClaims;
use purlin_fabric_runtime::locks::{Fencing, LockManager};
use purlin_fabric_runtime::{Fabric, Setup, SharedTenure, Snapshot};
use purlin_types::{BootTime, Epoch, Incarnation, NodeId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, sleep};

const NAME: &str = "switch:update:6f1c";
const SECOND: Duration = Duration::from_secs(1);

fn quick() -> LockOptions {
    LockOptions {
        max_retries: 1,
        ..LockOptions::default()
    }
}

fn managers(world: &World, count: usize) -> Vec<LockManager> {
    let manager = |_| LockManager::new(world.hints(), None, world.clock());
    (0..count).map(manager).collect()
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_held_by_one_and_the_tenth_try_is_the_last() {
    let world = World::new();
    let [one, two] = &managers(&world, 2)[..] else {
        unreachable!()
    };
    let guard = one.acquire(NAME, LockOptions::default()).await.expect("free");
    let started = Instant::now();
    let refused = two.acquire(NAME, LockOptions::default()).await.expect_err("held");
    assert!(
        matches!(refused, LockError::Busy { tries: 10, .. }),
        "{refused:?}"
    );
    assert!(started.elapsed() > 4 * SECOND, "it did not hammer");
    guard.check().expect("still held");
    guard.release().await;
    guard.release().await;
    assert_eq!(guard.check(), Err(LockError::Lost(Loss::Lapsed)));
    let theirs = two.acquire(NAME, quick()).await.expect("given back");
    guard.release().await;
    drop(guard);
    theirs.check().expect("a double release is harmless");
    let figures = (one.figures(), two.figures());
    assert_eq!(
        (figures.0.acquired, figures.0.released, figures.0.lost),
        (1, 1, 0)
    );
    assert_eq!((figures.1.acquired, figures.1.busy, figures.1.held), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_guard_renews_by_itself_for_as_long_as_it_is_held() {
    let world = World::new();
    let [one, two] = &managers(&world, 2)[..] else {
        unreachable!()
    };
    let guard = one.acquire(NAME, LockOptions::default()).await.expect("free");
    for _ in 0..60 {
        sleep(10 * SECOND).await;
        guard.check().expect("renewed");
        assert!(two.acquire(NAME, quick()).await.is_err());
    }
    let view = &one.held()[0];
    assert_eq!(
        (view.name.as_str(), view.class, view.waiters),
        (NAME, Class::Advisory, 0)
    );
    assert!(view.held >= 600 * SECOND && view.left > 15 * SECOND, "{view:?}");
    drop(guard);
    sleep(SECOND).await;
    two.acquire(NAME, quick()).await.expect("given back by the drop");
}

#[tokio::test(start_paused = true)]
async fn nobody_holds_longer_than_was_asked_for() {
    let world = World::new();
    let [one, two] = &managers(&world, 2)[..] else {
        unreachable!()
    };
    let options = LockOptions {
        max_hold: 100 * SECOND,
        ..LockOptions::default()
    };
    let guard = one.acquire(NAME, options).await.expect("free");
    let started = Instant::now();
    guard.ended().await;
    assert!(started.elapsed() >= 100 * SECOND);
    assert_eq!(guard.check(), Err(LockError::Lost(Loss::HeldTooLong)));
    sleep(SECOND).await;
    two.acquire(NAME, quick()).await.expect("given back");
    assert_eq!(one.figures().lost, 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_away_loses_the_lock_at_its_ttl() {
    let world = World::new();
    let manager = &managers(&world, 1)[0];
    let guard = manager.acquire(NAME, LockOptions::default()).await.expect("free");
    sleep(11 * SECOND).await;
    world.hints.away(true);
    sleep(20 * SECOND).await;
    guard.check().expect("the last renewal still holds");
    sleep(11 * SECOND).await;
    assert_eq!(guard.check(), Err(LockError::Lost(Loss::Lapsed)));
    let away = manager.acquire("other:thing:1", LockOptions::default()).await;
    assert_eq!(away.expect_err("away"), LockError::Away { tries: 10 });
    world.hints.away(false);
    manager.acquire("other:thing:1", quick()).await.expect("free");
}

#[tokio::test(start_paused = true)]
async fn an_emptied_service_is_noticed_at_the_next_renewal() {
    let world = World::new();
    let [one, two] = &managers(&world, 2)[..] else {
        unreachable!()
    };
    let guard = one.acquire(NAME, LockOptions::default()).await.expect("free");
    world.hints.flush();
    let theirs = two.acquire(NAME, quick()).await.expect("nobody remembers");
    sleep(11 * SECOND).await;
    assert_eq!(guard.check(), Err(LockError::Lost(Loss::Taken)));
    drop(guard);
    sleep(SECOND).await;
    theirs.check().expect("the loser's drop leaves it alone");
    assert!(one.acquire(NAME, quick()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn tasks_of_one_node_queue_and_are_seen_waiting() {
    let world = World::new();
    let manager = managers(&world, 1).remove(0);
    let guard = manager.acquire(NAME, LockOptions::default()).await.expect("free");
    let inside = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let (manager, inside) = (manager.clone(), Arc::clone(&inside));
            tokio::spawn(async move {
                let options = LockOptions {
                    max_retries: 100,
                    ..LockOptions::default()
                };
                let guard = manager.acquire(NAME, options).await.expect("in time");
                assert!(!inside.swap(true, Ordering::SeqCst), "one at a time");
                sleep(SECOND).await;
                inside.store(false, Ordering::SeqCst);
                guard.release().await;
            })
        })
        .collect();
    sleep(SECOND).await;
    assert_eq!(manager.held()[0].waiters, 3);
    guard.release().await;
    for task in tasks {
        task.await.expect("it got its turn");
    }
    assert_eq!(manager.figures().acquired, 4);
    assert!(manager.held().is_empty());
}

#[tokio::test]
async fn names_and_options_outside_their_ranges_are_refused() {
    let world = World::new();
    let manager = &managers(&world, 1)[0];
    let long = "x".repeat(201);
    assert!(matches!(
        manager.acquire(&long, quick()).await,
        Err(LockError::Name(_))
    ));
    let options = LockOptions {
        ttl: Duration::from_millis(1),
        ..quick()
    };
    assert!(matches!(
        manager.acquire(NAME, options).await,
        Err(LockError::Options(_))
    ));
    let fenced = manager.acquire(NAME, LockOptions::fenced()).await;
    assert_eq!(fenced.expect_err("no store"), LockError::NoLease);
}

/// A node with claims: its tenure and what it thinks of others are under the test's hand.
struct Node {
    manager: LockManager,
    valid_until: Arc<AtomicU64>,
    others_gone: Arc<AtomicBool>,
}

async fn node(world: &World, store: &Arc<LocalClaims>, name: &str, incarnation: u64) -> Node {
    let me = Candidate {
        id: NodeId::parse(name).expect("a good name"),
        incarnation: Incarnation(incarnation),
    };
    let enrolment = Enrolment {
        id: me.id.clone(),
        incarnation: me.incarnation,
        facts: NodeFacts::default(),
        replaces: None,
    };
    store.enrol(&enrolment).await.expect("new");
    let valid_until = Arc::new(AtomicU64::new(u64::MAX));
    let others_gone = Arc::new(AtomicBool::new(false));
    let (until, gone) = (Arc::clone(&valid_until), Arc::clone(&others_gone));
    let fencing = Fencing::new(
        Arc::clone(store) as Arc<dyn ClaimStore>,
        me,
        move || BootTime(until.load(Ordering::SeqCst)),
        move |_, _| gone.load(Ordering::SeqCst),
    );
    Node {
        manager: LockManager::new(world.hints(), Some(fencing), world.clock()),
        valid_until,
        others_gone,
    }
}

fn epoch(token: LockToken) -> Epoch {
    match token {
        LockToken::Fenced(epoch) => epoch,
        LockToken::Advisory(_) => panic!("a fenced lock has an epoch"),
    }
}

fn fenced_once() -> LockOptions {
    LockOptions {
        max_retries: 1,
        ..LockOptions::fenced()
    }
}

#[tokio::test(start_paused = true)]
async fn a_fenced_lock_has_a_token_that_rises_with_every_holder() {
    let world = World::new();
    let store = Arc::new(LocalClaims::new(world.clock(), 1));
    let (a, b) = (
        node(&world, &store, "a", 1).await,
        node(&world, &store, "b", 2).await,
    );
    let mut last = Epoch::default();
    for round in 0..6 {
        let (holder, other) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let guard = holder.manager.acquire(NAME, fenced_once()).await.expect("free");
        assert!(epoch(guard.token()) > last, "round {round}");
        last = epoch(guard.token());
        let busy = other.manager.acquire(NAME, fenced_once()).await;
        assert!(matches!(busy, Err(LockError::Busy { tries: 1, .. })));
        let again = holder.manager.acquire(NAME, fenced_once()).await;
        assert!(
            matches!(again, Err(LockError::Busy { .. })),
            "not twice on one node either"
        );
        guard.release().await;
    }
    assert_eq!(last.counter, 6);
}

#[tokio::test(start_paused = true)]
async fn a_fenced_lock_is_taken_from_a_lapsed_node_and_from_no_other() {
    let world = World::new();
    let store = Arc::new(LocalClaims::new(world.clock(), 1));
    let (a, b) = (
        node(&world, &store, "a", 1).await,
        node(&world, &store, "b", 2).await,
    );
    let first = a.manager.acquire(NAME, fenced_once()).await.expect("free");
    sleep(100 * SECOND).await;
    assert!(
        b.manager.acquire(NAME, fenced_once()).await.is_err(),
        "its node is alive"
    );
    // It is cut off from the store, so that its lease lapses and it cannot give the lock back.
    store.cut(true);
    a.valid_until.store(0, Ordering::SeqCst);
    first.ended().await;
    assert_eq!(first.check(), Err(LockError::Lost(Loss::Lapsed)));
    first.release().await;
    store.cut(false);
    b.others_gone.store(true, Ordering::SeqCst);
    let second = b.manager.acquire(NAME, fenced_once()).await.expect("taken over");
    assert!(epoch(second.token()) > epoch(first.token()));
    let claims = store.view().await.expect("answers").claims;
    assert!(claims.iter().all(|row| !row.suspect), "settled at once");
    assert_eq!(
        a.manager
            .acquire(NAME, fenced_once())
            .await
            .expect_err("no lease"),
        LockError::NoLease
    );
    second.check().expect("held");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ended_and_began_again_has_not_kept_the_lock() {
    let world = World::new();
    let store = Arc::new(LocalClaims::new(world.clock(), 1));
    let a = node(&world, &store, "a", 1).await;
    let until = |after: Duration| world.clock()().boot.0 + u64::try_from(after.as_nanos()).expect("short");
    a.valid_until.store(until(11 * SECOND), Ordering::SeqCst);
    let guard = a.manager.acquire(NAME, fenced_once()).await.expect("free");
    for _ in 0..10 {
        sleep(3 * SECOND).await;
        a.valid_until.store(until(11 * SECOND), Ordering::SeqCst);
        guard.check().expect("renewed in time");
    }
    // The whole process stands still for longer than its lease and shorter than the lock's ttl; its first act is a
    // renewal, before anybody has looked.
    a.valid_until.store(until(26 * SECOND), Ordering::SeqCst);
    advance(15 * SECOND).await;
    assert_eq!(guard.check(), Err(LockError::Lost(Loss::Lapsed)));
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_release_was_lost_is_taken_again_by_its_node() {
    let world = World::new();
    let store = Arc::new(LocalClaims::new(world.clock(), 1));
    let a = node(&world, &store, "a", 1).await;
    let guard = a.manager.acquire(NAME, fenced_once()).await.expect("free");
    store.cut(true);
    guard.release().await;
    let away = a.manager.acquire(NAME, fenced_once()).await;
    assert_eq!(away.expect_err("cut"), LockError::Away { tries: 1 });
    store.cut(false);
    let again = a.manager.acquire(NAME, fenced_once()).await.expect("its own");
    assert!(epoch(again.token()) > epoch(guard.token()));
}

/// A node whose lease is kept by the fabric's own task.
async fn leased(
    world: &World,
    store: &Arc<LocalClaims>,
    name: &str,
    life: u64,
) -> (LockManager, JoinHandle<()>) {
    let me = Candidate {
        id: NodeId::parse(name).expect("a good name"),
        incarnation: Incarnation(life),
    };
    let facts = NodeFacts {
        weight: 100,
        ..NodeFacts::default()
    };
    let coordinator = Coordinator::new(Timing::default(), me.clone(), facts);
    let claims = Arc::clone(store) as Arc<dyn ClaimStore>;
    let setup = Setup {
        me,
        timing: Timing::default(),
        claims: Arc::clone(&claims),
        tenants: Vec::new(),
        tenure: SharedTenure::default(),
        clock: world.clock(),
    };
    let (fabric, task) = Fabric::start(setup, coordinator);
    let ready = |snapshot: &Arc<Snapshot>| snapshot.readiness.is_ok();
    fabric.snapshots().wait_for(ready).await.expect("it runs");
    let fencing = Fencing::over(&fabric, claims);
    // The task would end with its last handle.
    let task_of = tokio::spawn(async move {
        let _kept = fabric;
        task.await.expect("it does not panic");
    });
    (
        LockManager::new(world.hints(), Some(fencing), world.clock()),
        task_of,
    )
}

#[tokio::test(start_paused = true)]
async fn a_dead_nodes_lock_is_taken_once_its_lease_has_lapsed() {
    let world = World::new();
    sleep(SECOND).await;
    let store = Arc::new(LocalClaims::new(world.clock(), 1));
    let (_a, task) = leased(&world, &store, "a", 1).await;
    let (b, _task) = leased(&world, &store, "b", 2).await;
    // As the manager of a would have claimed it; that one would give it back on its lease's end, if it still could.
    let a = Candidate {
        id: NodeId::parse("a").expect("a good name"),
        incarnation: Incarnation(1),
    };
    let wish = Wish {
        key: ClaimKey::Lock(NAME.into()),
        seen: Version::default(),
        by_force: false,
    };
    let first = store.claim(&a, &[wish]).await.expect("answers")[0];
    sleep(60 * SECOND).await;
    assert!(b.acquire(NAME, fenced_once()).await.is_err(), "its lease goes on");
    task.abort();
    let died = Instant::now();
    let patient = LockOptions {
        max_retries: 60,
        retry_most: SECOND,
        ..LockOptions::fenced()
    };
    let taken = b.acquire(NAME, patient).await.expect("in the end");
    let after = died.elapsed();
    assert!(after > 13 * SECOND && after < 25 * SECOND, "{after:?}");
    assert!(Some(epoch(taken.token())) > first);
}
