//! Where in its own life this node is.

use crate::port::NodeState;
use purlin_types::Incarnation;

/// From the first look to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Not enrolled: nothing is known yet.
    Looking,
    /// Watches another life under its own id until that one's lease has lapsed; `seq` as seen last, `renewed` when that
    /// was seen to rise.
    Watching {
        other: Incarnation,
        seq: u64,
        renewed: bool,
    },
    /// Enrolled, in the state that the store was last known to have.
    Enrolled(NodeState),
    /// Removed or replaced.
    Superseded,
    /// Left in order.
    Left,
}

impl Life {
    /// Nothing will ever be held again.
    pub(super) const fn is_over(self) -> bool {
        matches!(self, Self::Superseded | Self::Left)
    }

    pub(super) const fn state(self) -> Option<NodeState> {
        match self {
            Self::Enrolled(state) => Some(state),
            _ => None,
        }
    }
}
