//! The northbound, table by table.

use super::{find, list, writes, written};
use crate::platform::{Platform, new_uuid};
use crate::reasons;
use crate::shown;
use crate::write::{Manner, write};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use purlin_api::access::Caller;
use purlin_api::asked::{Asked, Input, Name, Preconditions};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Operator, Problem, Role, Viewer};
use purlin_ovn_core::check::lint;
use purlin_ovn_core::model::{Change, State as Rows, etag, row_from_natural};
use purlin_ovn_core::plan::Expect;
use purlin_ovsdb::{Row, TableSchema, Uuid};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

pub(super) fn drafts() -> Vec<Draft<Platform>> {
    let mut drafts = reads();
    drafts.extend(acts());
    drafts.into_iter().map(Draft::tenants).collect()
}

fn reads() -> Vec<Draft<Platform>> {
    vec![
        route::get("/api/v1/ovn/nb", tables)
            .summary("Tables of the northbound with their columns and how many rows each has")
            .answers(200, schema::array(schema::reference("OvnTable")))
            .errors(&[503]),
        list::parameters(
            route::get("/api/v1/ovn/nb/{table}", rows)
                .summary("Lists rows of a northbound table")
                .query(
                    "owned_by",
                    schema::word("Only rows of this owner; nobody for those without a mark."),
                ),
        )
        .answers(200, page())
        .errors(&[404, 503]),
        route::get("/api/v1/ovn/nb/{table}/{row}", one)
            .summary("One row, by UUID or name; its ETag goes into If-Match")
            .answers(200, schema::reference("OvnRow"))
            .errors(&[404, 409, 503]),
        route::get("/api/v1/ovn/lint", review)
            .summary("Checks every row that is there: broken matches, shadowed rules, addresses in use twice")
            .answers(200, schema::array(schema::reference("OvnProblem")))
            .errors(&[503]),
    ]
}

fn acts() -> [Draft<Platform>; 3] {
    let columns = || schema::open_object(&[], &[]);
    [
        writes(
            route::post("/api/v1/ovn/nb/{table}", create)
                .summary("Makes a row")
                .description("The body has the columns: a set is a list, a map an object, none is null, a row its UUID. Rows that cannot be by themselves, such as ports, hang under `parent`.")
                .query("parent", schema::string("Where it hangs: `Logical_Switch/web` or, where several columns would do, `Logical_Switch/web/ports`."))
                .body(columns())
                .answers(201, written()),
        ),
        writes(
            route::patch("/api/v1/ovn/nb/{table}/{row}", change)
                .summary("Gives columns of a row new values")
                .description("Only the columns that differ are written, and of sets and maps only the elements that do, so that two who change one row at the same time lose nothing. If-Match is checked by the database itself, in the transaction.")
                .if_match()
                .body(columns())
                .answers(200, written()),
        ),
        writes(
            route::delete("/api/v1/ovn/nb/{table}/{row}", remove)
                .summary("Takes a row away, and all that cannot be without it")
                .if_match()
                .answers(200, written()),
        ),
    ]
}

pub(super) fn components(routes: Routes) -> Routes {
    let text = schema::string;
    routes
        .component(
            "OvnRow",
            schema::open_object(
                &["_uuid"],
                &[
                    ("_uuid", text("UUID of the row.")),
                    ("_etag", schema::nullable(text("For If-Match."))),
                ],
            ),
        )
        .component(
            "OvnTable",
            schema::object(&[
                ("name", text("Name of the table.")),
                ("rows", schema::count("How many rows it has.")),
                ("root", schema::boolean("Whether its rows stand by themselves.")),
                ("columns", schema::array(text("Name of a column."))),
            ]),
        )
        .component(
            "OvnProblem",
            schema::open_object(&["severity", "code", "message"], &[]),
        )
        .component(
            "OvnWritten",
            schema::object(&[
                (
                    "request",
                    text("Id of the request, as the log of the database has it."),
                ),
                ("dry_run", schema::boolean("Whether nothing was written.")),
                (
                    "changed",
                    schema::boolean("Whether anything is, or would be, other than before."),
                ),
                ("row", schema::nullable(schema::reference("OvnRow"))),
                (
                    "diff",
                    schema::array(schema::anything(
                        "A row that comes, changes or goes, column by column.",
                    )),
                ),
                ("warnings", schema::array(schema::reference("OvnProblem"))),
                (
                    "affected",
                    schema::array(text("Name of a switch port whose traffic may change.")),
                ),
                (
                    "realised",
                    schema::nullable(schema::open_object(&["wait", "done"], &[])),
                ),
            ]),
        )
}

fn page() -> Schema {
    schema::object(&[
        ("items", schema::array(schema::reference("OvnRow"))),
        (
            "next_cursor",
            schema::nullable(schema::string("For the next page; null after the last.")),
        ),
    ])
}

async fn tables(_: Viewer, State(platform): State<Platform>) -> Result<Json<Value>, Problem> {
    let (schema, rows) = platform.north().read().await?;
    let table = |(name, table): (&String, &TableSchema)| {
        json!({
            "name": name,
            "rows": rows.table(name).map_or(0, |table| table.len()),
            "root": table.root,
            "columns": table.columns.keys().collect::<Vec<_>>(),
        })
    };
    Ok(Json(schema.tables.iter().map(table).collect()))
}

