//! Who reaches whom: every pair of ports for every protocol, in pages.
//!
//! The ACLs are judged here, thousands of pairs at once. Where they do not say all (the packet is routed, balanced, or a
//! rule looks at more than a first packet has), `ovn-trace` is asked. Each cell says by which of the two it was found.

use crate::platform::Platform;
use crate::trace::{self, Asking, Flows, links, refused};
use futures_util::{StreamExt, TryStreamExt, stream};
use purlin_api::Problem;
use purlin_ovn_core::model::State;
use purlin_ovn_core::policy::{Decided, Policy, Verdict};
use purlin_ovn_core::trace::{Protocol, Query};
use purlin_ovsdb::Uuid;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PORT: &str = "Logical_Switch_Port";

/// Ports of one side, protocols, cells of a page, traces of a page.
const PORTS_MAX: usize = 2_000;
const PROTOCOLS_MAX: usize = 32;
pub(crate) const CELLS: usize = 1_000;
const TRACES: usize = 64;
/// Traces at the same time.
const AT_ONCE: usize = 4;

/// Ports by their own names, and by those of groups and switches.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ends {
    pub(crate) ports: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) switches: Vec<String>,
}

/// When `ovn-trace` is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Confirm {
    /// Where the ACLs do not say all.
    #[default]
    Auto,
    /// For every cell.
    All,
    Never,
}

/// What is asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wanted {
    pub(crate) from: Ends,
    pub(crate) to: Option<Ends>,
    pub(crate) protocols: Vec<String>,
    pub(crate) confirm: Confirm,
    pub(crate) limit: Option<usize>,
    pub(crate) cursor: Option<String>,
}

/// A checked question.
#[derive(Debug, Clone)]
pub(crate) struct Matrix {
    pub(crate) from: Vec<String>,
    pub(crate) to: Vec<String>,
    pub(crate) protocols: Vec<(String, Protocol)>,
}

/// One cell, by its number.
#[derive(Debug)]
pub(crate) struct Cell<'m> {
    pub(crate) from: &'m str,
    pub(crate) to: &'m str,
    pub(crate) protocol: &'m str,
    pub(crate) kind: Protocol,
}

impl Ends {
    /// Names of the ports; what is not known goes to `missing`.
    fn resolve(&self, state: &State<'_>, missing: &mut Vec<Problem>) -> Result<Vec<String>, Problem> {
        let mut names = BTreeSet::new();
        for port in &self.ports {
            match trace::port_name(state, port) {
                Ok(name) => drop(names.insert(name)),
                Err(problem) => missing.push(problem),
            }
        }
        for (table, words) in [("Port_Group", &self.groups), ("Logical_Switch", &self.switches)] {
            for word in words {
                let row = Uuid::parse(word).filter(|uuid| state.contains(table, *uuid));
                let Some(row) = row.or_else(|| state.by_name(table, word)) else {
                    missing.push(refused(format!("there is no {table} {word:?}")));
                    continue;
                };
                let ports = state.targets(table, row, "ports").into_iter();
                // A router's end sends nothing by itself.
                let ports = ports.filter(|port| state.text(PORT, *port, "type") != Some("router"));
                names.extend(ports.filter_map(|port| state.text(PORT, port, "name").map(str::to_owned)));
            }
        }
        if names.len() > PORTS_MAX {
            let detail = format!("{} ports on one side; {PORTS_MAX} at most", names.len());
            return Err(refused(detail));
        }
        Ok(names.into_iter().collect())
    }
}

impl Wanted {
    /// Pairs of these ports, for an echo request.
    pub(crate) fn among(ports: Vec<String>) -> Self {
        let from = Ends {
            ports,
            ..Ends::default()
        };
        Self {
            from,
            ..Self::default()
        }
    }

    /// Finds the ports.
    ///
    /// # Errors
    /// 422 for a name that is not known, and for too much.
    pub(crate) fn checked(&self, state: &State<'_>) -> Result<Matrix, Problem> {
        let (matrix, missing) = self.known(state)?;
        if let Some(problem) = missing.into_iter().next() {
            return Err(problem);
        }
        match matrix.from.is_empty() {
            true => Err(refused("from names no port: say ports, groups or switches")),
            false => Ok(matrix),
        }
    }

