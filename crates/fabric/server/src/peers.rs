//! What nodes ask each other about the cluster, and how this one asks.
//!
//! ```text
//!   POST /mesh/v1/resume   {}                 the node takes part again after a drain
//!   POST /mesh/v1/why      {subject, limit}   what it has on record about a machine
//!   POST /mesh/v1/diagnosis {mark}            whether it has heard of that, what it caches, its sessions
//! ```

mod stories;

pub use stories::{Neighbours, Stories};

use crate::work::Work;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use purlin_api::{Problem, reasons};
use purlin_fabric::Member;
use purlin_fabric_mesh::{CallError, Mesh};
use purlin_fabric_runtime::Fabric;
use serde_json::{Value, json};
use std::net::SocketAddr;

const RESUME: &str = "/mesh/v1/resume";

/// The calls that this node answers others about the fabric.
pub fn mesh_routes(fabric: &Fabric, work: &Work, stories: &Stories) -> Router {
    Router::new()
        .route(RESUME, post(resume))
        .with_state(fabric.clone())
        .merge(stories::routes(stories))
        .merge(crate::diagnosis::mesh_routes(fabric, work))
}

async fn resume(State(fabric): State<Fabric>) -> Json<Value> {
    fabric.resume().await;
    Json(json!({}))
}

/// Where a member takes calls; `None` when it told nobody.
#[must_use]
pub fn peer_at(member: &Member) -> Option<SocketAddr> {
    let facts = &member.facts;
    let address = facts.address.parse().ok()?;
    (facts.peer_port != 0).then(|| SocketAddr::new(address, facts.peer_port))
}

/// Asks another node to take part again.
pub(crate) async fn ask_to_resume(mesh: Option<&Mesh>, member: &Member) -> Result<(), Problem> {
    let (Some(mesh), Some(at)) = (mesh, peer_at(member)) else {
        let what = format!("{} is not reached from here: ask that node itself", member.id);
        return Err(Problem::new(
            axum::http::StatusCode::CONFLICT,
            &reasons::NOT_POSSIBLE,
            what,
        ));
    };
    let asked = mesh.call(at, &member.id, RESUME, &json!({})).await;
    asked.map(|_| ()).map_err(|cause| unanswered(&cause))
}

fn unanswered(cause: &CallError) -> Problem {
    Problem::not_ready(format!("{cause}; ask that node itself"))
}
