//! What would be if a change were made: the same flows, traces and cells before and after it, on copies.
//!
//! Of a tenant's change the copies are of everything, as packets cross what others have; the change is made there as the
//! tenant, with all bounds, and both states are told as the tenant may look at them ([`crate::trace::Around`]).

use crate::flows;
use crate::matrix::{Cell, Matrix, Wanted, judge, shown};
use crate::platform::Platform;
use crate::realised::{self, Until};
use crate::reasons;
use crate::scratch::Scratch;
use crate::trace::{self, Around, Question};
use crate::write::{Manner, Wish, write};
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_ovn_core::model::State;
use purlin_ovn_core::policy::Policy;
use purlin_ovsdb::Transaction;
use purlin_ovsdb::client::Snapshot;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long northd may take for one state.
const NORTHD: Duration = Duration::from_secs(60);

/// Cells that are compared.
const CELLS_MAX: usize = 100_000;
/// Cells that an answer lists.
const LISTED: usize = 1_000;
/// Affected ports that are compared where no matrix is asked for.
const AFFECTED: usize = 64;

/// What is asked of both states.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) traces: Vec<Question>,
    /// Made of the rows before and after, because a change may bring ports.
    pub(crate) matrix: Option<Wanted>,
}

/// Answers.
///
/// # Errors
/// What is wrong with the change or the question; what keeps the copies from working.
pub(crate) async fn answer(
    platform: &Platform,
    manner: &Manner,
    wish: impl Wish,
    asked: &Asked,
) -> Result<Value, Problem> {
    let began = Instant::now();
    // A change that would be refused starts nothing.
    let change = write(platform, &manner.trial(true, None), None, &wish).await?;
    let copies = copies(platform).await?;
    let place = &copies.place;
    settle(&copies).await?;
    let started = began.elapsed();
    let affected = change["affected"].as_array().into_iter().flatten();
    let affected = affected.filter_map(|port| port.as_str().map(str::to_owned));
    let affected = || Wanted::among(affected.take(AFFECTED).collect());
    let wanted = asked.matrix.clone().unwrap_or_else(affected);
    let before = look(place, asked, &wanted).await?;
    make(&copies, manner, &wish).await?;
    let after = look(place, asked, &wanted).await?;
    let gone = |problem: &&Problem| {
        after
            .missing
            .iter()
            .any(|other| other.detail() == problem.detail())
    };
    if let Some(problem) = before.missing.iter().find(gone) {
        return Err(problem.clone());
    }
    Ok(json!({
        "change": { "diff": change["diff"], "warnings": change["warnings"], "affected": change["affected"] },
        "flows": flows::difference((&before.flows, &before.networks), (&after.flows, &after.networks)),
        "traces": traces(asked, before.traces, after.traces),
        "matrix": cells(before.cells, after.cells),
        "copies": {
            "southbound": if platform.whole().south().is_ok() { "copied" } else { "made anew" },
            "start_milliseconds": started.as_secs_f64() * 1e3,
            "milliseconds": began.elapsed().as_secs_f64() * 1e3,
        },
    }))
}

/// Copies of the databases as they are after a change.
///
/// # Errors
/// As [`answer`].
pub(crate) async fn changed<'p>(
    platform: &'p Platform,
    manner: &Manner,
    wish: impl Wish,
) -> Result<Copies<'p>, Problem> {
    write(platform, &manner.trial(true, None), None, &wish).await?;
    let copies = copies(platform).await?;
    make(&copies, manner, &wish).await?;
    Ok(copies)
}

/// Copies of both databases.
#[derive(Debug)]
pub(crate) struct Copies<'p> {
    /// As whoever asks may read and write them.
    pub(crate) place: Platform,
    scratch: Scratch<'p>,
}

async fn copies(platform: &Platform) -> Result<Copies<'_>, Problem> {
    let whole = platform.whole();
    let (_, north) = whole.north().read_live().await?;
    let south = match whole.south() {
        Ok(side) => Some(side.read().await?.1),
        Err(_) => None,
    };
    let scratch = Scratch::start(platform, north, south).await?;
    let place = scratch.platform.for_asker_of(platform);
    Ok(Copies { place, scratch })
}

/// Makes the change on the copies, and waits for its flows.
async fn make(copies: &Copies<'_>, manner: &Manner, wish: &impl Wish) -> Result<(), Problem> {
    let manner = manner.trial(false, Some((Until::Southbound, NORTHD)));
    let written = write(&copies.place, &manner, None, wish).await?;
    if written["changed"] == true && written["realised"]["done"] != true {
        return Err(slow(&written["realised"]["reason"]));
    }
    match copies.place.tenant() {
        // Who has no southbound has not waited for the copy of it.
        Some(_) => settle(copies).await,
        None => Ok(()),
    }
}

