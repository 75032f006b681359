//! One event on its way to all nodes.

use purlin_api::events::Event;
use serde_json::{Value, json};

/// An event and the key by which nodes know that they have it already: a note whose writing was not answered is
/// written again, and what every node sees is told by each of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub key: String,
    pub topic: String,
    /// RFC 3339.
    pub at: String,
    pub data: Value,
}

impl Notice {
    pub(super) fn encode(&self) -> Vec<u8> {
        let notice = json!({ "key": self.key, "topic": self.topic, "at": self.at, "data": self.data });
        notice.to_string().into_bytes()
    }

    /// What [`Self::encode`] made; `None` for anything else.
    pub(super) fn decode(octets: &[u8]) -> Option<Self> {
        let mut notice: Value = serde_json::from_slice(octets).ok()?;
        let text = |key: &str| Some(notice[key].as_str()?.to_owned());
        let (key, topic, at) = (text("key")?, text("topic")?, text("at")?);
        Some(Self {
            key,
            topic,
            at,
            data: notice["data"].take(),
        })
    }

    /// An event of a node's own log.
    pub(super) fn of(node: &str, mut event: Event) -> Self {
        if let Some(data) = event.data.as_object_mut() {
            data.insert("node".to_owned(), node.into());
        }
        Self {
            // Numbers of a log begin with the time of its start: no two lives of a node share one.
            key: format!("log/{node}/{}", event.seq),
            topic: event.topic,
            at: event.at,
            data: event.data,
        }
    }
}
