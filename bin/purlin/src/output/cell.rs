//! One value as text.

use super::{Show, harmless};
use jiff::Timestamp;
use serde_json::Value;

/// The value at a dotted path, `Null` when there is none.
pub(super) fn at<'a>(row: &'a Value, path: &str) -> &'a Value {
    if let Some(value) = row.get(path) {
        return value;
    }
    path.split('.')
        .fold(row, |value, key| value.get(key).unwrap_or(&Value::Null))
}

/// Whether the row has a value at a dotted path, be it `null`.
pub(super) fn has(row: &Value, path: &str) -> bool {
    let deep = || {
        path.split('.')
            .try_fold(row, |value, key| value.get(key))
            .is_some()
    };
    row.get(path).is_some() || deep()
}

/// A value as a person would write it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A cell of a table on one line. `relative` turns points in time into distances from `now`.
pub(super) fn text(value: &Value, show: Show, relative: Option<Timestamp>) -> String {
    let raw = match show {
        Show::Time => time(value, relative),
        Show::Percent => value
            .as_f64()
            .map(|share| format!("{:.1}%", share * 100.0))
            .unwrap_or_default(),
        Show::Text | Show::Number => plain(value),
    };
    harmless::line(&raw).into_owned()
}

fn time(value: &Value, relative: Option<Timestamp>) -> String {
    let Some(at) = timestamp(value) else {
        return plain(value);
    };
    match relative {
        Some(now) => distance(at.as_second() - now.as_second()),
        None => at.to_string(),
    }
}

/// Reads RFC 3339 text, Unix seconds or Unix milliseconds. 0 is "never".
fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => match number.as_i64()? {
            0 => None,
            millis if millis > 100_000_000_000 => Timestamp::from_millisecond(millis).ok(),
            secs => Timestamp::from_second(secs).ok(),
        },
        _ => None,
    }
}

/// `in 59m`, `3h ago`, `now`.
fn distance(secs: i64) -> String {
    let span = match secs.unsigned_abs() {
        0 => return "now".into(),
        s @ 1..120 => format!("{s}s"),
        s @ 120..7_200 => format!("{}m", s / 60),
        s @ 7_200..172_800 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86_400),
    };
    if secs > 0 {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_relative_only_when_a_person_looks() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        assert_eq!(text(&json!(1_003_540), Show::Time, Some(now)), "in 59m");
        assert_eq!(
            text(&json!("1970-01-12T13:46:30Z"), Show::Time, Some(now)),
            "10s ago"
        );
        assert_eq!(text(&json!(1_000_000), Show::Time, None), "1970-01-12T13:46:40Z");
        assert_eq!(
            text(&json!(1_000_000_000_000_u64), Show::Time, None),
            "2001-09-09T01:46:40Z"
        );
    }

    #[test]
    fn lists_and_nothing_read_well() {
        assert_eq!(text(&json!(["a", 1]), Show::Text, None), "a,1");
        assert_eq!(text(&Value::Null, Show::Text, None), "");
        assert_eq!(text(&json!(0.255), Show::Percent, None), "25.5%");
    }
}
