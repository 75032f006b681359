//! `/api/v1/cluster`: nodes and their leader.

use crate::grow::Growing;
use crate::text;
use crate::work::Work;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::{Admin, Problem, Viewer, reasons, schema};
use purlin_fabric::port::{Candidate, Fault, NodeState, Refusal};
use purlin_fabric::{Member, Suspicion};
use purlin_fabric_mesh::Mesh;
use purlin_fabric_runtime::Fabric;
use purlin_types::NodeId;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the routes show.
#[derive(Debug, Clone)]
pub struct Books {
    pub fabric: Fabric,
    pub work: Work,
    /// The way to the other nodes; `None` for a node alone.
    pub mesh: Option<Mesh>,
    /// How a node alone becomes the first of several; `None` for one that is.
    pub grow: Option<Arc<dyn Growing>>,
    /// Names of the engines of `[store]` and `[coordination]`.
    pub store: &'static str,
    pub coordination: &'static str,
}

/// The routes of the cluster.
#[must_use]
pub fn routes(books: &Books) -> Routes {
    let drafts = reads().into_iter().chain(acts());
    schemas(Routes::new("cluster", books, drafts))
        .and(crate::grow::routes(books))
        .and(crate::join::routes(books))
        .and(crate::sessions::routes(&books.work))
        .and(crate::locks::routes(&books.work))
        .and(crate::caches::routes(&books.work))
        .and(crate::values::routes(&books.work))
}

fn reads() -> [Draft<Books>; 4] {
    [
        route::get("/api/v1/cluster", summary)
            .summary("This node in its cluster")
            .answers(200, schema::reference("Cluster")),
        route::get("/api/v1/cluster/nodes", nodes)
            .summary("Lists the nodes as this one sees them")
            .paged()
            .answers(200, schema::page_of("Node")),
        route::get("/api/v1/cluster/nodes/{id}", node)
            .summary("One node")
            .answers(200, schema::reference("Node"))
            .errors(&[404]),
        route::get("/api/v1/cluster/leader", leader)
            .summary("The node that plans")
            .answers(200, schema::reference("Leader"))
            .errors(&[503]),
    ]
}

