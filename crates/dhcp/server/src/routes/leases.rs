//! `/api/v1/dhcp/leases`: search, one lease, release by an operator.

use super::{Desk, schemas, text};
use crate::error::ControlError;
use crate::{Away, Holder, ReleaseError};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures_util::stream::{self, StreamExt};
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::route::{self, Draft};
use purlin_api::schema::Schema;
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
    let found = desk.leases.page(query(&asked)?).await;
    let shown = found
        .leases
        .iter()
        .map(|lease| text::held_lease(&desk.leases, lease));
    let mut page = asked.page(shown.collect(), found.next.map(|next| next.to_string()));
    page["partial"] = found.partial.into();
    Ok(Json(page))
}

async fn one(_: Viewer, State(desk): State<Desk>, name: Name) -> Result<Json<Value>, Problem> {
    let lease = desk
        .leases
        .lease(name.parsed("lease")?)
        .await
        .map_err(|error| away(&error))?;
    let lease = lease.ok_or_else(|| Problem::no_such("lease", &name.0))?;
    Ok(Json(text::held_lease(&desk.leases, &lease)))
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
        held(&desk, address).await?
    } else {
        let ended = desk.leases.release(address).await;
        ended.map_err(|error| refused(address, error))?
    };
    if !done {
        return Err(Problem::no_such("held lease", &name.0));
    }
    Ok(Json(
        json!({ "address": address, "released": !dry_run, "dry_run": dry_run }),
    ))
}

/// Whether there is something to release.
async fn held(desk: &Desk, address: Ipv4Addr) -> Result<bool, Problem> {
    let lease = desk.leases.lease(address).await.map_err(|error| away(&error))?;
    Ok(lease.is_some_and(|lease| crate::leases::held(lease.state)))
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
    let (mut released, mut elsewhere) = (0, Vec::new());
    if dry_run {
        for address in addresses {
            released += u64::from(held(&desk, address).await?);
        }
    } else {
        let leases = &desk.leases;
        let mut results = stream::iter(addresses)
            .map(async |address| (address, leases.release(address).await))
            .buffer_unordered(AT_ONCE);
        while let Some((address, result)) = results.next().await {
            match result {
                Ok(done) => released += u64::from(done),
                Err(ReleaseError::Elsewhere(holder)) => elsewhere.push(match holder {
                    Some(holder) => format!("{address} {}", holder.node),
                    None => address.to_string(),
                }),
                Err(error) => return Err(refused(address, error).with("released", released)),
            }
        }
    }
    let left = (wanted - elsewhere.len()) as u64 - released;
    Ok(Json(json!({
        "released": released,
        "not_held": left,
        "elsewhere": elsewhere,
        "more": more,
        "dry_run": dry_run,
    })))
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
        let page = desk.leases.page(query.clone()).await;
        if let Some(why) = page.partial {
            return Err(Problem::not_ready(why));
        }
        found.extend(page.leases.iter().map(|lease| lease.address));
        query.after = page.next;
        if page.next.is_none() || found.len() >= BULK_MAX {
            let more = page.next.is_some() || found.len() > BULK_MAX;
            found.truncate(BULK_MAX);
            return Ok((found, more));
        }
    }
}

fn away(error: &Away) -> Problem {
    Problem::not_ready(error.to_string())
}

/// Why a lease was not ended.
fn refused(address: Ipv4Addr, error: ReleaseError) -> Problem {
    match error {
        ReleaseError::Control(error) => problem(error),
        ReleaseError::Away(error) => away(&error),
        ReleaseError::Elsewhere(None) => Problem::not_ready(format!(
            "{address} is between two nodes; try again in some seconds"
        )),
        ReleaseError::Elsewhere(Some(Holder { node, api })) => {
            let place = api.as_ref().map(|api| format!(" at {api}")).unwrap_or_default();
            let detail = format!("{node} holds {address}: ask that node{place}");
            Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, detail)
                .with("holder", node.to_string())
                .with("api", api)
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

fn page() -> Schema {
    let mut page = schema::page_of("Lease");
    page["properties"]["partial"] = schemas::partial();
    if let Some(required) = page["required"].as_array_mut() {
        required.push("partial".into());
    }
    page
}

pub(super) fn drafts() -> [Draft<Desk>; 4] {
    let about = "Text is looked for, without regard to case, in address, MAC, client id, host name, circuit and remote \
        id. A page may be shorter than `limit` although `next_cursor` is set. In a cluster every node lists the leases of all; \
        `partial` says so when it cannot.";
    [
        route::get("/api/v1/dhcp/leases", list)
            .alias("/api/v1/leases")
            .summary("Lists leases in address order, or searches them")
            .description(about)
            .query("q", schema::string("Part of anything."))
            .query("subnet", schema::string("Name of a subnet."))
            .query("state", schema::one_of(&STATES, "Only leases in this state."))
            .paged_by(CURSOR)
            .answers(200, page()),
        route::get("/api/v1/dhcp/leases/{address}", one)
            .alias("/api/v1/leases/{address}")
            .summary("Shows the lease of an address")
            .answers(200, schema::reference("Lease"))
            .errors(&[404, 503]),
        route::delete("/api/v1/dhcp/leases/{address}", release)
            .alias("/api/v1/leases/{address}")
            .summary("Ends a lease")
            .description("The client is not told: it may go on using the address until it renews. In a cluster, 409 names the node to ask when another one holds the address.")
            .answers(200, schema::reference("ReleasedLease"))
            .errors(&[404, 409, 503]),
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
