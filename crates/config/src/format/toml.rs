//! TOML 1.1 by the `toml` crate, which recovers from errors and so reports several syntax errors of a file at once.

use crate::fault::{Fault, Faults};
use crate::node::{Entry, Node, Table, Value};
use crate::source::{SourceId, Span};
use crate::{codes, format::DEPTH_LIMIT};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A recovering parser may find follow-up errors without end; more than these do not help anybody.
const SYNTAX_FAULTS: usize = 10;

pub(super) fn parse(text: &str, id: SourceId, faults: &mut Faults) -> Option<Node> {
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(SYNTAX_FAULTS) {
        let span = Span::new(id, error.span().unwrap_or(0..0));
        let message = error.message().trim().replace('\n', "; ");
        faults.push(Fault::error(
            codes::SYNTAX,
            "",
            span,
            format!("not valid TOML: {message}"),
        ));
    }
    if !errors.is_empty() {
        return None;
    }
    let span = Span::new(id, root.span());
    Some(Node {
        value: Value::Table(table(root.into_inner(), id, 0)),
        span,
    })
}

/// Reads one value as it stands behind `=`; `None` when the text is no TOML value.
pub(crate) fn parse_value(text: &str, id: SourceId) -> Option<Node> {
    DeValue::parse(text).ok().map(|value| node(value, id, 0))
}

fn table(from: DeTable<'_>, id: SourceId, depth: usize) -> Table {
    let mut entries: Vec<Entry> = from
        .into_iter()
        .map(|(key, value)| Entry {
            key_span: Span::new(id, key.span()),
            key: key.into_inner().into_owned(),
            node: node(value, id, depth + 1),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    Table { entries }
}

fn node(from: Spanned<DeValue<'_>>, id: SourceId, depth: usize) -> Node {
    let span = Span::new(id, from.span());
    let value = match from.into_inner() {
        // The parser's own limit is of the same size; this one is a belt for when it changes.
        _ if depth > DEPTH_LIMIT * 2 => Value::Null,
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        },
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Bool(flag),
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Array(items) => {
            Value::List(items.into_iter().map(|item| node(item, id, depth + 1)).collect())
        }
        DeValue::Table(inner) => Value::Table(table(inner, id, depth)),
    };
    Node { value, span }
}
