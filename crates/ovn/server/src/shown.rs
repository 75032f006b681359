//! Rows as people read them.

use crate::routes::unknown_column;
use purlin_api::Problem;
use purlin_ovn_core::model::{State, etag, natural, object};
use purlin_ovsdb::cache::RowRef;
use purlin_ovsdb::{DatabaseSchema, TableSchema, Uuid};
use serde_json::{Map, Value, json};

/// What is said about a row, beside its columns.
pub(crate) const ABOUT: [&str; 4] = ["_uuid", "_etag", "_owner", "_parent"];

/// Which members of a row are shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Option<Vec<String>>);

impl Fields {
    pub(crate) fn of(words: Option<&str>, name: &str, table: &TableSchema) -> Result<Self, Problem> {
        let Some(words) = words else {
            return Ok(Self(None));
        };
        let words: Vec<String> = words.split(',').map(str::to_owned).collect();
        let known = |word: &&String| ABOUT.contains(&word.as_str()) || table.column(word).is_some();
        match words.iter().find(|word| !known(word)) {
            Some(odd) => Err(unknown_column(name, odd, table)),
            None => Ok(Self(Some(words))),
        }
    }

    fn want(&self, member: &str) -> bool {
        let wanted = self.0.as_ref();
        wanted.is_none_or(|wanted| wanted.iter().any(|word| word == member))
    }
}

/// A row of a table: its columns, and with an underscore what is said about it.
pub(crate) fn row(state: &State<'_>, table: &str, uuid: Uuid) -> Option<Value> {
    members(state, table, uuid, &Fields::default())
}

/// The same, of the members that are wanted.
pub(crate) fn members(state: &State<'_>, table: &str, uuid: Uuid, fields: &Fields) -> Option<Value> {
    let schema = state.schema().table(table)?;
    let mut members = Map::new();
    for about in ABOUT.into_iter().filter(|about| fields.want(about)) {
        let value = match about {
            "_uuid" => uuid.to_string().into(),
            "_etag" => etag(state, table, uuid).into(),
            "_owner" => json!(state.owner(table, uuid)),
            _ => parent(state, table, uuid).into(),
        };
        members.insert(about.to_owned(), value);
    }
    for (name, value) in state.columns(table, uuid)? {
        if let Some(column) = schema.column(name).filter(|_| fields.want(name)) {
            members.insert(name.to_owned(), natural(value, &column.kind));
        }
    }
    Some(Value::Object(members))
}

/// The row that it hangs on.
fn parent(state: &State<'_>, table: &str, uuid: Uuid) -> Option<Value> {
    let (table, column, uuid) = state.parent(table, uuid)?;
    Some(object([
        ("table", table.into()),
        ("column", column.into()),
        ("uuid", uuid.to_string().into()),
        ("name", state.label(table, uuid).into()),
    ]))
}

/// A row of a database that nobody here writes.
pub(crate) fn plain(schema: &DatabaseSchema, table: &str, row: &RowRef<'_>) -> Value {
    let mut members = Map::new();
    members.insert("_uuid".to_owned(), row.uuid().to_string().into());
    let known = schema.table(table);
    for (name, value) in row.columns() {
        if let Some(column) = known.and_then(|table| table.column(name)) {
            members.insert(name.to_owned(), natural(value, &column.kind));
        }
    }
    Value::Object(members)
}
