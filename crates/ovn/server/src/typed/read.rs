//! A row, shown as its kind.

use super::{By, Field, Kind, Of, Values, datapath, etag, forms, place};
use purlin_ovn_core::model::{OWNER_KEY, State, natural};
use purlin_ovsdb::{Atom, Datum, Uuid};
use serde_json::{Map, Value, json};

/// The object; nothing where there is no such row.
pub(crate) fn object(state: &State<'_>, kind: &Kind, uuid: Uuid) -> Option<Value> {
    if !state.contains(kind.table, uuid) {
        return None;
    }
    let mut members = members(state, kind.table, kind.fields, uuid);
    if kind.marks {
        members.insert("owner".to_owned(), json!(state.owner(kind.table, uuid)));
        members.insert("etag".to_owned(), json!(etag::written(state, kind, uuid)));
    }
    Some(Value::Object(members))
}

fn members(state: &State<'_>, table: &str, fields: &[Field], uuid: Uuid) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("uuid".to_owned(), json!(uuid.to_string()));
    for field in fields {
        members.insert(field.name.to_owned(), member(state, table, field, uuid));
    }
    members
}

/// One member as it is.
pub(crate) fn member(state: &State<'_>, table: &str, field: &Field, uuid: Uuid) -> Value {
    match field.of {
        Of::Column(column) => column_value(state, table, uuid, column),
        Of::Map {
            column,
            hidden,
            values,
        } => map(state, table, uuid, column, hidden, values),
        Of::Key { column, key, form } => {
            let value = state.value(table, uuid, column);
            forms::shown(value.and_then(|value| value.get(&Atom::from(key))), form)
        }
        Of::Rows { column, by } => rows(state, table, uuid, column, by),
        Of::Referrers {
            table: from,
            column,
            by,
        } => {
            let found = state.find(from, column, &Atom::Uuid(uuid));
            sorted(found.into_iter().map(|row| shown(state, from, row, by)))
        }
        Of::Parent {
            table: from,
            column,
            by,
        } => {
            let found = state.find(from, column, &Atom::Uuid(uuid)).into_iter().next();
            json!(found.map(|row| shown(state, from, row, by)))
        }
        Of::Children {
            table: of,
            column,
            fields,
            key,
        } => children(state, (table, uuid, column), of, fields, key),
        Of::Datapath { router, many } => datapath::shown(state, table, uuid, router, many),
        Of::Shown(shows, _) => shows(state, uuid),
    }
}

fn column_value(state: &State<'_>, table: &str, uuid: Uuid, column: &str) -> Value {
    let kind = state.schema().table(table).and_then(|table| table.column(column));
    match (kind, state.value(table, uuid, column)) {
        (Some(kind), Some(value)) => natural(value, &kind.kind),
        _ => Value::Null,
    }
}

fn map(state: &State<'_>, table: &str, uuid: Uuid, column: &str, hidden: &[&str], values: Values) -> Value {
    let pairs = state.value(table, uuid, column).map(Datum::pairs);
    let mut members = Map::new();
    for (key, value) in pairs.unwrap_or_default() {
        let Some(key) = key
            .as_str()
            .filter(|key| !hidden.contains(key) && *key != OWNER_KEY)
        else {
            continue;
        };
        let shown = match (value.as_str(), values) {
            (Some(text), Values::Words) => json!(text.split_whitespace().collect::<Vec<_>>()),
            (Some(text), Values::Dhcp) => {
                let cidr = state.text(table, uuid, "cidr").unwrap_or_default();
                forms::dhcp_shown(state.dhcp().of(cidr), key, text)
            }
            (Some(text), Values::Text) => json!(text),
            (None, _) => forms::shown(Some(value), super::Form::Text),
        };
        members.insert(key.to_owned(), shown);
    }
    Value::Object(members)
}

/// Where a column points.
pub(crate) fn target(state: &State<'_>, table: &str, column: &str) -> Option<String> {
    let kind = &state.schema().table(table)?.column(column)?.kind;
    kind.key
        .reference
        .as_ref()
        .map(|reference| reference.table.clone())
}

/// Whether a column holds one value at most.
pub(crate) fn is_single(state: &State<'_>, table: &str, column: &str) -> bool {
    let kind = state.schema().table(table).and_then(|table| table.column(column));
    kind.is_some_and(|column| column.kind.max == 1)
}

fn rows(state: &State<'_>, table: &str, uuid: Uuid, column: &str, by: By) -> Value {
    let to = target(state, table, column).unwrap_or_default();
    let targets = state.targets(table, uuid, column).into_iter();
    let mut words = targets.map(|row| shown(state, &to, row, by));
    match is_single(state, table, column) {
        true => json!(words.next()),
        false => sorted(words),
    }
}

fn shown(state: &State<'_>, table: &str, uuid: Uuid, by: By) -> String {
    match by {
        By::Name => place::word(state, table, uuid),
        By::Uuid => uuid.to_string(),
    }
}

fn sorted(words: impl Iterator<Item = String>) -> Value {
    let mut words: Vec<String> = words.collect();
    words.sort_unstable();
    json!(words)
}

fn children(
    state: &State<'_>,
    (table, uuid, column): (&str, Uuid, &str),
    of: &str,
    fields: &[Field],
    key: &[&str],
) -> Value {
    let targets = state.targets(table, uuid, column).into_iter();
    let mut children: Vec<Value> = targets
        .map(|child| Value::Object(members(state, of, fields, child)))
        .collect();
    let identity = |child: &Value| key.iter().map(|name| child[name].to_string()).collect::<Vec<_>>();
    children.sort_by_cached_key(identity);
    Value::Array(children)
}
