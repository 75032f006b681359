//! The clusters of the databases, ovn-northd, the hypervisors: how they are, and what can be done.

use crate::operations::acts::{Act, Deed};
use crate::operations::{Look, look, sync as synced};
use crate::platform::Platform;
use crate::realised::Until;
use axum::Json;
use axum::extract::{Path, State};
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::route::{self, Draft};
use purlin_api::schema::{self, Schema};
use purlin_api::{Admin, Operator, Problem, Viewer};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn drafts() -> Vec<Draft<Platform>> {
    let mut drafts = vec![
        route::get("/api/v1/ovn/operations", all)
            .summary("The databases' clusters, ovn-northd and the hypervisors, with what is wrong")
            .description("Looked at anew for each request. RAFT's own numbers come from the control sockets of members on this node's machine; without such only what members say of themselves is known.")
            .answers(200, whole()),
        route::get("/api/v1/ovn/operations/databases/{database}", one)
            .summary("One database: its model, its members, leader, term, log, connections")
            .answers(200, database())
            .errors(&[404]),
        route::get("/api/v1/ovn/operations/chassis", chassis)
            .summary("The hypervisors: what each has taken over, since when not, ports up and down")
            .query("stale", schema::boolean("Only those that are behind."))
            .query("cursor", schema::string("next_cursor of the page before."))
            .limited("Rows per page; 100 when absent.")
            .answers(200, page()),
        route::post("/api/v1/ovn/operations/sync", sync)
            .summary("Asks ovn-northd, and with wait=hv every hypervisor, for a sign of life, and waits for it")
            .description("Raises NB_Global.nb_cfg, as ovn-nbctl sync does; nothing of the network changes.")
            .query("wait", schema::one_of(&["sb", "hv"], "Who must have answered; hv when absent."))
            .query("timeout", schema::whole(1, 120, "How many seconds to wait at most; 10 when absent."))
            .answers(200, schema::open_object(&["wait", "done"], &[]))
            .errors(&[502, 503, 504]),
    ];
    drafts.extend(acts());
    drafts
}

fn acts() -> [Draft<Platform>; 5] {
    let member = |what| schema::object(&[("member", schema::string(what))]);
    let done = |draft: Draft<Platform>| {
        draft
            .answers(200, schema::open_object(&["dry_run", "act", "database"], &[]))
            .errors(&[404, 409, 422, 502, 504])
    };
    [
        done(
            route::post("/api/v1/ovn/operations/databases/{database}/compact", compact)
                .summary(
                    "Writes the log anew as one snapshot, on all members that are reached, the leader last",
                )
                .query("member", schema::string("Only this one, by endpoint or id.")),
        ),
        done(
            route::post("/api/v1/ovn/operations/databases/{database}/transfer", transfer)
                .summary("The leader steps down, and the others elect one of them at once"),
        ),
        done(
            route::put(
                "/api/v1/ovn/operations/databases/{database}/election-timer",
                timer,
            )
            .summary("Changes after how long a silence of the leader there is an election")
            .description("A timer can at most double at a time; the steps are taken one after the other.")
            .body(schema::object(&[(
                "milliseconds",
                schema::whole(100, 600_000, "The new timer."),
            )])),
        ),
        done(
            route::post("/api/v1/ovn/operations/databases/{database}/kick", kick)
                .summary("Takes a member out of the cluster, whether it answers or not")
                .description("Refused when the members that stay could write nothing.")
                .body(member("Endpoint, address, id, or the first four digits of it.")),
        ),
        done(
            route::post("/api/v1/ovn/operations/databases/{database}/leave", leave)
                .summary("Lets a member leave the cluster by itself")
                .description("Refused when the members that stay could write nothing.")
                .body(member("Endpoint, address, id, or the first four digits of it.")),
        ),
    ]
}

fn whole() -> Schema {
    schema::object(&[
        ("databases", schema::array(database())),
        (
            "northd",
            schema::open_object(&["nb_cfg", "sb_cfg", "hv_cfg", "active", "processes"], &[]),
        ),
        (
            "chassis",
            schema::open_object(&["total", "stale", "ports_up", "ports_down"], &[]),
        ),
        (
            "alarms",
            schema::array(schema::open_object(
                &["kind", "severity", "subject", "text", "fix"],
                &[],
            )),
        ),
    ])
}

fn database() -> Schema {
    schema::open_object(&["database", "model", "note", "members", "members_alive"], &[])
}

