//! Versions: what a claim, a release and a settlement make of them.

use super::{ClaimsRig, Node, fence, slot};
use crate::port::{ClaimKey, Version, Wish};
use purlin_types::Epoch;

pub(super) async fn a_first_claim_carries_the_timeline_and_counts_one(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let timeline = node.store.probe().await.expect("answers").timeline;
    let epoch = node.wish(&slot(3), Version::default(), false).await;
    assert_eq!(epoch, Some(Epoch { timeline, counter: 1 }));
    let row = node.row(&slot(3)).await;
    assert!(node.owns(&row) && !row.suspect);
    assert_eq!((Some(row.version.epoch), row.version.step), (epoch, 0));
    assert_eq!(node.view().await.probe.timeline, timeline);
}

pub(super) async fn release_and_settlement_are_steps_of_an_epoch(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let other = Node::active(rig, "b", 2).await;
    let key = slot(3);
    node.take(&key, false).await;
    let epoch = other.take(&key, true).await;
    let mut last = other.row(&key).await.version;
    assert_eq!((last.epoch, last.step), (epoch, 0));

    other.settle(&key, epoch).await;
    let row = other.row(&key).await;
    assert_eq!((row.version.epoch, row.suspect), (epoch, false));
    assert!(other.owns(&row) && row.version.step > last.step, "{row:?}");
    last = row.version;

    other.release(&key, epoch).await;
    let row = other.row(&key).await;
    assert_eq!((row.version.epoch, &row.owner), (epoch, &None));
    assert!(row.version.step > last.step, "{row:?}");

    let next = node.take(&key, false).await;
    assert_eq!(next.counter, epoch.counter + 1);
    let row = node.row(&key).await;
    assert_eq!((row.version.step, row.suspect), (0, false), "given back in order");
}

/// Whoever saw a version that is no more, older or newer than any that was, changes nothing.
pub(super) async fn an_outdated_wish_changes_nothing(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let other = Node::active(rig, "b", 2).await;
    let key = slot(3);
    let first = node.take(&key, false).await;
    let held = node.row(&key).await;
    node.release(&key, first).await;
    let free = node.row(&key).await;
    let elsewhere = Epoch {
        timeline: first.timeline + 1,
        ..first
    };
    let outdated = [
        Version::default(),
        held.version,
        Version {
            epoch: elsewhere,
            ..free.version
        },
        Version {
            step: free.version.step + 1,
            ..free.version
        },
    ];
    for seen in outdated {
        for by_force in [false, true] {
            assert_eq!(other.wish(&key, seen, by_force).await, None, "{seen:?}");
        }
        assert_eq!(other.row(&key).await, free, "nothing changed");
    }
    let ahead = Version {
        step: 1,
        ..Version::default()
    };
    assert_eq!(
        other.wish(&slot(4), ahead, false).await,
        None,
        "never claimed, so the default version"
    );
    assert!(other.wish(&key, free.version, false).await.is_some());
}

pub(super) async fn each_wish_stands_alone(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let other = Node::active(rig, "b", 2).await;
    for index in [1, 3, 5] {
        node.take(&slot(index), false).await;
    }
    let wishes: Vec<Wish> = (0..7)
        .rev()
        .map(|index| Wish {
            key: slot(index),
            seen: Version::default(),
            by_force: false,
        })
        .collect();
    let won = other.store.claim(&other.me, &wishes).await.expect("answers");
    let which: Vec<bool> = won.iter().map(Option::is_some).collect();
    assert_eq!(which, [true, false, true, false, true, false, true], "in order");
    for index in 0..7 {
        let owner = if index % 2 == 1 { &node } else { &other };
        assert!(owner.owns(&owner.row(&slot(index)).await));
    }
    assert_eq!(other.store.claim(&other.me, &[]).await.expect("answers"), []);
}

pub(super) async fn only_the_holder_releases_and_settles(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let other = Node::active(rig, "b", 2).await;
    let (mine, theirs, free) = (slot(1), slot(2), ClaimKey::Lock("never:taken:1".into()));
    let former = node.take(&mine, false).await;
    let epoch = node.take(&mine, true).await;
    let foreign = other.take(&theirs, true).await;
    let before = node.view().await.claims;

    let not_held = [
        fence(&mine, former),
        fence(&theirs, foreign),
        fence(&free, Epoch::default()),
    ];
    node.store
        .release(&node.me, &not_held)
        .await
        .expect("passed over");
    node.store.settle(&node.me, &not_held).await.expect("passed over");
    other
        .store
        .release(&other.me, &[fence(&mine, epoch)])
        .await
        .expect("passed over");
    let after = node.view().await.claims;
    assert_eq!(sorted(after), sorted(before), "nothing changed");

    let mixed = [fence(&theirs, foreign), fence(&mine, epoch)];
    node.store
        .release(&node.me, &mixed)
        .await
        .expect("the own one is released");
    assert_eq!(node.row(&mine).await.owner, None);
    assert!(other.owns(&node.row(&theirs).await));
    node.release(&mine, epoch).await;
    node.store.release(&node.me, &[]).await.expect("nothing to do");
    node.store.settle(&node.me, &[]).await.expect("nothing to do");
}

fn sorted(mut rows: Vec<crate::port::ClaimRow>) -> Vec<crate::port::ClaimRow> {
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}