fn acts() -> [Draft<Books>; 3] {
    [
        route::post("/api/v1/cluster/nodes/{id}/drain", drain)
            .summary("Lets a node give its slots away")
            .description("The node takes nothing new, hands every slot over in order, and stays a member. No lease is lost and no address is held back.")
            .answers(202, schema::reference("Node"))
            .errors(&[404, 409]),
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

async fn summary(_: Viewer, State(books): State<Books>) -> Json<Value> {
    let (snapshot, me) = (books.fabric.snapshot(), books.fabric.me());
    let own = snapshot
        .members
        .iter()
        .find(|member| (&member.id, member.incarnation) == (&me.id, me.incarnation));
    Json(json!({
        "node": me.id.as_str(),
        "incarnation": format!("{:016x}", me.incarnation.0),
        "ready": snapshot.readiness.is_ok(),
        "reason": snapshot.readiness.as_ref().err().map(ToString::to_string),
        "store": books.store,
        "coordination": books.coordination,
        "trouble": books.fabric.trouble(),
        "leader": snapshot.leader.as_ref().map(NodeId::as_str),
        "nodes": snapshot.members.len(),
        "slots": own.map_or(0, |member| member.slots),
    }))
}

async fn nodes(_: Viewer, State(books): State<Books>, asked: Asked) -> Result<Json<Value>, Problem> {
    let all = books.fabric.snapshot().members.iter().map(text::member).collect();
    asked.page_of_all(all).map(Json)
}

async fn node(_: Viewer, State(books): State<Books>, name: Name) -> Result<Json<Value>, Problem> {
    find(&books, &name.0).map(|member| Json(text::member(&member)))
}

async fn leader(_: Viewer, State(books): State<Books>) -> Result<Json<Value>, Problem> {
    let snapshot = books.fabric.snapshot();
    match &snapshot.leader {
        Some(id) => Ok(Json(
            json!({ "node": id.as_str(), "self": *id == books.fabric.me().id }),
        )),
        None => Err(Problem::not_ready(
            "no node leads at the moment; one takes over within seconds",
        )),
    }
}

async fn drain(
    _: Admin,
    State(books): State<Books>,
    name: Name,
    asked: Asked,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let member = find(&books, &name.0)?;
    if !asked.dry_run()? {
        if member.id == books.fabric.me().id {
            books.fabric.drain().await;
        } else {
            let asked = books.fabric.drain_other(&candidate(&member)).await;
            asked.map_err(|fault| refused(&fault, "only an active node can be drained"))?;
        }
    }
    Ok((StatusCode::ACCEPTED, Json(text::member(&member))))
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
    Ok((StatusCode::ACCEPTED, Json(text::member(&member))))
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
        return Err(Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, why));
    }
    if asked.dry_run()? {
        return Ok(Json(text::member(&member)));
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
    Ok(Json(text::member(&member)))
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

fn find(books: &Books, id: &str) -> Result<Member, Problem> {
    let snapshot = books.fabric.snapshot();
    let found = snapshot.members.iter().find(|member| member.id.as_str() == id);
    found.cloned().ok_or_else(|| Problem::no_such("node", id))
}

fn candidate(member: &Member) -> Candidate {
    Candidate {
        id: member.id.clone(),
        incarnation: member.incarnation,
    }
}

fn refused(fault: &Fault, stale: &str) -> Problem {
    match fault {
        Fault::Refused(Refusal::Stale) => Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, stale),
        Fault::Refused(other) => {
            Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, other.to_string())
        }
        Fault::Unknown(_) | Fault::Unusable(_) => Problem::not_ready(
            "the claim store did not answer; whether it was done is seen in the list of nodes",
        ),
    }
}

fn schemas(routes: Routes) -> Routes {
    let number = |what| schema::number(what);
    routes
        .component(
            "Node",
            schema::object(&[
                ("id", schema::string("Name of the node.")),
                (
                    "status",
                    schema::one_of(
                        &text::STATUSES,
                        "Where in its life it is, and whether it is heard.",
                    ),
                ),
                ("leader", schema::boolean("Whether it plans for the others.")),
                (
                    "slots",
                    schema::count("Shares of the address space that it holds; there are 4096."),
                ),
                ("hostname", schema::string("Name of its machine.")),
                ("address", schema::string("Where it is reached.")),
                ("port", schema::count("Port of its API.")),
                ("zone", schema::string("Its failure domain.")),
                ("weight", schema::count("Its relative share.")),
                ("version", schema::string("Its version of Purlin.")),
                ("incarnation", schema::string("This life of its process.")),
                (
                    "last_heartbeat_seconds_ago",
                    number("Since its lease was last seen to be renewed."),
                ),
            ]),
        )
        .component(
            "Cluster",
            schema::object(&[
                ("node", schema::string("This node.")),
                ("incarnation", schema::string("This life of its process.")),
                ("ready", schema::boolean("Whether it may own slots.")),
                ("reason", schema::nullable(schema::string("Why it may not."))),
                ("store", schema::string("The engine of [store].")),
                ("coordination", schema::string("The engine of [coordination].")),
                (
                    "trouble",
                    schema::nullable(schema::string("What is wrong with the store at the moment.")),
                ),
                ("leader", schema::nullable(schema::string("The node that plans."))),
                ("nodes", schema::count("Nodes that are known.")),
                ("slots", schema::count("Slots that this node holds.")),
            ]),
        )
        .component(
            "Leader",
            schema::object(&[
                ("node", schema::string("Name of the node.")),
                ("self", schema::boolean("Whether it is the one that answers.")),
            ]),
        )
}
