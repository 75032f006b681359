//! Reading: in order, page by page, and large batches.

use super::{FencedRig, Node, TABLE, live, lost, row, slot};
use crate::StoredRow;

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