    /// Finds the ports that there are, and says what is missing: a change may bring it.
    ///
    /// # Errors
    /// 422 for too much, and for protocols that are none.
    pub(crate) fn known(&self, state: &State<'_>) -> Result<(Matrix, Vec<Problem>), Problem> {
        let mut missing = Vec::new();
        let from = self.from.resolve(state, &mut missing)?;
        let to = match &self.to {
            Some(to) => to.resolve(state, &mut missing)?,
            None => from.clone(),
        };
        if self.protocols.len() > PROTOCOLS_MAX {
            return Err(refused(format!("protocols: {PROTOCOLS_MAX} at most")));
        }
        let words = match self.protocols.as_slice() {
            [] => vec!["icmp".to_owned()],
            some => some.to_vec(),
        };
        let protocols = words.into_iter().map(|word| {
            let protocol = probe(&word)?;
            Ok((word, protocol))
        });
        let protocols = protocols.collect::<Result<_, Problem>>()?;
        Ok((Matrix { from, to, protocols }, missing))
    }
}

/// `icmp`, `tcp/22`.
fn probe(word: &str) -> Result<Protocol, Problem> {
    let (name, port) = match word.split_once('/') {
        Some((name, port)) => {
            let port = port.parse().map_err(|_| {
                refused(format!(
                    "protocols: {word:?} has no port below 65536; tcp/22 has one"
                ))
            })?;
            (name, Some(port))
        }
        None => (word, None),
    };
    trace::protocol(name, None, port)
}

impl Matrix {
    /// How many cells, those of a port with itself included: they are passed over.
    pub(crate) fn len(&self) -> usize {
        self.from.len() * self.to.len() * self.protocols.len()
    }

    pub(crate) fn cell(&self, at: usize) -> Option<Cell<'_>> {
        let (pair, protocol) = (at / self.protocols.len(), at % self.protocols.len());
        let from = self.from.get(pair / self.to.len())?;
        let to = &self.to[pair % self.to.len()];
        let (protocol, kind) = &self.protocols[protocol];
        (from != to).then_some(Cell {
            from,
            to,
            protocol,
            kind: *kind,
        })
    }
}

/// What the ACLs say about a cell.
pub(crate) enum Judged {
    /// No packet can be made.
    NoPacket(String),
    Verdict {
        query: Box<Query>,
        verdict: Verdict,
        /// Why it may be otherwise.
        inexact: Option<&'static str>,
    },
}

pub(crate) fn judge(state: &State<'_>, policy: &Policy, cell: &Cell<'_>) -> Judged {
    let query = match Query::between(state, cell.from, cell.to, cell.kind) {
        Ok(query) => query,
        Err(error) => return Judged::NoPacket(error.to_string()),
    };
    match policy.verdict(&query, cell.to) {
        None => Judged::NoPacket("one of the ports is on no switch".to_owned()),
        Some(verdict) => Judged::Verdict {
            inexact: policy.inexact(state, &query, cell.to, &verdict),
            query: Box::new(query),
            verdict,
        },
    }
}

