//! Backups over HTTP, under the paths that ovncp documents.

use super::{nb, writes};
use crate::backups::{self, Head, Kind, Wanted, sealed};
use crate::ovncp::{self, Pages, page_schema};
use crate::platform::{Platform, new_uuid};
use crate::write::write_shown;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use purlin_api::access::Caller;
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Operator, Problem, Role, Viewer, reasons};
use purlin_ovn_core::backup::{Options, Policy, Restoration, Selection, restore as restoration};
use purlin_ovn_core::model::{Change, State as Rows};
use purlin_ovn_core::plan::{Expect, Reach};
use purlin_ovn_embedded::standalone;
use purlin_ovsdb::Uuid;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

const SORTS: [&str; 4] = ["name", "created_at", "size", "type"];
/// Opens an encrypted backup that is exported: not in the address, which is written into logs.
const KEY: &str = "X-Decryption-Key";
/// Conflicts and rows that an answer names.
const NAMED: usize = 200;

pub(super) fn drafts() -> Vec<Draft<Platform>> {
    let any = || schema::open_object(&[], &[]);
    let drafts = vec![
        ovncp::lists(route::get("/api/v1/backups", list), &SORTS)
            .summary("Lists backups of the northbound")
            .query("type", schema::one_of(&["full", "incremental", "selective"], "Only backups of this type."))
            .query("tag", schema::word("Only backups with this tag."))
            .answers(200, page_schema("backups", "OvnBackup"))
            .errors(&[503]),
        route::get("/api/v1/backups/{id}", one)
            .summary("What one backup is")
            .answers(200, schema::reference("OvnBackup"))
            .errors(&[404, 503]),
        route::post("/api/v1/backups", create)
            .summary("Backs the northbound up: every table, as it is at one moment")
            .description("`{name, description, type: full|incremental|selective, format: json|yaml, compress, encrypt, encryption_key, base, tags, resource_filter: {tables, names, owner}}`. An incremental one has the rows that differ from its base, the newest full backup when none is named.")
            .body(any())
            .answers(201, schema::reference("OvnBackup"))
            .errors(&[404, 409, 422, 503]),
        writes(
            route::post("/api/v1/backups/{id}/restore", restore)
                .summary("Brings rows of a backup back, as one guarded transaction")
                .description("`{dry_run, conflict_policy: skip|overwrite|rename|error, resource_mapping: {NAME: NEW NAME}, restore_filter: {tables, names, owner}, decryption_key, exact, force}`. A row is there already when one has its UUID or name. With `skip_validation` rows come back as they were, and what is wrong with them is a warning. With `exact` rows that the backup lacks go. With `force` rows of other managers are brought back, too.")
                .optional_body(any())
                .answers(200, schema::open_object(&["success", "restored_count", "skipped_count", "error_count"], &[])),
        ),
        route::delete("/api/v1/backups/{id}", remove)
            .summary("Forgets a backup")
            .answers(204, schema::anything("Nothing."))
            .errors(&[404, 409, 503]),
        route::get("/api/v1/backups/{id}/export", export)
            .summary("A backup as a file")
            .description("`purlin`: what import takes, encrypted as it is kept. `ovsdb`: the format of `ovsdb-client backup`, with all rows of the base, for OVN's own tools.")
            .query("format", schema::one_of(&["purlin", "ovsdb"], "purlin when absent."))
            .header(KEY, schema::string("Opens an encrypted backup for format=ovsdb."))
            .answers(200, schema::open_object(&["metadata", "format", "data"], &[]))
            .answers_as(200, "application/octet-stream", schema::string("A file of ovsdb(5)."))
            .errors(&[404, 422, 503]),
        route::post("/api/v1/backups/import", import)
            .summary("Keeps a backup that was exported, here or elsewhere")
            .description("`{format, data, metadata, decryption_key}`: `data` is what export gave, or the text of a backup that is neither compressed nor encrypted.")
            .body(schema::open_object(&["data"], &[]))
            .answers(201, schema::reference("OvnBackup"))
            .errors(&[404, 409, 422, 503]),
        route::post("/api/v1/backups/validate", validate)
            .summary("Whether a backup is whole and can be read")
            .body(schema::open_object(&["backup_id"], &[]))
            .answers(200, schema::open_object(&["valid", "errors", "warnings"], &[]))
            .read_only()
            .errors(&[404, 503]),
    ];
    drafts.into_iter().map(ovncp::path).map(Draft::tenants).collect()
}

