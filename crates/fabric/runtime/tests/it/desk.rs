//! Locks of clients: leased, renewed and released by token, at any node.

use crate::world::World;
use purlin_fabric::lock::{LockError, LockOptions, Loss};
use purlin_fabric_runtime::locks::LockManager;
use purlin_fabric_runtime::locks::desk::{Desk, DeskError};
use purlin_types::NodeId;
use std::time::Duration;
use tokio::time::sleep;

const NAME: &str = "switch:update:6f1c";
const SECOND: Duration = Duration::from_secs(1);

fn desks(world: &World) -> [Desk; 2] {
    ["n1", "n2"].map(|id| {
        let node = NodeId::parse(id).expect("a good id");
        let manager = LockManager::new(world.hints(), None, world.clock());
        Desk::new(node, manager, world.hints(), world.clock())
    })
}

fn once() -> LockOptions {
    LockOptions {
        max_retries: 1,
        ..LockOptions::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_nobody_renews_lapses_after_its_ttl() {
    let world = World::new();
    let [one, two] = desks(&world);
    let lease = one.acquire("ana", NAME, once()).await.expect("free");
    assert_eq!(one.manager().figures().held, 1);
    sleep(29 * SECOND).await;
    assert!(matches!(
        two.acquire("ben", NAME, once()).await,
        Err(DeskError::Lock(LockError::Busy { .. }))
    ));
    sleep(2 * SECOND).await;
    let lost = one.renew(NAME, lease.proof).await;
    assert!(lost.is_err(), "{lost:?}");
    two.acquire("ben", NAME, once()).await.expect("lapsed");
    assert_eq!(one.manager().figures().held, 0);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_and_released_through_any_node() {
    let world = World::new();
    let [one, two] = desks(&world);
    let lease = one.acquire("ana", NAME, once()).await.expect("free");
    for _ in 0..5 {
        sleep(20 * SECOND).await;
        let again = two
            .renew(NAME, lease.proof)
            .await
            .expect("renewed at the other node");
        assert_eq!(
            (again.card.owner.as_str(), again.card.node.as_str()),
            ("ana", "n1")
        );
    }
    assert!(two.acquire("ben", NAME, once()).await.is_err(), "still held");
    assert_eq!(two.release(NAME, lease.proof).await, Ok(true));
    assert_eq!(
        two.release(NAME, lease.proof).await,
        Ok(false),
        "twice is harmless"
    );
    assert_eq!(two.card(NAME).await, Ok(None));
    one.acquire("ben", NAME, once()).await.expect("free again");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_neither_renews_nor_releases() {
    let world = World::new();
    let desks = desks(&world);
    let lease = desks[0].acquire("ana", NAME, once()).await.expect("free");
    for desk in &desks {
        let stranger = lease.proof ^ 1;
        let not_yours = DeskError::NotYours(NAME.to_owned());
        assert_eq!(desk.renew(NAME, stranger).await, Err(not_yours.clone()));
        assert_eq!(desk.release(NAME, stranger).await, Err(not_yours));
    }
    desks[0].renew(NAME, lease.proof).await.expect("still ana's");
}

#[tokio::test(start_paused = true)]
async fn nobody_holds_longer_than_was_asked_for() {
    let world = World::new();
    let [one, two] = desks(&world);
    let short = LockOptions {
        max_hold: 60 * SECOND,
        ..once()
    };
    let lease = one.acquire("ana", NAME, short).await.expect("free");
    for _ in 0..3 {
        sleep(19 * SECOND).await;
        two.renew(NAME, lease.proof).await.expect("within its hour");
    }
    sleep(4 * SECOND).await;
    let too_long = Err(DeskError::Lock(LockError::Lost(Loss::HeldTooLong)));
    assert_eq!(two.renew(NAME, lease.proof).await, too_long);
    two.acquire("ben", NAME, once()).await.expect("given back");
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_nobody_gave_is_unknown() {
    let world = World::new();
    let [one, _] = desks(&world);
    assert_eq!(one.renew(NAME, 7).await, Err(DeskError::Unknown(NAME.to_owned())));
    assert_eq!(one.release(NAME, 7).await, Ok(false));
}
