//! Sessions over the hints of one process, with time stepped.

use crate::world::World;
use purlin_fabric::port::Hints;
use purlin_fabric::session::{SessionError, SessionSettings};
use purlin_fabric_runtime::sessions::{Reach, SessionStore};
use purlin_types::NodeId;
use std::time::Duration;
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

fn store(world: &World, node: &str) -> SessionStore {
    let node = NodeId::parse(node).expect("a good name");
    SessionStore::new(SessionSettings::default(), node, world.hints(), world.clock())
}

fn unknown(id: &str) -> SessionError {
    SessionError::Unknown { id: id.into() }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_found_from_any_node_until_its_ttl() {
    let world = World::new();
    let (a, b) = (store(&world, "a"), store(&world, "b"));
    a.register("s", "ops").await.expect("new");
    assert_eq!(b.node_for_session("s").await.expect("known").as_str(), "a");
    assert_eq!(a.node_for_session("s").await.expect("here").as_str(), "a");
    assert_eq!(b.node_for_session("t").await, Err(unknown("t")));
    assert_eq!(
        b.register("s", "other").await,
        Err(SessionError::Taken { id: "s".into() })
    );
    assert_eq!(b.count(SECOND), (0, 0));
    for _ in 0..12 {
        sleep(600 * SECOND).await;
        a.touch("s").await.expect("here");
    }
    assert_eq!(b.page("", 10).await.expect("answers").len(), 1, "kept by touches");
    sleep(1801 * SECOND).await;
    assert_eq!(b.node_for_session("s").await, Err(unknown("s")));
    assert_eq!(a.sweep().await, 1);
    assert_eq!(a.touch("s").await, Err(unknown("s")));
    let figures = a.figures();
    assert_eq!((figures.registered, figures.sweeps, figures.swept), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_sweeper_counts_its_sweeps() {
    let world = World::new();
    let a = store(&world, "a");
    a.register("s", "ops").await.expect("new");
    let sweeper = a.start_sweeping();
    sleep(2101 * SECOND).await;
    sweeper.abort();
    assert_eq!((a.figures().sweeps, a.figures().swept), (7, 1));
}

#[tokio::test(start_paused = true)]
async fn a_drained_session_goes_on_elsewhere_without_losing_an_event() {
    let world = World::new();
    let (a, b, c) = (store(&world, "a"), store(&world, "b"), store(&world, "c"));
    a.register("s", "ops").await.expect("new");
    for n in 1..=5 {
        assert_eq!(a.event("s", vec![n]), Ok(u64::from(n)));
    }
    a.confirm("s", 2).expect("here");
    let partings = a.partings();
    assert!(matches!(&partings[..], [one] if one.id == "s" && one.delay <= 10 * SECOND));
    let token = a.hand_over("s", "").await.expect("here");
    assert_eq!(a.event("s", vec![6]), Err(unknown("s")), "not here any more");

    let resumed = b.resume(&token, 3).await.expect("good once");
    assert_eq!(resumed.events, Ok(vec![(4, vec![4]), (5, vec![5])]));
    let session = resumed.session;
    assert!(session.id != "s" && session.generation == 2 && session.user == "ops");
    assert_eq!(b.check(&session.id, 2), Ok(()));
    assert_eq!(b.event(&session.id, vec![6]), Ok(6));
    assert_eq!(
        c.node_for_session(&session.id).await.expect("known").as_str(),
        "b"
    );
    assert_eq!(c.node_for_session("s").await, Err(unknown("s")), "the id rotated");
    for again in [&b, &c, &a] {
        assert_eq!(again.resume(&token, 3).await, Err(SessionError::TokenSpent));
    }
    assert_eq!((a.figures().moved_out, b.figures().moved_in), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_lapses_and_any_other_text_is_none() {
    let world = World::new();
    let (a, b) = (store(&world, "a"), store(&world, "b"));
    a.register("s", "ops").await.expect("new");
    let token = a.hand_over("s", "").await.expect("here");
    for bad in ["", "*", "s", &"?".repeat(32), &"0".repeat(32)] {
        assert_eq!(b.resume(bad, 0).await, Err(SessionError::TokenSpent));
    }
    sleep(121 * SECOND).await;
    assert_eq!(b.resume(&token, 0).await, Err(SessionError::TokenSpent));
}

#[tokio::test(start_paused = true)]
async fn a_session_of_a_dead_node_is_adopted_with_a_plain_gap() {
    let world = World::new();
    let (a, b) = (store(&world, "a"), store(&world, "b"));
    a.register("s", "ops").await.expect("new");
    a.event("s", vec![1]).expect("here");
    let resumed = b.adopt("s", 1).await.expect("free to take");
    let gap = resumed.events.expect_err("the ring died with its node");
    assert_eq!(b.replay(&resumed.session.id, gap.newest), Ok(vec![]));
    // The node was not dead after all: it learns so at its next word to the registry, and its writes never count.
    sleep(181 * SECOND).await;
    assert_eq!(a.touch("s").await, Err(SessionError::Moved { id: "s".into() }));
    assert_eq!(a.check("s", 1), Err(unknown("s")));
    assert_eq!(b.check(&resumed.session.id, 2), Ok(()));
    assert_eq!(b.adopt("s", 1).await, Err(unknown("s")));
}

#[tokio::test(start_paused = true)]
async fn sessions_outlive_a_service_that_is_away_or_emptied() {
    let world = World::new();
    let (a, b) = (store(&world, "a"), store(&world, "b"));
    world.hints.away(true);
    a.register("s", "ops").await.expect("it lives here in any case");
    assert_eq!(a.reach(), Reach::ThisNode);
    assert_eq!(a.node_for_session("s").await.expect("here").as_str(), "a");
    assert_eq!(b.node_for_session("s").await, Err(SessionError::Away));
    assert_eq!(a.hand_over("s", "").await, Err(SessionError::Away));
    world.hints.away(false);
    a.touch("s").await.expect("here");
    assert_eq!(a.reach(), Reach::Cluster);
    assert_eq!(b.node_for_session("s").await.expect("known").as_str(), "a");
    world.hints.flush();
    assert_eq!(b.node_for_session("s").await, Err(unknown("s")));
    let token = a.hand_over("s", "").await.expect("registered again");
    b.resume(&token, 0).await.expect("good once");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_let_go_waits_for_a_service_that_is_away_for_a_moment() {
    let world = World::new();
    let (a, b) = (store(&world, "a"), store(&world, "b"));
    a.register("s", "ops").await.expect("new");
    a.event("s", b"one".to_vec()).expect("here");
    world.hints.away(true);
    let (token, ()) = tokio::join!(a.hand_over("s", ""), async {
        sleep(2 * SECOND).await;
        world.hints.away(false);
    });
    let resumed = b.resume(&token.expect("kept"), 0).await.expect("good once");
    assert_eq!(resumed.events.expect("no gap"), [(1, b"one".to_vec())]);
}

#[tokio::test(start_paused = true)]
async fn whoever_notices_that_the_service_was_away_registers_everybody_anew() {
    let world = World::new();
    let (a, b) = (store(&world, "a"), store(&world, "b"));
    a.register("s", "ops").await.expect("new");
    world.hints.away(true);
    a.register("t", "ops").await.expect("it lives here in any case");
    world.hints.flush();
    world.hints.away(false);
    a.touch("t").await.expect("here");
    a.touch("s").await.expect("here");
    let found: Vec<String> = b
        .page("", 10)
        .await
        .expect("answers")
        .into_iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(found, ["s", "t"]);
}

#[tokio::test(start_paused = true)]
async fn ids_rotate_in_place() {
    let world = World::new();
    let (a, b) = (store(&world, "a"), store(&world, "b"));
    a.register("s", "ops").await.expect("new");
    a.event("s", vec![1]).expect("here");
    let row = a.rotate("s").await.expect("here");
    assert_eq!(row.generation, 2);
    assert_eq!(a.check("s", 1), Err(unknown("s")));
    assert_eq!(a.replay(&row.id, 0), Ok(vec![(1, vec![1])]));
    assert_eq!(b.node_for_session(&row.id).await.expect("known").as_str(), "a");
    a.end(&row.id).await.expect("here");
    assert_eq!(b.node_for_session(&row.id).await, Err(unknown(&row.id)));
    assert_eq!(a.end(&row.id).await, Err(unknown(&row.id)));
    assert_eq!(world.hints.sessions("", 10).await.expect("answers"), []);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_ended_from_another_node() {
    let world = World::new();
    let (one, two) = (store(&world, "a"), store(&world, "b"));
    let row = one.register("a", "ana").await.expect("new");
    let listening = one.start_listening();
    // The line is up when the first sleep of the runtime is over.
    sleep(Duration::from_millis(1)).await;
    two.end_anywhere(&row).await.expect("told");
    one.gone("a", 1).await;
    assert_eq!(one.find("a").await, Ok(None));
    assert_eq!(one.figures().ended, 1);
    listening.abort();
}
