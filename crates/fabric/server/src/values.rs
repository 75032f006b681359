//! `/api/v1/cluster/cache`: values that clients keep for a while, and that every node forgets when it is told to.

use crate::work::Work;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::problem::FaultView;
use purlin_api::route::{self, Routes};
use purlin_api::{Operator, Problem, Viewer, schema};
use purlin_fabric::glob;
use serde::Deserialize;
use serde_json::{Value, json};

/// Octets of a key, and of a value as JSON.
const KEY_MAX: usize = 200;
const VALUE_MAX: usize = 64 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    value: Value,
}

pub(crate) fn routes(work: &Work) -> Routes {
    let drafts = [
        route::get("/api/v1/cluster/cache/{key}", get)
            .summary("Reads a value that a client has cached")
            .answers(200, schema::reference("Cached"))
            .errors(&[404]),
        route::put("/api/v1/cluster/cache/{key}", put)
            .summary("Caches a value for clients of all nodes")
            .description("Any node gives it until it lapses (`coordination.cache_ttl`), or until an invalidation names its key. It may be gone at any moment: what is cached here is kept somewhere else.")
            .body(schema::object(&[(
                "value",
                schema::anything("Any JSON, up to 64 KiB."),
            )]))
            .answers(200, schema::reference("Cached"))
            .errors(&[422, 503]),
        route::delete("/api/v1/cluster/cache/{key}", forget)
            .summary("Lets every node forget a value")
            .answers(200, schema::reference("Cached"))
            .errors(&[422, 503]),
    ];
    Routes::new("cluster", work, drafts).component(
        "Cached",
        schema::object(&[
            ("key", schema::string("By custom kind:id, such as `switch:6f1c`.")),
            (
                "value",
                schema::anything("What was cached; null where it was forgotten."),
            ),
            (
                "kept",
                schema::boolean("Whether it is there for the next who asks; false while Redis is away."),
            ),
        ]),
    )
}

async fn get(_: Viewer, State(work): State<Work>, key: Name) -> Result<Json<Value>, Problem> {
    let found = work.cache.get(&key.0).await;
    let octets = found.ok_or_else(|| Problem::no_such("cached value", &key.0))?;
    // Written by this route alone, unless the service behind it was written to by hand.
    let value: Value = serde_json::from_slice(&octets).unwrap_or_default();
    Ok(Json(shown(&key.0, &value, true)))
}

async fn put(
    _: Operator,
    State(work): State<Work>,
    key: Name,
    asked: Asked,
    Input(order): Input<Order>,
) -> Result<Json<Value>, Problem> {
    check_key(&key.0)?;
    let octets = order.value.to_string().into_bytes();
    if octets.len() > VALUE_MAX {
        let message = format!("{} octets as JSON; {VALUE_MAX} are the most", octets.len());
        return Err(Problem::faults(vec![FaultView::error("value", message)]));
    }
    if asked.dry_run()? {
        return Ok(Json(shown(&key.0, &order.value, true)));
    }
    let kept = work.bus.replace(&work.cache, &key.0, octets).await;
    let kept = kept.map_err(|fault| crate::work::away(&fault))?;
    Ok(Json(shown(&key.0, &order.value, kept)))
}

async fn forget(
    _: Operator,
    State(work): State<Work>,
    key: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    check_key(&key.0)?;
    if !asked.dry_run()? {
        let published = work.bus.publish(&[glob::escape(&key.0)]).await;
        published.map_err(|fault| crate::work::away(&fault))?;
    }
    Ok(Json(shown(&key.0, &Value::Null, false)))
}

fn check_key(key: &str) -> Result<(), Problem> {
    if (1..=KEY_MAX).contains(&key.len()) {
        return Ok(());
    }
    let message = format!("a key has 1 to {KEY_MAX} octets, not {}", key.len());
    Err(Problem::faults(vec![FaultView::error("key", message)]))
}

fn shown(key: &str, value: &Value, kept: bool) -> Value {
    json!({ "key": key, "value": value, "kept": kept })
}
