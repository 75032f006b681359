//! `COLUMN=VALUE` and its kin, as what the API takes.

use super::tables::Side;
use crate::exit::Failure;
use purlin_ovsdb::{AtomicType, BaseType, ColumnType};
use serde_json::{Map, Value, json};

/// What is said of one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    /// `COLUMN=VALUE`: the whole of it.
    Whole(String, Value),
    /// `COLUMN:KEY=VALUE`, `COLUMN+=VALUES`: these elements besides.
    Add(String, Value),
    /// `COLUMN-=VALUES`: without these elements, or keys.
    Remove(String, Value),
}

impl Field {
    pub(super) fn parse(table: &str, text: &str) -> Result<Self, Failure> {
        let malformed = || {
            Failure::usage(
                format!("{text:?} gives no column a value"),
                "write COLUMN=VALUE, COLUMN:KEY=VALUE, COLUMN+=VALUES or COLUMN-=VALUES",
            )
        };
        let (left, value) = text.split_once('=').ok_or_else(malformed)?;
        let column_kind = |column: &str| Side::North.column(table, column);
        let field = if let Some(column) = left.strip_suffix('+') {
            Self::Add(column.to_owned(), elements(value, column_kind(column)))
        } else if let Some(column) = left.strip_suffix('-') {
            Self::Remove(column.to_owned(), keys(value, column_kind(column)))
        } else if let Some((column, key)) = left.split_once(':') {
            let kind = column_kind(column).and_then(|kind| kind.value.as_ref());
            Self::Add(column.to_owned(), json!({ key: atom(value, kind) }))
        } else {
            Self::Whole(left.to_owned(), whole(value, column_kind(left)))
        };
        if field.column().is_empty() {
            return Err(malformed());
        }
        Ok(field)
    }

    pub(super) fn column(&self) -> &str {
        match self {
            Self::Whole(column, _) | Self::Add(column, _) | Self::Remove(column, _) => column,
        }
    }
}

/// The columns of a new row: single keys come together in their map.
pub(super) fn new_row(fields: &[Field]) -> Result<Map<String, Value>, Failure> {
    let mut row = Map::new();
    for field in fields {
        match field {
            Field::Whole(column, value) => {
                row.insert(column.clone(), value.clone());
            }
            Field::Add(column, value) => match (row.get_mut(column), value) {
                (Some(Value::Object(there)), Value::Object(more)) => there.extend(more.clone()),
                (Some(Value::Array(there)), Value::Array(more)) => there.extend(more.iter().cloned()),
                _ => {
                    row.insert(column.clone(), value.clone());
                }
            },
            Field::Remove(column, _) => {
                return Err(Failure::usage(
                    format!("{column}-= takes something out of a row that is not there yet"),
                    "write COLUMN=VALUE, or 'purlin ovn set'",
                ));
            }
        }
    }
    Ok(row)
}

fn whole(text: &str, kind: Option<&ColumnType>) -> Value {
    let Some(kind) = kind else {
        return guessed(text);
    };
    if text == "null" && kind.min == 0 {
        return Value::Null;
    }
    if kind.value.is_some() || kind.max > 1 {
        return elements(text, Some(kind));
    }
    atom(text, Some(&kind.key))
}

/// Elements of a set as a list, of a map as an object.
fn elements(text: &str, kind: Option<&ColumnType>) -> Value {
    if let Ok(json @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(text) {
        return json;
    }
    let key = kind.map(|kind| &kind.key);
    let Some(value) = kind.and_then(|kind| kind.value.as_ref()) else {
        return parts(text).map(|part| atom(part, key)).collect();
    };
    let pair = |part: &str| {
        let (key, text) = part.split_once('=').or_else(|| part.split_once(':'))?;
        Some((key.trim().to_owned(), atom(text.trim(), Some(value))))
    };
    let pairs: Option<Map<String, Value>> = parts(text).map(pair).collect();
    // What is none goes as it is: the node says what would be right.
    pairs.map_or_else(|| Value::from(text), Value::Object)
}

fn keys(text: &str, kind: Option<&ColumnType>) -> Value {
    if let Ok(json @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(text) {
        return json;
    }
    let key = kind.map(|kind| &kind.key);
    parts(text).map(|part| atom(part, key)).collect()
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn atom(text: &str, kind: Option<&BaseType>) -> Value {
    match kind.map(|kind| kind.atomic) {
        Some(AtomicType::String | AtomicType::Uuid) => Value::from(text),
        Some(AtomicType::Integer | AtomicType::Real | AtomicType::Boolean) | None => guessed(text),
    }
}

fn guessed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(table: &str, text: &str) -> Field {
        Field::parse(table, text).expect("it is a field")
    }

    #[test]
    fn a_value_is_read_by_the_type_of_its_column() {
        let port = |text: &str| parsed("Logical_Switch_Port", text);
        let whole = |column: &str, value: Value| Field::Whole(column.to_owned(), value);
        assert_eq!(port("name=10"), whole("name", json!("10")));
        assert_eq!(port("tag=10"), whole("tag", json!(10)));
        assert_eq!(port("tag=null"), whole("tag", Value::Null));
        assert_eq!(port("enabled=false"), whole("enabled", json!(false)));
        assert_eq!(
            port("addresses=02:00:00:00:00:01 10.0.0.5,dynamic"),
            whole("addresses", json!(["02:00:00:00:00:01 10.0.0.5", "dynamic"]))
        );
        assert_eq!(port("addresses=[\"a,b\"]"), whole("addresses", json!(["a,b"])));
        assert_eq!(
            port("options={\"mtu\": \"9\"}"),
            whole("options", json!({"mtu": "9"}))
        );
        assert_eq!(
            port("options=mtu=9, x=1"),
            whole("options", json!({"mtu": "9", "x": "1"}))
        );
        assert_eq!(port("of_a_newer_ovn=3"), whole("of_a_newer_ovn", json!(3)));
        assert_eq!(
            parsed("ACL", "match=ip4.src == {10.0.0.1, 10.0.0.2}"),
            whole("match", json!("ip4.src == {10.0.0.1, 10.0.0.2}"))
        );
    }

    #[test]
    fn elements_and_keys_come_and_go_one_by_one() {
        let switch = |text: &str| parsed("Logical_Switch", text);
        assert_eq!(
            switch("external_ids:neutron:name=a=b"),
            Field::Add("external_ids".into(), json!({"neutron:name": "a=b"}))
        );
        assert_eq!(
            switch("ports+=a,b"),
            Field::Add("ports".into(), json!(["a", "b"]))
        );
        assert_eq!(
            switch("other_config-=subnet,mtu"),
            Field::Remove("other_config".into(), json!(["subnet", "mtu"]))
        );
        for wrong in ["name", "=x", "+=x", "-=x"] {
            assert!(Field::parse("Logical_Switch", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_of_a_new_row_come_together() {
        let fields = [
            parsed("Logical_Switch", "other_config:subnet=10.0.0.0/24"),
            parsed("Logical_Switch", "other_config:mtu=9000"),
        ];
        let row = new_row(&fields).expect("a row");
        let expected = json!({ "other_config": {"subnet": "10.0.0.0/24", "mtu": "9000"} });
        assert_eq!(Value::Object(row), expected);
        assert!(new_row(&[parsed("Logical_Switch", "ports-=a")]).is_err());
    }
}
