//! One message of the stream, and its octets.

use super::parts::{Eyes, Part};
use super::told;
use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use purlin_ovn_core::model::object;
use purlin_ovsdb::DatabaseSchema;
use purlin_ovsdb::cache::Changes;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// One message, as both kinds of streams send it. Copies are the same one; its octets are written when the first reader
/// wants them, so that a transaction that nobody follows costs next to nothing.
#[derive(Debug, Clone)]
pub(crate) struct Message(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: Arc<str>,
    event: &'static str,
    what: What,
    text: OnceLock<Utf8Bytes>,
    frame: OnceLock<Bytes>,
    /// What tenants are told of it.
    parts: Arc<[Part]>,
}

/// What a message tells.
#[derive(Debug)]
pub(super) enum What {
    Words(Value),
    /// A tenant's part of a transaction.
    Written(String),
    Changes(Arc<DatabaseSchema>, Changes),
}

/// Octets that a row of a transaction is taken for until they are counted.
const ROW: usize = 512;

impl Message {
    pub(super) fn new(id: &str, event: &'static str, what: What) -> Self {
        Self::told_to(id, event, what, Arc::default())
    }

    pub(super) fn told_to(id: &str, event: &'static str, what: What, parts: Arc<[Part]>) -> Self {
        Self(Arc::new(Inner {
            id: id.into(),
            event,
            what,
            text: OnceLock::new(),
            frame: OnceLock::new(),
            parts,
        }))
    }

    /// Whether it is the very same one.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What is told about the stream itself and not a place in it.
    pub(crate) fn about(event: &'static str, what: Value) -> Self {
        let body = object([("event", event.into()), (event, what)]);
        Self::new("", event, What::Words(body))
    }

    pub(crate) fn id(&self) -> &Arc<str> {
        &self.0.id
    }

    /// For WebSockets.
    pub(crate) fn text(&self) -> &Utf8Bytes {
        self.0.text.get_or_init(|| {
            let body = match &self.0.what {
                What::Words(body) => body.to_string(),
                What::Written(text) => text.clone(),
                What::Changes(schema, changes) => {
                    let (id, event) = (&*self.0.id, self.0.event);
                    let changes = told(schema, changes);
                    object([("id", id.into()), ("event", event.into()), ("changes", changes)]).to_string()
                }
            };
            body.into()
        })
    }

    /// The same with its frame, for server-sent events.
    pub(crate) fn frame(&self) -> &Bytes {
        self.0.frame.get_or_init(|| {
            let Inner { id, event, .. } = &*self.0;
            let data = self.text();
            match id.is_empty() {
                // The last id of whoever comes back stays what it is.
                true => format!("event: {event}\ndata: {data}\n\n").into(),
                false => format!("id: {id}\nevent: {event}\ndata: {data}\n\n").into(),
            }
        })
    }

    /// About how much memory it holds.
    pub(super) fn weight(&self) -> usize {
        match &self.0.what {
            What::Words(_) | What::Written(_) => ROW,
            What::Changes(_, changes) => {
                changes.rows.len() * ROW + self.0.parts.iter().map(Part::octets).sum::<usize>()
            }
        }
    }

    /// As a tenant is to be told it: its part of a transaction, all of what is about the stream itself.
    pub(super) fn seen(&self, eyes: &Eyes) -> Option<Self> {
        if self.0.event != "changes" {
            return Some(self.clone());
        }
        let told: Vec<&str> = self.0.parts.iter().filter_map(|part| part.told(eyes)).collect();
        let text = format!(
            r#"{{"id":{},"event":"changes","changes":[{}]}}"#,
            json!(&*self.0.id),
            told.join(",")
        );
        (!told.is_empty()).then(|| Self::new(&self.0.id, "changes", What::Written(text)))
    }
}
