//! Taking a node out in order: whether it may go, what would move, how far it is.
//!
//! ```text
//!   check ─► cordoned ─► slots released one by one ─► sessions moved ─► balancers at weight 0 ─► removed
//!            no new slots, not ready       the report names the step, the rate and the time left of it
//! ```
//!
//! A drain that runs out of time ends as a refusal, never as a removal by force: who forces says so.

mod progress;

pub use progress::{Left, Progress, Report, Step};

use crate::plan::{Moves, Plan, PlanMember, PlanSettings, moves, plan};
use crate::port::NodeState;
use purlin_types::NodeId;
use std::fmt;

/// A member as far as a removal is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainMember {
    pub id: NodeId,
    pub state: NodeState,
    /// Whether its lease is alive.
    pub live: bool,
}

/// What must be left after a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrainLimits {
    /// `load_distribution.replication_factor`.
    pub copies: u8,
    /// `auto_scaling.min_nodes`.
    pub min_nodes: u16,
    /// Requests per second of all nodes together, now.
    pub requests: u64,
    /// `auto_scaling.requests_per_node`; `None`: nobody said what a node can take.
    pub requests_per_node: Option<u32>,
}

/// Why a node is not taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrainRefusal {
    /// No member has that id.
    Unknown {
        node: NodeId,
    },
    AlreadyRemoved {
        node: NodeId,
    },
    AlreadyDraining {
        node: NodeId,
    },
    /// Nobody live would be left. Not even by force.
    LastNode {
        node: NodeId,
    },
    /// It cannot give its slots back, because it does not answer.
    Dead {
        node: NodeId,
    },
    /// Fewer live nodes than copies would be left.
    BelowCopies {
        left: u16,
        copies: u8,
    },
    /// Fewer live nodes than `min_nodes` would be left.
    BelowMinimum {
        left: u16,
        min: u16,
    },
    /// Those left are not meant for as many requests as there are.
    OverCapacity {
        requests: u64,
        left: u16,
        per_node: u32,
    },
}

impl DrainRefusal {
    /// A word for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown",
            Self::AlreadyRemoved { .. } => "removed",
            Self::AlreadyDraining { .. } => "draining",
            Self::LastNode { .. } => "last_node",
            Self::Dead { .. } => "dead",
            Self::BelowCopies { .. } => "below_copies",
            Self::BelowMinimum { .. } => "below_minimum",
            Self::OverCapacity { .. } => "over_capacity",
        }
    }

    /// Whether `--force` overrides it. Force never shortens a wait: successors still let the lease lapse.
    #[must_use]
    pub const fn yields_to_force(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::AlreadyRemoved { .. } | Self::LastNode { .. } => false,
            Self::AlreadyDraining { .. }
            | Self::Dead { .. }
            | Self::BelowCopies { .. }
            | Self::BelowMinimum { .. }
            | Self::OverCapacity { .. } => true,
        }
    }
}

impl fmt::Display for DrainRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { node } => write!(f, "there is no node {node}"),
            Self::AlreadyRemoved { node } => write!(f, "{node} has been removed"),
            Self::AlreadyDraining { node } => write!(f, "{node} is being drained already"),
            Self::LastNode { node } => write!(f, "{node} is the last live node"),
            Self::Dead { node } => {
                write!(
                    f,
                    "{node} does not answer and cannot give its slots back; removing it needs force"
                )
            }
            Self::BelowCopies { left, copies } => {
                write!(
                    f,
                    "live nodes left would be {left}, fewer than the replication factor, {copies}"
                )
            }
            Self::BelowMinimum { left, min } => {
                write!(f, "live nodes left would be {left}, fewer than min_nodes, {min}")
            }
            Self::OverCapacity {
                requests,
                left,
                per_node,
            } => write!(
                f,
                "{requests} requests/s are more than the {left} nodes left are meant for, {per_node} each"
            ),
        }
    }
}

impl std::error::Error for DrainRefusal {}

/// Whether `node` may be taken out now.
///
/// # Errors
/// The weightiest reason against it that `force` does not override.
pub fn check(
    node: &NodeId,
    members: &[DrainMember],
    limits: DrainLimits,
    force: bool,
) -> Result<(), DrainRefusal> {
    let reasons = refusals(node, members, limits);
    reasons
        .into_iter()
        .find(|reason| !(force && reason.yields_to_force()))
        .map_or(Ok(()), Err)
}

fn refusals(node: &NodeId, members: &[DrainMember], limits: DrainLimits) -> Vec<DrainRefusal> {
    let name = || node.clone();
    let Some(member) = members.iter().find(|member| member.id == *node) else {
        return vec![DrainRefusal::Unknown { node: name() }];
    };
    // Who drains already will not be there either.
    let stays = |other: &&DrainMember| {
        other.id != *node && other.live && matches!(other.state, NodeState::Active | NodeState::Joining)
    };
    let left = u16::try_from(members.iter().filter(stays).count()).unwrap_or(u16::MAX);
    let DrainLimits {
        copies,
        min_nodes,
        requests,
        requests_per_node,
    } = limits;
    let mut found = Vec::new();
    match member.state {
        NodeState::Removed => found.push(DrainRefusal::AlreadyRemoved { node: name() }),
        NodeState::Draining => found.push(DrainRefusal::AlreadyDraining { node: name() }),
        NodeState::Joining | NodeState::Active => {}
    }
    if left == 0 {
        found.push(DrainRefusal::LastNode { node: name() });
    }
    if !member.live {
        found.push(DrainRefusal::Dead { node: name() });
    }
    if left < u16::from(copies) {
        found.push(DrainRefusal::BelowCopies { left, copies });
    }
    if left < min_nodes {
        found.push(DrainRefusal::BelowMinimum { left, min: min_nodes });
    }
    if let Some(per_node) = requests_per_node.filter(|each| requests > u64::from(*each) * u64::from(left)) {
        found.push(DrainRefusal::OverCapacity {
            requests,
            left,
            per_node,
        });
    }
    found
}

/// What the removal of `node` would move. `members` are those that the current plan was made for.
#[must_use]
pub fn preview_removal(
    current: &Plan,
    members: &[PlanMember],
    node: &NodeId,
    settings: &PlanSettings,
) -> Moves {
    let rest: Vec<PlanMember> = members
        .iter()
        .filter(|member| member.id != *node)
        .cloned()
        .collect();
    moves(current, &plan(Some(current), &rest, settings))
}

/// What the arrival of `newcomer` would move.
#[must_use]
pub fn preview_addition(
    current: &Plan,
    members: &[PlanMember],
    newcomer: &PlanMember,
    settings: &PlanSettings,
) -> Moves {
    let others = members.iter().filter(|member| member.id != newcomer.id);
    let all: Vec<PlanMember> = others.chain([newcomer]).cloned().collect();
    moves(current, &plan(Some(current), &all, settings))
}

#[cfg(test)]
mod tests;
