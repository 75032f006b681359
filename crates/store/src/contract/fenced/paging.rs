//! Reading: in order, page by page, and large batches.

use super::{FencedRig, Node, TABLE, live, lost, row, slot};
use crate::{FencedRow, StoredRow, Tally};
use purlin_types::SlotSet;

/// Keys that lie on both sides of where a signed number would turn negative.
fn key(n: u64) -> u64 {
    if n.is_multiple_of(2) { n } else { u64::MAX - n }
}

async fn filled(rig: &dyn FencedRig) -> Node {
    let node = Node::with(rig, 0..4).await;
    let rows: Vec<_> = (0..60).map(|n| row(key(n), slot((n % 4) as u16), 1)).collect();
    node.write(&rows).await;
    node
}

/// The keys of the slots asked for, in order.
fn keys_of(slots: &[u64]) -> Vec<u64> {
    let mut keys: Vec<u64> = (0..60).filter(|n| slots.contains(&(n % 4))).map(key).collect();
    keys.sort_unstable();
    keys
}

fn keys(page: &[StoredRow]) -> Vec<u64> {
    page.iter().map(|stored| stored.row.key).collect()
}

pub(super) async fn a_load_gives_these_slots_in_key_order(rig: &dyn FencedRig) {
    let node = filled(rig).await;
    let slots = [slot(3), slot(0)];
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = node.rows.load(TABLE, &slots, after, 7).await;
        let page = page.expect("the store answers");
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        after = Some(last.row.key);
        seen.extend(keys(&page));
    }
    assert_eq!(seen, keys_of(&[0, 3]));
    for (slots, limit) in [(&[][..], 7), (&slots[..], 0)] {
        let none = node.rows.load(TABLE, slots, None, limit).await;
        assert_eq!(none.expect("the store answers"), []);
    }
}

pub(super) async fn pages_show_all_slots_in_key_order(rig: &dyn FencedRig) {
    let node = filled(rig).await;
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = node.rows.page(TABLE, after, 11).await.expect("the store answers");
        assert!(page.len() <= 11);
        let Some(last) = page.last() else { break };
        after = Some(last.row.key);
        seen.extend(keys(&page));
    }
    assert_eq!(seen, keys_of(&[0, 1, 2, 3]));
}

pub(super) async fn live_rows_are_found_by_what_they_claim(rig: &dyn FencedRig) {
    let node = Node::with(rig, 0..4).await;
    let rows: Vec<_> = (0..8)
        .map(|n| live(n, slot((n % 4) as u16), 1, &format!("client {n}")))
        .collect();
    node.write(&rows).await;
    node.write(&[row(5, slot(1), 2)]).await;
    let uniques: Vec<Vec<u8>> = ["client 6", "client 5", "client 1", "nobody"]
        .map(Into::into)
        .into();
    let found = node.rows.named(TABLE, &uniques).await.expect("the store answers");
    assert_eq!(keys(&found), [1, 6], "what was given up is nobody's");
    let none = node.rows.named("other", &uniques).await;
    assert_eq!(none.expect("the store answers"), []);
}

pub(super) async fn a_tally_counts_by_range_and_octet(rig: &dyn FencedRig) {
    let node = Node::with(rig, 0..4).await;
    // The second octet of a body: a digit, or none.
    let body = |n: u64| match n % 3 {
        0 => b"x1".to_vec(),
        1 => b"x2 and more".to_vec(),
        _ => b"x".to_vec(),
    };
    let rows: Vec<_> = (0..60)
        .map(|n| FencedRow {
            body: body(n),
            ..row(n, slot((n % 4) as u16), 1)
        })
        .collect();
    node.write(&rows).await;
    let ranges = [0..=59, 30..=59, 1000..=2000];
    let tally = |range, value, rows| Tally { range, value, rows };
    let mut all = node
        .rows
        .tally(TABLE, 1, &ranges, &SlotSet::EMPTY)
        .await
        .expect("it answers");
    all.sort_unstable();
    let want = [
        tally(0, b'1', 20),
        tally(0, b'2', 20),
        tally(1, b'1', 10),
        tally(1, b'2', 10),
    ];
    assert_eq!(all, want);
    let except: SlotSet = [slot(0), slot(1), slot(3)].into_iter().collect();
    let mut rest = node
        .rows
        .tally(TABLE, 1, &ranges, &except)
        .await
        .expect("it answers");
    rest.sort_unstable();
    let want = [
        tally(0, b'1', 5),
        tally(0, b'2', 5),
        tally(1, b'1', 3),
        tally(1, b'2', 3),
    ];
    assert_eq!(rest, want);
}

/// More rows than an engine would send at once.
pub(super) async fn a_large_batch_is_written_whole_or_not_at_all(rig: &dyn FencedRig) {
    const ROWS: u64 = 2500;
    let node = Node::with(rig, 0..16).await;
    let rows = |version| -> Vec<_> {
        (0..ROWS)
            .map(|n| live(n, slot((n % 16) as u16), version, &format!("client {n}")))
            .collect()
    };
    node.write(&rows(1)).await;
    assert_eq!(node.load().await.len() as u64, ROWS);
    rig.take_over(slot(15)).await;
    assert_eq!(lost(node.try_write(&rows(2))).await, [slot(15)]);
    let all = node.load().await;
    assert!(all.iter().all(|stored| stored.row.version == 1), "nothing of it");
}
