//! Fast, forgetful coordination: heartbeats, sessions, advisory locks, messages, cached values.
//!
//! Whatever is behind this may be empty, stale, split or gone at any moment, and no safety property changes: it makes
//! things fast and lets sessions move. Ownership is never read from here.

use super::Later;
use purlin_types::{Incarnation, NodeId};
use std::fmt;
use std::time::Duration;

/// A sign of life, for routing and display.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Heartbeat {
    pub node: String,
    pub incarnation: u64,
    /// What the node says of itself (JSON): load, sessions, health.
    pub body: String,
}

/// Where a session lives.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SessionRow {
    pub id: String,
    pub node: String,
    pub user: String,
    /// Rises with every migration; a node whose number is lower has lost the session.
    pub generation: u64,
    /// The last event that the client has confirmed.
    pub cursor: u64,
    /// Seconds until it lapses, as of the reading.
    pub ttl: u64,
}

/// Proof of holding an advisory lock: random, so that only its owner can release it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub u128);

/// One message of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub channel: String,
    pub body: Vec<u8>,
}

/// Messages as they come. `None` from `next` means that the line was cut and messages may have been missed: the
/// subscriber catches up from the durable outbox, then goes on listening. It may come only once the line is whole again.
pub trait Subscription: Send + fmt::Debug {
    fn next(&mut self) -> Later<'_, Option<Message>>;

    /// Ends as soon as the line is known to be down, now or later: until `next` has told of the cut, nothing that is
    /// published is heard. A line that is back before anybody looked may not end it; `next` tells of every cut.
    fn down(&self) -> Later<'static, ()>;
}

/// Why a hint could not be given or taken.
#[derive(Debug)]
pub enum HintFault {
    /// A session or lock is not what the caller thought: moved on, lapsed, somebody else's.
    Conflict,
    /// Not reachable now. Callers go on without.
    Away(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for HintFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conflict => "it has changed hands",
            Self::Away(_) => "the coordination service is not reachable",
        })
    }
}

impl std::error::Error for HintFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Conflict => None,
            Self::Away(cause) => Some(cause.as_ref()),
        }
    }
}

/// The forgetful store.
pub trait Hints: Send + Sync + fmt::Debug {
    /// Says that this node is alive; forgotten after `lasting`.
    fn beat<'a>(&'a self, beat: &'a Heartbeat, lasting: Duration) -> Later<'a, Result<(), HintFault>>;

    /// All that were said and not forgotten.
    fn beats(&self) -> Later<'_, Result<Vec<Heartbeat>, HintFault>>;

    /// Takes the own sign of life back (graceful leave).
    fn hush<'a>(&'a self, node: &'a NodeId, incarnation: Incarnation) -> Later<'a, Result<(), HintFault>>;

    /// Registers a session, or refreshes it when node and generation are the same.
    fn put_session<'a>(&'a self, session: &'a SessionRow, ttl: Duration) -> Later<'a, Result<(), HintFault>>;

    /// The session, if it is known.
    fn session<'a>(&'a self, id: &'a str) -> Later<'a, Result<Option<SessionRow>, HintFault>>;

    /// Moves a session that is at generation `seen` to `node`, under `new_id`; gives the new row.
    fn move_session<'a>(
        &'a self,
        id: &'a str,
        seen: u64,
        node: &'a NodeId,
        new_id: &'a str,
        ttl: Duration,
    ) -> Later<'a, Result<SessionRow, HintFault>>;

    /// Ends a session of that generation or older.
    fn end_session<'a>(&'a self, id: &'a str, generation: u64) -> Later<'a, Result<(), HintFault>>;

    /// At most `limit` sessions, those with ids above `after` first.
    fn sessions<'a>(&'a self, after: &'a str, limit: usize) -> Later<'a, Result<Vec<SessionRow>, HintFault>>;

    /// Takes an advisory lock if it is free; true when taken. It de-duplicates work, it protects nothing.
    fn lock<'a>(&'a self, name: &'a str, token: Token, ttl: Duration) -> Later<'a, Result<bool, HintFault>>;

    /// Extends an own lock.
    fn extend<'a>(&'a self, name: &'a str, token: Token, ttl: Duration) -> Later<'a, Result<(), HintFault>>;

    /// Gives an own lock back. That of somebody else is a [`HintFault::Conflict`] and stays.
    fn unlock<'a>(&'a self, name: &'a str, token: Token) -> Later<'a, Result<(), HintFault>>;

    /// Names of the held locks and the time they have left.
    fn locks(&self) -> Later<'_, Result<Vec<(String, Duration)>, HintFault>>;

    /// Tells all subscribers. Gives no promise that anybody hears it.
    fn publish<'a>(&'a self, channel: &'a str, body: &'a [u8]) -> Later<'a, Result<(), HintFault>>;

    /// Listens to channels from now on.
    fn subscribe<'a>(
        &'a self,
        channels: &'a [&'a str],
    ) -> Later<'a, Result<Box<dyn Subscription>, HintFault>>;

    /// Keeps a value for `ttl`.
    fn keep<'a>(&'a self, key: &'a str, value: &'a [u8], ttl: Duration) -> Later<'a, Result<(), HintFault>>;

    /// A kept value.
    fn recall<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<Vec<u8>>, HintFault>>;

    /// Forgets all keys that a glob pattern (`switch:*`) names; how many there were.
    fn forget<'a>(&'a self, pattern: &'a str) -> Later<'a, Result<u64, HintFault>>;
}
