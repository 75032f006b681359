//! Types, ranges, unknown and missing keys of a whole document, every fault in one pass.

use super::{Keys, Kind, Section, TextFault, find_key, key_names};
use crate::codes;
use crate::document::Document;
use crate::fault::{Fault, Faults};
use crate::nearest::nearest;
use crate::node::{Node, Table, Value};
use crate::path::join;
use crate::scalar::{format_duration, parse_duration, parse_hex};
use crate::source::{SourceId, Span};
use purlin_telemetry::ReasonCode;
use purlin_types::{ByteSize, Ipv4Range, Mac, Prefix4};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Checks that a document has no other sections than these, and none that comes later. What is inside them is
/// checked by each section's own `read`. `$schema` is allowed for editors.
pub fn check_names(document: &Document, sections: &[&'static Section], faults: &mut Faults) {
    let Some(table) = document.root().as_table() else {
        return;
    };
    for entry in table.entries.iter().filter(|entry| entry.key != "$schema") {
        match sections.iter().find(|section| section.name == entry.key) {
            Some(section) if section.not_yet.is_some() => check_section(document, section, faults),
            Some(_) => {}
            None => {
                let message = format!("there is no section `{}`", entry.key);
                let names = sections.iter().map(|section| section.name);
                let fault = Fault::error(codes::UNKNOWN_KEY, &entry.key, entry.key_span, message);
                faults.push(suggest(fault, &entry.key, names));
            }
        }
    }
}

/// Checks one section; one that is not in the document has no faults.
pub fn check_section(document: &Document, section: &'static Section, faults: &mut Faults) {
    let Some(entry) = document
        .root()
        .as_table()
        .and_then(|table| table.entry(section.name))
    else {
        return;
    };
    if let Some(why) = section.not_yet {
        let message = format!("the section `{}` is not in this version yet", section.name);
        faults.push(Fault::error(codes::NOT_YET, section.name, entry.key_span, message).help(why));
        return;
    }
    Checker { document, faults }.kind(
        &entry.node,
        &Kind::Table(section.keys),
        section.name,
        entry.key_span,
    );
}

/// The paths of keys whose own default or example does not pass their check; for tests of schemas.
#[must_use]
pub fn schema_faults(section: &'static Section) -> Vec<String> {
    let document = Document::empty();
    let mut bad = Vec::new();
    samples(&document, &Kind::Table(section.keys), section.name, &mut bad);
    bad
}

fn samples(document: &Document, kind: &Kind, path: &str, bad: &mut Vec<String>) {
    match kind {
        Kind::List(inner) | Kind::Map(inner) => samples(document, inner, path, bad),
        Kind::OneOf(kinds) => kinds.iter().for_each(|kind| samples(document, kind, path, bad)),
        Kind::Table(keys) => {
            for key in keys.iter().flat_map(|group| group.iter()) {
                let path = join(path, key.name);
                let texts = key
                    .default
                    .into_iter()
                    .chain((!key.example.is_empty()).then_some(key.example));
                for node in texts.map(|text| super::written(text, &key.kind, SourceId(u32::MAX))) {
                    let mut faults = Faults::new();
                    Checker {
                        document,
                        faults: &mut faults,
                    }
                    .kind(&node, &key.kind, &path, node.span);
                    bad.extend(
                        faults
                            .iter()
                            .map(|fault| format!("{}: {}", fault.path, fault.message)),
                    );
                }
                samples(document, &key.kind, &path, bad);
            }
        }
        _ => {}
    }
}

/// "did you mean", or the list of names when there are few.
fn suggest(fault: Fault, word: &str, known: impl Iterator<Item = &'static str> + Clone) -> Fault {
    match nearest(word, known.clone()) {
        Some(near) => fault.note(format!("did you mean `{near}`?")),
        None => {
            let names: Vec<&str> = known.take(13).collect();
            match names.len() {
                1..=12 => fault.help(format!("known keys: {}", names.join(", "))),
                _ => fault.help("`purlin config explain` lists the known keys"),
            }
        }
    }
}

struct Checker<'a> {
    document: &'a Document,
    faults: &'a mut Faults,
}

