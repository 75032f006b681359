//! `/api/v1/why`: a client's story in plain words, silence included.

mod story;
mod subject;

use super::{Desk, text};
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, schema};
use purlin_dhcp_core::view::{DecisionQuery, LeaseView, Told};
use purlin_types::Mac;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use subject::Subject;

/// Decisions that a story tells when nothing else is asked.
const TOLD: usize = 50;
/// Clients behind one host name that are followed.
const CLIENTS_MAX: usize = 8;

/// Everything on record about a subject.
#[derive(Debug, Default)]
struct Record {
    leases: Vec<LeaseView>,
    /// Oldest first.
    decisions: Vec<Told>,
}

async fn why(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let subject = asked.text("subject").ok_or_else(|| {
        Problem::parameter("subject is missing; expected a MAC address, an IP address or a host name")
    })?;
    let subject = Subject::parse(subject);
    let limit = if asked.text("limit").is_some() {
        asked.limit()?
    } else {
        TOLD
    };
    let record = gather(&desk, &subject, limit).await;
    let plan = desk.handle.plan();
    let told = story::tell(&subject, &record, plan.settings(), desk.clock.secs());
    let decisions: Vec<Value> = record.decisions.iter().map(decision).collect();
    let mut answer = json!({
        "subject": subject.text(),
        "kind": subject.kind(),
        "seen": told.seen,
        "summary": told.summary,
        "client": client(&record),
        "leases": record.leases.iter().map(text::lease).collect::<Vec<_>>(),
        "checks": told.checks,
    });
    answer["decisions"] = decisions.into();
    Ok(Json(answer))
}

fn decision(told: &Told) -> Value {
    let mut value = text::decision(told);
    value["fix"] = text::fix(told).into();
    value
}

async fn gather(desk: &Desk, subject: &Subject, limit: usize) -> Record {
    let mut record = Record {
        leases: leases(desk, subject).await,
        decisions: Vec::new(),
    };
    let mut queries: Vec<DecisionQuery> = clients(subject, &record.leases)
        .into_iter()
        .map(|mac| DecisionQuery {
            mac: Some(mac),
            limit,
            ..DecisionQuery::default()
        })
        .collect();
    if let Subject::Address(address) = subject {
        queries.push(DecisionQuery {
            address: Some(*address),
            limit,
            ..DecisionQuery::default()
        });
    }
    for query in queries {
        record.decisions.extend(desk.handle.decisions(query).await);
    }
    let key = |told: &Told| {
        (
            told.decision.at,
            told.decision.seq,
            told.decision.mac,
            told.decision.xid,
        )
    };
    record.decisions.sort_by_key(key);
    record.decisions.dedup_by_key(|told| key(told));
    let extra = record.decisions.len().saturating_sub(limit);
    record.decisions.drain(..extra);
    record
}

async fn leases(desk: &Desk, subject: &Subject) -> Vec<LeaseView> {
    match subject {
        Subject::Address(address) => desk.handle.lease(*address).await.into_iter().collect(),
        Subject::Mac(mac) => {
            let mut found = desk.handle.find(&mac.to_string()).await;
            found.retain(|lease| lease.mac == *mac);
            found
        }
        Subject::Hostname(name) => {
            let mut found = desk.handle.find(name).await;
            let named = |lease: &LeaseView| lease.hostname.as_deref().is_some_and(|own| same_host(own, name));
            found.retain(named);
            found
        }
    }
}

/// Whether a lease's host name is the one asked for, with or without its domain.
fn same_host(own: &str, asked: &str) -> bool {
    own.eq_ignore_ascii_case(asked)
        || own
            .split('.')
            .next()
            .is_some_and(|first| first.eq_ignore_ascii_case(asked))
}

/// Whose decisions belong to the story.
fn clients(subject: &Subject, leases: &[LeaseView]) -> Vec<Mac> {
    let mut macs: BTreeSet<Mac> = leases.iter().map(|lease| lease.mac).collect();
    if let Subject::Mac(mac) = subject {
        macs.insert(*mac);
    }
    macs.remove(&Mac::default());
    macs.into_iter().take(CLIENTS_MAX).collect()
}

fn client(record: &Record) -> Value {
    let mut macs: BTreeSet<String> = record.leases.iter().map(|lease| lease.mac.to_string()).collect();
    macs.extend(
        record
            .decisions
            .iter()
            .map(|told| Mac(told.decision.mac).to_string()),
    );
    let names: BTreeSet<&String> = record
        .leases
        .iter()
        .filter_map(|lease| lease.hostname.as_ref())
        .collect();
    let ids = record
        .leases
        .iter()
        .filter_map(|lease| lease.client_id.as_deref());
    let ids: BTreeSet<String> = ids.map(text::octets).collect();
    let addresses: Vec<String> = record
        .leases
        .iter()
        .map(|lease| lease.address.to_string())
        .collect();
    json!({ "macs": macs, "hostnames": names, "client_ids": ids, "addresses": addresses })
}

pub(super) fn drafts() -> [Draft<Desk>; 1] {
    [route::get("/api/v1/why", why)
        .summary("Tells why a client got what it got, or nothing")
        .description(
            "An unknown subject is no error: the story then says that nothing was seen, and what to check.",
        )
        .required_query(
            "subject",
            schema::word("A MAC address, an IP address or a host name."),
        )
        .limited("Decisions to tell at most; 50 when absent.")
        .answers(200, schema::reference("Story"))]
}
