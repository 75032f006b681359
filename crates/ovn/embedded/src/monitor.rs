//! Monitors: what a client sees of a database's changes.
//!
//! ```text
//!   monitor             update    {"old": …, "new": …}                                 RFC 7047, section 4.1.5
//!   monitor_cond        update2   initial, insert, delete, modify; differences        ovsdb-server(7), 4.1.12
//!   monitor_cond_since  update3   the same with the transaction's name, and resume    ovsdb-server(7), 4.1.15
//! ```

use crate::fault::Fault;
use crate::rows::{Changed, Contents, Stored, value};
use purlin_ovsdb::{Condition, Datum, Names, Row, TableSchema, Uuid};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which of the three a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Conditional,
    Since,
}

/// One client's view of one database.
#[derive(Debug)]
pub(crate) struct Monitor {
    pub(crate) kind: Kind,
    tables: BTreeMap<Arc<str>, Watched>,
}

/// What of a table is seen.
#[derive(Debug, Default)]
struct Watched {
    columns: Vec<String>,
    initial: Select,
    insert: Select,
    delete: Select,
    modify: Select,
    /// One of them must hold; `None` is every row.
    conditions: Option<Vec<Condition>>,
}

/// What is told on an occasion.
#[derive(Debug, Default, Clone)]
struct Select {
    /// Anything, if only that the row is there: a request may name no columns.
    any: bool,
    /// A bit for each column.
    columns: Vec<bool>,
}

impl Select {
    fn add(&mut self, columns: usize, wanted: bool) {
        self.any |= wanted;
        self.columns.resize(columns, wanted);
    }
}

impl Monitor {
    /// Reads `<monitor-requests>` or `<monitor-cond-requests>`.
    pub(crate) fn parse(contents: &Contents, kind: Kind, json: &Value) -> Result<Self, Fault> {
        let object = json
            .as_object()
            .ok_or_else(|| Fault::syntax(json, "<monitor-requests> must be an object"))?;
        let mut tables = BTreeMap::new();
        for (name, requests) in object {
            let known = contents.tables.get_key_value(name.as_str());
            let (Some((table, _)), Some(schema)) = (known, contents.schema.table(name)) else {
                return Err(Fault::new("unknown table", format!("No table named {name}.")));
            };
            let mut watched = Watched::default();
            let alone = std::slice::from_ref(requests);
            for request in requests.as_array().map_or(alone, Vec::as_slice) {
                watched.add(schema, name, kind, request)?;
            }
            tables.insert(Arc::clone(table), watched);
        }
        Ok(Self { kind, tables })
    }

    /// Everything that is there.
    pub(crate) fn initial(&self, contents: &Contents) -> Value {
        let mut tables = Map::new();
        for (table, watched) in self.tables.iter().filter(|(_, watched)| watched.initial.any) {
            let (Some(schema), Some(rows)) = (contents.schema.table(table), contents.tables.get(table))
            else {
                continue;
            };
            let mut seen = Map::new();
            for (uuid, row) in &rows.by_uuid {
                if watched.sees(schema, *uuid, row) {
                    seen.insert(uuid.to_string(), watched.first(self.kind, schema, row));
                }
            }
            if !seen.is_empty() {
                tables.insert(table.to_string(), Value::Object(seen));
            }
        }
        Value::Object(tables)
    }

    /// What this client is told of changes; `None` when it is nothing.
    pub(crate) fn update(&self, contents: &Contents, changes: &[Changed]) -> Option<Value> {
        let mut tables = Map::new();
        for change in changes {
            let (Some(watched), Some(schema)) = (
                self.tables.get(&change.table),
                contents.schema.table(&change.table),
            ) else {
                continue;
            };
            let Some(told) = watched.told(self.kind, schema, change) else {
                continue;
            };
            let rows = tables
                .entry(change.table.to_string())
                .or_insert_with(|| json!({}));
            rows[change.uuid.to_string()] = told;
        }
        (!tables.is_empty()).then_some(Value::Object(tables))
    }