pub(super) fn components(routes: Routes) -> Routes {
    routes.component("OvnBackup", shape())
}

fn shape() -> Schema {
    let text = schema::string;
    schema::open_object(
        &[
            "id",
            "name",
            "type",
            "format",
            "created_at",
            "created_by",
            "size",
            "checksum",
        ],
        &[
            ("id", text("Its id.")),
            ("name", text("For people.")),
            (
                "type",
                schema::one_of(&["full", "incremental", "selective"], "What it has."),
            ),
            ("format", schema::one_of(&["json", "yaml"], "How it is written.")),
            ("version", schema::count("Of its form.")),
            ("created_at", schema::formatted("date-time", "When it was made.")),
            ("created_by", text("Whose token made it.")),
            ("size", schema::count("Octets, as it is kept.")),
            ("checksum", text("SHA-256 of these.")),
            ("compressed", schema::boolean("Whether it is packed.")),
            ("encrypted", schema::boolean("Whether a key opens it.")),
            (
                "base",
                schema::nullable(text("The full backup that it builds on.")),
            ),
            ("rows", schema::count("Rows in it.")),
            ("tags", schema::array(text("A word."))),
        ],
    )
}

/// Backups of the whole are for admins; those of a tenant for whoever writes in it.
fn may(caller: &Caller) -> Result<(), Problem> {
    if caller.tenant.is_some() || caller.role >= Role::Admin {
        return Ok(());
    }
    let detail = format!(
        "{} has the role {}, this needs admin; within a tenant its operators may",
        caller.name, caller.role
    );
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        &reasons::ROLE_TOO_LOW,
        detail,
    ))
}

async fn list(_: Viewer, State(platform): State<Platform>, asked: Asked) -> Result<Json<Value>, Problem> {
    let pages = Pages::of(&asked, &SORTS)?;
    let (kind, tag) = (asked.text("type"), asked.text("tag"));
    let shown = backups::all(platform.backups()?)
        .await?
        .into_iter()
        .map(|head| json!(head));
    let meant = shown.filter(|head| {
        kind.is_none_or(|kind| head["type"] == kind)
            && tag.is_none_or(|tag| {
                head["tags"]
                    .as_array()
                    .is_some_and(|tags| tags.iter().any(|one| one == tag))
            })
    });
    Ok(Json(pages.of_values("backups", meant.collect())))
}

async fn one(_: Viewer, State(platform): State<Platform>, name: Name) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(backups::one(platform.backups()?, &name.0).await?)))
}

async fn create(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    asked: Asked,
    Input(wanted): Input<Wanted>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    may(&caller)?;
    let shelf = platform.backups()?;
    let (schema, rows) = platform.north().read_live().await?;
    let state = Rows::new(&schema, &rows.database);
    let (head, stored) = backups::take(shelf, &state, &wanted, &caller.name).await?;
    if !asked.dry_run()? {
        backups::keep(shelf, &head, &stored).await?;
    }
    Ok((StatusCode::CREATED, Json(json!(head))))
}

/// How a backup is to be brought back.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Restore {
    dry_run: bool,
    force: bool,
    skip_validation: bool,
    conflict_policy: Policy,
    resource_mapping: BTreeMap<String, String>,
    restore_filter: Selection,
    decryption_key: Option<String>,
    exact: bool,
}

