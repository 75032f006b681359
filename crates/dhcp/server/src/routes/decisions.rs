//! `/api/v1/decisions`: what was decided about whom, and why.

use super::{Desk, text};
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, schema};
use purlin_dhcp_core::view::DecisionQuery;
use purlin_telemetry::ReasonCode;
use serde_json::Value;

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let query = DecisionQuery {
        mac: asked.parsed("mac", "a MAC address like 02:00:00:00:00:01")?,
        address: asked.parsed("address", "an IPv4 address")?,
        key: None,
        reason: asked
            .parsed::<ReasonCode>("code", "a code like PUR-1101")?
            .map(|code| code.0),
        notable_only: asked.flag("notable")?,
        limit: asked.limit()?,
    };
    let told = desk.handle.decisions(query).await;
    Ok(Json(asked.page(told.iter().map(text::decision).collect(), None)))
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/decisions", list)
        .alias("/api/v1/dhcp/decisions")
        .summary("Lists the newest decisions, oldest first")
        .description(
            "Decisions live in bounded memory; refusals and silence are kept longer than ordinary answers.",
        )
        .query("mac", schema::word("Only about this hardware address."))
        .query("address", schema::formatted("ipv4", "Only about this address."))
        .query("code", schema::word("Only with this reason code."))
        .query("notable", schema::boolean("Only refusals, silence and drops."))
        .limited("How many; 100 when absent.")
        .fields()
        .answers(200, schema::page_of("Decision"))]
}
