//! `/api/v1/boot/files` and `/api/v1/boot/cache`: what is in memory, and how to forget it.

use super::Desk;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::{Admin, Problem, Viewer, schema};
use purlin_tftp_files::CachedFile;
use serde_json::{Value, json};

/// Files that are listed at most.
const SEEN_MAX: usize = 20_000;

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let files = desk.books.handle.tree().files(SEEN_MAX);
    asked.page_of_all(files.iter().map(file).collect()).map(Json)
}

fn file(file: &CachedFile) -> Value {
    json!({
        "name": file.name,
        "size": file.size,
        "cached": file.held,
        "holders": file.holders,
    })
}

async fn drop_all(_: Admin, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let dry_run = asked.dry_run()?;
    let tree = desk.books.handle.tree();
    let before = tree.stats();
    if !dry_run {
        tree.drop_all();
    }
    Ok(Json(json!({
        "octets": before.octets,
        "files": before.files,
        "dry_run": dry_run,
    })))
}

pub(super) fn drafts() -> [Draft<Desk>; 2] {
    [
        route::get("/api/v1/boot/files", list)
            .summary("Lists the files in the cache, the largest part first")
            .paged()
            .answers(200, schema::page_of("BootFile")),
        route::post("/api/v1/boot/cache/drop", drop_all)
            .summary("Forgets all names and cached content")
            .description(
                "Open transfers keep what they have. Changes of files are noticed by themselves; this is for file \
                 systems that tell nothing, such as NFS.",
            )
            .answers(200, schema::reference("DroppedCache")),
    ]
}
