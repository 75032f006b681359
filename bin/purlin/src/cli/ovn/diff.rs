//! What a change does, or would do, row by row and column by column; in colour where somebody looks.
//!
//! ```text
//! + Logical_Switch_Port web-1
//!       addresses  + "02:00:00:00:00:01 10.0.0.5"
//! ~ Logical_Switch web
//!       ports      + 6f1c...
//! - ACL to-lport 1001                       nothing points to it any more
//! ```

use crate::output::{Paint, Tone};
use serde_json::Value;

/// The lines of a difference as the API tells it.
pub(super) fn lines(diff: &Value, paint: Paint) -> Vec<String> {
    let rows = diff.as_array().map_or(&[][..], Vec::as_slice);
    rows.iter().flat_map(|row| row_lines(row, paint)).collect()
}

/// `1 row added, 2 changed`; empty when nothing is other than before.
pub(super) fn counts(diff: &Value) -> String {
    let rows = diff.as_array().map_or(&[][..], Vec::as_slice);
    let count = |word: &str| rows.iter().filter(|row| row["change"] == word).count();
    let parts = ["added", "changed", "removed"].map(|word| (count(word), word));
    let mut said = Vec::new();
    for (count, word) in parts.into_iter().filter(|(count, _)| *count > 0) {
        said.push(match (said.is_empty(), count) {
            (true, 1) => format!("1 row {word}"),
            (true, many) => format!("{many} rows {word}"),
            (false, many) => format!("{many} {word}"),
        });
    }
    said.join(", ")
}

fn row_lines(row: &Value, paint: Paint) -> Vec<String> {
    let word = |key: &str| row[key].as_str().unwrap_or_default();
    let (sign, tone) = match word("change") {
        "added" => ("+", Tone::Good),
        "removed" => ("-", Tone::Bad),
        _ => ("~", Tone::Warning),
    };
    let why = match word("why") {
        "orphaned" => "   nothing points to it any more",
        "unlinked" => "   what it pointed to is gone",
        _ => "",
    };
    let head = format!("{sign} {} {}", word("table"), word("label"));
    let mut lines = vec![format!(
        "{}{}",
        paint.text(tone, &head),
        paint.text(Tone::Faint, why)
    )];
    let columns = row["columns"].as_object();
    let width = columns.map_or(0, |columns| columns.keys().map(String::len).max().unwrap_or(0));
    for (name, both) in columns.into_iter().flatten() {
        // Of a large set or map only what differs is told.
        let side = |whole: &str, part: &str| both.get(whole).unwrap_or(&both[part]).clone();
        let (before, after) = (side("before", "removed"), side("after", "added"));
        for (at, change) in column(&before, &after, paint).into_iter().enumerate() {
            let name = if at == 0 { name.as_str() } else { "" };
            lines.push(format!("      {name:<width$}  {change}"));
        }
    }
    lines
}

/// One line for a value; of sets and maps one for every element that differs.
fn column(before: &Value, after: &Value, paint: Paint) -> Vec<String> {
    let gone = |text: String| paint.text(Tone::Bad, &format!("- {text}"));
    let come = |text: String| paint.text(Tone::Good, &format!("+ {text}"));
    match (before, after) {
        (Value::Array(_) | Value::Null, Value::Array(_)) | (Value::Array(_), Value::Null) => {
            let (old, new) = (elements(before), elements(after));
            let lost = old.iter().filter(|element| !new.contains(element));
            let won = new.iter().filter(|element| !old.contains(element));
            lost.map(|element| gone(element.to_string()))
                .chain(won.map(|element| come(element.to_string())))
                .collect()
        }
        (Value::Object(_) | Value::Null, Value::Object(_)) | (Value::Object(_), Value::Null) => {
            pairs(before, after, paint)
        }
        (Value::Null, after) => vec![come(after.to_string())],
        (before, Value::Null) => vec![gone(before.to_string())],
        (before, after) => vec![format!(
            "{} -> {}",
            paint.text(Tone::Bad, &before.to_string()),
            paint.text(Tone::Good, &after.to_string())
        )],
    }
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn pairs(before: &Value, after: &Value, paint: Paint) -> Vec<String> {
    let of = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let (old, new) = (of(before), of(after));
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let line = |key: &String| match (old.get(key), new.get(key)) {
        (Some(before), Some(after)) if before == after => None,
        (Some(before), Some(after)) => Some(format!(
            "{key}: {} -> {}",
            paint.text(Tone::Bad, &before.to_string()),
            paint.text(Tone::Good, &after.to_string())
        )),
        (Some(before), None) => Some(paint.text(Tone::Bad, &format!("- {key}: {before}"))),
        (None, Some(after)) => Some(paint.text(Tone::Good, &format!("+ {key}: {after}"))),
        (None, None) => None,
    };
    keys.into_iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_element_that_differs_has_its_line() {
        let diff = json!([
            { "table": "Logical_Switch", "label": "web", "change": "changed", "why": "asked", "columns": {
                "name": { "before": "old", "after": "web" },
                "other_config": { "before": {"mtu": "1400", "subnet": "a"}, "after": {"mtu": "1500", "vlan": "1"} },
                "ports": { "before": ["p1", "p2"], "after": ["p2", "p3"] },
                "qos_rules": { "removed": ["q1"], "added": [] },
                "tags": { "removed": {"a": "1"}, "added": {"a": "2"} },
            }},
            { "table": "ACL", "label": "x", "change": "removed", "why": "orphaned", "columns": {
                "priority": { "before": 5, "after": null },
            }},
        ]);
        assert_eq!(
            lines(&diff, Paint::off()),
            [
                "~ Logical_Switch web",
                "      name          \"old\" -> \"web\"",
                "      other_config  mtu: \"1400\" -> \"1500\"",
                "                    - subnet: \"a\"",
                "                    + vlan: \"1\"",
                "      ports         - \"p1\"",
                "                    + \"p3\"",
                "      qos_rules     - \"q1\"",
                "      tags          a: \"1\" -> \"2\"",
                "- ACL x   nothing points to it any more",
                "      priority  - 5",
            ]
        );
        assert_eq!(counts(&diff), "1 row changed, 1 removed");
        assert_eq!(counts(&json!([])), "");
    }
}
