//! `/api/v1/balancer`: the fronts, their backends, and draining one.

use crate::fronts::{Front, Fronts, NoSuch};
use crate::pool::BackendView;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Admin, Problem, Viewer};
use purlin_fabric::health::Condition;
use serde_json::{Value, json};

/// The words for [`Condition`].
const STATES: [&str; 4] = ["up", "down", "ejected", "draining"];

/// The routes of the balancer; without fronts they answer with an empty list.
#[must_use]
pub fn routes(fronts: &Fronts) -> Routes {
    let drafts: [Draft<Fronts>; 3] = [
        route::get("/api/v1/balancer", list)
            .summary("The fronts and their backends")
            .answers(200, schema::reference("Balancer")),
        route::post("/api/v1/balancer/fronts/{front}/backends/{backend}/drain", drain)
            .summary("Gives a backend no new clients")
            .description("Clients that it has stay until they are silent or their connections end: `in_flight` is 0 then.")
            .answers(202, schema::reference("Backend"))
            .errors(&[404]),
        route::post("/api/v1/balancer/fronts/{front}/backends/{backend}/resume", resume)
            .summary("Gives a backend clients again, with a slow start")
            .answers(202, schema::reference("Backend"))
            .errors(&[404]),
    ];
    schemas(Routes::new("balancer", fronts, drafts))
}

async fn list(_: Viewer, State(fronts): State<Fronts>) -> Json<Value> {
    let fronts: Vec<Value> = fronts.all().iter().map(front).collect();
    Json(json!({ "fronts": fronts }))
}

async fn drain(
    _: Admin,
    State(fronts): State<Fronts>,
    names: Path<(String, String)>,
    asked: Asked,
) -> Result<(StatusCode, Json<Value>), Problem> {
    set(&fronts, &names, &asked, true)
}

async fn resume(
    _: Admin,
    State(fronts): State<Fronts>,
    names: Path<(String, String)>,
    asked: Asked,
) -> Result<(StatusCode, Json<Value>), Problem> {
    set(&fronts, &names, &asked, false)
}

fn set(
    fronts: &Fronts,
    Path((front, name)): &Path<(String, String)>,
    asked: &Asked,
    draining: bool,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let done = if asked.dry_run()? {
        look(fronts, front, name)
    } else {
        fronts.drain(front, name, draining)
    };
    let view = done.map_err(|missing| match missing {
        NoSuch::Front => Problem::no_such("front", front),
        NoSuch::Backend => Problem::no_such("backend", name),
    })?;
    Ok((StatusCode::ACCEPTED, Json(backend(front, &view))))
}

fn look(fronts: &Fronts, front: &str, name: &str) -> Result<BackendView, NoSuch> {
    let front = fronts.all().iter().find(|known| known.name == front);
    let views = front.ok_or(NoSuch::Front)?.pool().views();
    let found = views.into_iter().find(|view| view.backend.name == name);
    found.ok_or(NoSuch::Backend)
}

fn front(front: &Front) -> Value {
    let counters = front.counters();
    let views = front.pool().views();
    let backends: Vec<Value> = views.iter().map(|view| backend(&front.name, view)).collect();
    json!({
        "name": front.name,
        "service": front.service,
        "listen": front.listen().to_string(),
        "algorithm": front.algorithm.as_str(),
        "taken": counters.taken.get(),
        "answers": counters.answers.get(),
        "retried": counters.retried.get(),
        "refused": counters.refused.get(),
        "full": counters.full.get(),
        "unreadable": counters.unreadable.get(),
        "unanswerable": counters.unanswerable.get(),
        "lost": counters.lost.get(),
        "backends": backends,
    })
}

fn backend(front: &str, view: &BackendView) -> Value {
    let state = match view.status.condition {
        Condition::Up => STATES[0],
        Condition::Down => STATES[1],
        Condition::Ejected { .. } => STATES[2],
        Condition::Draining => STATES[3],
    };
    json!({
        "front": front,
        "name": view.backend.name,
        "address": view.backend.address.to_string(),
        "check": view.backend.check.to_string(),
        "weight": view.backend.weight,
        "share": view.status.share,
        "state": state,
        "in_flight": view.status.outstanding,
        "given": view.status.given,
        "why": view.why,
    })
}

fn schemas(routes: Routes) -> Routes {
    routes
        .component(
            "Balancer",
            schema::object(&[("fronts", schema::array(schema::reference("Front")))]),
        )
        .component("Front", front_schema())
        .component(
            "Backend",
            schema::object(&[
                ("front", schema::string("The front that it stands behind.")),
                ("name", schema::string("Its name there.")),
                ("address", schema::string("Where work is sent.")),
                ("check", schema::string("Where probes are sent.")),
                ("weight", schema::count("Its relative share, 100 by default.")),
                ("share", schema::count("Permille of its weight that it gets now.")),
                ("state", schema::one_of(&STATES, "Whether it gets work.")),
                ("in_flight", schema::count("Work that it has and has not ended.")),
                (
                    "given",
                    schema::count("Connections, flows or DHCP transactions that it was ever given."),
                ),
                (
                    "why",
                    schema::string("Why it gets less than its share; empty when it does not."),
                ),
            ]),
        )
}

fn front_schema() -> Schema {
    schema::object(&[
        ("name", schema::string("Its name in the configuration.")),
        ("service", schema::string("What is spoken.")),
        ("listen", schema::string("Where clients come.")),
        ("algorithm", schema::string("Which backend gets a new client.")),
        ("taken", schema::count("Connections or datagrams of clients.")),
        (
            "answers",
            schema::count("Datagrams of backends passed on to clients."),
        ),
        ("retried", schema::count("Clients given to another backend.")),
        (
            "refused",
            schema::count("Turned away: no backend could take them."),
        ),
        (
            "full",
            schema::count("Turned away, or with DHCP not remembered, at a limit."),
        ),
        (
            "unreadable",
            schema::count("Datagrams that are not what the front is for."),
        ),
        ("unanswerable", schema::count("DHCP messages that need a relay.")),
        ("lost", schema::count("Datagrams that the kernel would not send.")),
        ("backends", schema::array(schema::reference("Backend"))),
    ])
}