fn page() -> Schema {
    schema::object(&[
        (
            "items",
            schema::array(schema::open_object(&["name", "ports_up", "ports_down"], &[])),
        ),
        (
            "next_cursor",
            schema::nullable(schema::string("For the next page; null after the last.")),
        ),
    ])
}

async fn all(_: Viewer, State(platform): State<Platform>) -> Json<Value> {
    Json(shown(&look(&platform).await))
}

/// Of the hypervisors only how many: there may be thousands.
fn shown(look: &Arc<Look>) -> Value {
    let stale = look
        .chassis
        .iter()
        .filter(|chassis| chassis.stale_seconds.is_some());
    let sum = |of: fn(&crate::operations::Chassis) -> usize| look.chassis.iter().map(of).sum::<usize>();
    json!({
        "databases": look.databases,
        "northd": look.northd,
        "chassis": {
            "total": look.chassis.len(),
            "stale": stale.count(),
            "ports_up": sum(|chassis| chassis.ports_up),
            "ports_down": sum(|chassis| chassis.ports_down),
        },
        "alarms": look.alarms,
    })
}

async fn one(_: Viewer, State(platform): State<Platform>, name: Name) -> Result<Json<Value>, Problem> {
    let look = look(&platform).await;
    let mut found = look.databases.iter().filter(|look| look.database == name.0);
    let found = found
        .next()
        .ok_or_else(|| Problem::no_such("database", &name.0))?;
    Ok(Json(json!(found)))
}

async fn chassis(_: Viewer, State(platform): State<Platform>, asked: Asked) -> Result<Json<Value>, Problem> {
    let stale = asked.flag("stale")?;
    let look = look(&platform).await;
    let wanted = look
        .chassis
        .iter()
        .filter(|chassis| !stale || chassis.stale_seconds.is_some());
    asked
        .page_of_all(wanted.map(|chassis| json!(chassis)).collect())
        .map(Json)
}

async fn sync(_: Operator, State(platform): State<Platform>, asked: Asked) -> Result<Json<Value>, Problem> {
    let until = asked.word_of("wait", &Until::WORDS)?.and_then(Until::parse);
    let until = until.unwrap_or(Until::Hypervisors);
    let limit: Option<u64> = asked.parsed("timeout", "a number of seconds")?;
    let limit = Duration::from_secs(limit.unwrap_or(10).min(120));
    if asked.dry_run()? {
        return Ok(Json(
            json!({ "wait": asked.text("wait"), "done": false, "reason": "a dry run asks nobody" }),
        ));
    }
    synced(&platform, until, limit).await.map(Json)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Timer {
    milliseconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    member: String,
}

async fn compact(
    _: Admin,
    State(platform): State<Platform>,
    Path(database): Path<String>,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let member = asked.text("member").map(str::to_owned);
    act(&platform, &database, &Act::Compact(member), &asked).await
}

async fn transfer(
    _: Admin,
    State(platform): State<Platform>,
    Path(database): Path<String>,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    act(&platform, &database, &Act::Transfer, &asked).await
}

async fn timer(
    _: Admin,
    State(platform): State<Platform>,
    Path(database): Path<String>,
    asked: Asked,
    Input(timer): Input<Timer>,
) -> Result<Json<Value>, Problem> {
    act(
        &platform,
        &database,
        &Act::ElectionTimer(timer.milliseconds),
        &asked,
    )
    .await
}

async fn kick(
    _: Admin,
    State(platform): State<Platform>,
    Path(database): Path<String>,
    asked: Asked,
    Input(who): Input<Who>,
) -> Result<Json<Value>, Problem> {
    act(&platform, &database, &Act::Kick(who.member), &asked).await
}

async fn leave(
    _: Admin,
    State(platform): State<Platform>,
    Path(database): Path<String>,
    asked: Asked,
    Input(who): Input<Who>,
) -> Result<Json<Value>, Problem> {
    act(&platform, &database, &Act::Leave(who.member), &asked).await
}

async fn act(platform: &Platform, name: &str, act: &Act, asked: &Asked) -> Result<Json<Value>, Problem> {
    let now = look(platform).await;
    let found = now.databases.iter().find(|look| look.database == name);
    let database = found.ok_or_else(|| Problem::no_such("database", name))?;
    let deed = Deed::plan(act, database)?;
    let mut answer = deed.to_json();
    let dry_run = asked.dry_run()?;
    answer["dry_run"] = json!(dry_run);
    answer["act"] = json!(act.word());
    answer["database"] = json!(name);
    if !dry_run {
        answer["answers"] = json!(deed.carry_out(platform, name).await?);
    }
    Ok(Json(answer))
}
