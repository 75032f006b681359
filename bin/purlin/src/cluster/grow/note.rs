//! The note in the database that says whose leases are being moved into it, so that nobody else serves from half of them.

use super::super::engines::Engines;
use super::not_possible;
use crate::exit::{Failure, chain};
use crate::log;
use purlin_api::Problem;
use purlin_dhcp_core::rows::LEASES;
use purlin_fabric::port::NodeState;
use purlin_store::{Batch, Records};
use purlin_types::NodeId;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TABLE: &str = "grow";
const KEY: &[u8] = b"1";
pub(super) const COPYING: &str = "copying";
const MOVED: &str = "moved";

/// What to look at when the database does not answer.
const SEE: &str = "see store.url";

/// How often a node that has to wait looks again, and says so.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const TELL_EVERY: Duration = Duration::from_secs(15);

/// Whose leases, and how far.
struct Note {
    node: String,
    state: String,
}

async fn read(records: &Arc<dyn Records>) -> Result<Option<Note>, String> {
    let records = Arc::clone(records);
    let read = tokio::task::spawn_blocking(move || records.get(TABLE, KEY)).await;
    let row = read.map_err(|_| "a thread of the store died".to_owned())?;
    let row = row.map_err(|cause| chain(&cause))?;
    let value = row.and_then(|row| serde_json::from_slice::<Value>(&row).ok());
    Ok(value.map(|value| Note {
        node: value["node"].as_str().unwrap_or_default().to_owned(),
        state: value["state"].as_str().unwrap_or_default().to_owned(),
    }))
}

async fn put(records: &Arc<dyn Records>, node: &NodeId, state: &str) -> Result<(), String> {
    let (records, row) = (
        Arc::clone(records),
        json!({ "node": node.as_str(), "state": state }).to_string(),
    );
    let batch = Batch::default().put(TABLE, KEY, row);
    let written = tokio::task::spawn_blocking(move || records.commit(batch)).await;
    let written = written.map_err(|_| "a thread of the store died".to_owned())?;
    written.map_err(|cause| chain(&cause))
}

fn records(engines: &Engines) -> Result<&Arc<dyn Records>, String> {
    engines
        .records
        .as_ref()
        .ok_or_else(|| "the store keeps no records".to_owned())
}

/// Says that this node moves its leases.
pub(super) async fn write(engines: &Engines, node: &NodeId, state: &str) -> Result<(), String> {
    put(records(engines)?, node, state).await
}

/// Nobody else may live in the database, and nobody else's leases be in it.
pub(super) async fn check(engines: &Engines, me: &NodeId) -> Result<(), Problem> {
    let found = read(records(engines).map_err(Problem::not_ready)?).await;
    let found = found.map_err(Problem::not_ready)?;
    if let Some(note) = &found {
        if note.state == MOVED {
            return Err(not_possible(&format!(
                "the leases of {} were moved into this database already; start it there, or join it with a token",
                note.node
            )));
        }
        if note.node != me.as_str() {
            return Err(not_possible(&format!(
                "{} is moving its leases into this database",
                note.node
            )));
        }
    }
    let view = engines.claims.view().await;
    let view = view.map_err(|fault| Problem::not_ready(chain(&fault)))?;
    let there = |state: NodeState| state != NodeState::Removed;
    let others = view
        .nodes
        .iter()
        .filter(|node| node.id != *me && there(node.state));
    let others: Vec<&str> = others.map(|node| node.id.as_str()).collect();
    if !others.is_empty() {
        return Err(not_possible(&format!(
            "the database is a cluster's already ({}): name an empty one, or join that one with a token",
            others.join(", ")
        )));
    }
    let Some(rows) = &engines.rows else {
        return Err(Problem::not_ready("the store shares no rows"));
    };
    let some = rows.page(LEASES, None, 1).await;
    let some = some.map_err(|fault| Problem::not_ready(chain(&fault)))?;
    if found.is_none() && (!some.is_empty() || !view.nodes.is_empty()) {
        return Err(not_possible(
            "the database was a cluster's before and is not empty: name an empty one",
        ));
    }
    Ok(())
}

/// Waits, and says so, while another node moves its leases into the database: until then nothing in it is to be read or
/// written. Whether this node itself is the one that moves its leases, or has not said yet that all are there.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn others_done(records: &Arc<dyn Records>, me: &NodeId) -> Result<bool, Failure> {
    let mut told: Option<Instant> = None;
    loop {
        let note = read(records).await.map_err(|why| Failure::failed(why, SEE))?;
        let Some(note) = note.filter(|note| note.state == COPYING) else {
            return Ok(false);
        };
        if note.node == me.as_str() {
            return Ok(true);
        }
        if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            log::warn(&format!(
                "waiting: {} is moving its leases into the database (purlin cluster grow)",
                note.node
            ));
            told = Some(Instant::now());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The same; and a node that has moved its own leases says that they are there.
///
/// # Errors
/// When this node was to move its leases and has not.
pub(crate) async fn admitted(
    records: &Arc<dyn Records>,
    me: &NodeId,
    has_grown: bool,
) -> Result<(), Failure> {
    if !others_done(records, me).await? {
        return Ok(());
    }
    if has_grown {
        return put(records, me, MOVED)
            .await
            .map_err(|why| Failure::failed(why, SEE));
    }
    Err(Failure::failed(
        "this node was moving its leases into the database and has not finished: they are not all there",
        "set store.engine = \"embedded\" again and cluster.enabled = false, start it, then: purlin cluster grow",
    ))
}
