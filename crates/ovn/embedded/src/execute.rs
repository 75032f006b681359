//! Operations of a transaction, one after the other.
//!
//! Source: RFC 7047, section 5.2; ovsdb-server(7) for `uuid` in inserts and `assert`.

mod asked;

use crate::change::Change;
use crate::fault::Fault;
use crate::names::Symbols;
use crate::rows::value;
use asked::Asked;
use purlin_ovsdb::{Condition, Mutation, Names, Row, TableSchema, Uuid};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What an operation needs from outside.
pub(crate) struct Context<'a> {
    /// Sixteen random octets.
    pub(crate) random: &'a mut dyn FnMut() -> [u8; 16],
    /// Whether the client owns a lock.
    pub(crate) owns: &'a dyn Fn(&str) -> bool,
    /// How long the transaction has waited, in milliseconds.
    pub(crate) waited_ms: u64,
}

/// Why the operations stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    Refused(Fault),
    /// A `wait` does not hold yet; there is still so much time, in milliseconds, or no end.
    NotYet(Option<u64>),
}

impl<F: Into<Fault>> From<F> for Stop {
    fn from(fault: F) -> Self {
        Self::Refused(fault.into())
    }
}

/// What the operations came to.
#[derive(Debug, Default)]
pub(crate) struct Executed {
    /// An answer for each operation that was executed; the last one is the error, where there is one.
    pub(crate) results: Vec<Value>,
    pub(crate) refused: bool,
    pub(crate) comments: Vec<String>,
}

/// Executes operations until one is refused. `Err` when a `wait` must be tried again later.
pub(crate) fn execute(
    change: &mut Change<'_>,
    operations: &[Value],
    context: &mut Context<'_>,
) -> Result<Executed, Option<u64>> {
    let mut symbols = Symbols::default();
    let mut executed = Executed::default();
    for operation in operations {
        let name = operation.get("uuid-name").and_then(Value::as_str);
        let uuid = operation
            .get("uuid")
            .and_then(Value::as_str)
            .and_then(Uuid::parse);
        if let (Some(name), Some(uuid)) = (name, uuid) {
            symbols.foretell(name, uuid);
        }
    }
    for operation in operations {
        let mut one = One {
            change,
            symbols: &mut symbols,
            context,
            comments: &mut executed.comments,
        };
        match one.run(operation) {
            Ok(result) => executed.results.push(result),
            Err(Stop::NotYet(left)) => return Err(left),
            Err(Stop::Refused(fault)) => {
                executed.results.push(fault.to_json());
                executed.refused = true;
                break;
            }
        }
    }
    Ok(executed)
}

struct One<'o, 'a, 'c> {
    change: &'o mut Change<'a>,
    symbols: &'o mut Symbols,
    context: &'o mut Context<'c>,
    comments: &'o mut Vec<String>,
}

