//! `/api/v1/cluster`: nodes and their leader.

use crate::diagnosis;
use crate::grow::Growing;
use crate::leaving;
use crate::text;
use crate::work::Work;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::{Asked, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::{Problem, Viewer, schema};
use purlin_fabric::Member;
use purlin_fabric_mesh::Mesh;
use purlin_fabric_runtime::Fabric;
use purlin_fabric_runtime::drains::Drains;
use purlin_fabric_runtime::scaling::Scaler;
use purlin_types::NodeId;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the routes show.
#[derive(Debug, Clone)]
pub struct Books {
    pub fabric: Fabric,
    pub work: Work,
    pub scaler: Scaler,
    pub drains: Drains,
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
    let drafts = reads()
        .into_iter()
        .chain(leaving::drafts())
        .chain([diagnosis::draft()]);
    schemas(Routes::new("cluster", books, drafts))
        .and(crate::grow::routes(books))
        .and(crate::moves::routes(books))
        .and(crate::scaling::routes(books))
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
    let snapshot = books.fabric.snapshot();
    let members = snapshot.members.iter();
    let all = members.map(|member| text::member_of(&books, member)).collect();
    asked.page_of_all(all).map(Json)
}

async fn node(_: Viewer, State(books): State<Books>, name: Name) -> Result<Json<Value>, Problem> {
    find(&books, &name.0).map(|member| Json(text::member_of(&books, &member)))
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

pub(crate) fn find(books: &Books, id: &str) -> Result<Member, Problem> {
    let snapshot = books.fabric.snapshot();
    let found = snapshot.members.iter().find(|member| member.id.as_str() == id);
    found.cloned().ok_or_else(|| Problem::no_such("node", id))
}

/// How far a drain is.
fn drain() -> schema::Schema {
    let number = schema::number;
    schema::object(&[
        ("step", schema::one_of(&text::STEPS, "What is being done.")),
        ("slots", schema::count("Slots that are left to be given away.")),
        ("slots_at_first", schema::count("Slots that there were.")),
        ("sessions", schema::count("Sessions that are left to be moved.")),
        ("sessions_at_first", schema::count("Sessions that there were.")),
        (
            "rate",
            number("How many of this step's things went per second, over the last minute."),
        ),
        (
            "eta_seconds",
            schema::nullable(number(
                "Until this step ends at that rate; null while nothing moves.",
            )),
        ),
        ("running_seconds", number("Since it began, as this node saw it.")),
        ("still_seconds", number("Since when nothing has moved.")),
    ])
}

fn schemas(routes: Routes) -> Routes {
    let number = |what| schema::number(what);
    let routes = diagnosis::components()
        .into_iter()
        .fold(routes, |routes, (name, schema)| routes.component(name, schema));
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
                (
                    "leases",
                    schema::nullable(schema::count("Leases in its slots; null when it did not say.")),
                ),
                (
                    "sessions",
                    schema::nullable(schema::count("Sessions that it holds; null when it did not say.")),
                ),
                ("drain?", schema::reference("Drain")),
                ("moves?", schema::reference("Moves")),
            ]),
        )
        .component("Drain", drain())
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