    /// Other conditions from now on; what comes into sight and what leaves it.
    pub(crate) fn change_conditions(
        &mut self,
        contents: &Contents,
        json: &Value,
    ) -> Result<Option<Value>, Fault> {
        let object = json
            .as_object()
            .ok_or_else(|| Fault::syntax(json, "<monitor-cond-update-requests> must be an object"))?;
        let mut parsed = Vec::new();
        for (name, requests) in object {
            let (Some(schema), true) = (
                contents.schema.table(name),
                self.tables.contains_key(name.as_str()),
            ) else {
                return Err(Fault::new(
                    "unknown table",
                    format!("No table named {name} in monitor."),
                ));
            };
            let alone = std::slice::from_ref(requests);
            let mut conditions = None;
            for request in requests.as_array().map_or(alone, Vec::as_slice) {
                if let Some(json) = request.get("where") {
                    conditions = Some(parse_conditions(schema, json)?);
                }
            }
            parsed.push((name.as_str(), conditions.flatten()));
        }
        let mut tables = Map::new();
        for (name, conditions) in parsed {
            let (Some(watched), Some(schema)) = (self.tables.get_mut(name), contents.schema.table(name))
            else {
                continue;
            };
            let before = std::mem::replace(&mut watched.conditions, conditions);
            let watched = &self.tables[name];
            let rows = watched.moved(schema, contents, name, before.as_deref());
            if !rows.is_empty() {
                tables.insert(name.to_owned(), Value::Object(rows));
            }
        }
        Ok((!tables.is_empty()).then_some(Value::Object(tables)))
    }
}

impl Watched {
    fn add(&mut self, schema: &TableSchema, table: &str, kind: Kind, json: &Value) -> Result<(), Fault> {
        let object = json
            .as_object()
            .ok_or_else(|| Fault::syntax(json, "Parsing table request failed: Object expected."))?;
        let select = object.get("select");
        let wants = |occasion: &str| {
            let said = select.and_then(|select| select.get(occasion));
            said.and_then(Value::as_bool).unwrap_or(true)
        };
        let named = match object.get("columns") {
            None => schema.columns.keys().cloned().collect(),
            Some(json) => {
                let names = json.as_array();
                let names = names.ok_or_else(|| Fault::syntax(json, "array of column names expected"))?;
                let name = |json: &Value| json.as_str().map(str::to_owned);
                let names: Option<Vec<String>> = names.iter().map(name).collect();
                names.ok_or_else(|| Fault::syntax(json, "array of column names expected"))?
            }
        };
        for name in named {
            if name != "_version" && schema.column(&name).is_none() {
                let details = format!("{name} is not a valid column name");
                return Err(Fault::syntax(json, details));
            }
            if self.columns.contains(&name) {
                let details = format!("column {name} in table {table} mentioned more than once");
                return Err(Fault::syntax(json, details));
            }
            self.columns.push(name);
        }
        let count = self.columns.len();
        self.initial.add(count, wants("initial"));
        self.insert.add(count, wants("insert"));
        self.delete.add(count, wants("delete"));
        self.modify.add(count, wants("modify"));
        if let Some(json) = object.get("where") {
            if kind == Kind::Plain {
                return Err(Fault::syntax(json, "\"where\" needs monitor_cond"));
            }
            self.conditions = parse_conditions(schema, json)?;
        }
        Ok(())
    }

    fn sees(&self, schema: &TableSchema, uuid: Uuid, row: &Stored) -> bool {
        meets(self.conditions.as_deref(), schema, uuid, row)
    }

    /// A row that comes into sight.
    fn first(&self, kind: Kind, schema: &TableSchema, row: &Stored) -> Value {
        let columns = self.columns(&self.initial, kind, schema, row);
        match kind {
            Kind::Plain => json!({ "new": columns }),
            Kind::Conditional | Kind::Since => json!({ "initial": columns }),
        }
    }

    fn told(&self, kind: Kind, schema: &TableSchema, change: &Changed) -> Option<Value> {
        let sees = |row: &&Arc<Stored>| self.sees(schema, change.uuid, row);
        let (old, new) = (change.old.as_ref().filter(sees), change.new.as_ref().filter(sees));
        match (old, new, kind) {
            (None, None, _) => None,
            (None, Some(new), Kind::Plain) => self
                .insert
                .any
                .then(|| json!({ "new": self.columns(&self.insert, kind, schema, new) })),
            (None, Some(new), _) => self
                .insert
                .any
                .then(|| json!({ "insert": self.columns(&self.insert, kind, schema, new) })),
            (Some(old), None, Kind::Plain) => self
                .delete
                .any
                .then(|| json!({ "old": self.columns(&self.delete, kind, schema, old) })),
            (Some(_), None, _) => self.delete.any.then(|| json!({ "delete": null })),
            (Some(old), Some(new), Kind::Plain) => self.plain_modify(schema, old, new),
            (Some(old), Some(new), _) => self.modify(schema, old, new),
        }
    }

