//! Rows as people read them.

use purlin_ovn_core::model::{State, etag, natural};
use purlin_ovsdb::cache::RowRef;
use purlin_ovsdb::{DatabaseSchema, Uuid};
use serde_json::{Map, Value, json};

/// A row of a table: its columns, and with an underscore what is said about it.
pub(crate) fn row(state: &State<'_>, table: &str, uuid: Uuid) -> Option<Value> {
    let row = state.row(table, uuid)?;
    let schema = state.schema().table(table)?;
    let mut members = Map::new();
    members.insert("_uuid".to_owned(), json!(uuid.to_string()));
    members.insert("_etag".to_owned(), json!(etag(state, table, uuid)));
    members.insert("_owner".to_owned(), json!(state.owner(table, uuid)));
    let parent = state.parent(table, uuid).map(|(table, column, uuid)| {
        json!({ "table": table, "column": column, "uuid": uuid.to_string(), "name": state.label(table, uuid) })
    });
    members.insert("_parent".to_owned(), json!(parent));
    for (name, value) in row.columns() {
        if let Some(column) = schema.column(name) {
            members.insert(name.to_owned(), natural(value, &column.kind));
        }
    }
    Some(Value::Object(members))
}

/// A row of a database that nobody here writes.
pub(crate) fn plain(schema: &DatabaseSchema, table: &str, row: &RowRef<'_>) -> Value {
    let mut members = Map::new();
    members.insert("_uuid".to_owned(), json!(row.uuid().to_string()));
    let known = schema.table(table);
    for (name, value) in row.columns() {
        if let Some(column) = known.and_then(|table| table.column(name)) {
            members.insert(name.to_owned(), natural(value, &column.kind));
        }
    }
    Value::Object(members)
}

/// Whose row it is, in one word.
pub(crate) fn owner_name(state: &State<'_>, table: &str, uuid: Uuid) -> String {
    state.owner(table, uuid).to_string()
}
