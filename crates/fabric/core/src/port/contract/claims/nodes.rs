//! Nodes: their ids, their lives, and what the end of a life ends.

use super::{ClaimsRig, Node, facts, fence, refused, slot};
use crate::port::{NodeRow, NodeState, Refusal, Version, Wish};
use purlin_types::Incarnation;

async fn row(node: &Node) -> NodeRow {
    let nodes = node.view().await.nodes;
    let mut found = nodes.into_iter().filter(|row| row.id == node.me.id);
    let row = found.next().expect("it is known");
    assert_eq!(found.next(), None, "one row for each id");
    row
}

/// Neither renews, nor claims, nor moves on.
async fn is_fenced(node: &Node) {
    assert_eq!(refused(node.renew().await), Refusal::Superseded);
    let wish = Wish {
        key: slot(77),
        seen: Version::default(),
        by_force: false,
    };
    let claimed = node.store.claim(&node.me, &[wish]).await;
    assert_eq!(refused(claimed), Refusal::Superseded);
    for to in [NodeState::Active, NodeState::Draining, NodeState::Removed] {
        refused(node.advance(NodeState::Active, to).await);
    }
    assert_eq!(node.row(&slot(77)).await.owner, None, "nothing was claimed");
}

pub(super) async fn a_node_enrols_renews_and_is_seen(rig: &dyn ClaimsRig) {
    let node = Node::stranger(rig, "node-1.example.com", u64::MAX).await;
    assert_eq!(node.view().await.nodes, []);
    let enrolled = node.enrol(None).await.expect("a new name");
    assert_eq!((enrolled.seq, enrolled.state), (0, NodeState::Joining));
    assert_eq!(
        row(&node).await,
        NodeRow {
            id: node.me.id.clone(),
            incarnation: Incarnation(u64::MAX),
            seq: 0,
            state: NodeState::Joining,
            facts: facts("node-1.example.com"),
        }
    );
    let mut last = 0;
    for _ in 0..5 {
        let renewed = node.renew().await.expect("it is enrolled");
        assert!(renewed.seq > last, "it rises");
        last = renewed.seq;
        assert_eq!(row(&node).await.seq, last);
    }
    let (mut states, mut from) = (Vec::new(), NodeState::Joining);
    for to in [NodeState::Active, NodeState::Draining, NodeState::Active] {
        node.advance(from, to).await.expect("it was in that state");
        states.push(node.renew().await.expect("it is enrolled").state);
        from = to;
    }
    assert_eq!(
        states,
        [NodeState::Active, NodeState::Draining, NodeState::Active]
    );
    assert!(row(&node).await.seq > last, "no state sets it back");
}

pub(super) async fn an_id_in_use_is_refused(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    node.renew().await.expect("it is enrolled");
    let before = row(&node).await;
    let second = Node::stranger(rig, "a", 2).await;
    let live = Incarnation(1);
    assert_eq!(refused(second.enrol(None).await), Refusal::DuplicateId { live });
    assert_eq!(row(&node).await, before, "nothing changed, least of all seq");
    // The same life again, whose first answer may have been lost: it is told what it is.
    let again = node.enrol(None).await.expect("it is that one");
    assert_eq!((again.seq, again.state), (before.seq, NodeState::Active));
    assert_eq!(row(&node).await, before);
    let other_case = Node::stranger(rig, "A", 3).await;
    other_case.enrol(None).await.expect("another name");
}

pub(super) async fn a_former_life_is_replaced_only_as_last_seen(rig: &dyn ClaimsRig) {
    let former = Node::active(rig, "a", 1).await;
    let seen = former.renew().await.expect("it is enrolled").seq;
    let next = Node::stranger(rig, "a", 2).await;
    let live = former.me.incarnation;
    for (incarnation, seq) in [(1, seen - 1), (1, seen + 1), (3, seen)] {
        assert_eq!(
            refused(next.enrol(Some((incarnation, seq))).await),
            Refusal::DuplicateId { live },
            "seen {incarnation} at {seq}"
        );
    }
    former.renew().await.expect("nobody replaced it");
    refused(next.enrol(Some((1, seen))).await);
    let seen = row(&former).await.seq;
    let enrolled = next.enrol(Some((1, seen))).await.expect("as last seen");
    assert_eq!((enrolled.seq, enrolled.state), (0, NodeState::Joining));
    let third = Node::stranger(rig, "a", 3).await;
    assert_eq!(
        refused(third.enrol(Some((1, seen))).await),
        Refusal::DuplicateId {
            live: next.me.incarnation
        },
        "replaced once"
    );
    let unknown = Node::stranger(rig, "b", 9).await;
    refused(unknown.enrol(Some((1, 0))).await);
    assert_eq!(unknown.view().await.nodes.len(), 1, "nobody to replace");
}

pub(super) async fn a_replaced_life_can_do_nothing(rig: &dyn ClaimsRig) {
    let former = Node::active(rig, "a", 1).await;
    let held = former.take(&slot(1), false).await;
    let seen = row(&former).await.seq;
    let next = Node::stranger(rig, "a", 2).await;
    next.enrol(Some((1, seen))).await.expect("as last seen");
    is_fenced(&former).await;
    // What the former life held is still its own until taken by force: a namesake inherits nothing.
    let claim = next.row(&slot(1)).await;
    assert!(former.owns(&claim) && claim.version.epoch == held);
    let not_mine = [fence(&slot(1), held)];
    next.store
        .release(&next.me, &not_mine)
        .await
        .expect("passed over");
    assert!(former.owns(&next.row(&slot(1)).await));
    next.take(&slot(1), true).await;
    let claim = next.row(&slot(1)).await;
    assert!(next.owns(&claim) && claim.suspect);
}

pub(super) async fn a_removed_life_can_do_nothing_and_its_id_is_free(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let operator = Node::stranger(rig, "a", 1).await;
    operator
        .advance(NodeState::Active, NodeState::Removed)
        .await
        .expect("it was active");
    is_fenced(&node).await;
    assert_eq!(refused(node.enrol(None).await), Refusal::Superseded);
    assert_eq!(row(&node).await.state, NodeState::Removed, "shown as removed");
    let next = Node::stranger(rig, "a", 2).await;
    let enrolled = next.enrol(None).await.expect("the id is free");
    assert_eq!((enrolled.seq, enrolled.state), (0, NodeState::Joining));
    assert_eq!(row(&next).await.incarnation, next.me.incarnation);
    is_fenced(&node).await;
}

pub(super) async fn a_state_is_left_only_from_where_it_is(rig: &dyn ClaimsRig) {
    use NodeState::{Active, Draining, Joining, Removed};
    let node = Node::active(rig, "a", 1).await;
    for from in [Joining, Draining, Removed] {
        for to in [Joining, Active, Draining, Removed] {
            assert_eq!(refused(node.advance(from, to).await), Refusal::Stale, "{from:?}");
        }
    }
    let namesake = Node::stranger(rig, "a", 2).await;
    let refusal = refused(namesake.advance(Active, Removed).await);
    assert_eq!(refusal, Refusal::Superseded, "another life");
    assert_eq!(row(&node).await.state, Active, "nothing changed");
    node.advance(Active, Draining).await.expect("it was active");
}

pub(super) async fn a_stranger_can_do_nothing(rig: &dyn ClaimsRig) {
    let node = Node::stranger(rig, "nobody", 1).await;
    is_fenced(&node).await;
    let view = node.view().await;
    assert_eq!((view.nodes, view.claims), (Vec::new(), Vec::new()));
}
