//! `/api/v1/dhcp/pins`: addresses that another part of the installation gives to machines.

use super::Desk;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::schema::{self, Schema};
use purlin_api::{Problem, Viewer};
use purlin_dhcp_core::pin::{Pin, PinConflict};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/dhcp/pins", list)
        .summary("Lists the addresses that are pinned to machines, and what of them does not hold")
        .description("Pins are no configuration: another part of the installation says them, such as the ports of OVN's switches that Purlin answers. They hold like reservations by hardware address. `conflict` says why one does not hold as it is meant; `conflicts=true` asks for those alone.")
        .query("conflicts", schema::boolean("Only those that do not hold as they are meant."))
        .paged()
        .answers(200, schema::page_of("Pin"))]
}

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let plan = desk.leases.handle().plan();
    let conflicts: HashMap<&Pin, &PinConflict> = plan
        .pin_conflicts()
        .iter()
        .map(|found| (&found.pin, found))
        .collect();
    let only = asked.text("conflicts") == Some("true");
    let rows = plan.pins().iter().filter_map(|pin| {
        let conflict = conflicts.get(pin).copied();
        (!only || conflict.is_some()).then(|| shown(pin, conflict))
    });
    asked.page_of_all(rows.collect()).map(Json)
}

fn shown(pin: &Pin, conflict: Option<&PinConflict>) -> Value {
    json!({
        "address": pin.address,
        "mac": pin.mac.to_string(),
        "by": pin.by,
        "within": pin.within,
        "conflict": conflict.map(ToString::to_string),
        "fix": conflict.map(PinConflict::fix),
    })
}

pub(super) fn component() -> Schema {
    let maybe = |what| schema::nullable(schema::string(what));
    schema::object(&[
        ("address", schema::formatted("ipv4", "The address.")),
        (
            "mac",
            schema::string("Hardware address of the machine that it is for."),
        ),
        (
            "by",
            schema::string("Who says so, such as `port web-1 of switch web`."),
        ),
        (
            "within",
            schema::formatted("ipv4", "An address on the machine's link."),
        ),
        ("conflict", maybe("Why it does not hold as it is meant.")),
        ("fix", maybe("What to do about that.")),
    ])
}