async fn rows(
    _: Viewer,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    list::page(platform.north(), &name.0, &asked).await.map(Json)
}

async fn one(
    _: Viewer,
    State(platform): State<Platform>,
    Path((table, row)): Path<(String, String)>,
) -> Result<(HeaderMap, Json<Value>), Problem> {
    let (schema, rows) = platform.north().read().await?;
    find::table(&schema, &table)?;
    let state = Rows::new(&schema, &rows.database);
    let uuid = find::row(&state, &table, &row)?;
    let shown = shown::row(&state, &table, uuid).ok_or_else(|| Problem::no_such(&table, &row))?;
    Ok((tag(&shown), Json(shown)))
}

async fn review(_: Viewer, State(platform): State<Platform>) -> Result<Json<Value>, Problem> {
    let (schema, rows) = platform.north().read().await?;
    Ok(Json(json!(lint(&Rows::new(&schema, &rows.database)))))
}

async fn create(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
    Input(body): Input<Map<String, Value>>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (table, manner) = (name.0, manner(&asked, &caller)?);
    let uuid = new_uuid()?;
    let wish = |state: &Rows<'_>| {
        let row = columns(find::table(state.schema(), &table)?, &body)?;
        let parent = find::parent(state, &table, asked.text("parent"))?;
        let table = table.clone();
        Ok((
            vec![Change::Insert {
                table,
                uuid,
                row,
                parent,
            }],
            Vec::new(),
        ))
    };
    let answer = write(&platform, &manner, Some((&table, uuid)), wish).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

async fn change(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    Path((table, word)): Path<(String, String)>,
    asked: Asked,
    conditions: Preconditions,
    Input(body): Input<Map<String, Value>>,
) -> Result<Json<Value>, Problem> {
    let manner = manner(&asked, &caller)?;
    let uuid = place(&platform, &table, &word).await?;
    let wish = |state: &Rows<'_>| {
        let row = columns(find::table(state.schema(), &table)?, &body)?;
        let expect = expected(state, &table, uuid, &conditions)?;
        let table = table.clone();
        Ok((vec![Change::Update { table, uuid, row }], expect))
    };
    write(&platform, &manner, Some((&table, uuid)), wish)
        .await
        .map(Json)
}

async fn remove(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    Path((table, word)): Path<(String, String)>,
    asked: Asked,
    conditions: Preconditions,
) -> Result<Json<Value>, Problem> {
    let manner = manner(&asked, &caller)?;
    let uuid = place(&platform, &table, &word).await?;
    let wish = |state: &Rows<'_>| {
        let expect = expected(state, &table, uuid, &conditions)?;
        let table = table.clone();
        Ok((vec![Change::Delete { table, uuid }], expect))
    };
    write(&platform, &manner, None, wish).await.map(Json)
}

pub(super) fn manner(asked: &Asked, caller: &Caller) -> Result<Manner, Problem> {
    let mut manner = Manner::of(asked, &caller.name, caller.role >= Role::Admin)?;
    manner.called.clone_from(&caller.request);
    if caller.tenant.as_ref().is_none_or(|tenant| tenant.audited) {
        manner.note = caller.note.clone();
    }
    Ok(manner)
}

/// Which row is meant: fixed once, so that a change that is decided anew is about the same one.
async fn place(platform: &Platform, table: &str, word: &str) -> Result<Uuid, Problem> {
    let (schema, rows) = platform.north().read().await?;
    find::table(&schema, table)?;
    find::row(&Rows::new(&schema, &rows.database), table, word)
}

/// `If-Match`, in the transaction itself.
fn expected(
    state: &Rows<'_>,
    table: &str,
    uuid: Uuid,
    conditions: &Preconditions,
) -> Result<Vec<Expect>, Problem> {
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    let etag = etag(state, table, uuid).ok_or_else(|| Problem::no_such(table, &uuid.to_string()))?;
    conditions.check(&[format!("\"{etag}\"")])?;
    let table = table.to_owned();
    Ok(vec![Expect::Etag { table, uuid, etag }])
}

/// The columns of a body.
pub(super) fn columns(table: &TableSchema, body: &Map<String, Value>) -> Result<Row, Problem> {
    // What an answer says about a row may come back with it.
    let told = |name: &String| name.starts_with('_');
    let body = match body.keys().any(told) {
        true => {
            let written = body.iter().filter(|(name, _)| !told(name));
            Cow::Owned(
                written
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            )
        }
        false => Cow::Borrowed(body),
    };
    row_from_natural(&body, table).map_err(|faults| {
        let lines: Vec<String> = faults
            .iter()
            .map(|(column, why)| format!("{column}: {why}"))
            .collect();
        let problem = Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            &reasons::INVALID,
            lines.join("; "),
        );
        let problems = faults.iter().map(
            |(column, why)| json!({ "severity": "error", "code": "column", "place": column, "message": why }),
        );
        problem.with("problems", problems.collect::<Vec<_>>())
    })
}

fn tag(row: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let tag = row["_etag"].as_str().map(|etag| format!("\"{etag}\""));
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        headers.insert(header::ETAG, tag);
    }
    headers
}
