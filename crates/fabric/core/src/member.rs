//! What a node knows of the others, and whether it may own anything itself.

use crate::port::{NodeFacts, NodeState};
use purlin_types::{Incarnation, NodeId};
use std::fmt;
use std::time::Duration;

/// What the silence of a node means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suspicion {
    /// Renews as it should.
    None,
    /// Has missed a renewal.
    Late,
    /// Its lease has lapsed under this node's eyes: what it held may be claimed.
    Lapsed,
}

/// A node, seen from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: NodeId,
    pub incarnation: Incarnation,
    pub state: NodeState,
    pub facts: NodeFacts,
    /// How many slots it holds.
    pub slots: u16,
    pub leader: bool,
    /// How long its lease has not been seen to change; how long ago the renewal was sent, for this node itself.
    pub silent: Duration,
    pub suspicion: Suspicion,
}

/// Why a node may not own anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// Has not been enrolled yet.
    Starting,
    /// Waits until its former life's lease has lapsed.
    FormerLife { incarnation: Incarnation },
    /// Another process lives under this id.
    DuplicateId { live: Incarnation },
    /// The store has not answered in time: the lease has ended.
    Lapsed,
    /// The wall clock is this far from the store's, in milliseconds; positive when ahead.
    WallClock { off_ms: i64 },
    /// The store shows an older history than one that was seen before.
    TimelineBehind { known: u32, shown: u32 },
    /// Gives its slots away.
    Draining,
    /// Was removed or replaced; only a new life can own again.
    Superseded,
    /// Has left in order.
    Left,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("not enrolled yet"),
            Self::FormerLife { .. } => {
                f.write_str("waiting until the lease of this node's former life has lapsed")
            }
            Self::DuplicateId { live } => {
                write!(
                    f,
                    "another process lives under this node's id (incarnation {:016x})",
                    live.0
                )
            }
            Self::Lapsed => f.write_str("the claim store does not answer: the node's lease has ended"),
            Self::WallClock { off_ms } => write!(f, "the wall clock is {off_ms} ms off the store's"),
            Self::TimelineBehind { known, shown } => {
                write!(
                    f,
                    "the store shows timeline {shown}, but {known} was seen: an old primary is alive"
                )
            }
            Self::Draining => f.write_str("draining"),
            Self::Superseded => f.write_str("this life of the node was removed or replaced"),
            Self::Left => f.write_str("has left the cluster"),
        }
    }
}

impl std::error::Error for NotReady {}
