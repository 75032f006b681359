//! Plans: numbered without gaps, by the leader alone.

use super::{ClaimsRig, Node, fence, refused, slot};
use crate::port::{ClaimKey, Fence, Refusal};
use purlin_types::Epoch;

async fn publish(node: &Node, leader: &Fence, number: u64, plan: &[u8]) -> Result<(), Refusal> {
    match node.store.publish_plan(leader, number, plan).await {
        Ok(()) => Ok(()),
        outcome => Err(refused(outcome)),
    }
}

async fn leader(node: &Node) -> Fence {
    fence(&ClaimKey::Leader, node.take(&ClaimKey::Leader, true).await)
}

pub(super) async fn plans_are_numbered_without_gaps(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    assert_eq!(node.view().await.plan, (0, Vec::new()));
    let leader = leader(&node).await;
    for number in [0, 2, u64::from(u32::MAX)] {
        assert_eq!(publish(&node, &leader, number, b"no").await, Err(Refusal::Stale));
    }
    assert_eq!(node.view().await.plan, (0, Vec::new()), "nothing changed");
    for number in 1..=4 {
        let plan = vec![number as u8; number as usize];
        assert_eq!(publish(&node, &leader, number, &plan).await, Ok(()));
        assert_eq!(node.view().await.plan, (number, plan.clone()));
        for again in [number - 1, number, number + 2] {
            assert_eq!(publish(&node, &leader, again, b"no").await, Err(Refusal::Stale));
        }
        assert_eq!(node.view().await.plan, (number, plan));
    }
}

pub(super) async fn only_the_leader_publishes(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let other = Node::active(rig, "b", 2).await;
    let nobody = fence(&ClaimKey::Leader, Epoch::default());
    assert_eq!(publish(&node, &nobody, 1, b"no").await, Err(Refusal::Stale));
    let former = leader(&node).await;
    assert_eq!(publish(&node, &former, 1, b"first").await, Ok(()));
    let slot_held = fence(&slot(0), node.take(&slot(0), false).await);
    assert_eq!(publish(&node, &slot_held, 2, b"no").await, Err(Refusal::Stale));

    let current = leader(&other).await;
    assert_eq!(publish(&node, &former, 2, b"no").await, Err(Refusal::Stale));
    assert_eq!(publish(&other, &current, 2, b"second").await, Ok(()));
    other.release(&current.key, current.epoch).await;
    assert_eq!(publish(&other, &current, 3, b"no").await, Err(Refusal::Stale));
    assert_eq!(node.view().await.plan, (2, b"second".to_vec()));
}

/// 4096 preference lists of several small numbers, with names before them.
pub(super) async fn a_plan_of_the_largest_size_is_kept(rig: &dyn ClaimsRig) {
    let node = Node::active(rig, "a", 1).await;
    let leader = leader(&node).await;
    let plan: Vec<u8> = (0..128 * 1024_u32).map(|n| (n % 251) as u8).collect();
    assert_eq!(publish(&node, &leader, 1, &plan).await, Ok(()));
    assert_eq!(node.view().await.plan, (1, plan));
    assert_eq!(publish(&node, &leader, 2, b"").await, Ok(()));
    assert_eq!(node.view().await.plan, (2, Vec::new()));
}
