//! `/api/v1/dhcp/forecast`: when the pools of each subnet will have nothing left.

use super::Desk;
use crate::forecast::in_use;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::clock::rfc3339_millis;
use purlin_api::route::{self, Draft};
use purlin_api::schema::{self, Schema};
use purlin_api::{Problem, Viewer};
use purlin_dhcp_core::view::SubnetUse;
use purlin_fabric::capacity::{Confidence, Forecast, Sample, UseHistory, confidence, forecast, words};
use purlin_netio::now;
use serde_json::{Value, json};
use std::time::Duration;

const STATES: [&str; 6] = ["full", "unknown", "steady", "shrinking", "growing", "filling"];

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/dhcp/forecast", list)
        .summary("Tells when the pools of each subnet will be full, and how far that is to be believed")
        .description("The median growth between all samples of up to four weeks (Theil and Sen), with the interval that holds with 95 % certainty; whether there is growth at all is asked of the ranks (Mann and Kendall). A sample is taken every five minutes.")
        .paged()
        .answers(200, schema::page_of("PoolForecast"))
        .errors(&[503])]
}

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let known = desk.uses.read().await;
    let known = known.map_err(|fault| Problem::not_ready(fault.to_string()))?;
    let usage = desk.leases.usage().await;
    let wall = now().wall;
    let rows = usage.subnets.iter().map(|used| {
        let history = known.get(&used.subnet).cloned().unwrap_or_default();
        shown(used, history, wall.0)
    });
    asked.page_of_all(rows.collect()).map(Json)
}

fn shown(used: &SubnetUse, mut history: UseHistory, now_ms: u64) -> Value {
    history.push(Sample {
        at: now_ms / 1000,
        used: in_use(used),
    });
    let (window, span) = (history.window(), history.span());
    let seen = forecast(window, used.size);
    let (state, per_day, times) = numbers(&seen);
    let [after, earliest, latest] = times.map(|time| time.map(|time| time.as_secs()));
    let full_at = after.and_then(|secs| now_ms.checked_add(secs.checked_mul(1000)?));
    json!({
        "subnet": used.subnet,
        "size": used.size,
        "used": in_use(used),
        "free": used.size.saturating_sub(in_use(used)),
        "state": state,
        "per_day": per_day,
        "full_in_seconds": after,
        "earliest_seconds": earliest,
        "latest_seconds": latest,
        "full_at": full_at.filter(|at| *at < 253_402_300_799_000).map(rfc3339_millis),
        "confidence": confidence(&seen, span).as_str(),
        "samples": window.len(),
        "seen_seconds": span,
        "text": words(&seen, span),
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
        ("size", schema::count("Addresses in its pools.")),
        (
            "used",
            schema::count("Addresses bound or declined, over all nodes."),
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
    fn a_subnet_that_fills_says_when() {
        let used = SubnetUse {
            network: "all".into(),
            subnet: "main".into(),
            size: 1000,
            bound: 700,
            offered: 0,
            declined: 0,
            reusable: 0,
            reserved: 0,
        };
        let mut history = UseHistory::default();
        for hour in 0..240 {
            history.push(Sample {
                at: 1_700_000_000 + hour * 3600,
                used: 220 + hour * 2,
            });
        }
        let now = (1_700_000_000 + 240 * 3600) * 1000;
        let row = shown(&used, history, now);
        assert_eq!(
            (&row["state"], &row["confidence"]),
            (&json!("filling"), &json!("high")),
            "{row}"
        );
        let hours = row["full_in_seconds"].as_u64().expect("known") / 3600;
        assert!((145..=155).contains(&hours), "{row}");
        assert!(
            row["full_at"].is_string() && row["text"].as_str().is_some_and(|text| text.contains("6 days")),
            "{row}"
        );
        let fresh = shown(&used, UseHistory::default(), now);
        assert_eq!(
            (&fresh["state"], &fresh["confidence"]),
            (&json!("unknown"), &json!("none"))
        );
    }
}