impl Checker<'_> {
    fn fault(&mut self, code: ReasonCode, path: &str, span: Span, message: impl Into<String>) {
        self.faults.push(Fault::error(code, path, span, message));
    }

    fn wrong_type(&mut self, node: &Node, kind: &Kind, path: &str) {
        let message = format!("expected {}, found {}", kind.expected(), node.value.type_name());
        let fault = Fault::error(codes::WRONG_TYPE, path, node.span, message);
        let in_list = matches!(kind, Kind::List(_)) && !matches!(node.value, Value::Table(_));
        self.faults.push(if in_list {
            fault.help("write the value in brackets: [ ... ]")
        } else {
            fault
        });
    }

    /// `at` is where a missing key is reported: the table's own key or brackets.
    fn kind(&mut self, node: &Node, kind: &Kind, path: &str, at: Span) {
        match (kind, &node.value) {
            (Kind::Any, _) | (_, Value::Null) => {}
            (Kind::OneOf(kinds), value) => match kinds.iter().find(|kind| kind.fits(value)) {
                Some(kind) => self.kind(node, kind, path, at),
                None => self.wrong_type(node, kind, path),
            },
            (_, value) if !kind.fits(value) => self.wrong_type(node, kind, path),
            (Kind::List(item), Value::List(items)) => {
                for (i, inner) in items.iter().enumerate() {
                    self.kind(inner, item, &format!("{path}[{i}]"), inner.span);
                }
            }
            (Kind::Map(item), Value::Table(table)) => {
                for entry in &table.entries {
                    self.kind(&entry.node, item, &join(path, &entry.key), entry.key_span);
                }
            }
            (Kind::Table(keys), Value::Table(table)) => self.table(table, keys, path, at),
            (Kind::Int { min, max }, Value::Integer(number)) if !(min..=max).contains(&number) => {
                let message = format!("{number} is not from {min} to {max}");
                self.fault(codes::OUT_OF_RANGE, path, node.span, message);
            }
            (Kind::Duration { min, max }, value) => self.duration(value, (*min, *max), path, node.span),
            (Kind::Size { min, max }, value) => self.size(value, (*min, *max), path, node.span),
            (_, Value::String(text)) => self.text(text, kind, path, node.span),
            _ => {}
        }
    }

    fn table(&mut self, table: &Table, keys: Keys, path: &str, at: Span) {
        for entry in &table.entries {
            let path = join(path, &entry.key);
            match find_key(keys, &entry.key) {
                Some(key) => self.kind(&entry.node, &key.kind, &path, entry.key_span),
                None => {
                    let message = format!("there is no key `{}` here", entry.key);
                    let fault = Fault::error(codes::UNKNOWN_KEY, path, entry.key_span, message);
                    self.faults.push(suggest(fault, &entry.key, key_names(keys)));
                }
            }
        }
        for key in keys
            .iter()
            .flat_map(|group| group.iter())
            .filter(|key| key.required)
        {
            if table.get(key.name).is_none_or(|node| node.value == Value::Null) {
                let message = format!("the key `{}` is missing", key.name);
                let fault = Fault::error(codes::MISSING_KEY, join(path, key.name), at, message);
                let example = if key.example.is_empty() {
                    key.doc.to_owned()
                } else {
                    key.sample()
                };
                self.faults.push(fault.help(example));
            }
        }
    }

    fn duration(&mut self, value: &Value, (min, max): (Duration, Duration), path: &str, span: Span) {
        let duration = match duration_of(value) {
            Ok(duration) => duration,
            Err(why) => {
                let fault = Fault::error(codes::BAD_VALUE, path, span, why);
                return self
                    .faults
                    .push(fault.help("write seconds as a number, or units: \"90s\", \"1h30m\", \"7d\""));
            }
        };
        if duration < min || duration > max {
            let [is, min, max] = [duration, min, max].map(format_duration);
            self.fault(
                codes::OUT_OF_RANGE,
                path,
                span,
                format!("{is} is not from {min} to {max}"),
            );
        }
    }

    fn size(&mut self, value: &Value, (min, max): (u64, u64), path: &str, span: Span) {
        match size_of(value) {
            Ok(size) if (min..=max).contains(&size.0) => {}
            Ok(size) => {
                let message = format!("{size} is not from {} to {}", ByteSize(min), ByteSize(max));
                self.fault(codes::OUT_OF_RANGE, path, span, message);
            }
            Err(why) => self.fault(codes::BAD_VALUE, path, span, why),
        }
    }

    fn text(&mut self, text: &str, kind: &Kind, path: &str, span: Span) {
        let Err(why) = kind.check_text(text) else { return };
        let span = why
            .at
            .map_or(span, |(at, len)| self.document.inside(span, text, at, len));
        let fault = Fault::error(codes::BAD_VALUE, path, span, why.message).help(why.help);
        match kind {
            Kind::Enum(words) => self.faults.push(match nearest(text, words.iter().copied()) {
                Some(near) => fault.note(format!("did you mean \"{near}\"?")),
                None => fault,
            }),
            _ => self.faults.push(fault),
        }
    }
}

