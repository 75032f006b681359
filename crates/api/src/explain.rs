//! `/api/v1/explain`: what a code means and what to do about it.

use axum::Json;
use axum::extract::State;
use purlin_telemetry::{Reason, ReasonCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::Open;
use crate::asked::{Asked, Name};
use crate::problem::Problem;
use crate::route::{self, Routes};
use crate::schema;

type Book = Arc<BTreeMap<u16, &'static Reason>>;

fn view(reason: &Reason) -> Value {
    json!({
        "code": reason.code.to_string(),
        "slug": reason.slug,
        "text": reason.text,
        "explain": reason.explain,
        "fix": reason.fix,
    })
}

async fn list(_: Open, State(book): State<Book>, asked: Asked) -> Result<Json<Value>, Problem> {
    asked
        .page_of_all(book.values().map(|reason| view(reason)).collect())
        .map(Json)
}

async fn one(_: Open, State(book): State<Book>, name: Name) -> Result<Json<Value>, Problem> {
    let code: ReasonCode = name.parsed("code")?;
    let reason = book
        .get(&code.0)
        .ok_or_else(|| Problem::no_such("code", &name.0))?;
    Ok(Json(view(reason)))
}

pub(crate) fn routes(tables: Vec<&'static [Reason]>) -> Routes {
    let book: Book = Arc::new(
        tables
            .into_iter()
            .flatten()
            .map(|reason| (reason.code.0, reason))
            .collect(),
    );
    let drafts = [
        route::get("/api/v1/explain", list)
            .summary("Lists every reason and problem code")
            .paged()
            .answers(200, schema::page_of("Reason")),
        route::get("/api/v1/explain/{code}", one)
            .summary("Explains a code")
            .description("The code may be written `PUR-1101` or `1101`.")
            .answers(200, schema::reference("Reason"))
            .errors(&[404]),
    ];
    Routes::new("documents", &book, drafts).component(
        "Reason",
        schema::object(&[
            ("code", schema::string("`PUR-1101`.")),
            ("slug", schema::string("Name for metrics labels and programs.")),
            ("text", schema::string("One line; parameters in braces.")),
            ("explain", schema::string("What it means.")),
            ("fix", schema::string("What to do; empty when nothing is wrong.")),
        ]),
    )
}
