//! `POST /api/v1/cluster/diagnosis`: what keeps nodes from being one system, each finding with its fix.
//!
//! ```text
//!   this node     may it own, do database and Redis answer, is what Redis says the cluster's
//!   every other   does it answer, of which version and leader, has it carried out an invalidation made for this question
//!   sessions      do balancers keep them at their nodes, are they spread, has somebody tried those of others
//!   caches        what two nodes both keep is the same
//! ```
//!
//! Nothing is changed by it: the invalidation names a key that nobody has.

mod finding;
mod others;
mod sessions;

pub(crate) use others::routes as mesh_routes;

use crate::routes::Books;
use crate::work::Work;
use axum::Json;
use axum::extract::State;
use finding::Finding;
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, schema};
use purlin_fabric::port::HintFault;
use purlin_fabric_runtime::chain;
use purlin_fabric_runtime::sessions::SessionStore;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub(crate) fn draft() -> Draft<Books> {
    route::post("/api/v1/cluster/diagnosis", diagnose)
        .summary("Looks for what keeps the nodes from being one system")
        .description("Asks database, Redis and every other node, which takes up to a few seconds. Nothing is changed by it.")
        .answers(200, schema::reference("Diagnosis"))
        .errors(&[503])
}

/// `Diagnosis` and its findings.
pub(crate) fn components() -> [(&'static str, schema::Schema); 2] {
    [
        (
            "Diagnosis",
            schema::object(&[
                ("node", schema::string("The node that has looked.")),
                ("items", schema::array(schema::reference("Finding"))),
            ]),
        ),
        (
            "Finding",
            schema::object(&[
                ("name", schema::string("What was looked at: `cluster/network`.")),
                ("grade", schema::one_of(&finding::GRADES, "How it is.")),
                ("ok", schema::boolean("False for a failure; a warning is ok.")),
                ("detail", schema::string("The facts in one sentence.")),
                ("fix", schema::string("What to do; empty when it passes.")),
            ]),
        ),
    ]
}

async fn diagnose(_: Viewer, State(books): State<Books>) -> Result<Json<Value>, Problem> {
    let mut findings = vec![member(&books), store(&books), hints(&books).await];
    let (of_others, sessions_of) = others::look(&books).await;
    findings.extend(of_others);
    findings.extend(sessions::look(&books, &sessions_of));
    let items: Vec<Value> = findings.iter().map(Finding::to_json).collect();
    Ok(Json(
        json!({ "node": books.fabric.me().id.as_str(), "items": items }),
    ))
}

fn member(books: &Books) -> Finding {
    const NAME: &str = "cluster/member";
    let snapshot = books.fabric.snapshot();
    match &snapshot.readiness {
        Ok(()) => {
            let nodes = snapshot.members.len();
            Finding::pass(NAME, format!("this node is one of {nodes}"))
        }
        Err(why) => Finding::fail(NAME, why.to_string(), "purlin status says what it waits for"),
    }
}

fn store(books: &Books) -> Finding {
    const NAME: &str = "cluster/store";
    match books.fabric.trouble() {
        None => Finding::pass(NAME, format!("the store ({}) answers", books.store)),
        Some(what) => Finding::fail(
            NAME,
            what,
            "see whether the database runs and is reached: store.url",
        ),
    }
}

/// Keeps a value and reads it again.
async fn hints(books: &Books) -> Finding {
    const NAME: &str = "cluster/coordination";
    if books.coordination != "redis" {
        return Finding::pass(
            NAME,
            format!("no Redis is used: coordination is {}", books.coordination),
        );
    }
    let began = Instant::now();
    match kept(&books.work).await {
        Ok(true) => {
            let millis = began.elapsed().as_secs_f64() * 1000.0;
            Finding::pass(NAME, format!("Redis keeps and gives in {millis:.1} ms"))
        }
        Ok(false) => Finding::fail(
            NAME,
            "Redis has lost what was just written to it, or another cluster has changed it",
            "see whether Redis is short of memory; give every cluster a coordination.key_prefix of its own",
        ),
        Err(fault) => Finding::fail(
            NAME,
            format!("Redis does not answer: {}", chain(&fault)),
            "see whether it runs, coordination.url, its password and certificates",
        ),
    }
}

async fn kept(work: &Work) -> Result<bool, HintFault> {
    let mark = mark();
    work.hints
        .keep(&mark, mark.as_bytes(), Duration::from_secs(10))
        .await?;
    let found = work.hints.recall(&mark).await?;
    work.hints.forget(&mark).await?;
    Ok(found.as_deref() == Some(mark.as_bytes()))
}

/// A key that nobody has.
fn mark() -> String {
    format!("purlin:diagnosis:{}", SessionStore::new_id())
}
