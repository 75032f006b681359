//! `/api/v1/tftp/records`: who asked for which file over TFTP or HTTP, and how that ended.

use super::{Desk, text};
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::events::Cursor;
use purlin_api::past::{self, OtherLife, PastPage};
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, schema};
use purlin_tftp_core::{RecordQuery, Told};
use serde_json::Value;

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let query = RecordQuery {
        client: asked.parsed("client", "an IP address")?,
        name: asked.text("file").map(str::to_owned),
        reason: past::code_of(&asked)?,
        notable_only: asked.flag("notable")?,
        limit: asked.limit()?,
        ..RecordQuery::default()
    };
    let page = before(&desk, query, asked.cursor()?).await?;
    Ok(Json(page.answer(&asked, text::record)))
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    let draft = route::get("/api/v1/tftp/records", list)
        .alias("/api/v1/boot/records")
        .summary("Lists the newest boot records, oldest first")
        .description(
            "Each request for a file ends in one record, over TFTP and HTTP. Each page is oldest first, and \
             `next_cursor` leads to the page of older ones. Pages show no record twice and leave none out that is kept, \
             also while new ones come in. Records live in bounded memory; refusals and silence are kept longer than \
             ordinary answers. `overwritten` says how many records, about anybody, once stood within this page and are \
             gone; on the last page it counts back to the start of the service.",
        )
        .query("client", schema::string("Only requests of this IP address."))
        .query("file", schema::string("Only requests for names with this in them."))
        .query("notable", schema::boolean("Only what was no ordinary answer."))
        ;
    [past::listed(draft, "BootRecord", "Record")]
}

/// The newest records of all packet threads and of HTTP before a cursor. Pages that follow each other's cursors never
/// show one twice and leave none out that is still there, however many come in meanwhile.
async fn before(
    desk: &Desk,
    query: RecordQuery,
    cursor: Option<Cursor>,
) -> Result<PastPage<Told>, OtherLife> {
    let handle = &desk.books.handle;
    let threads = usize::from(handle.status().threads);
    let bounds = past::bounds(cursor, desk.life, threads + 1)?;
    let limit = query.limit.max(1);
    let mut looks = handle.records_before(&query, &bounds[..threads]).await;
    looks.push(desk.books.http.before(bounds[threads], &query));
    let tell = |lane: usize, at: usize| Told::of(looks[lane].found[at].decision);
    Ok(past::merge(&looks, limit, desk.life, tell))
}
