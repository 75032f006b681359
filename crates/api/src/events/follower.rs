//! One reader's way through the stream: its place, its topics, its gaps.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;

use super::{Cursor, Event, EventSource};

/// Events that are pulled at one time: all that a slow reader ever has in memory here.
const PULL: usize = 256;

/// Which topics a reader wants. A topic includes those below it; none at all means every topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topics(Vec<String>);

impl Topics {
    /// Reads `dhcp.lease,config`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(
            text.split(',')
                .map(str::trim)
                .filter(|topic| !topic.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Whether every topic is wanted.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether events of this topic are wanted.
    #[must_use]
    pub fn want(&self, topic: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| is_below(topic, wanted))
    }

    /// Whether any topic of this tree may be wanted.
    #[must_use]
    pub fn reach(&self, tree: &str) -> bool {
        self.want(tree) || self.0.iter().any(|wanted| is_below(wanted, tree))
    }
}

/// `dhcp.lease` is below `dhcp`, and below itself.
fn is_below(topic: &str, tree: &str) -> bool {
    let rest = topic.strip_prefix(tree);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What goes to the reader, with the token to resume behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub id: String,
    pub topic: String,
    pub at: Option<String>,
    pub data: Value,
}

impl Item {
    /// As a WebSocket message and as the data of a server-sent event.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "id": self.id, "topic": self.topic, "at": self.at, "data": self.data })
    }
}

/// A reader's place in the stream.
pub struct Follower {
    source: Arc<dyn EventSource>,
    topics: Topics,
    /// Behind the last item given out.
    place: Cursor,
    pulled: VecDeque<Event>,
    /// Where `pulled` ends.
    end: Vec<u64>,
    /// A gap to tell before anything else.
    gap: Option<Value>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follower({})", self.place)
    }
}

impl Follower {
    /// Follows from `after` on, or from now when it is `None`. A token of another life of the process, or of another node,
    /// goes on where it was in what all nodes number alike; where there is nothing of that kind it begins with a gap of
    /// unknown size and everything that is still kept. What one node alone tells has a gap in either case.
    pub async fn new(source: Arc<dyn EventSource>, life: u32, topics: Topics, after: Option<Cursor>) -> Self {
        let mut gap = None;
        let next = match after {
            None => source.tail().await,
            Some(cursor) if cursor.life == life && cursor.next.len() == source.lanes() => cursor.next,
            Some(cursor) if !cursor.place.is_empty() && source.shares_places() => {
                let missed = source.own_topics().iter().any(|tree| topics.reach(tree));
                gap = missed.then(|| json!({ "missed": null, "reason": "moved" }));
                source.position_at(&cursor.place).await
            }
            Some(_) => {
                gap = Some(json!({ "missed": null, "reason": "restarted" }));
                source.oldest().await
            }
        };
        Self::at(source, life, topics, next, gap)
    }

    /// Follows from where another node stood in what all nodes number alike, and from now on else. `gap` says that events
    /// in between are lost.
    pub async fn moved(
        source: Arc<dyn EventSource>,
        life: u32,
        topics: Topics,
        place: &str,
        gap: bool,
    ) -> Self {
        let next = source.position_at(place).await;
        let gap = gap.then(|| json!({ "missed": null, "reason": "moved" }));
        Self::at(source, life, topics, next, gap)
    }

    fn at(
        source: Arc<dyn EventSource>,
        life: u32,
        topics: Topics,
        next: Vec<u64>,
        gap: Option<Value>,
    ) -> Self {
        Self {
            source,
            topics,
            place: Cursor::new(life, next.clone()),
            pulled: VecDeque::new(),
            end: next,
            gap,
        }
    }

    /// What other nodes understand of this place.
    #[must_use]
    pub fn shared_place(&self) -> String {
        self.source.shared_place(&self.place.next)
    }

    /// Changes the topics from the next item on.
    pub fn set_topics(&mut self, topics: Topics) {
        self.topics = topics;
    }

    /// The token to resume behind everything given out.
    #[must_use]
    pub fn token(&mut self) -> String {
        self.place.place = self.shared_place();
        self.place.to_string()
    }

    /// The next item. Waits for it; dropping the future loses nothing.
    pub async fn next(&mut self) -> Item {
        loop {
            if let Some(data) = self.gap.take() {
                return self.item("gap".to_owned(), None, data);
            }
            while let Some(event) = self.pulled.pop_front() {
                self.place.next[event.lane] = event.seq + 1;
                if self.topics.want(&event.topic) {
                    return self.item(event.topic, Some(event.at), event.data);
                }
            }
            self.place.next.clone_from(&self.end);
            // A source that is always ready must not keep the thread from everybody else.
            tokio::task::yield_now().await;
            self.pull().await;
        }
    }

    async fn pull(&mut self) {
        let batch = self.source.next(&self.end, PULL).await;
        if batch.missed > 0 {
            self.gap = Some(json!({ "missed": batch.missed, "reason": "overrun" }));
            self.skip_gone(&batch.events);
        }
        self.pulled = batch.events.into();
        self.end = batch.next;
    }

    /// The gap's own token lies before the first event that is left, so that resuming tells no gap twice.
    fn skip_gone(&mut self, left: &[Event]) {
        for lane in 0..self.place.next.len() {
            if let Some(first) = left.iter().find(|event| event.lane == lane) {
                self.place.next[lane] = first.seq;
            }
        }
    }

    fn item(&mut self, topic: String, at: Option<String>, data: Value) -> Item {
        self.place.place = self.shared_place();
        Item {
            id: self.place.to_string(),
            topic,
            at,
            data,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Topics;

    #[test]
    fn topics_include_those_below_them() {
        let topics = Topics::parse("dhcp.lease, config");
        assert!(
            topics.want("dhcp.lease") && topics.want("dhcp.lease.bound") && topics.want("config.revision")
        );
        assert!(!topics.want("dhcp") && !topics.want("dhcp.leases") && !topics.want("configuration"));
        assert!(Topics::parse("").want("anything"));
        assert!(topics.reach("dhcp") && topics.reach("dhcp.lease.bound") && !topics.reach("boot"));
        assert!(Topics::parse("").reach("boot"));
    }
}
