//! What is left after the storage failed, and what is said while it does.

use super::{ClaimsRig, Node, fence, refused, slot};
use crate::port::{ClaimKey, Durability, Fault, NodeState, Refusal, Version, Wish};

pub(super) async fn a_restart_forgets_nothing(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let other = Node::active(rig, "b", 2).await;
    node.take(&slot(1), false).await;
    other.take(&slot(1), true).await;
    let leader = fence(&ClaimKey::Leader, node.take(&ClaimKey::Leader, false).await);
    node.store
        .publish_plan(&leader, 1, b"plan")
        .await
        .expect("it leads");
    node.renew().await.expect("it is enrolled");
    let before = node.view().await;
    if !rig.restart().await {
        return;
    }
    let again = Node::stranger(rig, "a", 1).await;
    let after = again.view().await;
    assert_eq!(after.probe.timeline, before.probe.timeline, "the same history");
    assert_eq!((after.nodes, after.claims), (before.nodes, before.claims));
    assert_eq!(after.plan, before.plan);
    assert!(again.renew().await.expect("still enrolled").seq > 1);
}

/// A call without an answer is `Unknown`, whatever it was about.
pub(super) async fn no_answer_is_never_a_refusal(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let epoch = node.take(&slot(1), false).await;
    let seq = node.renew().await.expect("it is enrolled").seq;
    if !rig.cut(true).await {
        return;
    }
    let held = [fence(&slot(1), epoch)];
    let wish = Wish {
        key: slot(2),
        seen: Version::default(),
        by_force: false,
    };
    let faults = [
        node.store.probe().await.err(),
        node.store.view().await.err(),
        node.renew().await.err(),
        node.store.claim(&node.me, &[wish]).await.err(),
        node.store.settle(&node.me, &held).await.err(),
        node.advance(NodeState::Active, NodeState::Draining).await.err(),
    ];
    for (n, fault) in faults.iter().enumerate() {
        assert!(matches!(fault, Some(Fault::Unknown(_))), "call {n}: {fault:?}");
    }
    rig.cut(false).await;
    let again = Node::stranger(rig, "a", 1).await;
    assert!(again.renew().await.expect("still enrolled").seq > seq);
    assert!(again.owns(&again.row(&slot(1)).await));
}

pub(super) async fn a_failover_raises_the_timeline_and_keeps_what_it_has(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let before = node.take(&slot(1), false).await;
    let seq = node.renew().await.expect("it is enrolled").seq;
    if !rig.fail_over(false).await {
        return;
    }
    let node = Node::stranger(rig, "a", 1).await;
    let timeline = node.store.probe().await.expect("answers").timeline;
    assert!(timeline > before.timeline);
    assert_eq!(node.view().await.probe.timeline, timeline);
    let row = node.row(&slot(1)).await;
    assert!(
        node.owns(&row) && row.version.epoch == before,
        "as it was granted"
    );
    let renewed = node.renew().await.expect("its lease goes on");
    assert!(renewed.seq > seq && renewed.probe.timeline == timeline);
    let anew = node.take(&slot(1), false).await;
    assert_eq!((anew.timeline, anew.counter), (timeline, before.counter + 1));
}

pub(super) async fn an_epoch_lost_in_a_failover_is_never_given_again(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let other = Node::active(rig, "b", 2).await;
    let first = node.take(&slot(1), false).await;
    if !rig.replicate().await {
        return;
    }
    let lost = other.take(&slot(1), true).await;
    let late = Node::active(rig, "c", 3).await;
    if !rig.fail_over(true).await {
        return;
    }
    let (node, other) = (
        Node::stranger(rig, "a", 1).await,
        Node::stranger(rig, "b", 2).await,
    );
    let row = node.row(&slot(1)).await;
    assert!(
        node.owns(&row) && row.version.epoch == first,
        "resurrected: {row:?}"
    );
    let given = other.take(&slot(1), true).await;
    assert_eq!(given.counter, lost.counter, "the counter alone repeats");
    assert!(given > lost, "the epoch does not");
    let late = Node::stranger(rig, late.me.id.as_str(), 3).await;
    assert_eq!(refused(late.renew().await), Refusal::Superseded, "never enrolled");
    // The same life may enrol once more.
    let again = late.enrol(None).await.expect("nobody has its name");
    assert_eq!((again.seq, again.state), (0, NodeState::Joining));
    late.renew().await.expect("it is enrolled");
}

/// Each may be one that was revoked by a commit that the failover lost.
pub(super) async fn a_claim_of_a_former_timeline_is_no_right(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let other = Node::active(rig, "b", 2).await;
    other.take(&slot(1), false).await;
    let held = node.take(&slot(1), true).await;
    let leader = fence(&ClaimKey::Leader, node.take(&ClaimKey::Leader, false).await);
    if !rig.fail_over(false).await {
        return;
    }
    let node = Node::stranger(rig, "a", 1).await;
    if node.store.probe().await.expect("answers").durability == Durability::Synced {
        return;
    }
    let published = node.store.publish_plan(&leader, 1, b"no").await;
    assert_eq!(refused(published), Refusal::Stale);
    let before = node.row(&slot(1)).await;
    node.settle(&slot(1), held).await;
    node.release(&slot(1), held).await;
    assert_eq!(node.row(&slot(1)).await, before, "passed over");

    let anew = fence(&ClaimKey::Leader, node.take(&ClaimKey::Leader, false).await);
    node.store
        .publish_plan(&anew, 1, b"plan")
        .await
        .expect("it leads anew");
    let held = node.take(&slot(1), false).await;
    node.settle(&slot(1), held).await;
    assert!(!node.row(&slot(1)).await.suspect, "held anew");
}
