//! Sockets as sessions: what keeps a client's place when its connection, or its node, goes away.
//!
//! ```text
//!   GET /ws                      ──► session: id, node, generation          n = 1, 2, 3 ... with every event
//!   ◄── close 1012 {"resume": TOKEN, "delay_ms": D}                         its node drains
//!   GET /ws?resume=TOKEN&seen=N  ──► a new id, the events after N, and on   at any node
//!   GET /ws?session=ID&seen=N    ──► the same after a broken connection
//! ```

use crate::problem::Problem;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// A session that lives on this node now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What the client proves itself with when it comes back.
    pub id: String,
    /// Rises with every move.
    pub generation: u64,
    /// What the client tells the user of: the node that holds it.
    pub node: String,
    /// It lapses when nothing was heard of the client for so long.
    pub ttl: Duration,
    /// The events after the client's last one with their numbers; or the number to go on from where some are gone.
    pub replay: Result<Vec<(u64, Vec<u8>)>, u64>,
    /// Where the former node stood in what all nodes number alike; empty when nobody knows.
    pub place: String,
}

/// Why a session's connection ends here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The session has ended, or lives elsewhere.
    Gone,
    /// The node drains: the connection is closed after so long.
    Draining(Duration),
}

/// Keeps sessions. Events are kept until the client confirms them, within bounds.
pub trait SessionKeeper: Send + Sync {
    /// A new session of `user`.
    fn begin<'a>(&'a self, user: &'a str) -> BoxFuture<'a, Result<Opened, Problem>>;

    /// The session that a one-time token stands for; `seen` is the last event that the client has got.
    fn resume<'a>(
        &'a self,
        user: &'a str,
        token: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, Result<Opened, Problem>>;

    /// The session of a client whose connection broke. The flag says that it never left this node, and goes on where
    /// it was.
    fn come_back<'a>(
        &'a self,
        user: &'a str,
        id: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, Result<(Opened, bool), Problem>>;

    /// Whether the session lives here and is this user's.
    fn is_of(&self, user: &str, id: &str) -> bool;

    /// Ends when the session's connection must.
    fn over(&self, id: &str, generation: u64) -> BoxFuture<'static, Over>;

    /// Whether the session lives here in this generation.
    fn check(&self, id: &str, generation: u64) -> bool;

    /// Keeps an event; its number, or `None` when the session does not live here.
    fn event(&self, id: &str, body: Vec<u8>) -> Option<u64>;

    /// The client has every event up to this number.
    fn seen(&self, id: &str, number: u64);

    /// Something was heard of the client; false when the session lives elsewhere.
    fn touch<'a>(&'a self, id: &'a str) -> BoxFuture<'a, bool>;

    /// How often a session gets another id.
    fn rotate_every(&self) -> Duration;

    /// Gives the session another id and generation; `None` when that could not be done now.
    fn rotate<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Option<(String, u64)>>;

    /// Lets the session go: a one-time token for its client, `None` when no other node could take it.
    fn part<'a>(&'a self, id: &'a str, place: &'a str) -> BoxFuture<'a, Option<String>>;

    /// The client is done.
    fn end<'a>(&'a self, id: &'a str) -> BoxFuture<'a, ()>;
}
