//! Many changes in one body of ovncp's: one transaction of the database, all of it or nothing.

mod operation;

use crate::platform::{Platform, new_uuid};
use crate::routes::{nb, writes};
use crate::typed::place::Aliases;
use crate::typed::read;
use crate::typed::stage::stage;
use crate::write::write_shown;
use axum::Json;
use axum::extract::State;
use operation::{Operation, Verb};
use purlin_api::asked::{Asked, Input};
use purlin_api::clock::Clock;
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema;
use purlin_api::{Operator, Problem};
use purlin_ovn_core::model::{Change, State as Rows};
use purlin_ovsdb::Uuid;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Instant;

/// Operations of one body at most, as ovncp has it.
const MOST: usize = 100;

pub(super) fn draft() -> Draft<Platform> {
    writes(
        route::post("/api/v1/transactions", execute)
            .summary("Carries out many operations as one transaction: all of them happen, or none")
            .description("An operation is `{id?, type: create | update | delete, resource: switch | router | port | acl, resource_id?, switch_id?, data?}`; `operation` and `resource_type` (with logical_switch, logical_router, logical_port) mean the same. A row is a UUID, a name, or the `id` of an operation of this body that creates it. An update keeps what it does not name. At most 100 operations; POST /api/v1/ovn/changes takes more.")
            .body(schema::reference("OvncpTransaction"))
            .answers(200, schema::reference("OvncpTransactionResult")),
    )
}

pub(super) fn components(routes: Routes) -> Routes {
    let text = schema::string;
    let kinds = [
        "switch",
        "router",
        "port",
        "acl",
        "logical_switch",
        "logical_router",
        "logical_port",
    ];
    let verbs = ["create", "update", "delete"];
    let operation = schema::object(&[
        (
            "id?",
            text("By what the others of this body call it, and its result."),
        ),
        ("type?", schema::one_of(&verbs, "What is done.")),
        ("operation?", schema::one_of(&verbs, "The same as type.")),
        ("resource?", schema::one_of(&kinds, "To what.")),
        ("resource_type?", schema::one_of(&kinds, "The same as resource.")),
        (
            "resource_id?",
            text("UUID or name of what is updated or deleted."),
        ),
        ("switch_id?", text("Switch of a new port or ACL.")),
        ("data?", schema::open_object(&[], &[])),
    ]);
    let result = schema::open_object(
        &[
            "operation_index",
            "id",
            "type",
            "resource",
            "resource_id",
            "success",
            "status",
            "data",
        ],
        &[],
    );
    routes
        .component(
            "OvncpTransaction",
            schema::object(&[
                ("operations", schema::array(operation)),
                ("dry_run?", schema::boolean("Check everything, change nothing.")),
            ]),
        )
        .component(
            "OvncpTransactionResult",
            schema::open_object(
                &[
                    "transaction_id",
                    "success",
                    "status",
                    "results",
                    "error",
                    "executed_at",
                    "duration_ms",
                    "dry_run",
                ],
                &[("results", schema::array(result))],
            ),
        )
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    operations: Vec<Operation>,
    #[serde(default)]
    dry_run: bool,
}

async fn execute(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    asked: Asked,
    Input(body): Input<Body>,
) -> Result<Json<Value>, Problem> {
    let began = Instant::now();
    let manner = nb::manner(&asked, &caller)?.dry(body.dry_run);
    let planned = Planned::of(body.operations)?;
    // Which rows they are is known only when they are looked for.
    let uuids = std::sync::Mutex::new(Vec::new());
    let wish = |state: &Rows<'_>| {
        let (changes, rows) = planned.changes(state)?;
        *uuids.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = rows;
        Ok((changes, Vec::new()))
    };
    let show = |state: &Rows<'_>| {
        let rows = uuids.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(planned.results(state, &rows))
    };
    let written = write_shown(&platform, &manner, show, wish).await;
    let mut written = written.map_err(|problem| planned.failed(&manner.called, &problem))?;
    Ok(Json(json!({
        "transaction_id": written["request"].take(),
        "success": true,
        "status": "success",
        "results": written["row"].take(),
        "error": null,
        "executed_at": Clock::system().text(),
        "duration_ms": began.elapsed().as_secs_f64() * 1e3,
        "dry_run": written["dry_run"].take(),
        "changed": written["changed"].take(),
        "diff": written["diff"].take(),
        "warnings": written["warnings"].take(),
        "affected": written["affected"].take(),
        "realised": written["realised"].take(),
    })))
}

/// The operations of a body, each with a name for the row that it may bring.
struct Planned {
    operations: Vec<(Operation, Uuid)>,
    aliases: Aliases,
}