/// The duration a value stands for: seconds as a number, or a string with units.
pub(crate) fn duration_of(value: &Value) -> Result<Duration, String> {
    match value {
        Value::Integer(seconds) => u64::try_from(*seconds)
            .map(Duration::from_secs)
            .map_err(|_| format!("a duration is not negative, found {seconds}")),
        Value::Float(seconds) => {
            Duration::try_from_secs_f64(*seconds).map_err(|_| format!("{seconds} is no duration"))
        }
        Value::String(text) => parse_duration(text),
        other => Err(format!("expected a duration, found {}", other.type_name())),
    }
}

/// The size a value stands for.
pub(crate) fn size_of(value: &Value) -> Result<ByteSize, String> {
    match value {
        Value::Integer(bytes) => u64::try_from(*bytes)
            .map(ByteSize)
            .map_err(|_| format!("a size is not negative, found {bytes}")),
        Value::String(text) => text.parse::<ByteSize>().map_err(|why| why.to_string()),
        other => Err(format!("expected a size, found {}", other.type_name())),
    }
}

impl super::Key {
    fn sample(&self) -> String {
        format!("for example: {} = {}", self.name, self.example)
    }
}

impl Kind {
    /// Whether a value is written in the type of this kind; its content is another matter.
    pub(crate) fn fits(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Bool => matches!(value, Value::Bool(_)),
            Self::Int { .. } => matches!(value, Value::Integer(_)),
            Self::Duration { .. } => matches!(value, Value::Integer(_) | Value::Float(_) | Value::String(_)),
            Self::Size { .. } => matches!(value, Value::Integer(_) | Value::String(_)),
            Self::List(_) => matches!(value, Value::List(_)),
            Self::Table(_) | Self::Map(_) => matches!(value, Value::Table(_)),
            Self::OneOf(kinds) => kinds.iter().any(|kind| kind.fits(value)),
            _ => matches!(value, Value::String(_)),
        }
    }

    /// What the kind holds, in words that complete "expected".
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Any => "a value".into(),
            Self::Bool => "true or false".into(),
            Self::Int { min, max } => format!("a whole number from {min} to {max}"),
            Self::Duration { .. } => "a duration such as 90, \"90s\" or \"1h30m\"".into(),
            Self::Size { .. } => "a size such as 4096 or \"64Mi\"".into(),
            Self::Text { .. } | Self::Secret => "a string".into(),
            Self::Form { what, .. } => (*what).into(),
            Self::Enum(words) => format!("one of {}", quoted(words)),
            Self::Ip => "an IPv4 address such as 10.0.0.1".into(),
            Self::Prefix => "a network such as \"10.0.0.0/8\"".into(),
            Self::Range => "a range such as \"10.0.0.10-10.0.0.99\"".into(),
            Self::Socket => "an address with a port such as \"10.0.0.1:67\"".into(),
            Self::Path => "a path".into(),
            Self::Mac => "a hardware address such as \"02:00:00:00:00:01\"".into(),
            Self::Hex => "octets in hexadecimal such as \"01:02:0a\"".into(),
            Self::List(_) => "a list".into(),
            Self::Table(_) | Self::Map(_) => "a table".into(),
            Self::OneOf(kinds) => kinds.iter().map(Self::expected).collect::<Vec<_>>().join(", or "),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), TextFault> {
        let unless = |good: bool| {
            if good {
                Ok(())
            } else {
                Err(format!("expected {}, found {text:?}", self.expected()))
            }
        };
        let result = match self {
            Self::Enum(words) => unless(words.contains(&text)),
            Self::Ip => unless(text.parse::<Ipv4Addr>().is_ok()),
            Self::Prefix => match text.parse::<Prefix4>() {
                Err(purlin_types::RangeError::Syntax) => unless(false),
                other => other.map(drop).map_err(|why| why.to_string()),
            },
            Self::Range => text.parse::<Ipv4Range>().map(drop).map_err(|why| why.to_string()),
            Self::Socket => unless(text.parse::<SocketAddr>().is_ok()),
            Self::Mac => text.parse::<Mac>().map(drop).map_err(|why| why.to_string()),
            Self::Hex => parse_hex(text).map(drop),
            Self::Path => unless(!text.is_empty() && !text.contains('\0')),
            Self::Text { max } => match text.len() {
                0 => Err("the string is empty".to_owned()),
                n if n > *max => Err(format!("the string has {n} octets, at most {max} are allowed")),
                _ => Ok(()),
            },
            Self::Form { check, .. } => return check(text),
            _ => Ok(()),
        };
        result.map_err(TextFault::from)
    }
}

fn quoted(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("{word:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}
