//! JSON values as YAML 1.2: block style, strings quoted whenever a reader could take them for something else.

use super::harmless;
use serde_json::Value;
use std::fmt::Write;

/// A whole document.
pub(super) fn document(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => block(&mut out, value, 0),
        Value::Array(items) if !items.is_empty() => block(&mut out, value, 0),
        other => {
            out.push_str(&scalar(other));
            out.push('\n');
        }
    }
    out
}

/// One item of a top-level list.
pub(super) fn item(value: &Value) -> String {
    document(&Value::Array(vec![value.clone()]))
}

fn block(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) => {
            for (i, (key, inner)) in fields.iter().enumerate() {
                // The first key of a list item stands behind its dash.
                if i > 0 || !out.ends_with("- ") {
                    indent(out, depth);
                }
                out.push_str(&text(key));
                out.push(':');
                under(out, inner, depth, false);
            }
        }
        Value::Array(items) => {
            for inner in items {
                indent(out, depth);
                out.push('-');
                under(out, inner, depth, true);
            }
        }
        _ => {}
    }
}

fn under(out: &mut String, value: &Value, depth: usize, in_list: bool) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push_str(if in_list { " " } else { "\n" });
            block(out, value, depth + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            block(out, value, depth + 1);
        }
        other => {
            let _ = writeln!(out, " {}", scalar(other));
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(string) => text(string),
        Value::Array(_) => "[]".into(),
        Value::Object(_) => "{}".into(),
        other => other.to_string(),
    }
}

fn text(string: &str) -> String {
    if is_plain(string) {
        string.to_owned()
    } else {
        harmless::json(&Value::from(string).to_string()).into_owned()
    }
}

/// Whether no YAML 1.1 or 1.2 reader takes the bare text for anything but itself.
fn is_plain(string: &str) -> bool {
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"];
    let starts_well = string.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let bare =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+' | '@' | '(' | ')');
    let dotted = |c: char| bare(c) || c == ' ';
    let numeric_like = string.starts_with(|c: char| c.is_ascii_digit()) && string.matches('.').count() == 3;
    (starts_well || numeric_like)
        && !reserved.contains(&string.to_ascii_lowercase().as_str())
        && string.chars().all(dotted)
        && !string.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_values_are_indented_blocks() {
        let value = json!({"a": 1, "b": {"c": ["x", {"d": true, "e": []}]}, "f": {}});
        assert_eq!(
            document(&value),
            "a: 1\nb:\n  c:\n    - x\n    - d: true\n      e: []\nf: {}\n"
        );
    }

    #[test]
    fn words_that_yaml_takes_for_values_are_quoted() {
        for word in [
            "no",
            "Yes",
            "null",
            "02:00:00:00:00:01",
            "",
            "- x",
            "1e3",
            "a: b",
            "#x",
        ] {
            assert_eq!(document(&json!(word)), format!("{}\n", json!(word)), "{word}");
        }
        assert_eq!(document(&json!("10.0.0.1")), "10.0.0.1\n");
        assert_eq!(document(&json!("10.1.0.0/16")), "10.1.0.0/16\n");
    }

    #[test]
    fn a_list_of_lists_keeps_its_shape() {
        assert_eq!(document(&json!([["a", "b"], []])), "-\n  - a\n  - b\n- []\n");
    }
}
