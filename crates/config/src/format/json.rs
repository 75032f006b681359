//! JSON: `serde_json` judges the syntax; a small walk over text known to be good adds the spans.

use crate::codes;
use crate::fault::{Fault, Faults};
use crate::format::{DEPTH_LIMIT, KEYS_LIMIT, duplicate, too_many_keys};
use crate::node::{Entry, Node, Table, Value};
use crate::source::{SourceId, Span};

pub(super) fn parse(text: &str, id: SourceId, faults: &mut Faults) -> Option<Node> {
    if let Err(error) = serde_json::from_str::<&serde_json::value::RawValue>(text) {
        let at = offset_of(text, error.line(), error.column());
        let words = error.to_string();
        let message = words.split(" at line ").next().unwrap_or(&words).to_owned();
        let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        faults.push(Fault::error(
            codes::SYNTAX,
            "",
            Span::new(id, at..end),
            format!("not valid JSON: {message}"),
        ));
        return None;
    }
    let mut walk = Walk {
        text,
        at: 0,
        id,
        faults,
    };
    walk.value(0)
}

/// Byte offset of the place `serde_json` names: lines from 1, columns in bytes from 1 (0 is the line's end before).
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

struct Walk<'t, 'f> {
    text: &'t str,
    at: usize,
    id: SourceId,
    faults: &'f mut Faults,
}

impl Walk<'_, '_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        let first = self.peek()?;
        let start = self.at;
        if depth > DEPTH_LIMIT {
            let span = Span::new(self.id, start..start + 1);
            let message = format!("nested deeper than {DEPTH_LIMIT} levels");
            self.faults
                .push(Fault::error(codes::TOO_LARGE, "", span, message));
            return None;
        }
        let value = match first {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => Value::String(self.string()?),
            _ => self.word(),
        };
        Some(Node {
            value,
            span: Span::new(self.id, start..self.at),
        })
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut table = Table::default();
        while self.peek()? == b'"' {
            let start = self.at;
            let key = self.string()?;
            let key_span = Span::new(self.id, start..self.at);
            if table.entries.len() >= KEYS_LIMIT {
                self.faults.push(too_many_keys(key_span));
                return None;
            }
            self.eat(b':');
            let node = self.value(depth + 1)?;
            match table.entry(&key) {
                Some(first) => self.faults.push(duplicate(&key, key_span, first.key_span)),
                None => table.entries.push(Entry { key, key_span, node }),
            }
            self.eat(b',');
        }
        self.eat(b'}');
        Some(Value::Table(table))
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut items = Vec::new();
        while self.peek()? != b']' {
            items.push(self.value(depth + 1)?);
            self.eat(b',');
        }
        self.at += 1;
        Some(Value::List(items))
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        let mut escaped = false;
        let length = self.text.as_bytes()[start + 1..].iter().position(|&b| {
            let closing = b == b'"' && !escaped;
            escaped = b == b'\\' && !escaped;
            closing
        })?;
        self.at = start + length + 2;
        serde_json::from_str(&self.text[start..self.at]).ok()
    }

    fn word(&mut self) -> Value {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let length = rest.iter().take_while(|b| !b",]} \t\r\n".contains(b)).count();
        self.at += length.max(1);
        match &self.text[start..start + length] {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            number => number
                .parse()
                .map(Value::Integer)
                .unwrap_or_else(|_| Value::Float(number.parse().unwrap_or(f64::NAN))),
        }
    }
}
