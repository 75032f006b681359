//! What happened in the cluster, for logs, counters and subscribers.

use crate::member::NotReady;
use purlin_types::{Incarnation, NodeId};

/// Something that people or services want to be told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A node was seen active for the first time in this life of it.
    NodeJoined(NodeId),
    /// A node is gone: in order, or because its lease lapsed under this node's eyes.
    NodeLeft { node: NodeId, graceful: bool },
    /// Who leads now, as far as this node can see.
    Leader(Option<NodeId>),
    /// The store failed over.
    TimelineChanged { from: u32, to: u32 },
    /// The store showed an older history than before: an old primary that is still alive. It is not believed.
    TimelineBehind { known: u32, shown: u32 },
    /// Another process lives under this node's id.
    DuplicateId { live: Incarnation },
    /// This life of the node is over: it was removed or replaced.
    Superseded,
    /// The node's lease ended before a renewal was answered.
    Lapsed,
    /// The node's boot clock runs so many parts in a million faster than the store's, more than claims allow for; `None`
    /// when it is right again.
    ClockRate { off_ppm: Option<i64> },
    /// The node may not own, and why.
    NotReady(NotReady),
    /// The node may own.
    Ready,
    /// This node's slots changed.
    SlotsMoved { gained: u16, lost: u16 },
    /// A write was refused by its fence: somebody else holds these slots.
    FenceLost { slots: u16 },
    /// This node, as leader, made a new plan.
    Planned { number: u64 },
    /// The newest plan cannot be read: a newer version wrote it, or it is damaged. The former one stays in force.
    PlanUnreadable { number: u64 },
}
