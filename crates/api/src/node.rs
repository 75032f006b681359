//! Routes about the node as a whole. The composition root knows the answers.

use axum::Json;
use axum::extract::State;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::access::{Admin, Open, Viewer};
use crate::asked::{Asked, Input};
use crate::problem::Problem;
use crate::route::{self, Routes};
use crate::schema;

/// Who knows the node.
pub trait NodeSource: Send + Sync {
    /// What runs here: version, node id, services, listeners as bound, revision, uptime.
    fn status(&self) -> BoxFuture<'_, Result<Value, Problem>>;

    /// Findings of the self-examination: `{"findings": [{"name", "ok", "detail", "fix"}]}`.
    fn doctor(&self) -> BoxFuture<'_, Result<Value, Problem>>;

    /// Makes a backup while everything runs on. `to` is a folder on the node; `None` lets the node choose.
    /// The answer names the folder or file, its size in octets and the time.
    fn backup(&self, to: Option<String>, dry_run: bool) -> BoxFuture<'_, Result<Value, Problem>>;
}

type Source = Arc<dyn NodeSource>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BackupOrder {
    to: Option<String>,
}

async fn version(_: Open) -> Json<Value> {
    Json(json!({ "name": "purlin", "version": env!("CARGO_PKG_VERSION") }))
}

async fn status(_: Viewer, State(source): State<Source>) -> Result<Json<Value>, Problem> {
    source.status().await.map(Json)
}

async fn doctor(_: Viewer, State(source): State<Source>) -> Result<Json<Value>, Problem> {
    source.doctor().await.map(Json)
}

async fn backup(
    _: Admin,
    State(source): State<Source>,
    asked: Asked,
    order: Option<Input<BackupOrder>>,
) -> Result<Json<Value>, Problem> {
    let to = order.and_then(|Input(order)| order.to);
    source.backup(to, asked.dry_run()?).await.map(Json)
}

/// `/api/v1/version`, `/status`, `/doctor`, `/backup`.
#[must_use]
pub fn routes(source: &Source) -> Routes {
    let drafts = [
        route::get("/api/v1/version", version)
            .summary("Name and version of the server")
            .answers(200, schema::reference("Version")),
        route::get("/api/v1/status", status)
            .summary("What runs on this node")
            .answers(200, schema::open_object(&[], &[])),
        route::get("/api/v1/doctor", doctor)
            .summary("What the node finds wrong with itself, each with the fix")
            .answers(200, schema::open_object(&[], &[])),
        route::post("/api/v1/backup", backup)
            .summary("Makes a backup while everything runs on")
            .optional_body(schema::object(&[(
                "to?",
                schema::nullable(schema::string("Folder on the node.")),
            )]))
            .answers(200, schema::open_object(&[], &[]))
            .errors(&[503]),
    ];
    Routes::new("node", source, drafts).component(
        "Version",
        schema::object(&[
            ("name", schema::string("purlin")),
            ("version", schema::string("Semantic version.")),
        ]),
    )
}
