//! The three notations. Each reader gives the same tree with byte spans and reports its faults instead of failing.

mod json;
mod toml;
mod yaml;

use crate::fault::Faults;
use crate::node::{Node, Table, Value};
use crate::source::{Source, SourceId, Span};

pub(crate) use self::toml::parse_value as parse_toml_value;

/// Deepest nesting that is read.
pub(crate) const DEPTH_LIMIT: usize = 64;

/// Most keys of one table. Keys are compared one by one, which is right for tables of people and must not become a
/// burden with those of a stranger; lists, which is what grows, have no such limit.
pub(crate) const KEYS_LIMIT: usize = 10_000;

/// A notation of configuration text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Toml,
    Yaml,
    Json,
}

impl Format {
    /// By file extension, or by the look of the text when the extension says nothing.
    #[must_use]
    pub fn detect(name: &str, text: &str) -> Self {
        match name
            .rsplit_once('.')
            .map(|(_, extension)| extension.to_ascii_lowercase())
            .as_deref()
        {
            Some("toml") => Self::Toml,
            Some("yaml" | "yml") => Self::Yaml,
            Some("json") => Self::Json,
            _ => Self::sniff(text),
        }
    }

    fn sniff(text: &str) -> Self {
        let mut lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        match lines.next() {
            Some(line) if line.starts_with('{') => Self::Json,
            Some(line) if line.starts_with("---") || line.starts_with('%') => Self::Yaml,
            Some(line) if line.starts_with('[') => Self::Toml,
            Some(line) => match (line.find('='), line.find(':')) {
                (Some(equals), Some(colon)) if colon < equals => Self::Yaml,
                (None, Some(_)) => Self::Yaml,
                _ => Self::Toml,
            },
            None => Self::Toml,
        }
    }
}

/// Reads one source into a table; a source that cannot be read gives its faults and an empty table.
pub(crate) fn parse(source: &Source, id: SourceId, format: Format, faults: &mut Faults) -> Node {
    let text = source.text.as_str();
    let root = match format {
        Format::Toml => toml::parse(text, id, faults),
        Format::Yaml => yaml::parse(text, id, faults),
        Format::Json => json::parse(text, id, faults),
    };
    let empty = || Node {
        value: Value::Table(Table::default()),
        span: Span::new(id, 0..0),
    };
    match root {
        Some(node) if node.as_table().is_some() => node,
        Some(node) if node.value == Value::Null => empty(),
        Some(node) => {
            let message = format!(
                "a configuration is a table of sections, found {}",
                node.value.type_name()
            );
            faults.push(crate::Fault::error(
                crate::codes::WRONG_TYPE,
                "",
                node.span,
                message,
            ));
            empty()
        }
        None => empty(),
    }
}

/// The fault of a table with more than [`KEYS_LIMIT`] keys.
pub(crate) fn too_many_keys(span: Span) -> crate::Fault {
    crate::Fault::error(
        crate::codes::TOO_LARGE,
        "",
        span,
        format!("more than {KEYS_LIMIT} keys in one table"),
    )
}

/// The fault of one key set twice in a table.
pub(crate) fn duplicate(key: &str, again: Span, first: Span) -> crate::Fault {
    crate::Fault::error(
        crate::codes::DUPLICATE_KEY,
        key,
        again,
        format!("the key `{key}` is set twice"),
    )
    .related(first, "first set here")
    .help("remove one of the two")
}
