//! A node's own events, on their way to all nodes; and what all nodes see, told once.

use super::ClusterEvents;
use super::notice::Notice;
use purlin_api::clock::rfc3339_millis;
use purlin_api::events::EventSource;
use purlin_fabric::presence::Change;
use purlin_fabric_runtime::Fabric;
use purlin_telemetry::{Event, EventLog};
use purlin_types::WallTime;
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};

/// Events that are left at once.
const TOGETHER: usize = 256;
/// Before a note is left again.
const PAUSE: Duration = Duration::from_millis(500);

/// Where a node tells what has happened: to all nodes, or to its own log when it is alone.
#[derive(Clone)]
pub enum Notices {
    Cluster(ClusterEvents),
    Alone(Arc<EventLog>),
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cluster(_) => "Cluster",
            Self::Alone(_) => "Alone",
        })
    }
}

impl ClusterEvents {
    /// Leaves for all nodes what `own` gives, in its order and without an end. An event whose leaving was not answered
    /// is left again: readers know it by its key.
    pub fn relay(&self, node: String, own: Arc<dyn EventSource>) {
        let events = self.clone();
        tokio::spawn(async move {
            let mut from = own.oldest().await;
            loop {
                let batch = own.next(&from, TOGETHER).await;
                from = batch.next;
                let notices: Vec<Notice> = batch
                    .events
                    .into_iter()
                    .map(|event| Notice::of(&node, event))
                    .collect();
                while !notices.is_empty() && events.leave(&notices).await.is_err() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        });
    }
}

impl Notices {
    async fn tell(
        &self,
        key: String,
        at: WallTime,
        (topic, kind): (&'static str, &'static str),
        about: (&str, &str),
    ) {
        let (subject, text) = about;
        match self {
            Self::Alone(log) => {
                log.push(Event::new(at, topic, kind, subject, text));
            }
            Self::Cluster(events) => {
                let notice = Notice {
                    key,
                    topic: topic.to_owned(),
                    at: rfc3339_millis(at.0),
                    data: json!({ "kind": kind, "subject": subject, "text": text, "values": {} }),
                };
                while !events.knows(&notice.key) && events.leave(std::slice::from_ref(&notice)).await.is_err()
                {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Tells of nodes that come and go, and of the leader. Ends with the herald.
pub async fn tell_changes(
    mut changes: broadcast::Receiver<Change>,
    fabric: Fabric,
    notices: Notices,
    wall: impl Fn() -> WallTime,
) {
    let mut leaders = fabric.events();
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Ok(change) => tell_change(&notices, wall(), change).await,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            told = leaders.recv() => match told {
                Ok(told) => tell_leader(&notices, &fabric, told).await,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
    }
}

async fn tell_change(notices: &Notices, at: WallTime, change: Change) {
    match change {
        Change::Joined { node, incarnation } => {
            let (key, text) = (
                format!("joined/{node}/{incarnation:x}"),
                format!("{node} has joined"),
            );
            notices
                .tell(key, at, ("cluster.node", "joined"), (&node, &text))
                .await;
        }
        Change::Left {
            node,
            incarnation,
            graceful,
        } => {
            let how = if graceful {
                "has left in order"
            } else {
                "is silent and counts as gone"
            };
            let (key, text) = (format!("left/{node}/{incarnation:x}"), format!("{node} {how}"));
            notices
                .tell(key, at, ("cluster.node", "left"), (&node, &text))
                .await;
        }
    }
}

/// The new leader tells of itself: the others see it at other moments.
async fn tell_leader(notices: &Notices, fabric: &Fabric, told: purlin_fabric_runtime::Told) {
    let purlin_fabric::Event::Leader(Some(leader)) = told.event else {
        return;
    };
    let me = fabric.me();
    if leader != me.id {
        return;
    }
    let key = format!("leader/{leader}/{:x}/{}", me.incarnation.0, told.at.0);
    let text = format!("{leader} plans for all nodes now");
    notices
        .tell(
            key,
            told.at,
            ("cluster.leader", "elected"),
            (leader.as_str(), &text),
        )
        .await;
}
