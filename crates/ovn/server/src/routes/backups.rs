//! Backups over HTTP, under the paths that ovncp documents.

mod files;
mod restoring;

use super::writes;
use crate::backups::{self, Wanted};
use crate::ovncp::{self, Pages, page_schema};
use crate::platform::Platform;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use files::{KEY, export, import};
use purlin_api::access::Caller;
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Operator, Problem, Role, Viewer, reasons};
use purlin_ovn_core::model::State as Rows;
use restoring::restore;
use serde::Deserialize;
use serde_json::{Value, json};

const SORTS: [&str; 4] = ["name", "created_at", "size", "type"];
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
                .description("`{dry_run, conflict_policy: skip|overwrite|rename|error, resource_mapping: {NAME: NEW NAME}, restore_filter: {tables, names, owner}, decryption_key, exact, force}`. A row is there already when one has its UUID, name or key. With `rename` copies come beside what is there, wired among themselves. With `skip_validation` rows come back as they were, and what is wrong with them is a warning. With `exact` rows that the backup lacks go. With `force` rows of other managers are brought back, too.")
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
