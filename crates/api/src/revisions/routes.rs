//! `/api/v1/revisions` and `/api/v1/config`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Change, Note, Proposal, Revisions, check_revision};
use crate::access::{Operator, Viewer};
use crate::asked::{Asked, Input, Name, Preconditions, etag_of_revision};
use crate::problem::Problem;
use crate::route::{self, Draft, Routes};
use crate::schema;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanOrder {
    config: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplyOrder {
    config: Map<String, Value>,
    if_revision: Option<u64>,
    #[serde(default)]
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RollbackOrder {
    if_revision: Option<u64>,
    #[serde(default)]
    message: String,
}

async fn list(_: Viewer, State(revisions): State<Revisions>, asked: Asked) -> Result<Json<Value>, Problem> {
    let limit = asked.limit()?;
    let metas = revisions.history(asked.cursor()?, limit).await?;
    let next = metas
        .last()
        .map(|meta| meta.number)
        .filter(|&number| number > 1 && metas.len() == limit);
    let items = metas.iter().map(|meta| json!(meta)).collect();
    Ok(Json(asked.page(items, next.map(|number| number.to_string()))))
}

async fn one(_: Viewer, State(revisions): State<Revisions>, name: Name) -> Result<Json<Value>, Problem> {
    let number = name.parsed("revision")?;
    let mut view = json!(revisions.meta(number).await?);
    // Metas outlive configurations.
    view["config"] = match revisions.config(number).await {
        Ok(config) => revisions.covered(&config),
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => Value::Null,
        Err(problem) => return Err(problem),
    };
    Ok(Json(view))
}

async fn diff(
    _: Viewer,
    State(revisions): State<Revisions>,
    Path((from, to)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let from = Name(from).parsed("revision")?;
    let to = Name(to).parsed("revision")?;
    let change = revisions.diff(from, to).await?;
    Ok(Json(json!({
        "from": from,
        "to": to,
        "changes": change.changes,
        "changes_total": change.changes_total,
        "impact": change.impact,
    })))
}

async fn plan(
    _: Viewer,
    State(revisions): State<Revisions>,
    Input(order): Input<PlanOrder>,
) -> Result<Json<Value>, Problem> {
    let (change, faults) = revisions.plan(order.config.into()).await?;
    Ok(Json(json!({
        "revision": change.parent,
        "faults": faults,
        "changes": change.changes,
        "changes_total": change.changes_total,
        "impact": change.impact,
    })))
}

async fn apply(
    Operator(caller): Operator,
    State(revisions): State<Revisions>,
    asked: Asked,
    Input(order): Input<ApplyOrder>,
) -> Result<Response, Problem> {
    let mut note = Note::api(&caller.name, order.message, asked.dry_run()?);
    note.if_revision = order.if_revision;
    let change = revisions
        .apply(Proposal {
            config: order.config.into(),
            note,
        })
        .await?;
    Ok(change.respond(StatusCode::OK, None))
}

async fn rollback(
    Operator(caller): Operator,
    State(revisions): State<Revisions>,
    name: Name,
    asked: Asked,
    order: Option<Input<RollbackOrder>>,
) -> Result<Response, Problem> {
    let order = order.map(|Input(order)| order).unwrap_or_default();
    let mut note = Note::api(&caller.name, order.message, asked.dry_run()?);
    note.if_revision = order.if_revision;
    let change = revisions.rollback(name.parsed("revision")?, note).await?;
    Ok(change.respond(StatusCode::OK, None))
}

async fn config(_: Viewer, State(revisions): State<Revisions>) -> Response {
    let current = revisions.current();
    let tag =
        HeaderValue::try_from(etag_of_revision(current.number)).expect("a number in quotes is a header");
    ([(header::ETAG, tag)], Json(revisions.covered(&current.config))).into_response()
}

async fn replace(
    Operator(caller): Operator,
    State(revisions): State<Revisions>,
    asked: Asked,
    preconditions: Preconditions,
    Input(config): Input<Map<String, Value>>,
) -> Result<Response, Problem> {
    let note = Note::api(
        &caller.name,
        "the whole configuration was replaced",
        asked.dry_run()?,
    );
    let (change, ()) = revisions
        .edit(note, |present, number| {
            check_revision(&preconditions, number)?;
            *present = config.into();
            Ok(())
        })
        .await?;
    Ok(change.respond(StatusCode::OK, None))
}

/// The routes of revisions and of the configuration as a whole.
#[must_use]
pub fn routes(revisions: &Revisions) -> Routes {
    let drafts = reading().into_iter().chain(writing());
    components(Routes::new("configuration", revisions, drafts))
}

fn reading() -> [Draft<Revisions>; 5] {
    [
        route::get("/api/v1/revisions", list)
            .summary("Lists the revisions of the configuration, newest first")
            .paged()
            .answers(200, schema::page_of("Revision")),
        route::get("/api/v1/revisions/{number}", one)
            .summary("Shows a revision with its configuration")
            .description(
                "Secrets are covered. `config` is null when the revision is too old to be kept whole.",
            )
            .answers(200, schema::reference("WholeRevision"))
            .errors(&[404]),
        route::get("/api/v1/revisions/{number}/diff/{to}", diff)
            .summary("Shows what changed between two revisions")
            .answers(200, schema::reference("RevisionDiff"))
            .errors(&[404]),
        route::post("/api/v1/revisions/plan", plan)
            .summary("Checks a configuration and tells what it would change")
            .description("Faults are told with status 200: finding them is what a plan is for.")
            .read_only()
            .body(schema::object(&[("config", config_schema())]))
            .answers(200, schema::reference("Plan")),
        route::get("/api/v1/config", config)
            .summary("Shows the configuration in effect")
            .description("The ETag is its revision. Secrets are covered.")
            .answers(200, config_schema()),
    ]
}

fn writing() -> [Draft<Revisions>; 3] {
    let if_revision = (
        "if_revision?",
        schema::nullable(schema::whole(
            1,
            (1 << 53) - 1,
            "Only if this is the current revision.",
        )),
    );
    let message = ("message?", schema::string("Why, for the history."));
    [
        route::post("/api/v1/revisions/apply", apply)
            .summary("Applies a configuration while everything runs")
            .body(schema::object(&[
                ("config", config_schema()),
                if_revision.clone(),
                message.clone(),
            ]))
            .answers(200, schema::reference("Change"))
            .errors(&[412]),
        route::post("/api/v1/revisions/{number}/rollback", rollback)
            .summary("Makes the configuration of a revision current again")
            .optional_body(schema::object(&[if_revision, message]))
            .answers(200, schema::reference("Change"))
            .errors(&[404, 412]),
        route::put("/api/v1/config", replace)
            .summary("Replaces the whole configuration")
            .if_match()
            .body(config_schema())
            .answers(200, schema::reference("Change")),
    ]
}

fn config_schema() -> schema::Schema {
    let mut schema = schema::open_object(&[], &[]);
    schema["description"] = json!("The configuration as JSON; `purlin config schema` prints its schema.");
    schema
}

fn components(routes: Routes) -> Routes {
    let revision = [
        ("number", schema::count("From 1.")),
        (
            "parent",
            schema::count("The revision before it; 0 for the first."),
        ),
        (
            "author",
            schema::string("Name of the token, or who else made it."),
        ),
        (
            "origin",
            schema::one_of(&["file", "api", "rollback"], "How it came about."),
        ),
        ("message", schema::string("Why.")),
        ("at", schema::formatted("date-time", "When.")),
    ];
    let mut whole = revision.to_vec();
    whole.push(("config", schema::nullable(config_schema())));
    let changes = [
        ("changes", schema::array(schema::reference("ConfigChange"))),
        (
            "changes_total",
            schema::count("How many there are; the first thousand are shown."),
        ),
        (
            "impact",
            schema::array(schema::string("What it does to those who are served.")),
        ),
    ];
    let mut plan = vec![
        (
            "revision",
            schema::count("The current revision, on which the plan is based."),
        ),
        ("faults", schema::array(schema::reference("Fault"))),
    ];
    plan.extend(changes.clone());
    let mut diff = vec![
        ("from", schema::count("Revision.")),
        ("to", schema::count("Revision.")),
    ];
    diff.extend(changes);
    let kinds = ["added", "removed", "changed", "reordered"];
    routes
        .component("Revision", schema::object(&revision))
        .component("WholeRevision", schema::object(&whole))
        .component("Plan", schema::object(&plan))
        .component("RevisionDiff", schema::object(&diff))
        .component("Change", Change::schema())
        .component(
            "ConfigChange",
            schema::object(&[
                (
                    "path",
                    schema::string("`dhcp.subnets[main].lease_time`: list items by name."),
                ),
                ("change", schema::one_of(&kinds, "What happened to it.")),
                ("old", schema::anything("Value before; null when added.")),
                ("new", schema::anything("Value after; null when removed.")),
            ]),
        )
}
