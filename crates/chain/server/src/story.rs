//! What was told, newest kept: a bounded row of decisions, for the event stream and the API.

use crate::codes;
use purlin_api::clock::rfc3339_millis;
use purlin_telemetry::event::Datum;
use purlin_telemetry::{Event, EventLog, ReasonCode};
use purlin_types::WallTime;
use serde_json::{Map, Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Decisions that are kept.
const KEPT: usize = 1_024;

/// Something that an operator should be able to see.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) code: ReasonCode,
    /// `chain.round`, `chain.validator`, `chain.peer`, `chain.agreement`, `chain.storage`.
    pub(crate) topic: &'static str,
    /// Whom it is about.
    pub(crate) subject: String,
    /// One sentence.
    pub(crate) text: String,
    pub(crate) values: Vec<(&'static str, Datum)>,
}

impl Decision {
    pub(crate) fn new(
        code: ReasonCode,
        topic: &'static str,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            code,
            topic,
            subject: subject.into(),
            text: text.into(),
            values: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, key: &'static str, value: impl Into<Datum>) -> Self {
        self.values.push((key, value.into()));
        self
    }

    /// Two with the same key are not told one right after the other.
    pub(crate) fn key(&self) -> (&'static str, String) {
        (self.topic, self.subject.clone())
    }
}

/// The decisions that were told.
#[derive(Debug)]
pub(crate) struct Story {
    log: EventLog,
    newest: watch::Sender<u64>,
}

impl Story {
    pub(crate) fn new() -> Self {
        // Numbers grow over restarts, so that a reader's place of before is known to be one.
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let first = u64::try_from(micros.as_micros()).unwrap_or_default();
        let log = EventLog::new(KEPT, first);
        let newest = watch::Sender::new(log.next());
        Self { log, newest }
    }

    /// `more`: how many of the same were not told since the last one.
    pub(crate) fn push(&self, decision: Decision, more: u64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = WallTime(u64::try_from(now.as_millis()).unwrap_or_default());
        let slug = codes::reason(decision.code).map_or("", |reason| reason.slug);
        let mut text = decision.text;
        if more > 0 {
            text = format!("{text}; {more} more of its kind since it was told last");
        }
        let mut event = Event::new(at, decision.topic, slug, decision.subject, text);
        event.data = decision.values;
        event.data.push(("code", Datum::Text(decision.code.to_string())));
        if more > 0 {
            event
                .data
                .push(("more", Datum::Number(i64::try_from(more).unwrap_or(i64::MAX))));
        }
        let seq = self.log.push(event);
        self.newest.send_modify(|next| *next = (*next).max(seq + 1));
    }

    pub(crate) const fn log(&self) -> &EventLog {
        &self.log
    }

    /// Wakes with every decision.
    pub(crate) fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

/// A decision as the API and the stream show it.
pub(crate) fn view(event: &Event) -> Value {
    let mut shown = Map::new();
    shown.insert("at".to_owned(), json!(rfc3339_millis(event.at.0)));
    shown.insert("seq".to_owned(), json!(event.seq));
    shown.insert("topic".to_owned(), json!(event.topic));
    shown.insert("slug".to_owned(), json!(event.kind));
    shown.insert("subject".to_owned(), json!(event.subject));
    shown.insert("text".to_owned(), json!(event.text));
    for (key, value) in &event.data {
        let value = match value {
            Datum::Text(text) => json!(text),
            Datum::Number(number) => json!(number),
            Datum::Flag(flag) => json!(flag),
        };
        shown.insert((*key).to_owned(), value);
    }
    Value::Object(shown)
}
