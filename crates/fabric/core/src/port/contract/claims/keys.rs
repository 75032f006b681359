//! Keys: all kinds, all lengths, all of them at once.

use super::{ClaimsRig, Node, slot};
use crate::port::{ClaimKey, ClaimRow, Fence, Version, Wish};
use purlin_types::{SLOTS, Slot};
use std::collections::BTreeMap;

fn lock(name: &str) -> ClaimKey {
    ClaimKey::Lock(name.to_owned())
}

/// All rows by key, one each.
async fn rows(node: &Node) -> BTreeMap<ClaimKey, ClaimRow> {
    let claims = node.view().await.claims;
    let count = claims.len();
    let rows: BTreeMap<_, _> = claims.into_iter().map(|row| (row.key.clone(), row)).collect();
    assert_eq!(rows.len(), count, "one row for each key");
    rows
}

async fn take_all(node: &Node, keys: &[ClaimKey]) -> Vec<Fence> {
    let wishes: Vec<Wish> = keys
        .iter()
        .map(|key| Wish {
            key: key.clone(),
            seen: Version::default(),
            by_force: false,
        })
        .collect();
    let won = node.store.claim(&node.me, &wishes).await.expect("answers");
    assert_eq!(won.len(), keys.len());
    keys.iter()
        .zip(won)
        .map(|(key, epoch)| super::fence(key, epoch.expect("free")))
        .collect()
}

pub(super) async fn keys_of_all_kinds_are_apart(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let mut keys = vec![ClaimKey::Leader, slot(0), slot(1), slot(4095)];
    for name in [
        "0",
        "1",
        "leader",
        "Leader",
        "lock",
        "slot:0",
        "a'b\"c\\d%_*?[",
        " ",
    ] {
        keys.push(lock(name));
    }
    let held = take_all(&node, &keys).await;
    let seen = rows(&node).await;
    assert_eq!(seen.len(), keys.len());
    for fence in &held {
        let row = &seen[&fence.key];
        assert!(node.owns(row) && row.version.epoch.counter == 1, "{row:?}");
    }
    node.release(&lock("0"), held[4].epoch).await;
    let seen = rows(&node).await;
    let free: Vec<_> = seen.values().filter(|row| row.owner.is_none()).collect();
    assert!(matches!(free[..], [row] if row.key == lock("0")), "{free:?}");
}

pub(super) async fn lock_names_of_200_octets_are_kept_whole(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let long = "x".repeat(199);
    let mut keys: Vec<ClaimKey> = ["a", "b"]
        .iter()
        .map(|last| lock(&format!("{long}{last}")))
        .collect();
    keys.push(lock(&"ü".repeat(100)));
    keys.push(lock(&long));
    let held = take_all(&node, &keys).await;
    let seen = rows(&node).await;
    assert_eq!(seen.keys().collect::<Vec<_>>(), {
        let mut sorted: Vec<_> = keys.iter().collect();
        sorted.sort();
        sorted
    });
    node.store.release(&node.me, &held).await.expect("answers");
    assert!(rows(&node).await.values().all(|row| row.owner.is_none()));
}

pub(super) async fn all_slots_are_claimed_released_and_settled_in_one_call(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let other = Node::active(rig, "b", 2).await;
    let keys: Vec<ClaimKey> = Slot::all().map(ClaimKey::Slot).collect();
    assert_eq!(take_all(&node, &keys).await.len(), usize::from(SLOTS));
    let seen = rows(&node).await;
    assert_eq!(seen.len(), keys.len());
    assert!(seen.values().all(|row| node.owns(row) && !row.suspect));

    let wishes: Vec<Wish> = keys
        .iter()
        .map(|key| Wish {
            key: key.clone(),
            seen: seen[key].version,
            by_force: true,
        })
        .collect();
    let won = other
        .store
        .claim(&other.me, &wishes)
        .await
        .expect("answers")
        .into_iter();
    let held: Vec<Fence> = keys
        .iter()
        .zip(won)
        .map(|(key, epoch)| super::fence(key, epoch.expect("as seen")))
        .collect();
    assert!(
        rows(&node)
            .await
            .values()
            .all(|row| other.owns(row) && row.suspect)
    );

    other.store.settle(&other.me, &held).await.expect("answers");
    assert!(
        rows(&node)
            .await
            .values()
            .all(|row| other.owns(row) && !row.suspect)
    );
    other.store.release(&other.me, &held).await.expect("answers");
    let free = rows(&node).await;
    assert!(
        free.values()
            .all(|row| row.owner.is_none() && row.version.epoch.counter == 2)
    );
}
