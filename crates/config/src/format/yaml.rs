//! YAML 1.2 from parser events, with the core schema for plain scalars: `no` and `on` stay strings.

use crate::codes;
use crate::fault::{Fault, Faults};
use crate::format::{DEPTH_LIMIT, KEYS_LIMIT, duplicate, too_many_keys};
use crate::node::{Entry, Node, Table, Value};
use crate::source::{SourceId, Span};
use saphyr_parser::{Event, Parser, ScalarStyle, Span as Marks};
use std::collections::HashMap;

/// Values a document may have once its aliases are copied in ("billion laughs" stays small).
const NODE_LIMIT: usize = 1_000_000;

pub(super) fn parse(text: &str, id: SourceId, faults: &mut Faults) -> Option<Node> {
    let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
    let mut build = Build {
        id,
        length: text.len(),
        offsets,
        faults,
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
    };
    for step in Parser::new_from_str(text) {
        match step {
            Ok((event, marks)) => {
                if !build.event(event, marks) {
                    return None;
                }
            }
            Err(error) => {
                let at = build.offset(error.marker().index());
                let message = format!("not valid YAML: {}", error.info());
                build.faults.push(Fault::error(
                    codes::SYNTAX,
                    "",
                    Span::new(id, at..at + 1),
                    message,
                ));
                return None;
            }
        }
    }
    let nothing = Node {
        value: Value::Null,
        span: Span::new(id, 0..0),
    };
    Some(build.root.unwrap_or(nothing))
}

/// A collection that is still being read.
enum Open {
    List {
        items: Vec<Node>,
        start: usize,
        anchor: usize,
    },
    Table {
        table: Table,
        start: usize,
        anchor: usize,
        key: Option<(String, Span)>,
    },
}

struct Build<'f> {
    id: SourceId,
    length: usize,
    /// Byte offset of each character; `None` when they are the same.
    offsets: Option<Vec<usize>>,
    faults: &'f mut Faults,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

impl Build<'_> {
    fn offset(&self, index: usize) -> usize {
        match &self.offsets {
            Some(table) => table.get(index).copied().unwrap_or(self.length),
            None => index.min(self.length),
        }
    }

    fn span(&self, marks: Marks) -> Span {
        let start = self.offset(marks.start.index());
        Span::new(self.id, start..self.offset(marks.end.index()).max(start))
    }

    fn refuse(&mut self, code: purlin_telemetry::ReasonCode, span: Span, message: impl Into<String>) -> bool {
        self.faults.push(Fault::error(code, "", span, message));
        false
    }

    /// Takes one event; `false` ends the reading with a fault already reported.
    fn event(&mut self, event: Event<'_>, marks: Marks) -> bool {
        let span = self.span(marks);
        match event {
            Event::DocumentStart(_) if self.root.is_some() => self.refuse(
                codes::SYNTAX,
                span,
                "one file holds one YAML document; here begins a second",
            ),
            Event::Scalar(text, style, anchor, tag) => {
                let is_string = tag.is_some_and(|tag| tag.suffix == "str");
                let plain = style == ScalarStyle::Plain && !is_string;
                let value = if plain {
                    scalar(&text)
                } else {
                    Value::String(text.into_owned())
                };
                self.finish(Node { value, span }, anchor, 1, 1)
            }
            Event::SequenceStart(anchor, _) => self.begin(
                Open::List {
                    items: Vec::new(),
                    start: span.start as usize,
                    anchor,
                },
                span,
            ),
            Event::MappingStart(anchor, _) => {
                let start = span.start as usize;
                self.begin(
                    Open::Table {
                        table: Table::default(),
                        start,
                        anchor,
                        key: None,
                    },
                    span,
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((node, size)) => {
                    let (node, size) = (
                        Node {
                            value: node.value.clone(),
                            span,
                        },
                        *size,
                    );
                    self.finish(node, 0, size, size)
                }
                None => self.refuse(
                    codes::SYNTAX,
                    span,
                    "the alias names an anchor that is not complete here",
                ),
            },
            _ => true,
        }
    }

    fn begin(&mut self, open: Open, span: Span) -> bool {
        if self.open.len() >= DEPTH_LIMIT {
            let message = format!("nested deeper than {DEPTH_LIMIT} levels");
            return self.refuse(codes::TOO_LARGE, span, message);
        }
        self.open.push(open);
        true
    }

    fn end(&mut self, span: Span) -> bool {
        let end = span.end as usize;
        match self.open.pop() {
            Some(Open::List { items, start, anchor }) => {
                let size = items.iter().map(size_of).sum::<usize>() + 1;
                let span = Span::new(self.id, start..end.max(start));
                self.finish(
                    Node {
                        value: Value::List(items),
                        span,
                    },
                    anchor,
                    size,
                    1,
                )
            }
            Some(Open::Table {
                table, start, anchor, ..
            }) => {
                let size = table
                    .entries
                    .iter()
                    .map(|entry| size_of(&entry.node))
                    .sum::<usize>()
                    + 1;
                let span = Span::new(self.id, start..end.max(start));
                self.finish(
                    Node {
                        value: Value::Table(table),
                        span,
                    },
                    anchor,
                    size,
                    1,
                )
            }
            None => true,
        }
    }

    /// Puts a complete node where it belongs.
    ///
    /// `size` is how many values it holds, `fresh` how many of them were not counted yet.
    fn finish(&mut self, node: Node, anchor: usize, size: usize, fresh: usize) -> bool {
        self.nodes += fresh;
        if self.nodes > NODE_LIMIT {
            let message = format!("more than {NODE_LIMIT} values, aliases counted as often as they are used");
            return self.refuse(codes::TOO_LARGE, node.span, message);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Table { table, key, .. }) => match key.take() {
                None => match key_text(&node) {
                    Some(text) => *key = Some((text, node.span)),
                    None => {
                        return self.refuse(
                            codes::SYNTAX,
                            node.span,
                            "a key must be a plain word or a string",
                        );
                    }
                },
                Some((_, key_span)) if table.entries.len() >= KEYS_LIMIT => {
                    self.faults.push(too_many_keys(key_span));
                    return false;
                }
                Some((name, key_span)) => match table.entry(&name) {
                    Some(first) => {
                        let fault = duplicate(&name, key_span, first.key_span);
                        self.faults.push(fault);
                    }
                    None => table.entries.push(Entry {
                        key: name,
                        key_span,
                        node,
                    }),
                },
            },
        }
        true
    }
}

fn size_of(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => items.iter().map(size_of).sum::<usize>() + 1,
        Value::Table(table) => {
            table
                .entries
                .iter()
                .map(|entry| size_of(&entry.node))
                .sum::<usize>()
                + 1
        }
        _ => 1,
    }
}

fn key_text(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A plain scalar under the YAML 1.2 core schema.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    let digits = text.trim_start_matches(['+', '-']);
    let integer = match (digits.strip_prefix("0x"), digits.strip_prefix("0o")) {
        (Some(hex), _) => i64::from_str_radix(hex, 16).ok(),
        (_, Some(octal)) => i64::from_str_radix(octal, 8).ok(),
        _ if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    if let Some(number) = integer {
        return Value::Integer(number);
    }
    let looks_like_a_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit());
    match text.parse::<f64>() {
        Ok(number) if looks_like_a_number => Value::Float(number),
        _ => Value::String(text.to_owned()),
    }
}
