//! What an operation says, read with the words of faults that clients know.

use crate::change::Change;
use crate::fault::Fault;
use purlin_ovsdb::{Names, Row, TableSchema};
use serde_json::{Map, Value};
use std::sync::Arc;

/// An operation as it was asked for.
pub(super) struct Asked<'j> {
    pub(super) json: &'j Value,
    pub(super) object: &'j Map<String, Value>,
}

impl<'j> Asked<'j> {
    pub(super) fn required(&self, name: &str) -> Result<&'j Value, Fault> {
        self.object.get(name).ok_or_else(|| {
            let details = format!("Parsing ovsdb operation failed: Required '{name}' member is missing.");
            Fault::syntax(self.json, details)
        })
    }

    fn mismatch(&self, name: &str) -> Fault {
        let details = format!("Parsing ovsdb operation failed: Type mismatch for member '{name}'.");
        Fault::syntax(self.json, details)
    }

    pub(super) fn text(&self, name: &str) -> Result<&'j str, Fault> {
        self.required(name)?.as_str().ok_or_else(|| self.mismatch(name))
    }

    pub(super) fn array(&self, name: &str) -> Result<&'j [Value], Fault> {
        let array = self.required(name)?.as_array();
        Ok(array.ok_or_else(|| self.mismatch(name))?)
    }

    /// Nothing else may be said.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), Fault> {
        match self.object.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let op = self.text("op").unwrap_or_default();
                let details = format!(
                    "Parsing ovsdb operation {op} failed: Member '{name}' is present but not allowed here."
                );
                Err(Fault::syntax(self.json, details))
            }
        }
    }

    pub(super) fn table<'s>(&self, change: &Change<'s>) -> Result<(Arc<str>, &'s TableSchema), Fault> {
        let name = self.text("table")?;
        let before = change.before;
        let table = before
            .tables
            .get_key_value(name)
            .map(|(table, _)| Arc::clone(table));
        match (table, before.schema.table(name)) {
            (Some(table), Some(schema)) => Ok((table, schema)),
            _ => Err(Fault {
                error: "unknown table",
                ..Fault::syntax(self.json, format!("No table named {name}."))
            }),
        }
    }

    pub(super) fn row(&self, schema: &TableSchema) -> Result<Row, Fault> {
        Ok(Row::parse(schema, self.required("row")?, Names::Allowed)?)
    }

    /// The columns named, or all of them.
    pub(super) fn columns(&self, schema: &TableSchema) -> Result<Vec<String>, Fault> {
        let Some(json) = self.object.get("columns") else {
            let all = schema.columns.keys().map(String::as_str);
            return Ok(["_uuid", "_version"]
                .into_iter()
                .chain(all)
                .map(str::to_owned)
                .collect());
        };
        let names = json.as_array().ok_or_else(|| self.mismatch("columns"))?;
        let name = |json: &Value| {
            let name = json.as_str().ok_or_else(|| self.mismatch("columns"))?;
            if matches!(name, "_uuid" | "_version") || schema.column(name).is_some() {
                return Ok(name.to_owned());
            }
            Err(Fault {
                error: "unknown column",
                ..Fault::syntax(self.json, format!("{name} is not a valid column name"))
            })
        };
        names.iter().map(name).collect()
    }
}
