//! Where secrets stand in the texts, so that no fault shows one.

use crate::document::Document;
use crate::nearest::nearest;
use crate::node::{Node, Value};
use crate::schema::{Keys, Kind, Section, find_key, key_names};
use crate::source::{Source, SourceId, Span};

/// What stands in place of a secret, however long it is.
const VEIL: &str = "***";

impl Document {
    /// Notes where the texts hold what the schema calls a secret: faults show `***` there. To be called before anything
    /// is laid over the texts, which would hide where they were.
    ///
    /// A text with syntax errors has no keys; there it is the rest of each line behind the name of such a key.
    pub fn hide_secrets(&mut self, sections: &[&'static Section]) {
        let mut found = Vec::new();
        if let Value::Table(table) = &self.root.value {
            for entry in &table.entries {
                if let Some(section) = sections.iter().find(|section| section.name == entry.key) {
                    hide(&entry.node, &Kind::Table(section.keys), &mut found);
                }
            }
        }
        let mut names = Vec::new();
        sections
            .iter()
            .for_each(|section| secret_names(section.keys, &mut names));
        for &id in &self.broken {
            hide_by_name(self.source(id), id, &names, &mut found);
        }
        self.hide(found);
    }

    pub(crate) fn hide(&mut self, spans: impl IntoIterator<Item = Span>) {
        self.secrets.extend(spans);
        self.secrets.sort_by_key(|span| (span.source, span.start));
    }

    /// The text between two octets of a source, without its secrets.
    pub(crate) fn veiled(&self, id: SourceId, from: usize, to: usize) -> String {
        let text = &self.source(id).text;
        let (mut at, mut out) = (from, String::new());
        for secret in self.secrets.iter().filter(|secret| secret.source == id) {
            let (start, end) = (at.max(secret.start as usize), to.min(secret.end as usize));
            if start < end {
                out.push_str(text.get(at..start).unwrap_or_default());
                out.push_str(VEIL);
                at = end;
            }
        }
        out.push_str(text.get(at..to).unwrap_or_default());
        out
    }

    /// The beginning of the secret around a place, or the place itself.
    pub(crate) fn outside_secrets(&self, id: SourceId, at: usize) -> usize {
        let around = |s: &&Span| s.source == id && (s.start as usize..s.end as usize).contains(&at);
        self.secrets
            .iter()
            .find(around)
            .map_or(at, |secret| secret.start as usize)
    }
}

fn hide(node: &Node, kind: &Kind, found: &mut Vec<Span>) {
    match (kind, &node.value) {
        (Kind::Secret, _) => found.push(node.span),
        (Kind::List(item), Value::List(items)) => items.iter().for_each(|node| hide(node, item, found)),
        (Kind::Map(item), Value::Table(table)) => {
            table
                .entries
                .iter()
                .for_each(|entry| hide(&entry.node, item, found));
        }
        (Kind::OneOf(kinds), _) => kinds.iter().for_each(|kind| hide(node, kind, found)),
        (Kind::Table(keys), Value::Table(table)) => {
            for entry in &table.entries {
                // A misspelt name is no reason to show what it was meant for.
                let key = find_key(keys, &entry.key)
                    .or_else(|| find_key(keys, nearest(&entry.key, key_names(keys))?));
                if let Some(key) = key {
                    hide(&entry.node, &key.kind, found);
                }
            }
        }
        _ => {}
    }
}

fn secret_names(keys: Keys, names: &mut Vec<&'static str>) {
    for key in keys.iter().flat_map(|group| group.iter()) {
        secret_names_of(key.name, &key.kind, names);
    }
}

fn secret_names_of(name: &'static str, kind: &Kind, names: &mut Vec<&'static str>) {
    match kind {
        Kind::Secret => names.push(name),
        Kind::Table(keys) => secret_names(keys, names),
        Kind::List(item) | Kind::Map(item) => secret_names_of(name, item, names),
        Kind::OneOf(kinds) => kinds.iter().for_each(|kind| secret_names_of(name, kind, names)),
        _ => {}
    }
}

/// `secret = "x`, `"secret": "x`, `cluster.secret: x`.
fn hide_by_name(source: &Source, id: SourceId, names: &[&str], found: &mut Vec<Span>) {
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let values = names.iter().filter_map(|name| {
            let at = line.find(name)?;
            let rest = &line[at + name.len()..];
            let value = rest
                .trim_start_matches(['"', '\'', ' ', '\t'])
                .strip_prefix(['=', ':'])?;
            let alone = !line[..at].ends_with(of_name);
            alone.then(|| line.len() - value.trim_start().len())
        });
        let end = start + line.trim_end().len();
        if let Some(value) = values.min().filter(|value| start + value < end) {
            found.push(Span::new(id, start + value..end));
        }
        start += line.len();
    }
}
