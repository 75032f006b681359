//! What a change would do, before it is made.

use super::changes::{Order, Prepared};
use super::{changes, nb, trace};
use crate::matrix::Wanted;
use crate::platform::Platform;
use crate::reasons;
use crate::trace::{Question, refused};
use crate::whatif::{self, Asked};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::Input;
use purlin_api::route::{self, Draft};
use purlin_api::{Operator, Problem, schema};
use purlin_ovn_core::model::State as Rows;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// Packets that are followed before and after.
const TRACES: usize = 32;
/// The life of the copies.
const LIMIT: Duration = Duration::from_secs(180);

pub(super) fn drafts() -> [Draft<Platform>; 1] {
    [
        route::post("/api/v1/ovn/what-if", ask)
            .read_only()
            .query(
                "owner",
                schema::matching(
                    "^[A-Za-z0-9._-]{1,64}$",
                    "Whose rows would be made; purlin when absent.",
                ),
            )
            .query(
                "force",
                schema::boolean("Whether rows of other managers would be written, too; admins only."),
            )
            .summary("What a change would do: flows, packets and pairs before and after it")
            .description("Takes the changes of `/api/v1/ovn/changes` and makes them in copies of both databases, with an ovsdb-server and an ovn-northd of their own that end with the request. The real databases are not touched. `traces` are questions of `/api/v1/ovn/trace`, `matrix` one of `/api/v1/ovn/matrix`, judged by the ACLs; without it the ports that the change affects are compared for icmp. Within a tenant the change is one of the tenant's, packets go between its own ports, and flows are counted for its own switches and routers and not told.")
            .body(schema::object(&[
                ("changes", changes::orders()),
                ("traces?", schema::array(schema::object(&trace::members()))),
                ("matrix?", schema::object(&trace::ends())),
            ]))
            .answers(200, schema::open_object(&["change", "flows", "traces", "matrix", "copies"], &[]))
            .tenants()
            .errors(&[404, 409, 422, 502, 503, 504]),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Candidate {
    changes: Vec<Order>,
    #[serde(default)]
    traces: Vec<Question>,
    matrix: Option<Wanted>,
}

async fn ask(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    asked: purlin_api::asked::Asked,
    Input(candidate): Input<Candidate>,
) -> Result<Json<Value>, Problem> {
    if candidate.traces.len() > TRACES {
        return Err(refused(format!("traces: {TRACES} at most")));
    }
    let manner = nb::manner(&asked, &caller)?;
    let prepared = Prepared::new(candidate.changes)?;
    let wish = |state: &Rows<'_>| prepared.wish(state);
    let wanted = Asked {
        traces: candidate.traces,
        matrix: candidate.matrix,
    };
    let answer = whatif::answer(&platform, &manner, wish, &wanted);
    match tokio::time::timeout(LIMIT, answer).await {
        Ok(answer) => answer.map(Json),
        Err(_) => {
            let detail = format!(
                "the copies were not done within {} s, and are ended",
                LIMIT.as_secs()
            );
            Err(Problem::new(
                StatusCode::GATEWAY_TIMEOUT,
                &reasons::TOOL_TOO_SLOW,
                detail,
            ))
        }
    }
}
