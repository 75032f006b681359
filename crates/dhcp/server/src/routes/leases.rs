//! `/api/v1/dhcp/leases`: search, one lease, release by an operator.

use super::{Desk, text};
use crate::error::ControlError;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures_util::stream::{self, StreamExt};
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::route::{self, Draft};
use purlin_api::{Operator, Problem, Viewer, reasons, schema};
use purlin_dhcp_core::view::{LeaseQuery, LeaseState};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// Leases that one bulk release ends at most.
const BULK_MAX: usize = 10_000;
/// Releases on their way at one time: they share the journal's next sync.
const AT_ONCE: usize = 256;
/// Leases read per question of a bulk release.
const PAGE: usize = 1000;

/// Cursors are addresses.
const CURSOR: &str =
    r"^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3})?$";

const STATES: [&str; 6] = ["free", "offered", "bound", "expired", "released", "declined"];

/// Which leases a bulk release ends: addresses, or whatever all filters hold for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct BulkOrder {
    addresses: Vec<Ipv4Addr>,
    q: String,
    subnet: String,
}

fn query(asked: &Asked) -> Result<LeaseQuery, Problem> {
    let state = asked.word_of("state", &STATES)?.and_then(LeaseState::parse);
    Ok(LeaseQuery {
        text: asked.text("q").unwrap_or_default().to_owned(),
        subnet: asked.text("subnet").unwrap_or_default().to_owned(),
        state,
        after: asked.cursor()?,
        limit: asked.limit()?,
    })
}

async fn list(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let page = desk.handle.leases(query(&asked)?).await;
    let items = page.leases.iter().map(text::lease).collect();
    Ok(Json(asked.page(items, page.next.map(|next| next.to_string()))))
}

async fn one(_: Viewer, State(desk): State<Desk>, name: Name) -> Result<Json<Value>, Problem> {
    let lease = desk.handle.lease(name.parsed("lease")?).await;
    let lease = lease.ok_or_else(|| Problem::no_such("lease", &name.0))?;
    Ok(Json(text::lease(&lease)))
}

async fn release(
    _: Operator,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let address: Ipv4Addr = name.parsed("lease")?;
    let dry_run = asked.dry_run()?;
    let done = if dry_run {
        held(&desk, address).await
    } else {
        desk.handle.release(address).await.map_err(problem)?
    };
    if !done {
        return Err(Problem::no_such("held lease", &name.0));
    }
    Ok(Json(
        json!({ "address": address, "released": !dry_run, "dry_run": dry_run }),
    ))
}

/// Whether there is something to release.
async fn held(desk: &Desk, address: Ipv4Addr) -> bool {
    let lease = desk.handle.lease(address).await;
    lease.is_some_and(|lease| matches!(lease.state, LeaseState::Bound | LeaseState::Offered))
}

async fn release_many(
    _: Operator,
    State(desk): State<Desk>,
    asked: Asked,
    Input(order): Input<BulkOrder>,
) -> Result<Json<Value>, Problem> {
    let dry_run = asked.dry_run()?;
    let (addresses, more) = chosen(&desk, order).await?;
    let wanted = addresses.len();
    let mut released = 0;
    if dry_run {
        for address in addresses {
            released += u64::from(held(&desk, address).await);
        }
    } else {
        let handle = &desk.handle;
        let mut results = stream::iter(addresses)
            .map(|address| handle.release(address))
            .buffer_unordered(AT_ONCE);
        while let Some(result) = results.next().await {
            let done = result.map_err(|error| problem(error).with("released", released))?;
            released += u64::from(done);
        }
    }
    let left = wanted as u64 - released;
    Ok(Json(
        json!({ "released": released, "not_held": left, "more": more, "dry_run": dry_run }),
    ))
}

/// The addresses meant, and whether there are more than one request may release.
async fn chosen(desk: &Desk, order: BulkOrder) -> Result<(Vec<Ipv4Addr>, bool), Problem> {
    let wrong =
        |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::WRONG_SHAPE, detail);
    let filtered = !order.q.is_empty() || !order.subnet.is_empty();
    if filtered != order.addresses.is_empty() {
        return Err(wrong("name either addresses, or q and/or subnet".to_owned()));
    }
    if !filtered {
        if order.addresses.len() > BULK_MAX {
            return Err(wrong(format!("at most {BULK_MAX} addresses at a time")));
        }
        return Ok((order.addresses, false));
    }
    let mut query = LeaseQuery {
        text: order.q,
        subnet: order.subnet,
        state: Some(LeaseState::Bound),
        after: None,
        limit: PAGE,
    };
    let mut found = Vec::new();
    loop {
        let page = desk.handle.leases(query.clone()).await;
        found.extend(page.leases.iter().map(|lease| lease.address));
        query.after = page.next;
        if page.next.is_none() || found.len() >= BULK_MAX {
            let more = page.next.is_some() || found.len() > BULK_MAX;
            found.truncate(BULK_MAX);
            return Ok((found, more));
        }
    }
}

fn problem(error: ControlError) -> Problem {
    match error {
        ControlError::Stopped => Problem::not_ready(error.to_string()),
        ControlError::NotRecorded => Problem::new(
            StatusCode::INSUFFICIENT_STORAGE,
            &reasons::STORE_FULL,
            error.to_string(),
        ),
    }
}

pub(super) fn drafts() -> [Draft<Desk>; 4] {
    let about = "Text is looked for, without regard to case, in address, MAC, client id, host name, circuit and remote \
        id. A page may be shorter than `limit` although `next_cursor` is set.";
    [
        route::get("/api/v1/dhcp/leases", list)
            .alias("/api/v1/leases")
            .summary("Lists leases in address order, or searches them")
            .description(about)
            .query("q", schema::string("Part of anything."))
            .query("subnet", schema::string("Name of a subnet."))
            .query("state", schema::one_of(&STATES, "Only leases in this state."))
            .paged_by(CURSOR)
            .answers(200, schema::page_of("Lease")),
        route::get("/api/v1/dhcp/leases/{address}", one)
            .alias("/api/v1/leases/{address}")
            .summary("Shows the lease of an address")
            .answers(200, schema::reference("Lease"))
            .errors(&[404]),
        route::delete("/api/v1/dhcp/leases/{address}", release)
            .alias("/api/v1/leases/{address}")
            .summary("Ends a lease")
            .description("The client is not told: it may go on using the address until it renews.")
            .answers(200, schema::reference("ReleasedLease"))
            .errors(&[404, 503]),
        route::post("/api/v1/dhcp/leases/release", release_many)
            .alias("/api/v1/leases/release")
            .summary("Ends many leases")
            .description(
                "By address, or all held leases that `q` and `subnet` hold for; at most 10,000 at a time.",
            )
            .body(schema::object(&[
                ("addresses?", schema::array(schema::formatted("ipv4", "Address."))),
                ("q?", schema::string("Part of anything.")),
                ("subnet?", schema::string("Name of a subnet.")),
            ]))
            .answers(200, schema::reference("ReleasedLeases"))
            .errors(&[503]),
    ]
}
