//! The plan: which node should own which slot, and who stands by.
//!
//! The leader computes a plan, numbers it and stores it; everybody else reads it. Two nodes therefore never disagree
//! because they saw different members. A plan is a wish: only a claim ([`crate::port::ClaimStore`]) makes an owner.
//!
//! ```text
//!   members ──Orders──► per slot all nodes, most wanted first          (ring.rs)
//!   previous plan ────► keep ► place orphans ► fill the light ► relieve the heavy ► standbys   (plan/assign.rs)
//! ```

mod assign;
mod codec;

pub use codec::PlanFault;

use crate::ring::Method;
use purlin_types::{NodeId, SLOTS, Slot, SlotSet};
use std::collections::BTreeMap;

/// The most nodes one plan can name.
pub const NODES_MAX: usize = 1024;

/// How plans are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanSettings {
    pub method: Method,
    /// Points on the ring of a node of weight 100; at least 1, and what is above 4096, the number of slots, is 4096.
    /// More points even the arcs out and cost planning time.
    pub virtual_nodes: u16,
    /// Length of the preference lists: an owner and its standbys; at least 1. Shorter when there are fewer nodes.
    pub replication_factor: u8,
    /// No node gets more than this times its share, nor less than its mirror image below 1 (1.10: 0.90). At least 1;
    /// infinity leaves the ring as it falls.
    pub load_bound: f64,
    /// The most slots that one plan takes from an owner that is still there. What a gone node owned is not counted.
    /// The leader plans again later until nothing changes, which makes this a rate.
    pub moves_max: u16,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self {
            method: Method::ConsistentHashing,
            virtual_nodes: 100,
            replication_factor: 3,
            load_bound: 1.10,
            moves_max: SLOTS,
        }
    }
}

/// A node that may own slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanMember {
    pub id: NodeId,
    /// Failure domain; empty counts as a zone like any other.
    pub zone: String,
    /// Relative share, 100 by default; 0 gets nothing (draining).
    pub weight: u16,
}

/// A numbered plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// From 1; each plan of a cluster has the number after its predecessor's.
    pub number: u64,
    /// Sorted, without doubles.
    nodes: Vec<NodeId>,
    /// Length of every preference list; 0 exactly when there are no nodes.
    copies: u8,
    /// 4096 lists of `copies` distinct indices into `nodes`, owner first.
    preferences: Vec<u16>,
}

/// The plan after `previous` for these members, in whatever order they are given.
///
/// The same arguments give the same plan. A slot keeps its owner unless that is gone, above its bound, or needed to lift
/// a node to its lower bound: no plan within the bounds moves fewer slots. Standbys come in ring order, from
/// other zones first. A doubled id counts once, and beyond [`NODES_MAX`] nodes only the first by name are planned for.
#[must_use]
pub fn plan(previous: Option<&Plan>, members: &[PlanMember], settings: &PlanSettings) -> Plan {
    assign::plan(previous, members, settings)
}

impl Plan {
    /// All nodes that the plan names, sorted.
    #[must_use]
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Length of the preference lists.
    #[must_use]
    pub const fn copies(&self) -> u8 {
        self.copies
    }

    /// Who should own a slot; nobody in a plan without nodes.
    #[must_use]
    pub fn owner(&self, slot: Slot) -> Option<&NodeId> {
        self.preference(slot).next()
    }

    /// The owner, then the standbys, in the order in which they should step in.
    pub fn preference(&self, slot: Slot) -> impl ExactSizeIterator<Item = &NodeId> + Clone {
        self.indices(slot)
            .iter()
            .map(|&index| &self.nodes[usize::from(index)])
    }

    /// A node's place in a slot's preference list: 0 for the owner.
    #[must_use]
    pub fn rank(&self, slot: Slot, node: &NodeId) -> Option<usize> {
        self.preference(slot).position(|id| id == node)
    }

    /// The slots that a node should own.
    #[must_use]
    pub fn slots_of(&self, node: &NodeId) -> SlotSet {
        Slot::all()
            .filter(|&slot| self.owner(slot) == Some(node))
            .collect()
    }

    /// Whether both give every slot the same preference list, whatever their numbers: nothing to publish.
    #[must_use]
    pub fn is_same_assignment(&self, other: &Self) -> bool {
        (&self.nodes, &self.preferences) == (&other.nodes, &other.preferences)
    }

    fn indices(&self, slot: Slot) -> &[u16] {
        let copies = usize::from(self.copies);
        let start = usize::from(slot.index()) * copies;
        &self.preferences[start..start + copies]
    }
}

/// What following one plan after another means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moves {
    /// By node: slots that it comes to own and that it ceases to own. Nodes without either are left out.
    pub by_node: BTreeMap<NodeId, NodeMoves>,
    /// Slots whose owner changes.
    pub slots: u16,
}

/// One node's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeMoves {
    pub gained: u16,
    pub lost: u16,
}

impl Moves {
    /// The part of all slots that changes its owner, 0 to 1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        f64::from(self.slots) / f64::from(SLOTS)
    }
}

/// What changes owner between two plans, for dry runs and for people.
#[must_use]
pub fn moves(from: &Plan, to: &Plan) -> Moves {
    let mut moves = Moves::default();
    for slot in Slot::all() {
        let (old, new) = (from.owner(slot), to.owner(slot));
        if old == new {
            continue;
        }
        moves.slots += 1;
        if let Some(old) = old {
            moves.by_node.entry(old.clone()).or_default().lost += 1;
        }
        if let Some(new) = new {
            moves.by_node.entry(new.clone()).or_default().gained += 1;
        }
    }
    moves
}

#[cfg(test)]
mod tests;
