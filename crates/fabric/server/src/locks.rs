//! `/api/v1/cluster/locks`: locks that clients hold, and everybody sees.

mod order;
mod rows;

use crate::work::{Work, away};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use order::{Order, Proof};
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::{Operator, Problem, Viewer, reasons, schema};
use purlin_fabric::lock::{Class, LockError, LockName};
use purlin_fabric_runtime::locks::desk::{DeskError, Lease};
use serde_json::{Value, json};

/// Carries the token where a request has no body.
const TOKEN_HEADER: &str = "lock-token";

pub(crate) fn routes(work: &Work) -> Routes {
    let routes = Routes::new("cluster", work, reads().into_iter().chain(acts()));
    rows::components(routes)
}

fn reads() -> [Draft<Work>; 2] {
    [
        route::get("/api/v1/cluster/locks", list)
            .summary("Lists the locks that are held, by whom and for how long")
            .paged()
            .answers(200, schema::page_of("Lock"))
            .errors(&[503]),
        route::get("/api/v1/cluster/locks/{name}", one)
            .summary("One lock that is held")
            .answers(200, schema::reference("Lock"))
            .errors(&[404, 503]),
    ]
}

fn acts() -> [Draft<Work>; 3] {
    let token = || schema::matching("^[0-9a-f]{32}$", "The token of the holder.");
    [
        route::post("/api/v1/cluster/locks", acquire)
            .summary("Acquires a lock, or waits for it as many tries as are asked for")
            .description("An advisory lock keeps work from being done twice; when the service behind it forgets, two may hold it. A fenced one is a claim in the store of the cluster: its `fence` rises with every holder and goes into what the lock protects. Either lapses after its ttl unless it is renewed. Nodes without a Redis in common give fenced ones only.")
            .body(order::schema())
            .answers(201, schema::reference("Lease"))
            .errors(&[409, 422, 503]),
        route::put("/api/v1/cluster/locks/{name}", renew)
            .summary("Makes a lock good for its ttl from now on")
            .body(schema::object(&[("token", token())]))
            .answers(200, schema::reference("Lease"))
            .errors(&[404, 409, 503]),
        route::delete("/api/v1/cluster/locks/{name}", release)
            .summary("Gives a lock back; once more is harmless")
            .header("Lock-Token", token())
            .optional_body(schema::object(&[("token", token())]))
            .answers(200, schema::reference("Released"))
            .errors(&[409, 503]),
    ]
}

async fn list(_: Viewer, State(work): State<Work>, asked: Asked) -> Result<Json<Value>, Problem> {
    let mut page = asked.page_of_all(rows::names(&work).await?)?;
    if let Some(items) = page["items"].as_array_mut() {
        rows::complete(&work, items).await?;
        items.iter_mut().for_each(|item| asked.select(item));
    }
    Ok(Json(page))
}

async fn one(_: Viewer, State(work): State<Work>, name: Name) -> Result<Json<Value>, Problem> {
    let all = rows::names(&work).await?;
    let found = all.into_iter().find(|row| row["name"] == *name.0);
    let mut found = vec![found.ok_or_else(|| Problem::no_such("lock", &name.0))?];
    rows::complete(&work, &mut found).await?;
    Ok(Json(found.remove(0)))
}

async fn acquire(
    Operator(caller): Operator,
    State(work): State<Work>,
    asked: Asked,
    Input(order): Input<Order>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (name, mut options) = order.read()?;
    if work.claims_only {
        options.class = Class::Fenced;
    }
    if asked.dry_run()? {
        let would = json!({ "name": name, "token": null, "fence": null, "owner": caller.name, "node": work.node.as_str(),
            "class": order::word(options.class), "ttl_seconds": options.ttl.as_secs_f64() });
        return Ok((StatusCode::CREATED, Json(would)));
    }
    match work.desk.acquire(&caller.name, &name, options).await {
        Ok(lease) => Ok((StatusCode::CREATED, Json(shown(&lease)))),
        Err(DeskError::Lock(LockError::Busy { tries, waited })) => {
            Err(busy(&work, &name, tries, waited.as_secs_f64()).await)
        }
        Err(error) => Err(refused(&error)),
    }
}

