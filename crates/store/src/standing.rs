//! What copies there are of what is written: what a failover could lose.

/// The store and its copies at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The history that the store is on; changes with every failover.
    pub timeline: u32,
    /// A place in that history at or behind which everything is that was answered as written before this was asked.
    pub written: u64,
    pub copies: Copies,
}

/// Who could take the store's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// Nobody: what is written is there, or nothing is.
    None,
    /// A copy that every write waits for by now.
    Synced {
        /// As below: a copy that has just become one that is waited for may lack what was written before.
        upto: u64,
    },
    /// Copies that follow in their own time.
    Behind {
        /// Every copy that is connected has everything up to this place; 0 when none is.
        upto: u64,
        /// Whether one is connected.
        follows: bool,
    },
}

impl Standing {
    /// A store without copies.
    pub const ALONE: Self = Self {
        timeline: 1,
        written: 0,
        copies: Copies::None,
    };
}