impl One<'_, '_, '_> {
    fn run(&mut self, json: &Value) -> Result<Value, Stop> {
        let object = json
            .as_object()
            .ok_or_else(|| Fault::syntax(json, "Parsing ovsdb operation failed: Object expected."))?;
        let asked = Asked { json, object };
        match asked.text("op")? {
            "insert" => self.insert(&asked),
            "select" => self.select(&asked),
            "update" => self.update(&asked),
            "mutate" => self.mutate(&asked),
            "delete" => self.delete(&asked),
            "wait" => self.wait(&asked),
            "commit" => {
                asked.only(&["op", "durable"])?;
                // Everything is on disk before it is answered, asked for or not.
                asked.required("durable")?;
                Ok(json!({}))
            }
            "abort" => Err(Fault::new("aborted", "aborted by request").into()),
            "comment" => {
                asked.only(&["op", "comment"])?;
                self.comments.push(asked.text("comment")?.to_owned());
                Ok(json!({}))
            }
            "assert" => {
                asked.only(&["op", "lock"])?;
                let lock = asked.text("lock")?;
                if (self.context.owns)(lock) {
                    Ok(json!({}))
                } else {
                    Err(Fault::new("not owner", "Asserted lock not held by this session.").into())
                }
            }
            other => {
                let details = format!("No operation \"{other}\".");
                Err(Fault {
                    syntax: Some(json.to_string()),
                    ..Fault::new("unknown operation", details)
                }
                .into())
            }
        }
    }

    fn insert(&mut self, asked: &Asked<'_>) -> Result<Value, Stop> {
        asked.only(&["op", "table", "row", "uuid", "uuid-name"])?;
        let (table, schema) = asked.table(self.change)?;
        let row = self.resolved(&asked.row(schema)?);
        let chosen = match asked.object.get("uuid") {
            Some(json) => Some(self.chosen(&table, json)?),
            None => None,
        };
        let name = asked
            .object
            .get("uuid-name")
            .map(|_| asked.text("uuid-name"))
            .transpose()?;
        let uuid = match name {
            Some(name) => self.symbols.create(name, chosen, self.context.random)?,
            None => chosen.unwrap_or_else(|| Uuid::from_random((self.context.random)())),
        };
        self.change.put(&table, uuid, Some(row));
        Ok(json!({ "uuid": ["uuid", uuid] }))
    }

    fn chosen(&self, table: &Arc<str>, json: &Value) -> Result<Uuid, Fault> {
        let uuid = json.as_str().and_then(Uuid::parse);
        let uuid = uuid.ok_or_else(|| Fault::syntax(json, "bad uuid"))?;
        if self.change.was_ever(table, uuid) {
            return Err(Fault::new(
                "duplicate uuid",
                "This UUID would duplicate a UUID already present within the table or deleted within the same \
                 transaction.",
            ));
        }
        Ok(uuid)
    }

    fn select(&mut self, asked: &Asked<'_>) -> Result<Value, Stop> {
        asked.only(&["op", "table", "where", "columns"])?;
        let (table, schema) = asked.table(self.change)?;
        let columns = asked.columns(schema)?;
        let found = self.found(asked, schema, &table)?;
        // As a set: rows that are alike in the columns asked for come once.
        let mut seen = BTreeSet::new();
        let mut rows = Vec::new();
        for uuid in found {
            let row = shown(self.change, schema, &table, uuid, &columns);
            let row = serde_json::to_value(&row).map_err(|_| Fault::new("internal error", "a row"))?;
            if seen.insert(row.to_string()) {
                rows.push(row);
            }
        }
        Ok(json!({ "rows": rows }))
    }

    fn update(&mut self, asked: &Asked<'_>) -> Result<Value, Stop> {
        asked.only(&["op", "table", "where", "row"])?;
        let (table, schema) = asked.table(self.change)?;
        let row = self.resolved(&asked.row(schema)?);
        for (name, _) in row.columns() {
            if schema.column(name).is_some_and(|column| !column.mutable) {
                let details = format!("Cannot update immutable column {name} in table {table}.");
                return Err(Fault {
                    syntax: Some(asked.json.to_string()),
                    ..Fault::constraint(details)
                }
                .into());
            }
        }
        let found = self.found(asked, schema, &table)?;
        for &uuid in &found {
            let mut new = self.change.row(&table, uuid).cloned().unwrap_or_default();
            for (name, value) in row.columns() {
                new.set(name, value.clone());
            }
            self.change.put(&table, uuid, Some(new));
        }
        Ok(json!({ "count": found.len() }))
    }

    fn mutate(&mut self, asked: &Asked<'_>) -> Result<Value, Stop> {
        asked.only(&["op", "table", "where", "mutations"])?;
        let (table, schema) = asked.table(self.change)?;
        let mut mutations = Vec::new();
        for json in asked.array("mutations")? {
            let mut mutation = Mutation::parse(schema, &table, json, Names::Allowed)?;
            self.symbols.resolve(&mut mutation.value, self.context.random);
            mutations.push(mutation);
        }
        let found = self.found(asked, schema, &table)?;
        for &uuid in &found {
            let mut row = self.change.row(&table, uuid).cloned().unwrap_or_default();
            for mutation in &mutations {
                mutation.apply(schema, &mut row)?;
            }
            self.change.put(&table, uuid, Some(row));
        }
        Ok(json!({ "count": found.len() }))
    }

    fn delete(&mut self, asked: &Asked<'_>) -> Result<Value, Stop> {
        asked.only(&["op", "table", "where"])?;
        let (table, schema) = asked.table(self.change)?;
        let found = self.found(asked, schema, &table)?;
        for &uuid in &found {
            self.change.put(&table, uuid, None);
        }
        Ok(json!({ "count": found.len() }))
    }

    fn wait(&mut self, asked: &Asked<'_>) -> Result<Value, Stop> {
        asked.only(&["op", "table", "where", "columns", "until", "rows", "timeout"])?;
        let (table, schema) = asked.table(self.change)?;
        let columns = asked.columns(schema)?;
        let timeout = asked.object.get("timeout").map(|json| {
            let timeout = json.as_u64();
            timeout.ok_or_else(|| Fault::syntax(asked.json, "timeout must be nonnegative"))
        });
        let timeout = timeout.transpose()?;
        let equal = match asked.text("until")? {
            "==" => true,
            "!=" => false,
            _ => return Err(Fault::syntax(asked.json, "\"until\" must be \"==\" or \"!=\"").into()),
        };
        let mut expected = BTreeSet::new();
        for json in asked.array("rows")? {
            let row = self.resolved(&Row::parse(schema, json, Names::Allowed)?);
            let row: Row = columns
                .iter()
                .map(|name| (name.clone(), of_row(schema, &row, name)))
                .collect();
            expected.insert(json!(row).to_string());
        }
        let found = self.found(asked, schema, &table)?;
        let rows = found
            .into_iter()
            .map(|uuid| shown(self.change, schema, &table, uuid, &columns));
        let found: BTreeSet<String> = rows.map(|row| json!(row).to_string()).collect();
        if (found == expected) == equal {
            return Ok(json!({}));
        }
        let left = timeout.map(|timeout| timeout.saturating_sub(self.context.waited_ms));
        if left == Some(0) {
            let waited = self.context.waited_ms;
            let details = match timeout {
                Some(0) => "\"where\" clause test failed".to_owned(),
                _ => format!("\"wait\" timed out after {waited} ms"),
            };
            return Err(Fault::new("timed out", details).into());
        }
        Err(Stop::NotYet(left))
    }

    fn found(
        &mut self,
        asked: &Asked<'_>,
        schema: &TableSchema,
        table: &Arc<str>,
    ) -> Result<Vec<Uuid>, Fault> {
        let mut conditions = Vec::new();
        for json in asked.array("where")? {
            let mut condition = Condition::parse(schema, json, Names::Allowed)?;
            if let Condition::Clause { value, .. } = &mut condition {
                self.symbols.resolve(value, self.context.random);
            }
            conditions.push(condition);
        }
        Ok(self.change.meeting(schema, table, &conditions))
    }

    fn resolved(&mut self, row: &Row) -> Row {
        let columns = row.columns().map(|(name, value)| {
            let mut value = value.clone();
            self.symbols.resolve(&mut value, self.context.random);
            (name.to_owned(), value)
        });
        columns.collect()
    }
}

/// A row with these columns, those that every table has included.
fn shown(change: &Change<'_>, schema: &TableSchema, table: &Arc<str>, uuid: Uuid, columns: &[String]) -> Row {
    let names = change.names_of(table, uuid);
    let row = change.row(table, uuid).cloned().unwrap_or_default();
    let column = |name: &String| {
        let of_table = || of_row(schema, &row, name);
        (name.clone(), names.get(name).cloned().unwrap_or_else(of_table))
    };
    columns.iter().map(column).collect()
}

fn of_row(schema: &TableSchema, row: &Row, name: &str) -> purlin_ovsdb::Datum {
    match row.get(name) {
        Some(value) => value.clone(),
        None => value(schema, row, name),
    }
}
