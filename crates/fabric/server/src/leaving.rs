//! How nodes leave: draining, coming back, removal, and what each of them would move.

use crate::moves::{self, Preview};
use crate::routes::{Books, find};
use crate::text;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Name};
use purlin_api::route::{self, Draft};
use purlin_api::{Admin, Problem, reasons, schema};
use purlin_fabric::drain::{DrainLimits, DrainMember, DrainRefusal, check};
use purlin_fabric::port::{Candidate, Fault, NodeState, Refusal};
use purlin_fabric::{Member, Suspicion};
use purlin_fabric_runtime::scaling::View;
use serde_json::Value;

pub(crate) fn drafts() -> [Draft<Books>; 3] {
    [
        route::post("/api/v1/cluster/nodes/{id}/drain", drain)
            .summary("Lets a node give its slots away")
            .description("The node takes nothing new, hands every slot over in order, and stays a member. No lease is lost and no address is held back. Refused for the last node, and when those left would be fewer than configured or not meant for the requests of now; `force=true` overrides all but the first. With `dryRun=true` the answer says what would move.")
            .query("force", schema::boolean("Also when too few nodes would be left."))
            .answers(202, schema::reference("Node"))
            .errors(&[404, 409, 503]),
        route::post("/api/v1/cluster/nodes/{id}/resume", resume)
            .summary("Lets a node take part again after a drain")
            .description("The node that is asked passes it on to the one that it is about.")
            .answers(202, schema::reference("Node"))
            .errors(&[404, 409, 503]),
        route::delete("/api/v1/cluster/nodes/{id}", remove)
            .summary("Ends a node's membership")
            .description("A node that is alive must be drained first. With `force=true` one that cannot be is fenced: it can write no more, and its slots are taken over once its lease has lapsed.")
            .query("force", schema::boolean("Also a node that still holds slots."))
            .answers(200, schema::reference("Node"))
            .errors(&[404, 409]),
    ]
}

async fn drain(
    _: Admin,
    State(books): State<Books>,
    name: Name,
    asked: Asked,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let member = find(&books, &name.0)?;
    let (force, dry) = (asked.flag("force")?, asked.dry_run()?);
    may_leave(&books, &member, force)?;
    let mut shown = text::member_of(&books, &member);
    if dry {
        shown["moves"] = moves::shown(&Preview::without(&books, &member)?);
    } else if member.id == books.fabric.me().id {
        books.fabric.drain().await;
    } else {
        let asked = books.fabric.drain_other(&candidate(&member)).await;
        asked.map_err(|fault| refused(&fault, "only an active node can be drained"))?;
    }
    Ok((StatusCode::ACCEPTED, Json(shown)))
}

async fn resume(
    _: Admin,
    State(books): State<Books>,
    name: Name,
    asked: Asked,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let member = find(&books, &name.0)?;
    if !asked.dry_run()? {
        if member.id == books.fabric.me().id {
            books.fabric.resume().await;
        } else {
            crate::peers::ask_to_resume(books.mesh.as_ref(), &member).await?;
        }
    }
    Ok((StatusCode::ACCEPTED, Json(text::member_of(&books, &member))))
}

async fn remove(
    _: Admin,
    State(books): State<Books>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let member = find(&books, &name.0)?;
    let force = asked.flag("force")?;
    if let Some(why) = unremovable(&books, &member, force) {
        return Err(impossible(why));
    }
    if asked.dry_run()? {
        return Ok(Json(text::member_of(&books, &member)));
    }
    let asked = books.fabric.remove_other(&candidate(&member)).await;
    // Asked again after the certificates could not be revoked, it is removed already.
    if member.state != NodeState::Removed {
        asked.map_err(|fault| refused(&fault, "it was removed or started anew meanwhile"))?;
    }
    if let Some(mesh) = &books.mesh {
        let revoked = mesh.revoke(&member.id).await;
        revoked.map_err(|cause| crate::join::unrevoked(&member.id, &cause))?;
    }
    Ok(Json(text::member_of(&books, &member)))
}

/// Whether enough would be left without a node that is there now.
fn may_leave(books: &Books, member: &Member, force: bool) -> Result<(), Problem> {
    let snapshot = books.fabric.snapshot();
    let members: Vec<DrainMember> = snapshot.members.iter().map(seen).collect();
    match check(&member.id, &members, limits(books), force) {
        // Asked for again, and harmless.
        Ok(()) | Err(DrainRefusal::AlreadyDraining { .. }) => Ok(()),
        Err(refusal) => {
            let word = refusal.word();
            let help = if refusal.yields_to_force() {
                "; force overrides this"
            } else {
                ""
            };
            Err(impossible(format!("{refusal}{help}")).with("refusal", word))
        }
    }
}

fn seen(member: &Member) -> DrainMember {
    DrainMember {
        id: member.id.clone(),
        state: member.state,
        live: member.suspicion != Suspicion::Lapsed,
    }
}

fn limits(books: &Books) -> DrainLimits {
    let policy = books.scaler.policy();
    DrainLimits {
        copies: policy.required_copies.unwrap_or(1),
        min_nodes: policy.scaling.min_nodes,
        requests: requests(&books.scaler.view()),
        requests_per_node: policy.scaling.requests_per_node.map(|rate| rate as u32),
    }
}

/// Requests per second of all nodes together.
fn requests(view: &View) -> u64 {
    let rate = |input: &purlin_fabric_runtime::scaling::NodeInput| input.load().requests;
    view.inputs.iter().filter_map(rate).sum::<f64>().round() as u64
}

/// Why a node's membership cannot be ended like that.
fn unremovable(books: &Books, member: &Member, force: bool) -> Option<String> {
    if member.id == books.fabric.me().id {
        return Some("a node cannot remove itself: ask another one, or stop it in order".to_owned());
    }
    if force || member.slots == 0 {
        return None;
    }
    let id = &member.id;
    Some(if member.suspicion == Suspicion::Lapsed {
        format!(
            "{id} is gone and {} of its slots are not taken over yet; wait, or use force=true",
            member.slots
        )
    } else {
        format!(
            "{id} holds {} slots; drain it first, or use force=true when it cannot be reached",
            member.slots
        )
    })
}

fn candidate(member: &Member) -> Candidate {
    Candidate {
        id: member.id.clone(),
        incarnation: member.incarnation,
    }
}

fn impossible(why: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, why)
}

fn refused(fault: &Fault, stale: &str) -> Problem {
    match fault {
        Fault::Refused(Refusal::Stale) => impossible(stale),
        Fault::Refused(other) => impossible(other.to_string()),
        Fault::Unknown(_) | Fault::Unusable(_) => Problem::not_ready(
            "the claim store did not answer; whether it was done is seen in the list of nodes",
        ),
    }
}