/// Says who has it.
async fn busy(work: &Work, name: &str, tries: u32, waited: f64) -> Problem {
    let times = if tries == 1 {
        "asked for once".to_owned()
    } else {
        format!("asked for {tries} times in {waited:.1} s")
    };
    // Not known of a lock that a node holds for itself, or that was given back just now.
    let Ok(Some(card)) = work.desk.card(name).await else {
        let why = format!("the lock {name:?} was held by others; {times}");
        return Problem::new(StatusCode::CONFLICT, &reasons::LOCK_HELD, why);
    };
    let held = work.desk.wall().saturating_sub(card.since) / 1000;
    let why = format!(
        "the lock {name:?} is held by {} through {} for {held} s; {times}",
        card.owner, card.node
    );
    Problem::new(StatusCode::CONFLICT, &reasons::LOCK_HELD, why)
        .with("owner", card.owner.as_str())
        .with("node", card.node.as_str())
}

async fn renew(
    _: Operator,
    State(work): State<Work>,
    name: Name,
    asked: Asked,
    Input(proof): Input<Proof>,
) -> Result<Json<Value>, Problem> {
    let token = proof.read()?;
    if asked.dry_run()? {
        let card = work.desk.card(&name.0).await.map_err(|error| refused(&error))?;
        let card = card.ok_or_else(|| Problem::no_such("lock", &name.0))?;
        return Ok(Json(
            json!({ "name": name.0, "token": null, "fence": null, "owner": card.owner, "node": card.node,
            "class": order::word(card.class), "ttl_seconds": card.ttl.as_secs_f64() }),
        ));
    }
    let lease = work.desk.renew(&name.0, token).await;
    lease
        .map(|lease| Json(shown(&lease)))
        .map_err(|error| refused(&error))
}

async fn release(
    _: Operator,
    State(work): State<Work>,
    name: Name,
    asked: Asked,
    headers: HeaderMap,
    body: Option<Input<Proof>>,
) -> Result<Json<Value>, Problem> {
    let header = headers.get(TOKEN_HEADER).and_then(|value| value.to_str().ok());
    let proof = match (body, header) {
        (Some(Input(proof)), _) => proof,
        (None, Some(text)) => Proof::new(text),
        (None, None) => {
            return Err(Problem::parameter(
                "the token is missing: give it as Lock-Token, or as {\"token\": ...}",
            ));
        }
    };
    let token = proof.read()?;
    LockName::parse(&name.0).map_err(|error| refused(&error.into()))?;
    let held = if asked.dry_run()? {
        work.desk
            .card(&name.0)
            .await
            .map_err(|error| refused(&error))?
            .is_some()
    } else {
        let released = work.desk.release(&name.0, token).await;
        released.map_err(|error| refused(&error))?
    };
    Ok(Json(json!({ "name": name.0, "was_held": held })))
}

fn shown(lease: &Lease) -> Value {
    json!({
        "name": lease.name,
        "token": format!("{:032x}", lease.proof),
        "fence": lease.fence.map(|epoch| epoch.to_string()),
        "owner": lease.card.owner,
        "node": lease.card.node,
        "class": order::word(lease.card.class),
        "ttl_seconds": lease.ttl.as_secs_f64(),
    })
}

fn refused(error: &DeskError) -> Problem {
    let conflict = |reason| Problem::new(StatusCode::CONFLICT, reason, error.to_string());
    match error {
        DeskError::Lock(LockError::Busy { .. }) | DeskError::NotYours(_) => conflict(&reasons::LOCK_HELD),
        DeskError::Lock(LockError::Lost(_)) => conflict(&reasons::LOCK_LOST),
        DeskError::Elsewhere { node, .. } => conflict(&reasons::NOT_POSSIBLE).with("node", node.as_str()),
        DeskError::Lock(LockError::Name(_) | LockError::Options(_)) => Problem::parameter(error.to_string()),
        DeskError::Unknown(name) => Problem::no_such("lock", name),
        DeskError::Full { .. } => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            &reasons::TOO_BUSY,
            error.to_string(),
        ),
        DeskError::Lock(LockError::NoLease | LockError::Away { .. }) | DeskError::Away => away(error),
    }
}

/// The class of a lock from outside the desk.
fn class_of(fenced: bool) -> &'static str {
    order::word(if fenced { Class::Fenced } else { Class::Advisory })
}