async fn restore(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
    body: Option<Input<Restore>>,
) -> Result<Json<Value>, Problem> {
    may(&caller)?;
    let wanted = body.map(|Input(wanted)| wanted).unwrap_or_default();
    let shelf = platform.backups()?;
    let head = backups::one(shelf, &name.0).await?;
    if wanted.exact && (head.kind == Kind::Selective || !wanted.restore_filter.is_all()) {
        let detail =
            "exact takes away what the backup lacks, and a selective one lacks what nobody wanted to go";
        return Err(Problem::not_possible(detail));
    }
    let mut manner = nb::manner(&asked, &caller)?;
    // Rows of all of Purlin's owners; what belongs to other managers is left out before. A tenant's bounds hold anyway.
    manner.reaches(Reach::All);
    manner.about = format!("restore of backup {}", head.name);
    manner.lenient = wanted.skip_validation;
    if wanted.dry_run {
        manner.only_plan();
    }
    let (schema, _) = platform.north().read_live().await?;
    let (content, notes) = backups::content(shelf, &schema, &head, wanted.decryption_key.as_deref()).await?;
    let content = content.selected(&schema, &wanted.restore_filter);
    let options = Options {
        policy: wanted.conflict_policy,
        mapping: wanted.resource_mapping,
        exact: wanted.exact,
        foreign: caller.tenant.is_none() && (wanted.force || asked.flag("force")?),
        server: wanted.restore_filter.tables.clone(),
    };
    let done: Mutex<Restoration> = Mutex::default();
    let wish = |state: &Rows<'_>| -> Result<(Vec<Change>, Vec<Expect>), Problem> {
        let mut broken = None;
        let mut uuids = || {
            new_uuid().unwrap_or_else(|problem| {
                broken = Some(problem);
                Uuid::ZERO
            })
        };
        let mut found = restoration(state, &content, &options, &mut uuids);
        if let Some(problem) = broken {
            return Err(problem);
        }
        if !found.conflicts.is_empty() {
            return Err(in_the_way(&found));
        }
        let changes = std::mem::take(&mut found.changes);
        *done.lock().expect("nobody panics while holding it") = found;
        Ok((changes, Vec::new()))
    };
    let answer = write_shown(&platform, &manner, |_: &Rows<'_>| None, wish).await?;
    let done = done.into_inner().expect("nobody panics while holding it");
    Ok(Json(restored(answer, &done, notes)))
}

fn in_the_way(found: &Restoration) -> Problem {
    let many = found.conflicts.len();
    let first: Vec<&String> = found.conflicts.iter().take(NAMED).collect();
    let detail = format!(
        "{many} rows are there already and differ: {}; conflict_policy says what becomes of them: skip, overwrite, rename",
        found.conflicts[0]
    );
    Problem::not_possible(detail)
        .with("success", json!(false))
        .with("restored_count", json!(0))
        .with("skipped_count", json!(0))
        .with("error_count", json!(many))
        .with("errors", json!(first))
}

fn restored(mut answer: Value, done: &Restoration, mut notes: Vec<String>) -> Value {
    notes.extend(done.warnings.iter().cloned());
    let words = answer["warnings"].as_array().into_iter().flatten();
    notes.extend(words.map(|warning| {
        let text = |name: &str| warning[name].as_str().unwrap_or_default();
        format!("{}: {}", text("place"), text("message"))
    }));
    let rows = answer["diff"].as_array().into_iter().flatten();
    let details = rows.take(NAMED).map(|row| {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        format!("{} {} {}", text("change"), text("table"), text("label"))
    });
    let details: Vec<String> = details.collect();
    answer["details"] = json!(details);
    answer["success"] = json!(true);
    answer["restored_count"] = json!(done.restored);
    answer["skipped_count"] = json!(done.skipped);
    answer["error_count"] = json!(0);
    answer["errors"] = json!([]);
    answer["warnings"] = json!(notes);
    answer
}

