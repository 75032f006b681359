//! The fence: who may write, and when somebody else may be sure that nobody does any more.

use super::beside::{Call, both, until, until_or_done};
use super::{FencedRig, Node, TABLE, live, lost, row, slot};

pub(super) async fn a_slot_that_is_not_held_refuses_the_whole_batch(rig: &dyn FencedRig) {
    let former = Node::with(rig, [1, 2, 3]).await;
    former.write(&[row(1, slot(1), 1), row(2, slot(2), 1)]).await;
    let next = Node::with(rig, [2]).await;
    let late = [row(1, slot(1), 2), row(2, slot(2), 2), row(3, slot(3), 1)];
    assert_eq!(lost(former.try_write(&late)).await, [slot(2)]);
    let unchanged = [
        former.stored(&row(1, slot(1), 1)),
        former.stored(&row(2, slot(2), 1)),
    ];
    assert_eq!(former.load().await, unchanged);
    next.write(&[row(2, slot(2), 0)]).await;
    let still = Node {
        rows: rig.rows().await,
        held: vec![former.held[0], former.held[2]],
    };
    still.write(&[row(1, slot(1), 2), row(3, slot(3), 1)]).await;
}

pub(super) async fn the_lost_slots_are_named(rig: &dyn FencedRig) {
    let node = Node::with(rig, 0..8).await;
    for index in [2, 3, 7] {
        rig.take_over(slot(index)).await;
    }
    let rows: Vec<_> = (0..8).map(|n| row(u64::from(n), slot(n), 1)).collect();
    let mut named = lost(node.try_write(&rows)).await;
    named.sort_unstable();
    assert_eq!(named, [slot(2), slot(3), slot(7)]);
    // Without rows too: a fence can be asked alone.
    assert_eq!(lost(node.try_write(&[])).await.len(), 3);
    assert_eq!(node.load().await, []);
}

pub(super) async fn a_row_outside_the_slots_named_is_refused(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1, 2]).await;
    let rows = [row(1, slot(1), 1), row(2, slot(2), 1)];
    let written = node.rows.write(TABLE, &node.held[..1], &rows);
    assert_eq!(lost(written).await, [slot(2)]);
    assert_eq!(node.load().await, []);
}

pub(super) async fn a_slot_given_back_is_not_held(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1]).await;
    node.write(&[row(1, slot(1), 1)]).await;
    rig.give_back(slot(1), node.held[0].1).await;
    assert_eq!(lost(node.try_write(&[row(1, slot(1), 2)])).await, [slot(1)]);
    let never = Node {
        rows: rig.rows().await,
        held: vec![(slot(2), node.held[0].1)],
    };
    assert_eq!(lost(never.try_write(&[row(2, slot(2), 1)])).await, [slot(2)]);
}

pub(super) async fn a_removed_owner_writes_no_more(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1, 2]).await;
    node.write(&[row(1, slot(1), 1)]).await;
    if !rig.remove_owner(slot(1)).await {
        return;
    }
    let late = [row(1, slot(1), 2), row(2, slot(2), 1)];
    assert!(lost(node.try_write(&late)).await.contains(&slot(1)));
    let page = node.rows.page(TABLE, None, 10).await;
    assert_eq!(
        page.expect("the store answers"),
        [node.stored(&row(1, slot(1), 1))]
    );
}

/// A write is past its fence and not done; somebody takes the slot over and loads. Whatever the engine does, the load
/// has seen all that will ever be written under the former epoch.
pub(super) async fn no_row_appears_after_the_next_owner_has_loaded(rig: &dyn FencedRig) {
    let former = Node::with(rig, [1]).await;
    former.write(&[live(5, slot(1), 1, "client")]).await;
    if !rig.hold(TABLE, 5).await {
        return;
    }
    let rows = [live(5, slot(1), 2, "client"), row(6, slot(1), 1)];
    let mut writing = Call::new(former.try_write(&rows));
    until(rig.until_waiting(1), &mut writing).await;
    assert!(!writing.is_done(), "it waits for the row that is held");

    let mut taking = Call::new(async {
        let next = Node::with(rig, [1]).await;
        let seen = next.load().await;
        (next, seen)
    });
    until_or_done(rig.until_waiting(2), &mut writing, &mut taking).await;
    rig.let_go().await;
    both(&mut writing, &mut taking).await;

    let (next, seen) = taking.outcome();
    assert_eq!(
        next.load().await,
        seen,
        "a row of the former owner appeared after the next one had loaded"
    );
    match writing.outcome() {
        Ok(_) => assert_eq!(seen, rows.each_ref().map(|row| former.stored(row))),
        Err(_) => assert_eq!(seen, [former.stored(&live(5, slot(1), 1, "client"))]),
    }
    assert_eq!(lost(former.try_write(&[row(6, slot(1), 2)])).await, [slot(1)]);
}

pub(super) async fn an_epoch_that_was_taken_over_stays_lost(rig: &dyn FencedRig) {
    let first = Node::with(rig, [1]).await;
    let second = Node::with(rig, [1]).await;
    rig.give_back(slot(1), second.held[0].1).await;
    let third = Node::with(rig, [1]).await;
    for former in [&first, &second] {
        assert!(former.held[0].1 < third.held[0].1, "epochs rise");
        let late = row(1, slot(1), u32::MAX);
        assert_eq!(lost(former.try_write(&[late])).await, [slot(1)]);
    }
    third.write(&[row(1, slot(1), 1)]).await;
    assert_eq!(third.load().await, [third.stored(&row(1, slot(1), 1))]);
}
