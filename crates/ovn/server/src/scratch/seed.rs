//! Rows in memory as files of ovsdb-server: the standalone format of ovsdb(5), a schema and one transaction.

use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_ovn_embedded::standalone;
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{DatabaseSchema, Datum, TableSchema};
use serde_json::{Map, Value};
use std::io::Write;
use std::path::Path;

/// Where the packages keep the schemas that their ovn-northd works with.
const SCHEMAS: &str = "/usr/share/ovn";
/// Rows of both databases.
const ROWS_MAX: usize = 2_000_000;

/// Writes `nb.db` and `sb.db`. Columns that the packaged schemas do not have are left out.
pub(super) fn write(folder: &Path, north: &Snapshot, south: Option<&Snapshot>) -> Result<(), Problem> {
    let rows = north.database.len() + south.map_or(0, |south| south.database.len());
    if rows > ROWS_MAX {
        let detail = format!("{rows} rows; copies are made of {ROWS_MAX} at most");
        return Err(Problem::not_possible(detail));
    }
    for (name, rows) in [("nb", Some(north)), ("sb", south)] {
        let text = std::fs::read_to_string(format!("{SCHEMAS}/ovn-{name}.ovsschema"));
        let text = text.map_err(|cause| missing(name, &cause.to_string()))?;
        let json: Value = serde_json::from_str(&text).map_err(|cause| missing(name, &cause.to_string()))?;
        let schema = DatabaseSchema::parse(&json).map_err(|cause| missing(name, &cause.to_string()))?;
        let rows = rows.map(|rows| contents(&schema, rows));
        let file = standalone(&json, rows.as_ref());
        let path = folder.join(format!("{name}.db"));
        let written = std::fs::File::create(&path).and_then(|mut out| out.write_all(&file));
        written.map_err(|cause| Problem::broken(format!("writing {}: {cause}", path.display())))?;
    }
    Ok(())
}

fn missing(name: &str, why: &str) -> Problem {
    let detail = format!("the schema {SCHEMAS}/ovn-{name}.ovsschema cannot be used: {why}");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, &reasons::TOOL_MISSING, detail)
}

fn contents(schema: &DatabaseSchema, rows: &Snapshot) -> Value {
    let mut tables = Map::new();
    for (name, table) in &schema.tables {
        let Some(found) = rows.table(name).filter(|rows| !rows.is_empty()) else {
            continue;
        };
        let rows = found.rows().map(|row| {
            let columns = row
                .columns()
                .filter_map(|(column, value)| told(table, column, value));
            (row.uuid().to_string(), Value::Object(columns.collect()))
        });
        tables.insert(name.clone(), Value::Object(rows.collect()));
    }
    Value::Object(tables)
}

/// A column that the schema has and whose value is not its default.
fn told(table: &TableSchema, column: &str, value: &Datum) -> Option<(String, Value)> {
    let kind = &table.column(column)?.kind;
    (*value != Datum::default_of(kind)).then(|| (column.to_owned(), value.to_json()))
}