/// Northd has gone over all rows once: what differs later is the change's doing.
async fn settle(copies: &Copies<'_>) -> Result<(), Problem> {
    let place = &copies.scratch.platform;
    let mut transaction = Transaction::new();
    realised::count(&mut transaction);
    let began = Instant::now();
    let committed = place.north().client.commit(transaction).await;
    let committed = committed.map_err(|error| {
        let detail = format!("the copy of the northbound takes no writes: {error}");
        Problem::new(StatusCode::BAD_GATEWAY, &reasons::TOOL_FAILED, detail)
    })?;
    let told = realised::follow(place, &committed, Until::Southbound, began, NORTHD).await;
    match told["done"] == true {
        true => Ok(()),
        false => Err(slow(&told["reason"])),
    }
}

fn slow(reason: &Value) -> Problem {
    let detail = format!(
        "within {} s on the copies: {}",
        NORTHD.as_secs(),
        reason.as_str().unwrap_or("nothing is known")
    );
    Problem::new(StatusCode::GATEWAY_TIMEOUT, &reasons::TOOL_TOO_SLOW, detail)
}

/// One of the two states.
struct Looked {
    flows: Snapshot,
    /// Those whose flows are the asker's to compare.
    networks: flows::Only,
    traces: Vec<Value>,
    cells: Vec<Value>,
    /// Names of the matrix that are not there.
    missing: Vec<Problem>,
}

async fn look(place: &Platform, asked: &Asked, wanted: &Wanted) -> Result<Looked, Problem> {
    let around = Around::of(place).await?;
    let mut traces = Vec::with_capacity(asked.traces.len());
    for question in &asked.traces {
        // A port may come or go with the change.
        let told = match around.checked(question) {
            Err(problem) => json!({ "reached": null, "summary": problem.detail() }),
            Ok(asking) => around.answer_to(&asking, question.raw).await?,
        };
        traces.push(told);
    }
    let (mut matrix, missing) = wanted.known(&around.seen())?;
    if asked.matrix.is_none() {
        let own = |port: &String| around.own_ports([port.as_str()]).is_ok();
        matrix.from.retain(own);
        matrix.to.retain(own);
    }
    around.own_ports(matrix.from.iter().chain(&matrix.to).map(String::as_str))?;
    let mut cells = Value::from(judged(&around.all(), &matrix)?);
    around.hush(&mut cells);
    let networks = around.own_networks();
    Ok(Looked {
        flows: around.into_southbound()?,
        networks,
        traces,
        cells: cells.as_array_mut().map(std::mem::take).unwrap_or_default(),
        missing,
    })
}

fn judged(state: &State<'_>, matrix: &Matrix) -> Result<Vec<Value>, Problem> {
    if matrix.len() > CELLS_MAX {
        let detail = format!("{} cells; a what-if compares {CELLS_MAX} at most", matrix.len());
        return Err(trace::refused(detail));
    }
    let policy = Policy::new(state);
    let cell = |cell: Cell<'_>| shown(state, &cell, &judge(state, &policy, &cell));
    Ok((0..matrix.len())
        .filter_map(|at| matrix.cell(at))
        .map(cell)
        .collect())
}

fn traces(asked: &Asked, before: Vec<Value>, after: Vec<Value>) -> Value {
    let pairs = asked.traces.iter().zip(before.into_iter().zip(after));
    let told = pairs.map(|(question, (before, after))| {
        json!({
            "from": question.from,
            "to": question.to,
            "changed": before["summary"] != after["summary"] || before["reached"] != after["reached"],
            "before": before,
            "after": after,
        })
    });
    told.collect()
}

/// Cells that are other than before, and those whose ports come or go.
fn cells(before: Vec<Value>, after: Vec<Value>) -> Value {
    let key = |cell: &Value| {
        ["from", "to", "protocol"].map(|name| cell[name].as_str().unwrap_or_default().to_owned())
    };
    let mut old: std::collections::BTreeMap<[String; 3], Value> =
        before.into_iter().map(|cell| (key(&cell), cell)).collect();
    let compared = after.len().max(old.len());
    let mut changed = Vec::new();
    for cell in after {
        let key = key(&cell);
        let before = old.remove(&key).unwrap_or(Value::Null);
        if before["allowed"] != cell["allowed"] || before["by"] != cell["by"] {
            changed.push(pair(&key, before, cell));
        }
    }
    changed.extend(
        old.into_iter()
            .map(|(key, before)| pair(&key, before, Value::Null)),
    );
    let total = changed.len();
    changed.truncate(LISTED);
    json!({ "compared": compared, "changed": total, "cells": changed, "truncated": total > LISTED })
}

fn pair(key: &[String; 3], mut before: Value, mut after: Value) -> Value {
    for side in [&mut before, &mut after] {
        if let Some(members) = side.as_object_mut() {
            members.retain(|name, _| !matches!(name.as_str(), "from" | "to" | "protocol"));
        }
    }
    json!({ "from": key[0], "to": key[1], "protocol": key[2], "before": before, "after": after })
}
