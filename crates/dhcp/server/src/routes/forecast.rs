//! `/api/v1/dhcp/forecast`: when each pool will have nothing left.

use super::Desk;
use crate::forecast::{Prospect, prospects};
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::clock::rfc3339_millis;
use purlin_api::route::{self, Draft};
use purlin_api::schema::{self, Schema};
use purlin_api::{Problem, Viewer};
use purlin_fabric::capacity::{Confidence, Forecast};
use purlin_netio::now;
use serde_json::{Value, json};
use std::time::Duration;

const STATES: [&str; 6] = ["full", "unknown", "steady", "shrinking", "growing", "filling"];

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/dhcp/forecast", list)
        .summary("Tells when each pool will be full, and how far that is to be believed")
        .description("The median growth between all samples of up to four weeks (Theil and Sen), with the interval that holds with 95 % certainty; whether there is growth at all is asked of the ranks (Mann and Kendall). A sample is taken every five minutes. A subnet with several pools has a row for all of them, without `pool`, and one for each; `subnet=NAME` asks for one subnet.")
        .query("subnet", schema::string("Only this subnet."))
        .paged()
        .answers(200, schema::page_of("PoolForecast"))
        .errors(&[503])]
}

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let known = desk.uses.read().await;
    let known = known.map_err(|fault| Problem::not_ready(fault.to_string()))?;
    let usage = desk.leases.usage().await;
    let wall = now().wall;
    let mut subnets = usage.subnets;
    if let Some(name) = asked.text("subnet") {
        subnets.retain(|used| used.subnet == name);
    }
    // Many slopes for each of many pools: no work for a thread that answers others.
    let at = wall.secs().into();
    let all = tokio::task::spawn_blocking(move || prospects(&subnets, &known, at)).await;
    let all = all.map_err(|_| Problem::not_ready("the forecast was not finished"))?;
    let rows = all.iter().map(|prospect| shown(prospect, wall.0));
    asked.page_of_all(rows.collect()).map(Json)
}

fn shown(prospect: &Prospect, now_ms: u64) -> Value {
    let (state, per_day, times) = numbers(&prospect.seen);
    let [after, earliest, latest] = times.map(|time| time.map(|time| time.as_secs()));
    let full_at = after.and_then(|secs| now_ms.checked_add(secs.checked_mul(1000)?));
    json!({
        "subnet": prospect.subnet,
        "pool": prospect.pool.map(|range| range.to_string()),
        "size": prospect.size,
        "used": prospect.used,
        "free": prospect.size.saturating_sub(prospect.used),
        "state": state,
        "per_day": per_day,
        "full_in_seconds": after,
        "earliest_seconds": earliest,
        "latest_seconds": latest,
        "full_at": full_at.filter(|at| *at < 253_402_300_799_000).map(rfc3339_millis),
        "confidence": prospect.confidence().as_str(),
        "samples": prospect.samples,
        "seen_seconds": prospect.span,
        "text": prospect.words(),
    })
}

/// A word, growth a day, and when: likely, at the earliest, at the latest.
fn numbers(seen: &Forecast) -> (&'static str, Option<f64>, [Option<Duration>; 3]) {
    match *seen {
        Forecast::Full => (STATES[0], None, [Some(Duration::ZERO); 3]),
        Forecast::TooShort { .. } => (STATES[1], None, [None; 3]),
        Forecast::NoTrend => (STATES[2], Some(0.0), [None; 3]),
        Forecast::Shrinking { per_day } => (STATES[3], Some(per_day), [None; 3]),
        Forecast::NotSoon { per_day, after } => (STATES[4], Some(per_day), [None, Some(after), None]),
        Forecast::Exhausted {
            per_day,
            after,
            earliest,
            latest,
        } => (STATES[5], Some(per_day), [Some(after), Some(earliest), latest]),
    }
}

pub(super) fn component() -> Schema {
    let seconds = |what| schema::nullable(schema::count(what));
    let confidences = Confidence::ALL.map(Confidence::as_str);
    schema::object(&[
        ("subnet", schema::string("Name of the subnet.")),
        (
            "pool",
            schema::nullable(schema::string(
                "The range of addresses; null for several pools together.",
            )),
        ),
        ("size", schema::count("Addresses in it.")),
        (
            "used",
            schema::count("Addresses in it that are bound or declined, over all nodes."),
        ),
        ("free", schema::count("Addresses that are neither.")),
        (
            "state",
            schema::one_of(
                &STATES,
                "filling: the end is in sight; growing: it is not; unknown: too few samples.",
            ),
        ),
        (
            "per_day",
            schema::nullable(schema::number("Growth a day; below 0 when it falls.")),
        ),
        (
            "full_in_seconds",
            seconds("Until nothing is left, at current growth."),
        ),
        ("earliest_seconds", seconds("With 95 % certainty not before.")),
        (
            "latest_seconds",
            seconds("And not after; null when it may never be."),
        ),
        (
            "full_at",
            schema::nullable(schema::formatted("date-time", "The same as a point in time.")),
        ),
        (
            "confidence",
            schema::one_of(&confidences, "How far it is to be believed."),
        ),
        ("samples", schema::count("Samples that were seen.")),
        ("seen_seconds", schema::count("From the first of them to now.")),
        ("text", schema::string("The same in words.")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_fills_says_when() {
        let seen = Forecast::Exhausted {
            per_day: 48.0,
            after: Duration::from_secs(150 * 3600),
            earliest: Duration::from_secs(149 * 3600),
            latest: Some(Duration::from_secs(151 * 3600)),
        };
        let prospect = Prospect {
            subnet: "main".into(),
            pool: "10.0.1.0-10.0.1.99".parse().ok(),
            size: 100,
            used: 70,
            samples: 240,
            span: 10 * 86_400,
            seen,
        };
        let row = shown(&prospect, 1_700_000_000_000);
        assert_eq!(
            (&row["pool"], &row["state"], &row["confidence"], &row["free"]),
            (
                &json!("10.0.1.0-10.0.1.99"),
                &json!("filling"),
                &json!("high"),
                &json!(30)
            ),
            "{row}"
        );
        assert_eq!(row["full_in_seconds"], 150 * 3600);
        assert_eq!(row["full_at"], "2023-11-21T04:13:20.000Z", "{row}");
        let fresh = Prospect {
            pool: None,
            seen: Forecast::TooShort { samples: 1 },
            ..prospect
        };
        let row = shown(&fresh, 0);
        assert_eq!(
            (&row["pool"], &row["state"], &row["confidence"]),
            (&Value::Null, &json!("unknown"), &json!("none"))
        );
    }
}
