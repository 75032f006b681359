//! The event stream: Server-Sent Events and WebSocket, the same events, resumed without loss or repetition.
//!
//! ```text
//!   EventSource (log, decisions, ...) ──pull──► Follower: cursor, topics, gaps ──► sse | ws
//! ```
//!
//! Streams pull: a slow reader holds nothing but its place. When what it wants next has left the bounded source,
//! it gets an explicit `gap` event with the number of what it missed, and goes on from the oldest there is.

mod cursor;
mod follower;
mod joined;
pub mod keeper;
mod log;
mod lounge;
mod session;
mod sse;
mod ws;

pub mod routes;

pub use cursor::Cursor;
pub use follower::{Follower, Item, Topics};
pub use joined::Joined;
pub use keeper::SessionKeeper;
pub use log::LogSource;
pub use session::{GONE, RESTART, way_on};

use futures_util::future::BoxFuture;
use serde_json::Value;

/// One event, as both kinds of stream send it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Which of the source's rows of numbers it belongs to, from 0.
    pub lane: usize,
    /// Its number in that row.
    pub seq: u64,
    /// `dhcp.decision`, `config.revision`.
    pub topic: String,
    /// RFC 3339.
    pub at: String,
    pub data: Value,
}

/// What a source gives at one time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// In the order in which they shall be told; numbers grow within each lane.
    pub events: Vec<Event>,
    /// Where to go on after all of them.
    pub next: Vec<u64>,
    /// How many were asked for that have gone.
    pub missed: u64,
}

/// Where events come from. A position is one number per lane: the next one wanted.
pub trait EventSource: Send + Sync {
    /// How many lanes there are; it does not change.
    fn lanes(&self) -> usize;

    /// The position behind the newest event.
    fn tail(&self) -> BoxFuture<'_, Vec<u64>>;

    /// The position of the oldest event that is kept.
    fn oldest(&self) -> BoxFuture<'_, Vec<u64>>;

    /// Whether there are lanes that all nodes number alike.
    fn shares_places(&self) -> bool {
        false
    }

    /// Trees of topics that come by lanes of this node alone: `dhcp`.
    fn own_topics(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// What other nodes understand of a position: those lanes that all nodes number alike. Empty when there are none;
    /// no spaces, at most 100 octets.
    fn shared_place(&self, _at: &[u64]) -> String {
        String::new()
    }

    /// The position that [`Self::shared_place`] of another node means here; lanes of this node alone begin now.
    fn position_at<'a>(&'a self, _place: &'a str) -> BoxFuture<'a, Vec<u64>> {
        self.tail()
    }

    /// At most about `limit` events from a position on. Waits until there is one, or something was missed;
    /// dropping the future loses nothing.
    fn next<'a>(&'a self, from: &'a [u64], limit: usize) -> BoxFuture<'a, Batch>;
}
