//! What a run counts.

use std::fmt;
use std::ops::AddAssign;

/// How much happened: a run in which nothing did has shown nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub events: u64,
    pub promises: u64,
    pub refusals: u64,
    pub faults: u64,
    pub failovers: u64,
    /// Claims asked for by force.
    pub takeovers: u64,
    /// Promises of which there was no record when a node died.
    pub unrecorded: u64,
    /// Times that a write was refused by its fence.
    pub setbacks: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.promises += other.promises;
        self.refusals += other.refusals;
        self.faults += other.faults;
        self.failovers += other.failovers;
        self.takeovers += other.takeovers;
        self.unrecorded += other.unrecorded;
        self.setbacks += other.setbacks;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} events: {} promises, {} refusals, {} faults, {} failovers, {} claims by force, {} unrecorded promises, {} lost fences",
            self.events,
            self.promises,
            self.refusals,
            self.faults,
            self.failovers,
            self.takeovers,
            self.unrecorded,
            self.setbacks
        )
    }
}
