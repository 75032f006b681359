//! Invalidation of what is cached on many nodes.
//!
//! Whoever changes something leaves a note in the durable outbox, in the transaction of the change, and announces it on
//! a channel after the commit. The announcement is fast and may be missed; the outbox is slow and misses nothing. Notes
//! are numbered without gaps in the order of their commits, so that a reader knows by the numbers when it has missed
//! one.
//!
//! ```text
//!   announced first..=last      first = cursor + 1, of its history ──► clear, cursor = last
//!                               else ─────────────────► read the outbox after the cursor
//!   line cut, or every poll ──────────────────────────► read the outbox after the cursor
//!   the outbox was trimmed, or is on another history ─► clear everything
//! ```

mod fill;
mod reader;
mod ways;

pub use fill::{Fills, Freshness};
pub use reader::{Asked, Cleared, Heard, Reader};
pub use ways::{Line, Ways};

use crate::port::{Fault, Later};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The channel of announcements.
pub const CHANNEL: &str = "cache:invalidate";

/// The topic of notes whose body is a glob pattern of cache keys.
pub const TOPIC: &str = "cache";

/// Notes that are in the outbox, announced by whoever left them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// History of the store in which the numbers were given: a server that has not heard of its successor goes on to count
    /// beside it. 0 from former versions, and when there is no outbox.
    #[serde(default)]
    pub timeline: u32,
    /// Numbers of the first and last note; 0 and 0 when there is no outbox.
    pub first: u64,
    pub last: u64,
    /// Globs of cache keys, such as `switch:*`.
    pub patterns: Vec<String>,
    /// The node that changed something.
    pub from: String,
    /// Which of that node's lives it was: two processes may have one name for a while. 0 from former versions.
    #[serde(default)]
    pub life: u64,
    /// Milliseconds since the Unix epoch on that node, for the latency shown.
    pub at: u64,
}

/// How far a reader has read. Numbers mean something within one history of the store only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cursor {
    pub timeline: u32,
    pub id: u64,
}

/// One note of an outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub id: u64,
    pub topic: String,
    pub body: Vec<u8>,
}

/// What nodes compare to see whether they keep the same value. It resists accidents, not adversaries.
#[must_use]
pub fn digest(value: &[u8]) -> u64 {
    crate::ring::of_bytes(value)
}

/// What came after a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// All notes without a gap, at most as many as were asked for, and where to go on.
    Notes { notes: Vec<Note>, then: Cursor },
    /// Some cannot be told any more: trimmed, or another history. Whoever keeps copies drops all of them.
    Missed { then: Cursor },
}

/// The durable notes of a cluster.
pub trait Outbox: Send + Sync + fmt::Debug {
    /// Leaves notes, `(topic, body)`, in a transaction of their own; where the last one is.
    fn leave<'a>(&'a self, notes: &'a [(&'a str, &'a [u8])]) -> Later<'a, Result<Cursor, Fault>>;

    /// At most `limit` notes after `cursor`.
    fn since(&self, cursor: Cursor, limit: usize) -> Later<'_, Result<News, Fault>>;

    /// Where a reader that keeps nothing yet starts: after the last note there is.
    fn now(&self) -> Later<'_, Result<Cursor, Fault>>;
}
