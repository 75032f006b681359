//! The schema as data: what keys exist, what they hold, and everything a person may want to know about them.
//!
//! Checking, explaining, the JSON Schema and the defaults all come from these descriptions, so they cannot
//! disagree.

mod check;
mod explain;
mod json_schema;

pub use check::{check_names, check_section, schema_faults};
pub(crate) use check::{duration_of, size_of};
pub use explain::{Explanation, explain};
pub use json_schema::json_schema;

use crate::node::{Node, Value};
use crate::source::{SourceId, Span};
use std::time::Duration;

/// Groups of keys: tables may share a group (such as the options of every DHCP scope).
pub type Keys = &'static [&'static [Key]];

/// One top-level table.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    pub name: &'static str,
    /// What the section is about; one or two sentences.
    pub doc: &'static str,
    pub keys: Keys,
    /// Set when the section is known but its function is not in this version; what to tell.
    pub not_yet: Option<&'static str>,
}

impl Section {
    /// A section that this version serves.
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str, keys: Keys) -> Self {
        Self {
            name,
            doc,
            keys,
            not_yet: None,
        }
    }

    /// A known name whose function comes later.
    #[must_use]
    pub const fn later(name: &'static str, doc: &'static str, why: &'static str) -> Self {
        Self {
            name,
            doc,
            keys: &[],
            not_yet: Some(why),
        }
    }
}

/// When a change of a key takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// With the next revision, while running.
    Live,
    /// When the process starts again.
    Restart,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    /// What it does, what it costs; one to three sentences.
    pub doc: &'static str,
    pub kind: Kind,
    /// The default as it would be written in TOML (strings without quotes); `None` is "not set".
    pub default: Option<&'static str>,
    /// Unit of a bare number, for people.
    pub unit: &'static str,
    pub effect: Effect,
    pub required: bool,
    /// A typical value as written in TOML.
    pub example: &'static str,
}

impl Key {
    /// A live, optional key without a default.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        let unit = match kind {
            Kind::Duration { .. } => "seconds",
            Kind::Size { .. } => "bytes",
            _ => "",
        };
        Self {
            name,
            doc,
            kind,
            default: None,
            unit,
            effect: Effect::Live,
            required: false,
            example: "",
        }
    }

    #[must_use]
    pub const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    #[must_use]
    pub const fn restart(mut self) -> Self {
        self.effect = Effect::Restart;
        self
    }

    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    #[must_use]
    pub const fn example(mut self, text: &'static str) -> Self {
        self.example = text;
        self
    }

    /// The default as a value.
    #[must_use]
    pub fn default_node(&self) -> Option<Node> {
        self.default
            .map(|text| written(text, &self.kind, SourceId(u32::MAX)))
    }
}

/// Why a string is not what its kind asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFault {
    /// Offset and length in octets inside the string, when the fault is at one place.
    pub at: Option<(usize, usize)>,
    pub message: String,
    pub help: String,
}

impl From<String> for TextFault {
    fn from(message: String) -> Self {
        Self {
            at: None,
            message,
            help: String::new(),
        }
    }
}

/// What a key holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Bool,
    Int {
        min: i64,
        max: i64,
    },
    /// A number of seconds or a string such as `1h30m`.
    Duration {
        min: Duration,
        max: Duration,
    },
    /// A number of bytes or a string such as `64Mi`.
    Size {
        min: u64,
        max: u64,
    },
    /// Any string up to `max` octets, not empty.
    Text {
        max: usize,
    },
    /// A string with a notation of its own. `what` completes "expected ...".
    Form {
        what: &'static str,
        check: fn(&str) -> Result<(), TextFault>,
    },
    Enum(&'static [&'static str]),
    /// An IPv4 address.
    Ip,
    Prefix,
    /// Addresses as `FIRST-LAST`, `ADDRESS/LENGTH` or one address.
    Range,
    /// `ADDRESS:PORT`.
    Socket,
    Path,
    Mac,
    Hex,
    /// A string that is never shown.
    Secret,
    List(&'static Self),
    Table(Keys),
    /// Names of the operator's choice to values of one kind.
    Map(&'static Self),
    /// The first alternative whose written type fits counts.
    OneOf(&'static [Self]),
    /// Checked by the section's own reader.
    Any,
}

impl Kind {
    /// A duration range in whole seconds.
    #[must_use]
    pub const fn seconds(min: u64, max: u64) -> Self {
        Self::Duration {
            min: Duration::from_secs(min),
            max: Duration::from_secs(max),
        }
    }

    /// Whether values are plain strings, which environment variables give without quotes.
    #[must_use]
    pub fn is_textual(&self) -> bool {
        match self {
            Self::Text { .. }
            | Self::Form { .. }
            | Self::Enum(_)
            | Self::Ip
            | Self::Prefix
            | Self::Range
            | Self::Socket
            | Self::Path
            | Self::Mac
            | Self::Hex
            | Self::Secret => true,
            Self::OneOf(kinds) => kinds.iter().all(Self::is_textual),
            _ => false,
        }
    }
}

/// A value from text outside a file (defaults, environment): TOML when it reads as TOML and the kind is not
/// plain text, a list at commas when a list is wanted, else the string itself.
pub(crate) fn written(text: &str, kind: &Kind, id: SourceId) -> Node {
    let whole = Span::new(id, 0..text.len());
    let quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    if (!kind.is_textual() || quoted)
        && let Some(mut node) = crate::format::parse_toml_value(text.trim(), id)
    {
        if !matches!(node.value, Value::List(_) | Value::Table(_))
            || !matches!(kind, Kind::List(_) | Kind::Any)
        {
            node.span = whole;
        }
        return wrap(node, kind);
    }
    match kind {
        Kind::List(item) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            let items = parts
                .map(|part| Node {
                    span: whole,
                    ..written(part, item, id)
                })
                .collect();
            Node {
                value: Value::List(items),
                span: whole,
            }
        }
        _ => Node {
            value: Value::String(text.to_owned()),
            span: whole,
        },
    }
}

/// One value where a list is wanted is a list of one.
fn wrap(node: Node, kind: &Kind) -> Node {
    match (kind, &node.value) {
        (Kind::List(_), Value::List(_)) | (Kind::OneOf(_), _) => node,
        (Kind::List(_), _) => Node {
            span: node.span,
            value: Value::List(vec![node]),
        },
        _ => node,
    }
}

/// Looks a key up in groups.
#[must_use]
pub fn find_key(keys: Keys, name: &str) -> Option<&'static Key> {
    keys.iter()
        .flat_map(|group| group.iter())
        .find(|key| key.name == name)
}

/// All names of some groups.
pub fn key_names(keys: Keys) -> impl Iterator<Item = &'static str> + Clone {
    keys.iter().flat_map(|group| group.iter()).map(|key| key.name)
}
