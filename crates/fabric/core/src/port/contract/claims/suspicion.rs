//! Suspicion: that a claim was taken by force is not forgotten before somebody has waited for it.

use super::{ClaimsRig, Node, slot};

pub(super) async fn force_leaves_suspicion_until_settled(rig: &dyn ClaimsRig) {
    let first = Node::active(rig, "a", 1).await;
    let second = Node::active(rig, "b", 2).await;
    let key = slot(9);
    let lost = first.take(&key, false).await;
    assert!(!first.row(&key).await.suspect, "taken while free");
    let held = second.take(&key, true).await;
    assert!(second.row(&key).await.suspect);

    first.settle(&key, lost).await;
    first.settle(&key, held).await;
    assert!(second.row(&key).await.suspect, "not theirs to settle");
    second.settle(&key, lost).await;
    assert!(second.row(&key).await.suspect, "not under a former epoch");
    second.settle(&key, held).await;
    let row = second.row(&key).await;
    assert!(!row.suspect && second.owns(&row));
}

pub(super) async fn suspicion_outlives_a_second_takeover_and_a_release(rig: &dyn ClaimsRig) {
    let first = Node::active(rig, "a", 1).await;
    let second = Node::active(rig, "b", 2).await;
    let third = Node::active(rig, "c", 3).await;
    let key = slot(9);
    first.take(&key, false).await;
    let held = second.take(&key, true).await;
    // Nobody has waited yet, and the claim goes on in order: the doubt goes with it.
    second.release(&key, held).await;
    let row = third.row(&key).await;
    assert!(row.suspect && row.owner.is_none(), "{row:?}");
    third.take(&key, false).await;
    assert!(third.row(&key).await.suspect);
    let again = first.take(&key, true).await;
    assert!(first.row(&key).await.suspect);
    first.settle(&key, again).await;
    first.release(&key, again).await;
    third.take(&key, false).await;
    assert!(!third.row(&key).await.suspect, "waited for, once for all");
}
