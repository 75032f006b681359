//! What the platform keeps beside OVN's own databases: its journal, templates, documents and backups.

use purlin_api::clock::Clock;
use purlin_api::ledger::Ledger;
use std::time::Duration;

/// Where the platform keeps what is its own, and how much of it.
#[derive(Debug, Clone)]
pub struct History {
    /// This node's records, or the cluster's.
    pub ledger: Ledger,
    pub clock: Clock,
    /// Whether other nodes write to the same records.
    pub shared: bool,
    pub bounds: Bounds,
}

/// How much is kept; the oldest goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Transactions in the journal.
    pub journal_entries: u64,
    /// Age of the oldest of them.
    pub journal_age: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            journal_entries: 20_000,
            journal_age: Duration::from_secs(90 * 86_400),
        }
    }
}