impl Planned {
    fn of(operations: Vec<Operation>) -> Result<Self, Problem> {
        if operations.is_empty() || operations.len() > MOST {
            let detail = format!(
                "{} operations; a transaction has 1 to {MOST}. POST /api/v1/ovn/changes takes up to 10000 changes of any table",
                operations.len()
            );
            return Err(Problem::wrong_shape(detail));
        }
        let mut planned = Self {
            operations: Vec::with_capacity(operations.len()),
            aliases: Aliases::default(),
        };
        for (at, operation) in operations.into_iter().enumerate() {
            operation
                .check()
                .map_err(|why| Problem::wrong_shape(format!("operations[{at}]: {why}")))?;
            let uuid = new_uuid()?;
            let earlier = planned.operations.iter();
            let mut earlier = earlier.map(|(operation, _)| &operation.id);
            if !operation.id.is_empty() && earlier.any(|id| *id == operation.id) {
                let detail = format!("operations[{at}]: two operations have the id {:?}", operation.id);
                return Err(Problem::wrong_shape(detail));
            }
            if operation.r#type == Verb::Create && !operation.id.is_empty() {
                let row = (operation.resource.kind().table.to_owned(), uuid);
                planned.aliases.0.insert(operation.id.clone(), row);
            }
            planned.operations.push((operation, uuid));
        }
        Ok(planned)
    }

    /// All changes, and the row of each operation.
    fn changes(&self, state: &Rows<'_>) -> Result<(Vec<Change>, Vec<Uuid>), Problem> {
        let mut after = state.clone();
        let (mut changes, mut rows) = (Vec::new(), Vec::new());
        for (at, (operation, uuid)) in self.operations.iter().enumerate() {
            let told = |problem: Problem| at_operation(at, &operation.id, &problem);
            let (own, row) = operation.changes(&after, *uuid, &self.aliases).map_err(told)?;
            stage(&mut after, &own);
            changes.extend(own);
            rows.push(row);
        }
        Ok((changes, rows))
    }

    fn results(&self, state: &Rows<'_>, rows: &[Uuid]) -> Value {
        let result = |(at, ((operation, _), row)): (usize, (&(Operation, Uuid), &Uuid))| {
            let shown = match operation.r#type {
                Verb::Delete => None,
                _ => read::object(state, operation.resource.kind(), *row),
            };
            let mut result = operation.result(at, true, None);
            result["resource_id"] = json!(row.to_string());
            result["data"] = json!(shown);
            result
        };
        self.operations.iter().zip(rows).enumerate().map(result).collect()
    }

    /// The problem with what became of each operation: nothing.
    /// `called` is what the asker calls the request: the transaction has no other name where it was not sent.
    fn failed(&self, called: &str, problem: &Problem) -> Problem {
        let document = problem.document(None, None);
        let id = document["request"].as_str().unwrap_or(called).to_owned();
        let failed = document["failed_operation"]
            .as_u64()
            .and_then(|at| usize::try_from(at).ok());
        let failed = failed.or_else(|| self.blamed(&document["problems"]));
        let result = |(at, (operation, _)): (usize, &(Operation, Uuid))| match failed {
            Some(failed) if failed != at => {
                operation.result(at, false, Some("not done: the transaction is all or nothing"))
            }
            _ => operation.result(at, false, Some(problem.detail())),
        };
        let results: Vec<Value> = self.operations.iter().enumerate().map(result).collect();
        problem
            .clone()
            .with("transaction_id", id)
            .with("success", false)
            .with("failed_operation", failed)
            .with("results", results)
    }

    /// Whose row a finding about the whole is about, by the name it has in the body.
    fn blamed(&self, problems: &Value) -> Option<usize> {
        let places = problems
            .as_array()?
            .iter()
            .filter_map(|problem| problem["place"].as_str());
        let mut blamed = places.filter_map(|place| {
            self.operations.iter().position(|(operation, _)| {
                let named = operation
                    .data
                    .as_ref()
                    .and_then(|data| data.get("name")?.as_str());
                let label = named.unwrap_or(&operation.resource_id);
                let start = format!("{} {label}", operation.resource.kind().table);
                !label.is_empty() && place.split(": ").next() == Some(start.as_str())
            })
        });
        blamed.next()
    }
}

fn at_operation(at: usize, id: &str, problem: &Problem) -> Problem {
    let name = if id.is_empty() {
        String::new()
    } else {
        format!(" ({id})")
    };
    let detail = format!("operations[{at}]{name}: {}", problem.detail());
    let told = Problem::new(problem.status(), problem.reason(), detail).with("failed_operation", at);
    match problem.document(None, None).get("problems") {
        Some(problems) => told.with("problems", problems.clone()),
        None => told,
    }
}
