//! Rows as a backup keeps them, and the changes that bring them back.
//!
//! ```json
//! {"Logical_Switch": {"<uuid>": {"name": "web", "ports": ["uuid", "..."]}}}
//! ```
//!
//! Values are as RFC 7047 writes them, so that nothing is lost on the way; columns at their defaults and those that OVN
//! writes by itself are left out. An incremental backup has the rows that differ from an earlier state, whole, and `null`
//! for those that went.

mod known;
mod rename;
mod restore;

use crate::model::{OWNER_KEY, State, is_volatile, references};
use purlin_ovsdb::{DatabaseSchema, Datum, Names, Row, Uuid};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

pub use restore::{Options, Policy, Restoration, restore};

/// Tables about the database itself and who may reach it: backed up, and brought back only when they are named.
pub const OF_THE_SERVER: [&str; 3] = ["NB_Global", "Connection", "SSL"];

/// Which rows are meant; what hangs on them is meant, too. Nothing said means all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Tables of rows that stand by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whose rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Rows by table and UUID, without columns at their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    pub rows: BTreeMap<(String, Uuid), Row>,
}

impl Selection {
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    fn means(&self, table: &str, row: &Row) -> bool {
        let name = rename::name_of(row);
        let owner = row.get("external_ids").and_then(|ids| ids.get_str(OWNER_KEY));
        let has = |list: &[String], word: &str| list.iter().any(|one| one == word);
        (self.tables.is_empty() || has(&self.tables, table))
            && (self.names.is_empty() || name.is_some_and(|name| has(&self.names, name)))
            && self.owner.as_deref().is_none_or(|wanted| owner == Some(wanted))
    }
}

impl Content {
    /// The rows of a state.
    pub fn of(state: &State<'_>) -> Self {
        let schema = state.schema();
        let mut rows = BTreeMap::new();
        for name in schema.tables.keys() {
            for uuid in state.uuids(name) {
                rows.insert((name.clone(), uuid), Self::of_row(state, name, uuid));
            }
        }
        Self { rows }
    }

    /// One row; empty when it is not there.
    fn of_row(state: &State<'_>, table: &str, uuid: Uuid) -> Row {
        let Some((schema, row)) = state.schema().table(table).zip(state.row(table, uuid)) else {
            return Row::new();
        };
        let told = row.columns().filter(|(column, value)| {
            let known = schema.column(column);
            known.is_some_and(|known| **value != Datum::default_of(&known.kind))
                && !is_volatile(table, column)
        });
        told.map(|(column, value)| (column.to_owned(), value.clone()))
            .collect()
    }

    /// The rows that are meant, with all that hangs on them.
    #[must_use]
    pub fn selected(&self, schema: &DatabaseSchema, selection: &Selection) -> Self {
        if selection.is_all() {
            return self.clone();
        }
        let strong: Vec<_> = references(schema).filter(|reference| reference.strong).collect();
        let is_root = |table: &str| schema.table(table).is_some_and(|table| table.root);
        let meant =
            |((table, _), row): &(&(String, Uuid), &Row)| is_root(table) && selection.means(table, row);
        let mut waiting: Vec<(String, Uuid)> = self
            .rows
            .iter()
            .filter(meant)
            .map(|(key, _)| key.clone())
            .collect();
        let mut rows = BTreeMap::new();
        while let Some(key) = waiting.pop() {
            let Some(row) = self.rows.get(&key).filter(|_| !rows.contains_key(&key)) else {
                continue;
            };
            for reference in strong.iter().filter(|reference| reference.table == key.0) {
                let held = row.get(reference.column).map(Datum::atoms).unwrap_or_default();
                let held = held.iter().filter_map(purlin_ovsdb::Atom::as_uuid);
                waiting.extend(held.map(|uuid| (reference.to.to_owned(), uuid)));
            }
            rows.insert(key, row.clone());
        }
        Self { rows }
    }

    /// What makes this of an earlier content: rows that differ, and `null` for those that went.
    pub fn since(&self, earlier: &Self) -> Value {
        let keys: BTreeSet<&(String, Uuid)> = self.rows.keys().chain(earlier.rows.keys()).collect();
        let differ = keys
            .into_iter()
            .filter(|key| self.rows.get(key) != earlier.rows.get(key));
        tables(differ.map(|key| (key, self.rows.get(key))))
    }

    pub fn to_json(&self) -> Value {
        tables(self.rows.iter().map(|(key, row)| (key, Some(row))))
    }

    /// Reads rows, puts them over those that are here, and says what the schema does not have.
    ///
    /// # Errors
    /// With the place of what cannot be read.
    pub fn read(&mut self, schema: &DatabaseSchema, json: &Value) -> Result<Vec<String>, String> {
        let mut unknown = BTreeSet::new();
        for (name, rows) in json.as_object().ok_or("tables: an object is expected")? {
            let Some(table) = schema.table(name) else {
                unknown.insert(format!("the database has no table {name}; its rows are left out"));
                continue;
            };
            for (uuid, columns) in rows
                .as_object()
                .ok_or_else(|| format!("{name}: an object is expected"))?
            {
                let place = || format!("{name} {uuid}");
                let key = Uuid::parse(uuid).ok_or_else(|| format!("{}: no UUID", place()))?;
                if columns.is_null() {
                    self.rows.remove(&(name.clone(), key));
                    continue;
                }
                let columns = columns
                    .as_object()
                    .ok_or_else(|| format!("{}: an object is expected", place()))?;
                let mut row = Row::new();
                for (column, value) in columns {
                    let Some(known) = table.column(column) else {
                        unknown.insert(format!("{name} has no column {column}; it is left out"));
                        continue;
                    };
                    let value = Datum::parse(&known.kind, value, Names::Refused);
                    row.set(
                        column,
                        value.map_err(|why| format!("{}: {column}: {why}", place()))?,
                    );
                }
                self.rows.insert((name.clone(), key), row);
            }
        }
        Ok(unknown.into_iter().collect())
    }
}

fn tables<'r>(rows: impl Iterator<Item = (&'r (String, Uuid), Option<&'r Row>)>) -> Value {
    let mut tables: Map<String, Value> = Map::new();
    for ((table, uuid), row) in rows {
        let columns = row.map_or(Value::Null, |row| {
            let columns = row
                .columns()
                .map(|(name, value)| (name.to_owned(), value.to_json()));
            Value::Object(columns.collect())
        });
        let rows = tables
            .entry(table.clone())
            .or_insert_with(|| Value::Object(Map::new()));
        rows[uuid.to_string()] = columns;
    }
    Value::Object(tables)
}
