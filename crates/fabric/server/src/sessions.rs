//! `/api/v1/cluster/sessions`: which clients are connected to which nodes.

use crate::work::{Work, away};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Name};
use purlin_api::route::{self, Routes};
use purlin_api::{Operator, Problem, Viewer, reasons, schema};
use purlin_fabric::port::SessionRow;
use serde_json::{Value, json};

/// An id is what a client proves itself with: so much of it is shown, and names the session here.
const SHOWN: usize = 16;

/// Sessions that one request looks through at most.
const LOOKED_AT: usize = 20_000;

pub(crate) fn routes(work: &Work) -> Routes {
    let drafts = [
        route::get("/api/v1/cluster/sessions", list)
            .summary("Lists the sessions and the nodes that hold them")
            .paged_by("^.{0,200}$")
            .query("node", schema::string("Only those that this node holds."))
            .query("user", schema::string("Only those of this user."))
            .answers(200, schema::page_of("Session"))
            .errors(&[503]),
        route::get("/api/v1/cluster/sessions/{id}", one)
            .summary("One session")
            .answers(200, schema::reference("Session"))
            .errors(&[404, 409, 503]),
        route::delete("/api/v1/cluster/sessions/{id}", end)
            .summary("Ends a session on whichever node holds it")
            .description("Its node closes the connection; the client may log in anew.")
            .answers(200, schema::reference("Session"))
            .errors(&[404, 409, 503]),
    ];
    Routes::new("cluster", work, drafts).component(
        "Session",
        schema::object(&[
            ("id", schema::string("The beginning of its id.")),
            ("node", schema::string("The node that holds it.")),
            ("user", schema::string("Whose it is.")),
            ("generation", schema::count("How often it has moved, and one.")),
            (
                "cursor",
                schema::count("The last event that the client has confirmed."),
            ),
            ("ttl_seconds", schema::count("Until it lapses.")),
        ]),
    )
}

async fn list(_: Viewer, State(work): State<Work>, asked: Asked) -> Result<Json<Value>, Problem> {
    let (mut after, limit) = (asked.cursor::<String>()?.unwrap_or_default(), asked.limit()?);
    let (node, user) = (asked.text("node"), asked.text("user"));
    let wanted = |row: &SessionRow| {
        node.is_none_or(|node| node == row.node) && user.is_none_or(|user| user == row.user)
    };
    let mut found: Vec<Value> = Vec::new();
    let (mut looked_at, mut more) = (0, true);
    while more && found.len() < limit && looked_at < LOOKED_AT {
        let rows = page(&work, &after, limit - found.len()).await?;
        more = rows.len() == limit - found.len();
        looked_at += rows.len();
        if let Some(last) = rows.last() {
            after.clone_from(&last.id);
        }
        found.extend(rows.iter().filter(|row| wanted(row)).map(shown));
    }
    Ok(Json(asked.page(found, more.then_some(after))))
}

async fn one(_: Viewer, State(work): State<Work>, name: Name) -> Result<Json<Value>, Problem> {
    find(&work, &name.0).await.map(|row| Json(shown(&row)))
}

async fn end(
    _: Operator,
    State(work): State<Work>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let row = find(&work, &name.0).await?;
    if !asked.dry_run()? {
        let ended = work.sessions.end_anywhere(&row).await;
        ended.map_err(|error| away(&error))?;
    }
    Ok(Json(shown(&row)))
}

/// The one session whose id begins so.
async fn find(work: &Work, begin: &str) -> Result<SessionRow, Problem> {
    let no_such = || Problem::no_such("session", begin);
    if begin.is_empty() || !begin.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return Err(no_such());
    }
    // Above everything that sorts before it, and below it: the last character less, and then the highest there is.
    let mut before = begin.to_owned();
    let last = before.pop().map_or(0, u32::from);
    let before: String = before
        .chars()
        .chain(char::from_u32(last.saturating_sub(1)))
        .chain(['~'])
        .collect();
    let rows = page(work, &before, 2).await?;
    let mut rows = rows.into_iter().filter(|row| row.id.starts_with(begin));
    match (rows.next(), rows.next()) {
        (Some(row), None) => Ok(row),
        (None, _) => Err(no_such()),
        (Some(_), Some(_)) => {
            let why = format!("more than one session begins with {begin:?}: give more of the id");
            Err(Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, why))
        }
    }
}

async fn page(work: &Work, after: &str, limit: usize) -> Result<Vec<SessionRow>, Problem> {
    let rows = work.sessions.page(after, limit).await;
    rows.map_err(|error| away(&error))
}

fn shown(row: &SessionRow) -> Value {
    let begin: String = row.id.chars().take(SHOWN).collect();
    json!({
        "id": begin,
        "node": row.node,
        "user": row.user,
        "generation": row.generation,
        "cursor": row.cursor,
        "ttl_seconds": row.ttl,
    })
}
