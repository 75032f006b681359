//! Sessions: where they live, and who has the right generation of them.

use super::super::together;
use super::{HintsRig, LONG, LONGER, SHORT, conflict};
use crate::port::{HintFault, Later, SessionRow};
use purlin_types::NodeId;
use std::time::Duration;

fn session(id: &str, node: &str, generation: u64) -> SessionRow {
    SessionRow {
        id: id.into(),
        node: node.into(),
        user: "ops 'Ü' {}".into(),
        generation,
        cursor: 7,
        ttl: 0,
    }
}

fn node(name: &str) -> NodeId {
    NodeId::parse(name).expect("a good name")
}

/// Its time left is of the reading, all else as given.
fn same(found: Option<SessionRow>, given: &SessionRow, ttl: Duration) {
    let found = found.expect("it is known");
    assert!(
        found.ttl <= ttl.as_secs() && found.ttl + 30 >= ttl.as_secs(),
        "{found:?}"
    );
    let ttl = found.ttl;
    assert_eq!(found, SessionRow { ttl, ..given.clone() });
}

pub(super) async fn a_session_is_found_refreshed_and_lapses(rig: &dyn HintsRig) {
    let (one, two) = (rig.hints().await, rig.hints().await);
    let mut kept = session("kept", "a", 1);
    let short = session("short", "a", u64::MAX >> 1);
    assert_eq!(two.session("kept").await.expect("it answers"), None);
    one.put_session(&kept, SHORT).await.expect("it is new");
    one.put_session(&short, SHORT).await.expect("it is new");
    let found = two.session("short").await.expect("it answers").expect("known");
    assert_eq!((found.generation, found.ttl <= 1), (short.generation, true));
    kept.cursor = 4_000_000_000_000;
    one.put_session(&kept, LONG).await.expect("it is ours");
    same(two.session("kept").await.expect("it answers"), &kept, LONG);
    rig.pass(LONGER).await;
    assert_eq!(two.session("short").await.expect("it answers"), None);
    same(two.session("kept").await.expect("it answers"), &kept, LONG);
    let listed = two.sessions("", 10).await.expect("it answers");
    assert_eq!(
        listed.len(),
        1,
        "what has lapsed is not listed either: {listed:?}"
    );
    one.put_session(&session("short", "b", 1), LONG)
        .await
        .expect("it is free again");
}

pub(super) async fn a_session_that_is_elsewhere_is_a_conflict(rig: &dyn HintsRig) {
    let hints = rig.hints().await;
    let row = session("s", "a", 3);
    hints.put_session(&row, LONG).await.expect("it is new");
    for (elsewhere, generation) in [("a", 2), ("a", 4), ("b", 3), ("b", 4)] {
        conflict(
            hints
                .put_session(&session("s", elsewhere, generation), LONG)
                .await,
        );
    }
    same(hints.session("s").await.expect("it answers"), &row, LONG);
}

pub(super) async fn a_move_raises_the_generation_and_retires_the_former_id(rig: &dyn HintsRig) {
    let (a, b) = (rig.hints().await, rig.hints().await);
    let row = session("first", "a", 3);
    a.put_session(&row, LONG).await.expect("it is new");
    conflict(b.move_session("unknown", 3, &node("b"), "second", LONG).await);
    conflict(b.move_session("first", 2, &node("b"), "second", LONG).await);
    conflict(b.move_session("first", 4, &node("b"), "second", LONG).await);
    same(a.session("first").await.expect("it answers"), &row, LONG);

    let moved = b.move_session("first", 3, &node("b"), "second", LONG).await;
    let expected = SessionRow {
        id: "second".into(),
        node: "b".into(),
        generation: 4,
        ..row.clone()
    };
    same(Some(moved.expect("as seen")), &expected, LONG);
    same(a.session("second").await.expect("it answers"), &expected, LONG);
    assert_eq!(a.session("first").await.expect("it answers"), None);
    assert_eq!(a.sessions("", 10).await.expect("it answers").len(), 1);

    // The former node, which has not heard of it: its writes must not bring the session back (invariant I10).
    conflict(a.put_session(&row, LONG).await);
    conflict(a.move_session("first", 3, &node("a"), "third", LONG).await);
    assert_eq!(a.session("first").await.expect("it answers"), None);
    b.put_session(&expected, LONG).await.expect("it lives there");
    let again = a.move_session("second", 4, &node("a"), "third", LONG).await;
    assert_eq!(again.expect("as seen").generation, 5);
}

pub(super) async fn one_of_many_movers_wins(rig: &dyn HintsRig) {
    let mut hints = Vec::new();
    for _ in 0..5 {
        hints.push(rig.hints().await);
    }
    let row = session("s", "a", 1);
    hints[0].put_session(&row, LONG).await.expect("it is new");
    let names: Vec<(NodeId, String)> = (0..5)
        .map(|n| (node(&format!("n{n}")), format!("new-{n}")))
        .collect();
    let tries = hints
        .iter()
        .zip(&names)
        .map(|(hints, (node, id))| hints.move_session("s", 1, node, id, LONG) as Later<'_, _>);
    let outcomes: Vec<Result<SessionRow, HintFault>> = together::all(tries.collect()).await;
    let mut won = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(row) => won.push(row),
            lost => conflict(lost),
        }
    }
    let [winner] = &won[..] else {
        panic!("moved more or less than once: {won:?}");
    };
    let listed = hints[0].sessions("", 10).await.expect("it answers");
    assert_eq!(listed.iter().map(|row| &row.id).collect::<Vec<_>>(), [&winner.id]);
}

pub(super) async fn a_session_ends_unless_it_has_moved_on(rig: &dyn HintsRig) {
    let hints = rig.hints().await;
    hints
        .put_session(&session("s", "a", 2), LONG)
        .await
        .expect("it is new");
    conflict(hints.end_session("s", 1).await);
    assert!(hints.session("s").await.expect("it answers").is_some());
    hints.end_session("s", 2).await.expect("it is that one");
    assert_eq!(hints.session("s").await.expect("it answers"), None);
    hints.end_session("s", 2).await.expect("twice is harmless");
    hints.end_session("never", 9).await.expect("there is nothing");
    hints
        .put_session(&session("t", "a", 2), LONG)
        .await
        .expect("it is new");
    hints.end_session("t", 5).await.expect("an older one");
    assert_eq!(hints.sessions("", 10).await.expect("it answers"), []);
    // The former node of a moved session ends what it had: the session lives on.
    hints
        .put_session(&session("u", "a", 1), LONG)
        .await
        .expect("it is new");
    let moved = hints.move_session("u", 1, &node("b"), "v", LONG).await;
    moved.expect("as seen");
    let _either = hints.end_session("u", 1).await;
    assert!(hints.session("v").await.expect("it answers").is_some());
}

pub(super) async fn sessions_are_listed_in_order_page_by_page(rig: &dyn HintsRig) {
    let hints = rig.hints().await;
    let mut ids: Vec<String> = (0..43_u32)
        .map(|n| format!("{:08x}", n.wrapping_mul(0x9e37_79b1)))
        .collect();
    for id in &ids {
        hints
            .put_session(&session(id, "a", 1), LONG)
            .await
            .expect("it is new");
    }
    ids.sort();
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = hints.sessions(&after, 10).await.expect("it answers");
        assert!(page.len() <= 10);
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        seen.extend(page.into_iter().map(|row| row.id));
    }
    assert_eq!(seen, ids);
    assert_eq!(hints.sessions("", 0).await.expect("it answers"), []);
}
