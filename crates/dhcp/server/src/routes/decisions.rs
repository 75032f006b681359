//! `/api/v1/decisions`: what was decided about whom, and why.

use super::{Desk, text};
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, past, schema};
use purlin_dhcp_core::view::DecisionQuery;
use serde_json::Value;

/// Pairs of hexadecimal digits with one of the usual separators.
const MAC: &str = "^([0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{2}(-[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{4}([.][0-9a-fA-F]{4}){2}|[0-9a-fA-F]{12})$";

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let query = DecisionQuery {
        mac: asked.parsed("mac", "a MAC address like 02:00:00:00:00:01")?,
        address: asked.parsed("address", "an IPv4 address")?,
        key: None,
        reason: past::code_of(&asked)?.map(|code| code.0),
        notable_only: asked.flag("notable")?,
        limit: asked.limit()?,
    };
    let cursor = asked.cursor()?;
    let page = desk.leases.handle().decisions_before(query, cursor).await;
    Ok(Json(page?.answer(&asked, text::decision)))
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    let draft = route::get("/api/v1/decisions", list)
        .alias("/api/v1/dhcp/decisions")
        .summary("Lists the newest decisions, oldest first")
        .description(
            "Each page is oldest first, and `next_cursor` leads to the page of older ones. Pages show no decision twice \
             and leave none out that is kept, also while new ones come in. Decisions live in bounded memory; refusals \
             and silence are kept longer than ordinary answers. `overwritten` says how many decisions, about anybody, \
             once stood within this page and are gone; on the last page it counts back to the start of the service.",
        )
        .query("mac", schema::matching(MAC, "Only about this hardware address."))
        .query("address", schema::formatted("ipv4", "Only about this address."))
        .query("notable", schema::boolean("Only refusals, silence and drops."));
    [past::listed(draft, "Decision", "Decision")]
}
