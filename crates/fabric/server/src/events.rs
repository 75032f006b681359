//! The events of all nodes in one order: each node leaves its own in the durable outbox, and every node reads them there.
//!
//! ```text
//!   own event log ──► relay ──► outbox: 1 2 3 ... ──► every node's reader ──► streams
//! ```
//!
//! Numbers are the outbox's, the same on every node: a client that moves goes on at the number where it was. Decisions
//! about single packets are too many for that; they stay with the node that made them.

mod buffer;
mod notice;
mod relay;

pub use notice::Notice;
pub use relay::{Notices, tell_changes};

use buffer::Buffer;
use futures_util::future::{BoxFuture, FutureExt};
use purlin_api::events::{Batch, EventSource};
use purlin_fabric::backoff::Jitter;
use purlin_fabric::invalidate::{Cursor, News, Outbox};
use purlin_fabric::port::Hints;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The channel on which nodes say that there is news in the outbox.
const CHANNEL: &str = "cluster:event";
/// The topic of notes that are events.
const TOPIC: &str = "event";
/// How often the outbox is read while nobody says that there is news.
const POLL: Duration = Duration::from_secs(1);
/// Notes of one look, and those from before the start that are read.
const NOTES: usize = 500;
const BACK: u64 = 1000;

/// The events of the cluster as a source of one lane.
#[derive(Clone)]
pub struct ClusterEvents(Arc<Shared>);

struct Shared {
    outbox: Arc<dyn Outbox>,
    hints: Arc<dyn Hints>,
    buffer: Mutex<Buffer>,
    /// The position behind the newest event.
    end: watch::Sender<u64>,
}

impl ClusterEvents {
    /// Starts to read. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(outbox: Arc<dyn Outbox>, hints: Arc<dyn Hints>) -> Self {
        let shared = Arc::new(Shared {
            outbox,
            hints,
            buffer: Mutex::default(),
            end: watch::Sender::new(0),
        });
        // It ends with the process.
        tokio::spawn(run(Arc::clone(&shared)));
        Self(shared)
    }

    /// Ends when the outbox has been read to its end once; how many events are kept.
    pub async fn read_once(&self) -> usize {
        // The sender is in `self`, so that this cannot fail.
        let _ = self.0.end.subscribe().wait_for(|end| *end > 0).await;
        self.0.buffer().len()
    }

    /// Whether an event of this key is in the outbox already, as far as this node remembers.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.0.buffer().knows(key)
    }

    /// Leaves events for all nodes.
    async fn leave(&self, notices: &[Notice]) -> Result<(), purlin_fabric::port::Fault> {
        let bodies: Vec<Vec<u8>> = notices.iter().map(Notice::encode).collect();
        let notes: Vec<(&str, &[u8])> = bodies.iter().map(|body| (TOPIC, body.as_slice())).collect();
        self.0.outbox.leave(&notes).await?;
        // Who does not hear it looks soon anyway.
        let _ = self.0.hints.publish(CHANNEL, b"").await;
        Ok(())
    }
}

impl fmt::Debug for ClusterEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterEvents(to {})", *self.0.end.borrow())
    }
}

impl Shared {
    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is new, from `cursor` or from some time ago; where to go on. `None` when nobody answered.
    async fn look(&self, cursor: Option<Cursor>) -> Option<Cursor> {
        let mut cursor = match cursor {
            Some(cursor) => cursor,
            None => self.begin().await?,
        };
        loop {
            match self.outbox.since(cursor, NOTES).await.ok()? {
                News::Missed { then } => {
                    self.buffer().begin_at(then);
                    cursor = then;
                }
                News::Notes { notes, then } => {
                    let more = notes.len() >= NOTES;
                    let mut buffer = self.buffer();
                    for note in notes.iter().filter(|note| note.topic == TOPIC) {
                        buffer.take(then.timeline, note);
                    }
                    buffer.read_to(then);
                    cursor = then;
                    if more {
                        continue;
                    }
                }
            }
            self.end.send_replace(self.buffer().end());
            return Some(cursor);
        }
    }

    /// A little before the end, so that a client which comes from elsewhere finds what it has not got.
    async fn begin(&self) -> Option<Cursor> {
        let end = self.outbox.now().await.ok()?;
        let before = Cursor {
            id: end.id.saturating_sub(BACK),
            ..end
        };
        let begin = match self.outbox.since(before, 1).await.ok()? {
            News::Notes { .. } => before,
            News::Missed { .. } => end,
        };
        self.buffer().begin_at(begin);
        Some(begin)
    }
}

async fn run(shared: Arc<Shared>) {
    let seed = shared.end.borrow().wrapping_add(std::process::id().into());
    let mut jitter = Jitter::new(seed);
    let (mut cursor, mut line) = (None, None);
    loop {
        if line.is_none() {
            line = shared.hints.subscribe(&[CHANNEL]).await.ok();
        }
        // A look that got no answer is asked again from the same place.
        cursor = shared.look(cursor).await.or(cursor);
        let pause = POLL - jitter.up_to(POLL / 10);
        let heard = async {
            match line.as_mut() {
                Some(line) => line.next().await.is_some(),
                None => std::future::pending().await,
            }
        };
        if tokio::time::timeout(pause, heard).await == Ok(false) {
            line = None;
            tokio::time::sleep(pause).await;
        }
    }
}

impl EventSource for ClusterEvents {
    fn lanes(&self) -> usize {
        1
    }

    fn tail(&self) -> BoxFuture<'_, Vec<u64>> {
        async { vec![*self.0.end.borrow()] }.boxed()
    }

    fn oldest(&self) -> BoxFuture<'_, Vec<u64>> {
        async { vec![self.0.buffer().oldest()] }.boxed()
    }

    fn shares_places(&self) -> bool {
        true
    }

    fn shared_place(&self, at: &[u64]) -> String {
        at[0].to_string()
    }

    fn position_at<'a>(&'a self, place: &'a str) -> BoxFuture<'a, Vec<u64>> {
        async move {
            match place.parse() {
                Ok(place) => vec![place],
                Err(_) => vec![*self.0.end.borrow()],
            }
        }
        .boxed()
    }

    fn next<'a>(&'a self, from: &'a [u64], limit: usize) -> BoxFuture<'a, Batch> {
        async move {
            let mut end = self.0.end.subscribe();
            loop {
                end.borrow_and_update();
                if let Some(batch) = self.0.buffer().since(from[0], limit) {
                    return batch;
                }
                if end.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
        .boxed()
    }
}