    fn plain_modify(&self, schema: &TableSchema, old: &Stored, new: &Stored) -> Option<Value> {
        let mut before = Map::new();
        for column in self.chosen(&self.modify) {
            let (was, is) = (of(schema, old, column), of(schema, new, column));
            if was != is {
                before.insert(column.clone(), was.to_json());
            }
        }
        // A version always changes: alone it is nothing to tell.
        before.keys().any(|column| column != "_version").then(|| {
            let now = self.columns(&self.modify, Kind::Plain, schema, new);
            json!({ "old": before, "new": now })
        })
    }

    fn modify(&self, schema: &TableSchema, old: &Stored, new: &Stored) -> Option<Value> {
        let mut differences = Map::new();
        for column in self.chosen(&self.modify) {
            let Some(kind) = schema.column(column) else {
                continue;
            };
            let (was, is) = (of(schema, old, column), of(schema, new, column));
            if let Some(difference) = was.diff(&is, &kind.kind) {
                differences.insert(column.clone(), difference.to_json());
            }
        }
        (!differences.is_empty()).then(|| json!({ "modify": differences }))
    }

    fn chosen<'a>(&'a self, select: &'a Select) -> impl Iterator<Item = &'a String> {
        let chosen = self.columns.iter().zip(&select.columns);
        chosen.filter(|(_, told)| **told).map(|(column, _)| column)
    }

    /// The columns that are told: all for the plain kind, those that are not at their defaults for the others.
    fn columns(&self, select: &Select, kind: Kind, schema: &TableSchema, row: &Stored) -> Value {
        let mut told = Map::new();
        for column in self.chosen(select) {
            let at_default = column != "_version" && row.columns.get(column).is_none();
            if kind == Kind::Plain || !at_default {
                told.insert(column.clone(), of(schema, row, column).to_json());
            }
        }
        Value::Object(told)
    }

    /// What other conditions bring into sight and take out of it.
    fn moved(
        &self,
        schema: &TableSchema,
        contents: &Contents,
        table: &str,
        before: Option<&[Condition]>,
    ) -> Map<String, Value> {
        let rows = contents
            .tables
            .get(table)
            .into_iter()
            .flat_map(|rows| &rows.by_uuid);
        let mut told = Map::new();
        for (uuid, row) in rows {
            match (meets(before, schema, *uuid, row), self.sees(schema, *uuid, row)) {
                (false, true) => {
                    let columns = self.columns(&self.insert, Kind::Since, schema, row);
                    told.insert(uuid.to_string(), json!({ "insert": columns }));
                }
                (true, false) => {
                    told.insert(uuid.to_string(), json!({ "delete": null }));
                }
                _ => {}
            }
        }
        told
    }
}

fn parse_conditions(schema: &TableSchema, json: &Value) -> Result<Option<Vec<Condition>>, Fault> {
    let clauses = json
        .as_array()
        .ok_or_else(|| Fault::syntax(json, "array of conditions expected"))?;
    let mut conditions = Vec::with_capacity(clauses.len());
    for clause in clauses {
        conditions.push(Condition::parse(schema, clause, Names::Refused)?);
    }
    // No condition at all is every row.
    Ok((!conditions.is_empty()).then_some(conditions))
}

fn meets(conditions: Option<&[Condition]>, schema: &TableSchema, uuid: Uuid, row: &Stored) -> bool {
    conditions.is_none_or(|conditions| {
        conditions.iter().any(|condition| match condition {
            Condition::Clause { column, .. } if column.starts_with('_') => {
                let names = Row::new().with("_uuid", uuid).with("_version", row.version);
                condition.matches(schema, &names)
            }
            _ => condition.matches(schema, &row.columns),
        })
    })
}

fn of(schema: &TableSchema, row: &Stored, column: &str) -> Datum {
    if column == "_version" {
        return row.version.into();
    }
    value(schema, &row.columns, column)
}
