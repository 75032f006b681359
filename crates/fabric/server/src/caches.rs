//! `/api/v1/cluster/invalidations`: what caches of all nodes are to forget.

use crate::work::{Work, away};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Input};
use purlin_api::clock::rfc3339_millis;
use purlin_api::problem::FaultView;
use purlin_api::route::{self, Routes};
use purlin_api::{Operator, Problem, Viewer, schema};
use purlin_fabric_runtime::cache::{Invalidation, Past};
use serde::Deserialize;
use serde_json::{Value, json};

/// Patterns of one request, and octets of each.
const PATTERNS_MAX: usize = 100;
const OCTETS_MAX: usize = 256;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    patterns: Vec<String>,
}

pub(crate) fn routes(work: &Work) -> Routes {
    let pattern = schema::string("A glob as Redis has them: `switch:*`, `user:?`, `[ab]*`.");
    let mut patterns = schema::array(pattern);
    patterns["minItems"] = 1.into();
    patterns["maxItems"] = PATTERNS_MAX.into();
    let drafts = [
        route::get("/api/v1/cluster/invalidations", list)
            .summary("Lists the last invalidations that this node carried out")
            .paged()
            .answers(200, schema::page_of("Invalidation"))
            .errors(&[503]),
        route::post("/api/v1/cluster/invalidations", publish)
            .summary("Lets every node forget what patterns name")
            .description("The caches of this node are clear when the answer comes. Other nodes hear of it at once, or find it in the durable outbox: none misses it.")
            .body(schema::object(&[("patterns", patterns)]))
            .answers(202, schema::reference("Published"))
            .errors(&[422, 503]),
        route::get("/api/v1/cluster/caches", caches)
            .summary("Shows how far this node's caches may be trusted, and what they do")
            .answers(200, schema::reference("Caches")),
    ];
    components(Routes::new("cluster", work, drafts))
}

async fn list(_: Viewer, State(work): State<Work>, asked: Asked) -> Result<Json<Value>, Problem> {
    let past = work.bus.past();
    asked.page_of_all(past.iter().map(shown).collect()).map(Json)
}

async fn publish(
    _: Operator,
    State(work): State<Work>,
    asked: Asked,
    Input(order): Input<Order>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let faults = faults(&order.patterns);
    if !faults.is_empty() {
        return Err(Problem::faults(faults));
    }
    if !asked.dry_run()? {
        let published = work.bus.publish(&order.patterns).await;
        published.map_err(|fault| away(&fault))?;
    }
    let answer = json!({ "patterns": order.patterns, "from": work.node.as_str() });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

fn faults(patterns: &[String]) -> Vec<FaultView> {
    if patterns.is_empty() || patterns.len() > PATTERNS_MAX {
        let message = format!("1 to {PATTERNS_MAX} patterns are wanted, not {}", patterns.len());
        return vec![FaultView::error("patterns", message)];
    }
    let bad = |pattern: &String| pattern.is_empty() || pattern.len() > OCTETS_MAX;
    let bad = patterns.iter().enumerate().filter(|(_, pattern)| bad(pattern));
    bad.map(|(place, _)| {
        let message = format!("a pattern has 1 to {OCTETS_MAX} octets");
        FaultView::error(format!("patterns[{place}]"), message)
    })
    .collect()
}

async fn caches(_: Viewer, State(work): State<Work>) -> Json<Value> {
    let figures = work.bus.figures();
    let caches = work.bus.caches();
    let caches: Vec<Value> = caches
        .iter()
        .map(|(name, cache)| {
            json!({
                "name": name,
                "entries": cache.entries,
                "hits": cache.hits,
                "misses": cache.misses,
                "cleared": cache.cleared,
            })
        })
        .collect();
    Json(json!({
        "freshness": work.bus.freshness().as_str(),
        "published": figures.published,
        "heard": figures.heard,
        "catch_ups": figures.catch_ups,
        "flushes": figures.flushes,
        "caches": caches,
    }))
}

fn shown(past: &Past) -> Value {
    let (patterns, from) = match &past.what {
        Invalidation::Patterns { patterns, from } => (json!(patterns), json!(from)),
        Invalidation::Everything => (Value::Null, Value::Null),
    };
    json!({
        "at": rfc3339_millis(past.at.0),
        "patterns": patterns,
        "from": from,
        "latency_seconds": past.latency.map(|latency| latency.as_secs_f64()),
    })
}

fn components(routes: Routes) -> Routes {
    let texts = |what| schema::array(schema::string(what));
    let mut everything = texts("A glob.");
    everything["type"] = json!(["array", "null"]);
    let cache = schema::object(&[
        ("name", schema::string("What is cached.")),
        ("entries", schema::count("Values kept now.")),
        ("hits", schema::count("Values asked for that were there.")),
        ("misses", schema::count("Values asked for that were not.")),
        ("cleared", schema::count("Values that an invalidation took out.")),
    ]);
    routes
        .component(
            "Invalidation",
            schema::object(&[
                ("at", schema::formatted("date-time", "When it was done here.")),
                ("patterns", everything),
                (
                    "from",
                    schema::nullable(schema::string(
                        "The node that published it; null for what was found in the outbox.",
                    )),
                ),
                (
                    "latency_seconds",
                    schema::nullable(schema::number("Since it was announced.")),
                ),
            ]),
        )
        .component(
            "Published",
            schema::object(&[
                ("patterns", texts("A glob.")),
                ("from", schema::string("The node that published it.")),
            ]),
        )
        .component(
            "Caches",
            schema::object(&[
                (
                    "freshness",
                    schema::one_of(
                        &["live", "polling", "blind"],
                        "Whether invalidations arrive, are looked for, or neither.",
                    ),
                ),
                ("published", schema::count("Announcements made here.")),
                ("heard", schema::count("Announcements of other nodes.")),
                (
                    "catch_ups",
                    schema::count("Times the outbox was read because something may have been missed."),
                ),
                ("flushes", schema::count("Times everything cached was dropped.")),
                ("caches", schema::array(cache)),
            ]),
        )
}