async fn remove(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
) -> Result<StatusCode, Problem> {
    may(&caller)?;
    backups::delete(platform.backups()?, &name.0, asked.dry_run()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn export(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    may(&caller)?;
    let shelf = platform.backups()?;
    let head = backups::one(shelf, &name.0).await?;
    if asked.word_of("format", &["purlin", "ovsdb"])? == Some("ovsdb") {
        let key = headers.get(KEY).and_then(|key| key.to_str().ok());
        let (schema, _) = platform.north().read().await?;
        let (content, _) = backups::content(shelf, &schema, &head, key).await?;
        let file = standalone(&schema.to_json(), Some(&content.to_json()));
        let mut answer = file.into_response();
        let kind = HeaderValue::from_static("application/octet-stream");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        return Ok(answer);
    }
    let stored = backups::stored(shelf.history, &head).await?;
    Ok(
        Json(json!({ "metadata": head, "format": head.format, "data": STANDARD.encode(stored) }))
            .into_response(),
    )
}

/// A backup from elsewhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    #[serde(default)]
    format: Option<String>,
    data: Value,
    #[serde(default)]
    metadata: Option<Head>,
    decryption_key: Option<String>,
}

async fn import(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    asked: Asked,
    Input(wanted): Input<Import>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    may(&caller)?;
    let shelf = platform.backups()?;
    if let Some(format) = wanted
        .format
        .as_deref()
        .filter(|format| !["json", "yaml"].contains(format))
    {
        return Err(Problem::wrong_shape(format!(
            "format: {format:?} is none; expected json or yaml"
        )));
    }
    let stored = match &wanted.data {
        Value::String(text) if text.trim_start().starts_with(['{', '#', 'b']) && text.contains("tables") => {
            text.clone().into_bytes()
        }
        Value::String(text) => STANDARD
            .decode(text.trim())
            .map_err(|cause| Problem::wrong_shape(format!("data: neither a backup nor base64: {cause}")))?,
        Value::Object(_) => wanted.data.to_string().into_bytes(),
        _ => return Err(Problem::wrong_shape("data: a text or an object is expected")),
    };
    let checksum = backups::checksum(&stored);
    if wanted
        .metadata
        .as_ref()
        .is_some_and(|head| head.checksum != checksum)
    {
        return Err(Problem::wrong_shape(
            "data: the checksum of the metadata is another one: the file was changed",
        ));
    }
    let encrypted = sealed::is_sealed(&stored);
    let key = wanted.decryption_key.as_deref();
    let told = match encrypted && key.is_none() {
        // It cannot be looked into; its own words are all there is.
        true => None,
        false => Some(backups::described(stored.clone(), key).await?),
    };
    let mut head = match (wanted.metadata, told) {
        (Some(head), told) => Head {
            base: told.map_or(head.base.clone(), |told| told.base),
            ..head
        },
        (None, Some(told)) => told,
        (None, None) => {
            return Err(Problem::wrong_shape(
                "an encrypted backup without metadata: decryption_key says what it is",
            ));
        }
    };
    if let Some(base) = &head.base {
        backups::one(shelf, base).await?;
    }
    let id = crate::journal::new_id()
        .map_err(|error| Problem::broken(format!("asking for random numbers: {error}")))?;
    (head.id, head.created_by, head.created_at) = (id.to_string(), caller.name, shelf.history.clock.text());
    head.tenant = shelf.tenant.map(|tenant| tenant.tenant.clone());
    (head.size, head.checksum, head.encrypted) = (stored.len(), checksum, encrypted);
    if !asked.dry_run()? {
        backups::keep(shelf, &head, &stored).await?;
    }
    Ok((StatusCode::CREATED, Json(json!(head))))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Validate {
    backup_id: String,
    decryption_key: Option<String>,
}

async fn validate(
    _: Viewer,
    State(platform): State<Platform>,
    Input(wanted): Input<Validate>,
) -> Result<Json<Value>, Problem> {
    let shelf = platform.backups()?;
    let head = backups::one(shelf, &wanted.backup_id).await?;
    let (schema, _) = platform.north().read().await?;
    let key = wanted.decryption_key.as_deref();
    if head.encrypted && key.is_none() {
        let checked = backups::stored(shelf.history, &head).await;
        let errors: Vec<String> = checked
            .err()
            .iter()
            .map(|problem| problem.detail().to_owned())
            .collect();
        let note = "it is encrypted: only its checksum was looked at; decryption_key looks into it";
        return Ok(Json(
            json!({ "valid": errors.is_empty(), "errors": errors, "warnings": [note] }),
        ));
    }
    Ok(Json(match backups::content(shelf, &schema, &head, key).await {
        Ok((content, warnings)) => {
            json!({ "valid": true, "errors": [], "warnings": warnings, "rows": content.rows.len() })
        }
        Err(problem) => json!({ "valid": false, "errors": [problem.detail()], "warnings": [] }),
    }))
}
