//! YAML for people: what JSON says, in blocks.

use serde_json::Value;
use std::fmt::Write;

/// A value as a YAML 1.2 document that reads back as just this value.
pub(crate) fn yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => block(&mut out, value, 0),
        Value::Array(items) if !items.is_empty() => block(&mut out, value, 0),
        other => {
            out.push_str(&flow(other));
            out.push('\n');
        }
    }
    out
}

fn block(out: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let _ = write!(out, "{indent}{}:", scalar(key));
                inner(out, value, depth);
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(members) if !members.is_empty() => {
                        // The first key stands behind the dash, the others below it.
                        let mut lines = String::new();
                        block(&mut lines, item, depth + 1);
                        let _ = write!(out, "{indent}- {}", lines.trim_start());
                    }
                    other => {
                        let _ = write!(out, "{indent}-");
                        inner(out, other, depth);
                    }
                }
            }
        }
        other => {
            let _ = writeln!(out, "{indent}{}", flow(other));
        }
    }
}

fn inner(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            block(out, value, depth + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            block(out, value, depth + 1);
        }
        other => {
            let _ = writeln!(out, " {}", flow(other));
        }
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text as it is where nothing else can be read from it; in quotes elsewhere, where JSON's rules are YAML's.
fn scalar(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || "_-./@$".contains(c);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(word)
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    match plain {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_config::{Document, Faults, Format, Input, SourceKind};
    use serde_json::json;

    #[test]
    fn what_is_written_reads_back() {
        let value = json!({
            "switches": [{"name": "web", "ports": [{"name": "web-1", "addresses": ["02:00:00:00:00:01 10.0.0.5"], "enabled": true}, {}],
                "other_config": {"vlan": "10", "no": "no", "": "x: y # z", "e": "1e3", "n": "~"}}, [1, [2, "a\nb"]], []],
            "empty": {}, "none": null, "number": -1.5, "inf": "Infinity", "nan": ".nan", "date": "2026-01-31", "hex": "0x10",
        });
        let text = yaml(&value);
        let mut faults = Faults::new();
        let input = Input {
            name: "x".to_owned(),
            text: text.clone(),
            kind: SourceKind::Api,
            format: Some(Format::Yaml),
        };
        let read = Document::parse([input], &mut faults);
        assert_eq!(faults.errors(), 0, "{text}");
        assert_eq!(read.to_json(), value, "{text}");
    }
}
