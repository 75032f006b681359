//! The southbound: what OVN has made of the northbound. It is ovn-northd's and the hypervisors' to write.

use super::find;
use crate::platform::Platform;
use crate::shown;
use axum::Json;
use axum::extract::{Path, State};
use purlin_api::asked::{Asked, Name};
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, schema};
use purlin_ovsdb::Uuid;
use purlin_ovsdb::cache::RowRef;
use serde_json::{Value, json};

pub(super) fn drafts() -> [Draft<Platform>; 3] {
    let page = schema::object(&[
        ("items", schema::array(schema::reference("OvnRow"))),
        (
            "next_cursor",
            schema::nullable(schema::string("For the next page; null after the last.")),
        ),
    ]);
    [
        route::get("/api/v1/ovn/sb", tables)
            .summary("Tables of the southbound and how many rows each has")
            .answers(200, schema::array(schema::open_object(&["name", "rows"], &[])))
            .errors(&[404, 503]),
        route::get("/api/v1/ovn/sb/{table}", list)
            .summary("Lists rows of a southbound table: flows, chassis, bindings; read only")
            .query(
                "name",
                schema::word("Only rows of this name, logical port or host name."),
            )
            .query("cursor", schema::string("next_cursor of the page before."))
            .limited("Rows per page; 100 when absent.")
            .answers(200, page)
            .errors(&[404, 503]),
        route::get("/api/v1/ovn/sb/{table}/{row}", one)
            .summary("One row of the southbound, by UUID")
            .answers(200, schema::reference("OvnRow"))
            .errors(&[404, 503]),
    ]
}

/// The columns by which people call rows.
const NAMES: [&str; 3] = ["name", "logical_port", "hostname"];

async fn tables(_: Viewer, State(platform): State<Platform>) -> Result<Json<Value>, Problem> {
    let (schema, rows) = platform.south()?.read().await?;
    let table =
        |name: &String| json!({ "name": name, "rows": rows.table(name).map_or(0, |table| table.len()) });
    Ok(Json(schema.tables.keys().map(table).collect()))
}

async fn list(
    _: Viewer,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let (schema, rows) = platform.south()?.read().await?;
    find::table(&schema, &name.0)?;
    let (limit, after) = (asked.limit()?, asked.cursor::<Uuid>()?);
    let word = asked.text("name");
    let is_meant = |row: &RowRef<'_>| {
        let text = |column: &str| {
            row.get(column)
                .and_then(|value| value.one())
                .and_then(|atom| atom.as_str())
        };
        word.is_none_or(|word| NAMES.iter().any(|column| text(column) == Some(word)))
    };
    let all = rows.table(&name.0).into_iter().flat_map(|table| table.rows());
    let all = all.filter(|row| after.is_none_or(|after| row.uuid() > after));
    let mut found: Vec<RowRef<'_>> = all.filter(is_meant).take(limit + 1).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next = more
        .then(|| found.last().map(|row| row.uuid().to_string()))
        .flatten();
    let items: Vec<Value> = found
        .iter()
        .map(|row| shown::plain(&schema, &name.0, row))
        .collect();
    Ok(Json(json!({ "items": items, "next_cursor": next })))
}

async fn one(
    _: Viewer,
    State(platform): State<Platform>,
    Path((table, word)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (schema, rows) = platform.south()?.read().await?;
    find::table(&schema, &table)?;
    let row = Uuid::parse(&word).and_then(|uuid| rows.table(&table)?.get(uuid));
    let row = row.ok_or_else(|| Problem::no_such(&table, &word))?;
    Ok(Json(shown::plain(&schema, &table, &row)))
}
