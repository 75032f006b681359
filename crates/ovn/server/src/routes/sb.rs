//! The southbound: what OVN has made of the northbound. It is ovn-northd's and the hypervisors' to write.

use super::{find, list};
use crate::bindings;
use crate::platform::{Platform, Side};
use crate::shown;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Name};
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, reasons, schema};
use purlin_ovn_core::model::State as Rows;
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
            .tenants()
            .errors(&[404, 503]),
        list::parameters(
            route::get("/api/v1/ovn/sb/{table}", rows)
                .summary("Lists rows of a southbound table: flows, chassis, bindings; read only"),
        )
        .answers(200, page)
        .tenants()
        .errors(&[404, 503]),
        route::get("/api/v1/ovn/sb/{table}/{row}", one)
            .summary("One row of the southbound, by UUID, name, logical port or host name")
            .answers(200, schema::reference("OvnRow"))
            .tenants()
            .errors(&[404, 409, 503]),
    ]
}

/// The southbound, where the asker may read this table of it.
fn readable(platform: &Platform, table: &str) -> Result<Side, Problem> {
    match platform.tenant() {
        Some(tenant) if table != bindings::TABLE => {
            let detail = format!(
                "{table} of the southbound is about more than the tenant {:?}, which has the {} of its ports",
                tenant.name,
                bindings::TABLE
            );
            Err(Problem::new(
                StatusCode::FORBIDDEN,
                &reasons::BEYOND_TENANT,
                detail,
            ))
        }
        _ => platform.readable_south(),
    }
}

async fn tables(_: Viewer, State(platform): State<Platform>) -> Result<Json<Value>, Problem> {
    let (schema, rows) = platform.readable_south()?.read().await?;
    let told = |name: &&String| platform.tenant().is_none() || *name == bindings::TABLE;
    let table =
        |name: &String| json!({ "name": name, "rows": rows.table(name).map_or(0, |table| table.len()) });
    Ok(Json(schema.tables.keys().filter(told).map(table).collect()))
}

async fn rows(
    _: Viewer,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let side = readable(&platform, &name.0)?;
    list::page(&side, &name.0, &asked).await.map(Json)
}

async fn one(
    _: Viewer,
    State(platform): State<Platform>,
    Path((table, word)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (schema, rows) = readable(&platform, &table)?.read().await?;
    find::table(&schema, &table)?;
    let uuid = find::row(&Rows::new(&schema, &rows.database), &table, &word)?;
    let row = rows.table(&table).and_then(|table| table.get(uuid));
    let row = row.ok_or_else(|| Problem::no_such(&table, &word))?;
    Ok(Json(shown::plain(&schema, &table, &row)))
}
