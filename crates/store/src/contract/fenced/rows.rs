//! Rows: what a statement about a key replaces, and what two of them cannot both claim.

use super::{FencedRig, Node, TABLE, live, row, slot};
use crate::{FenceFault, FencedRow, Rival, Written};

pub(super) async fn a_row_written_is_loaded_as_it_is(rig: &dyn FencedRig) {
    let node = Node::with(rig, [0, 4095]).await;
    let rows = [
        row(0, slot(0), 0),
        live(10, slot(4095), u32::MAX, "client"),
        FencedRow {
            unique: Some(Vec::new()),
            body: Vec::new(),
            ..row(1 << 63, slot(0), 7)
        },
        FencedRow {
            body: (0..=255).cycle().take(4000).collect(),
            ..row(u64::MAX, slot(0), 1)
        },
    ];
    node.write(&rows).await;
    assert_eq!(node.load().await, rows.each_ref().map(|row| node.stored(row)));
    node.write(&[]).await;
    let nothing = node.rows.write(TABLE, &[], &[]).await;
    nothing.expect("nothing to do, nothing to fence");
}

pub(super) async fn the_newest_statement_is_the_whole_truth(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1]).await;
    node.write(&[live(5, slot(1), 3, "client")]).await;
    node.write(&[live(5, slot(1), 2, "older")]).await;
    assert_eq!(node.load().await, [node.stored(&live(5, slot(1), 3, "client"))]);
    let newest = row(5, slot(1), 4);
    node.write(std::slice::from_ref(&newest)).await;
    assert_eq!(node.load().await, [node.stored(&newest)]);
    node.write(&[live(6, slot(1), 1, "client")]).await;
    assert_eq!(node.load().await.len(), 2, "given up with the newer statement");
}

pub(super) async fn a_higher_epoch_beats_any_version(rig: &dyn FencedRig) {
    let former = Node::with(rig, [1]).await;
    former.write(&[row(5, slot(1), 1000)]).await;
    let node = Node::with(rig, [1]).await;
    assert_eq!(node.load().await, [former.stored(&row(5, slot(1), 1000))]);
    node.write(&[row(5, slot(1), 0)]).await;
    assert_eq!(node.load().await, [node.stored(&row(5, slot(1), 0))]);
}

pub(super) async fn the_same_rows_may_be_written_again(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1]).await;
    let rows = [
        live(5, slot(1), 1, "a"),
        live(6, slot(1), 1, "b"),
        row(7, slot(1), 1),
    ];
    for _ in 0..3 {
        node.write(&rows).await;
        assert_eq!(node.load().await, rows.each_ref().map(|row| node.stored(row)));
    }
}

pub(super) async fn one_batch_may_state_a_key_twice(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1]).await;
    let rows = [
        live(5, slot(1), 1, "a"),
        live(5, slot(1), 3, "c"),
        live(5, slot(1), 2, "b"),
        live(6, slot(1), 1, "a"),
    ];
    node.write(&rows).await;
    assert_eq!(
        node.load().await,
        [&rows[1], &rows[3]].map(|row| node.stored(row))
    );
}

pub(super) async fn two_live_rows_never_share_what_is_unique(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1, 2]).await;
    let other = Node::with(rig, [3]).await;
    let first = live(5, slot(1), 1, "client");
    node.write(std::slice::from_ref(&first)).await;
    let second = [row(4, slot(2), 1), live(6, slot(2), 1, "client")];
    taken(node.try_write(&second).await, 6, 5);
    taken(other.try_write(&[live(7, slot(3), 1, "client")]).await, 7, 5);
    let pair = [live(8, slot(3), 1, "pair"), live(9, slot(3), 1, "pair")];
    match other.try_write(&pair).await {
        Err(FenceFault::Taken(rivals)) if matches!(pairs(&rivals)[..], [(8, 9)] | [(9, 8)]) => {}
        outcome => panic!("two of one batch: {outcome:?}"),
    }
    assert_eq!(node.load().await, [node.stored(&first)], "nothing of the batch");
    assert_eq!(other.load().await, []);
    let nobody = [row(6, slot(2), 1), row(7, slot(2), 1)];
    node.write(&nobody).await;
}

fn taken(outcome: Result<Written, FenceFault>, wanted: u64, holder: u64) {
    match outcome {
        Err(FenceFault::Taken(rivals)) => assert_eq!(pairs(&rivals), [(wanted, holder)]),
        other => panic!("not refused: {other:?}"),
    }
}

fn pairs(rivals: &[Rival]) -> Vec<(u64, u64)> {
    rivals.iter().map(|rival| (rival.key, rival.by)).collect()
}

/// Whoever wrote them leaves them all out at once, and the others are not held up by one attempt for each.
pub(super) async fn every_row_that_stands_beside_another_is_named(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1]).await;
    let other = Node::with(rig, [2]).await;
    node.write(&[
        live(5, slot(1), 1, "a"),
        live(6, slot(1), 1, "b"),
        live(7, slot(1), 1, "c"),
    ])
    .await;
    let batch = [
        live(15, slot(2), 1, "a"),
        live(16, slot(2), 1, "free"),
        live(17, slot(2), 1, "c"),
    ];
    let Err(FenceFault::Taken(rivals)) = other.try_write(&batch).await else {
        panic!("two of them are not free");
    };
    let mut named = pairs(&rivals);
    named.sort_unstable();
    assert_eq!(named, [(15, 5), (17, 7)]);
    other.write(&batch[1..2]).await;
}

/// A client moves: in one batch its old address is free and the new one is bound, in whatever order.
pub(super) async fn what_is_given_up_is_free_within_the_batch(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1]).await;
    node.write(&[live(5, slot(1), 1, "up"), live(9, slot(1), 1, "down")])
        .await;
    let moved = [
        live(4, slot(1), 1, "up"),
        row(5, slot(1), 2),
        row(9, slot(1), 2),
        live(10, slot(1), 1, "down"),
    ];
    node.write(&moved).await;
    assert_eq!(node.load().await, moved.each_ref().map(|row| node.stored(row)));
}

pub(super) async fn rows_of_a_batch_may_trade_what_is_unique(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1]).await;
    node.write(&[
        live(5, slot(1), 1, "a"),
        live(6, slot(1), 1, "b"),
        live(7, slot(1), 1, "c"),
    ])
    .await;
    let traded = [
        live(5, slot(1), 2, "b"),
        live(6, slot(1), 2, "c"),
        live(7, slot(1), 2, "a"),
    ];
    node.write(&traded).await;
    assert_eq!(node.load().await, traded.each_ref().map(|row| node.stored(row)));
    // An older statement trades nothing away.
    taken(
        node.try_write(&[live(5, slot(1), 1, "z"), live(8, slot(1), 1, "b")])
            .await,
        8,
        5,
    );
    assert_eq!(node.load().await, traded.each_ref().map(|row| node.stored(row)));
}

pub(super) async fn tables_are_apart(rig: &dyn FencedRig) {
    let node = Node::with(rig, [1]).await;
    let mine = live(5, slot(1), 1, "client");
    node.write(std::slice::from_ref(&mine)).await;
    let theirs = live(5, slot(1), 2, "client");
    let written = node
        .rows
        .write("decline", &node.held, std::slice::from_ref(&theirs));
    written.await.expect("the slot is held");
    assert_eq!(node.load().await, [node.stored(&mine)]);
    let page = node.rows.page("decline", None, 10).await;
    assert_eq!(page.expect("the store answers"), [node.stored(&theirs)]);
    let none = node.rows.page("none", None, 10).await;
    assert_eq!(none.expect("the store answers"), []);
}
