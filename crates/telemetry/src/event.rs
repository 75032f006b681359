//! Events: what changed, in the order it changed, for consoles and programs that follow along.
//!
//! Every event has a number. A reader that was away asks for everything since the number it saw last and learns
//! how many it has missed. The log is bounded and for the control plane; packets never touch it.

mod log;

pub use log::{EventLog, Page};

use crate::json::{field, text};
use purlin_types::WallTime;
use std::fmt::Write;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its position in the log; the log sets it.
    pub seq: u64,
    pub at: WallTime,
    /// What readers subscribe to: `dhcp.lease`, `config.revision`, `health`, `node`.
    pub topic: &'static str,
    /// What happened: `bound`, `released`, `applied`.
    pub kind: &'static str,
    /// Whom it is about: an address, a revision, a check.
    pub subject: String,
    /// One sentence for people.
    pub text: String,
    pub data: Vec<(&'static str, Datum)>,
}

/// A value that goes with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datum {
    Text(String),
    Number(i64),
    Flag(bool),
}

impl From<&str> for Datum {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Datum {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Datum {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<bool> for Datum {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl Event {
    /// An event that has no number yet.
    #[must_use]
    pub fn new(
        at: WallTime,
        topic: &'static str,
        kind: &'static str,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            seq: 0,
            at,
            topic,
            kind,
            subject: subject.into(),
            text: text.into(),
            data: Vec::new(),
        }
    }

    /// The event with one value more.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Datum>) -> Self {
        self.data.push((key, value.into()));
        self
    }

    /// Whether a reader of `topic` wants it: the topic itself, everything below it, or all with an empty one.
    #[must_use]
    pub fn is_about(&self, topic: &str) -> bool {
        match self.topic.strip_prefix(topic) {
            Some(rest) => rest.is_empty() || topic.is_empty() || rest.starts_with('.'),
            None => false,
        }
    }

    /// The event as JSON; `at` in milliseconds since the Unix epoch.
    ///
    /// ```text
    /// {"seq":7,"at":1700000000000,"topic":"dhcp.lease","kind":"bound","subject":"10.0.0.9","text":"…","data":{"mac":"…"}}
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        field(&mut out, "seq", |out| number(out, self.seq));
        field(&mut out, "at", |out| number(out, self.at.0));
        let words = [self.topic, self.kind, &self.subject, &self.text];
        for (name, word) in ["topic", "kind", "subject", "text"].into_iter().zip(words) {
            field(&mut out, name, |out| text(out, word));
        }
        field(&mut out, "data", |out| {
            out.push('{');
            for (key, value) in &self.data {
                field(out, key, |out| value.write_json(out));
            }
            out.push('}');
        });
        out.push('}');
        out
    }
}

impl Datum {
    fn write_json(&self, out: &mut String) {
        match self {
            Self::Text(value) => text(out, value),
            Self::Number(value) => number(out, value),
            Self::Flag(value) => out.push_str(if *value { "true" } else { "false" }),
        }
    }
}

fn number(out: &mut String, value: impl std::fmt::Display) {
    write!(out, "{value}").expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_form_a_tree() {
        let event = Event::new(WallTime(0), "dhcp.lease", "bound", "", "");
        assert!(event.is_about("dhcp") && event.is_about("dhcp.lease") && event.is_about(""));
        assert!(!event.is_about("dhcp.l") && !event.is_about("config") && !event.is_about("dhcp.lease.more"));
    }

    #[test]
    fn json_has_the_documented_shape() {
        let event = Event::new(WallTime(12), "dhcp.lease", "bound", "10.0.0.9", "a\tb\n\"c\\")
            .with("mac", "00:53:00:00:00:01")
            .with("secs", 3600)
            .with("reserved", true);
        assert_eq!(
            event.to_json(),
            "{\"seq\":0,\"at\":12,\"topic\":\"dhcp.lease\",\"kind\":\"bound\",\"subject\":\"10.0.0.9\",\
             \"text\":\"a\\u0009b\\n\\\"c\\\\\",\
             \"data\":{\"mac\":\"00:53:00:00:00:01\",\"secs\":3600,\"reserved\":true}}"
        );
    }
}
