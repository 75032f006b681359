//! The control plane's event log as a source of one lane.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_telemetry::{Event as Logged, EventLog};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

use super::{Batch, Event, EventSource};
use crate::clock::rfc3339_millis;

/// Follows an [`EventLog`].
pub struct LogSource {
    log: Arc<EventLog>,
    newest: watch::Receiver<u64>,
}

impl fmt::Debug for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogSource({:?})", self.log)
    }
}

impl LogSource {
    /// Becomes the log's listener, of which there can be one.
    ///
    /// # Panics
    /// When the log has a listener already: streams would then wait for ever.
    #[must_use]
    pub fn new(log: Arc<EventLog>) -> Self {
        let (told, newest) = watch::channel(log.next());
        let listening = log.listen(move |seq| {
            // Pushes of two threads may arrive here the other way round.
            told.send_if_modified(|next| {
                let news = *next <= seq;
                *next = (*next).max(seq + 1);
                news
            });
        });
        assert!(listening, "the event log has another listener");
        Self { log, newest }
    }
}

impl EventSource for LogSource {
    fn lanes(&self) -> usize {
        1
    }

    fn tail(&self) -> BoxFuture<'_, Vec<u64>> {
        async { vec![self.log.next()] }.boxed()
    }

    fn oldest(&self) -> BoxFuture<'_, Vec<u64>> {
        async {
            let page = self.log.since(0, 1);
            vec![page.events.first().map_or(page.next, |event| event.seq)]
        }
        .boxed()
    }

    fn next<'a>(&'a self, from: &'a [u64], limit: usize) -> BoxFuture<'a, Batch> {
        async move {
            let mut newest = self.newest.clone();
            loop {
                // Marked as seen before reading, so that a push between the two wakes us.
                newest.borrow_and_update();
                let page = self.log.since(from[0], limit);
                if !page.events.is_empty() || page.missed > 0 {
                    let events = page.events.iter().map(|event| told(event)).collect();
                    return Batch {
                        events,
                        next: vec![page.next],
                        missed: page.missed,
                    };
                }
                if newest.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
        .boxed()
    }
}

fn told(event: &Logged) -> Event {
    // The log's own JSON knows how to write every datum; only the frame around it differs.
    let mut whole: Value = serde_json::from_str(&event.to_json()).unwrap_or_default();
    let data = whole.get_mut("data").map(Value::take).unwrap_or_default();
    Event {
        lane: 0,
        seq: event.seq,
        topic: event.topic.to_owned(),
        at: rfc3339_millis(event.at.0),
        data: json!({ "kind": event.kind, "subject": event.subject, "text": event.text, "values": data }),
    }
}
