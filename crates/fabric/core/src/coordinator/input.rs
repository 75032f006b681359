//! What a coordinator is told.

use crate::plan::PlanSettings;
use crate::port::{Fault, Fence, NodeState, Refusal, Renewal, View, Wish};
use purlin_types::{BootTime, Epoch, Slot};

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// Understood and declined; nothing changed.
    Refused(Refusal),
    /// Nobody knows. Counts as not done for whoever wanted a right, as done for whoever gave one up.
    Unknown,
}

impl From<&Fault> for Denied {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Refused(refusal) => Self::Refused(refusal.clone()),
            Fault::Unknown(_) | Fault::Unusable(_) => Self::Unknown,
        }
    }
}

/// Something that happened outside. Every request that an [`Action`](super::Action) made is answered once, by
/// [`Denied::Unknown`] when it was given up; `asked` is when it was *sent*, never when it was answered.
#[derive(Debug, Clone)]
pub enum Input {
    /// Time has passed.
    Tick,
    Enrolled {
        asked: BootTime,
        outcome: Result<Renewal, Denied>,
    },
    Renewed {
        asked: BootTime,
        outcome: Result<Renewal, Denied>,
    },
    Viewed {
        asked: BootTime,
        outcome: Result<View, Denied>,
    },
    /// The answer to a claim; `wishes` as they were sent.
    Claimed {
        asked: BootTime,
        wishes: Vec<Wish>,
        outcome: Result<Vec<Option<Epoch>>, Denied>,
    },
    Released {
        held: Vec<Fence>,
        outcome: Result<(), Denied>,
    },
    Settled {
        held: Vec<Fence>,
        outcome: Result<(), Denied>,
    },
    Advanced {
        to: NodeState,
        outcome: Result<(), Denied>,
    },
    Published {
        number: u64,
        outcome: Result<(), Denied>,
    },
    /// A write was refused by its fence: these slots are given up at once.
    FenceLost { slots: Vec<Slot> },
    /// The service has stopped deciding about these slots and all its records are durable: they may be released.
    /// Of those in `refused` some record was not taken: they cannot be given back in order.
    Flushed { slots: Vec<Slot>, refused: Vec<Slot> },
    /// A hint says that something changed in the store: look soon.
    Hinted,
    /// Plan by these settings from now on, while leading.
    Replan(PlanSettings),
    /// Give everything away and take nothing. Ended by [`Input::Resume`].
    Drain,
    /// Take part again after a drain.
    Resume,
    /// Drain, then leave for good.
    Leave,
}