/// A page of the answer.
///
/// # Errors
/// What keeps `ovn-trace` from answering where it is asked for every cell.
pub(crate) async fn page(
    platform: &Platform,
    state: &State<'_>,
    matrix: &Matrix,
    wanted: &Wanted,
) -> Result<Value, Problem> {
    let limit = wanted.limit.unwrap_or(CELLS).clamp(1, CELLS);
    let start = wanted.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let start: usize = start.map_or(Ok(0), |cursor| {
        cursor
            .parse()
            .map_err(|_| refused(format!("cursor: {cursor:?} is none of this matrix")))
    })?;
    let flows = match wanted.confirm {
        Confirm::Never => None,
        Confirm::All => Some(flows(platform).await?),
        // Without the program the ACLs are all there is, and every cell says so.
        Confirm::Auto => flows(platform).await.ok(),
    };
    let policy = Policy::new(state);
    let (mut cells, mut traces) = (Vec::new(), Vec::new());
    let mut at = start;
    while at < matrix.len() && cells.len() < limit {
        let Some(cell) = matrix.cell(at) else {
            at += 1;
            continue;
        };
        let judged = judge(state, &policy, &cell);
        let asks = match (&judged, wanted.confirm) {
            (Judged::Verdict { .. }, Confirm::All) => flows.is_some(),
            (Judged::Verdict { inexact, .. }, Confirm::Auto) => inexact.is_some() && flows.is_some(),
            _ => false,
        };
        if asks && traces.len() == TRACES {
            break;
        }
        if let (true, Judged::Verdict { query, .. }) = (asks, &judged) {
            traces.push((cells.len(), Asking::of(query, cell.to)));
        }
        cells.push(shown(state, &cell, &judged));
        at += 1;
    }
    if let Some(flows) = &flows {
        confirm(platform, flows, state, traces, &mut cells).await?;
    }
    let (next, count) = ((at < matrix.len()).then(|| at.to_string()), counts(&cells));
    Ok(json!({
        "cells": cells,
        "next_cursor": next,
        "done": at,
        "total": matrix.len(),
        "counts": count,
    }))
}

/// Where cells are traced.
async fn flows(platform: &Platform) -> Result<Flows, Problem> {
    crate::programs::find("ovn-trace")?;
    Flows::of(platform).await
}

async fn confirm(
    platform: &Platform,
    flows: &Flows,
    state: &State<'_>,
    traces: Vec<(usize, Asking)>,
    cells: &mut [Value],
) -> Result<(), Problem> {
    let told = stream::iter(traces).map(|(at, asking)| async move {
        let told = trace::trace(platform.programs(), flows, state, &asking).await?;
        Ok::<_, Problem>((at, told))
    });
    let told: Vec<_> = told.buffer_unordered(AT_ONCE).try_collect().await?;
    for (at, told) in told {
        let cell = &mut cells[at];
        let allowed = told.reached == Some(true);
        if cell["exact"] == true && cell["allowed"] != allowed {
            cell["disagrees"] = json!({ "acl": cell["allowed"], "reason": cell["reason"] });
        }
        cell["allowed"] = json!(allowed);
        cell["method"] = json!("ovn-trace");
        cell["exact"] = json!(true);
        cell["reason"] = json!(told.summary());
        cell["by"] = told.dropped()["by"].clone();
    }
    Ok(())
}

/// A cell as the ACLs say it.
pub(crate) fn shown(state: &State<'_>, cell: &Cell<'_>, judged: &Judged) -> Value {
    let mut shown = json!({ "from": cell.from, "to": cell.to, "protocol": cell.protocol });
    let members = match judged {
        Judged::NoPacket(why) => json!({
            "allowed": null, "method": "none", "exact": true, "reason": why, "by": null, "inexact": null,
        }),
        Judged::Verdict { verdict, inexact, .. } => {
            let rule = verdict.arriving.as_ref().or(verdict.leaving.as_ref());
            let by = rule.filter(|_| !verdict.allowed).map(|rule| object(state, rule));
            json!({
                "allowed": verdict.allowed, "method": "acl", "exact": inexact.is_none(), "reason": verdict.to_string(),
                "by": by, "inexact": inexact,
            })
        }
    };
    if let (Some(shown), Value::Object(members)) = (shown.as_object_mut(), members) {
        shown.extend(members);
    }
    shown
}

/// The ACL as every answer names rows.
fn object(state: &State<'_>, rule: &Decided) -> Value {
    let owner = Uuid::parse(&rule.acl).map(|uuid| state.owner("ACL", uuid));
    let mut object = json!({ "table": "ACL", "uuid": rule.acl, "label": rule.label, "owner": owner });
    links(&mut object);
    object
}

fn counts(cells: &[Value]) -> Value {
    let count = |member: &str, value: &Value| cells.iter().filter(|cell| cell[member] == *value).count();
    json!({
        "allowed": count("allowed", &json!(true)),
        "dropped": count("allowed", &json!(false)),
        "no_packet": count("allowed", &Value::Null),
        "acl": count("method", &json!("acl")),
        "ovn_trace": count("method", &json!("ovn-trace")),
        "inexact": count("exact", &json!(false)),
    })
}
