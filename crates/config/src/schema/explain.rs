//! Everything about one key: what it is, what it is now, and where that was said.

use super::{Effect, Key, Keys, Kind, Section, find_key};
use crate::document::Document;
use crate::path::{Step, steps};
use serde_json::{Value as Json, json};

/// What `purlin config explain KEY` tells.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub path: String,
    pub doc: &'static str,
    /// What the key holds, in words.
    pub expects: String,
    pub default: Option<&'static str>,
    pub unit: &'static str,
    /// `None` for sections and tables' own entries.
    pub effect: Option<Effect>,
    pub example: &'static str,
    /// The present value as JSON; secrets are masked.
    pub present: Option<Json>,
    /// Where the present value was written, or `default`, or `not set`.
    pub origin: String,
    /// The keys below, when the key holds a table: name and first sentence.
    pub keys: Vec<(&'static str, &'static str)>,
}

/// Explains the key at `path`, with or without list indices (`dhcp.subnets.lease_time`). An empty path explains
/// nothing: the caller lists its sections.
#[must_use]
pub fn explain(document: &Document, sections: &[&'static Section], path: &str) -> Option<Explanation> {
    let mut names = steps(path)?.into_iter();
    let Some(Step::Key(first)) = names.next() else {
        return None;
    };
    let section = sections.iter().find(|section| section.name == first)?;
    let root = Kind::Table(section.keys);
    let mut found: Option<&'static Key> = None;
    let mut kind = &root;
    for step in names {
        match step {
            Step::Index(_) | Step::Item(_) => kind = item_of(kind),
            Step::Key(name) => match descend(kind, &name)? {
                Below::Key(key) => (found, kind) = (Some(key), &key.kind),
                Below::Entry(entry) => kind = entry,
            },
        }
    }
    Some(describe(document, path, section, found, kind))
}

enum Below {
    Key(&'static Key),
    Entry(&'static Kind),
}

fn item_of(kind: &Kind) -> &Kind {
    match kind {
        Kind::List(item) => item,
        other => other,
    }
}

fn descend(kind: &Kind, name: &str) -> Option<Below> {
    match kind {
        Kind::Table(keys) => find_key(keys, name).map(Below::Key),
        Kind::Map(entry) => Some(Below::Entry(entry)),
        Kind::List(item) => descend(item, name),
        Kind::OneOf(kinds) => kinds.iter().find_map(|kind| descend(kind, name)),
        _ => None,
    }
}

fn table_keys(kind: &Kind) -> Option<Keys> {
    match kind {
        Kind::Table(keys) => Some(keys),
        Kind::List(item) | Kind::Map(item) => table_keys(item),
        Kind::OneOf(kinds) => kinds.iter().find_map(table_keys),
        _ => None,
    }
}

fn describe(
    document: &Document,
    path: &str,
    section: &Section,
    key: Option<&'static Key>,
    kind: &Kind,
) -> Explanation {
    let node = document.get(path);
    let default = key.and_then(|key| key.default);
    let origin = match (node, default) {
        (Some(node), _) => document.origin(node.span),
        (None, Some(_)) => "default".to_owned(),
        (None, None) => "not set".to_owned(),
    };
    let present = match (node, kind) {
        (Some(_), Kind::Secret) => Some(json!("(secret)")),
        (Some(node), _) => Some(node.to_json()),
        (None, _) => key.and_then(Key::default_node).map(|node| node.to_json()),
    };
    let listed = table_keys(kind)
        .into_iter()
        .flat_map(|keys| keys.iter().flat_map(|group| group.iter()));
    let first_sentence = |doc: &'static str| doc.split_once(". ").map_or(doc, |(first, _)| first);
    Explanation {
        path: path.to_owned(),
        doc: key.map_or(section.doc, |key| key.doc),
        expects: kind.expected(),
        default,
        unit: key.map_or("", |key| key.unit),
        effect: key.map(|key| key.effect),
        example: key.map_or("", |key| key.example),
        present,
        origin,
        keys: listed.map(|key| (key.name, first_sentence(key.doc))).collect(),
    }
}

impl Explanation {
    /// As text for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec![self.path.clone(), format!("  {}", self.doc), String::new()];
        let mut row = |name: &str, value: &str| {
            if !value.is_empty() {
                lines.push(format!("  {name:<9} {value}"));
            }
        };
        row("holds", &self.expects);
        row("unit", self.unit);
        row("default", self.default.unwrap_or(""));
        row(
            "now",
            &self.present.as_ref().map(Json::to_string).unwrap_or_default(),
        );
        row("from", &self.origin);
        row("changes", self.effect.map_or("", Effect::words));
        row("example", self.example);
        if !self.keys.is_empty() {
            let width = self.keys.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            lines.push(String::new());
            lines.extend(
                self.keys
                    .iter()
                    .map(|(name, doc)| format!("  {name:<width$}  {doc}")),
            );
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "path": self.path, "doc": self.doc, "expects": self.expects, "default": self.default,
            "unit": self.unit, "effect": self.effect.map(|e| if e == Effect::Live { "live" } else { "restart" }),
            "example": self.example, "value": self.present, "origin": self.origin,
            "keys": self.keys.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        })
    }
}

impl Effect {
    /// In words, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Live => "live, with the next revision",
            Self::Restart => "when Purlin is started again",
        }
    }
}
