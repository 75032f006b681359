//! The audit: one row for every write of a known caller, and for every login. Who, when, what, and the revision before and after.

use axum::Json;
use axum::extract::State;
use purlin_store::Batch;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use std::sync::{Arc, MutexGuard, PoisonError};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Mutex, oneshot};

use crate::access::{Admin, Caller, Role};
use crate::asked::Asked;
use crate::clock::Clock;
use crate::ledger::{Ledger, key_number, number_key};
use crate::problem::Problem;
use crate::route::{self, Routes};
use crate::schema;

const TABLE: &str = "audit";

/// Rows that are kept; the oldest go first.
pub const ROWS_MAX: u64 = 100_000;

/// The configuration revision before and after a write; left in the response's extensions by whoever changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevisionMark {
    pub before: u64,
    pub after: u64,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deed {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) request_id: String,
    pub(crate) revision: Option<RevisionMark>,
    /// What was changed, as the handler says.
    pub(crate) note: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    at: String,
    token: String,
    name: String,
    role: Role,
    source: Option<String>,
    method: String,
    path: String,
    status: u16,
    request_id: String,
    revision_before: Option<u64>,
    revision_after: Option<u64>,
    /// Rows of earlier versions have neither.
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default)]
    changes: Option<Value>,
}

/// The audit of this node. Clones share it.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    clock: Clock,
    /// Rows that wait to be written, and who waits for them.
    waiting: std::sync::Mutex<Vec<Waiting>>,
    /// Number of the next row, once it is known; also keeps writers apart.
    next: Mutex<Option<u64>>,
}

struct Waiting {
    row: Vec<u8>,
    written: oneshot::Sender<()>,
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Audit")
    }
}

impl Audit {
    #[must_use]
    pub fn new(ledger: Ledger, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            ledger,
            clock,
            waiting: std::sync::Mutex::default(),
            next: Mutex::new(None),
        }))
    }

    /// Writes one row; it is durable when this returns. Rows that come while others are being written go to the disk
    /// together, with the next wait for it.
    pub(crate) async fn note(&self, who: &Caller, what: Deed) -> Result<(), Problem> {
        let row = Row {
            at: self.0.clock.text(),
            token: who.token.clone(),
            name: who.name.clone(),
            role: who.role,
            source: who.source.map(|source| source.to_string()),
            method: what.method,
            path: what.path,
            status: what.status,
            request_id: what.request_id,
            revision_before: what.revision.map(|mark| mark.before),
            revision_after: what.revision.map(|mark| mark.after),
            tenant: who.tenant.as_ref().map(|tenant| tenant.id.clone()),
            changes: what.note,
        };
        let row = serde_json::to_vec(&row).expect("a row has nothing that JSON cannot say");
        let (written, mut is_written) = oneshot::channel();
        self.waiting().push(Waiting { row, written });
        let mut next = self.0.next.lock().await;
        match is_written.try_recv() {
            // Somebody else took the row along.
            Ok(()) => Ok(()),
            Err(TryRecvError::Closed) => Err(Problem::broken("the audit's rows could not be written")),
            Err(TryRecvError::Empty) => self.write(&mut next).await,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all rows that wait.
    async fn write(&self, next: &mut Option<u64>) -> Result<(), Problem> {
        let first = match *next {
            Some(number) => number,
            None => self.newest().await? + 1,
        };
        let waiting = std::mem::take(&mut *self.waiting());
        let mut batch = Batch::default();
        let mut number = first;
        let mut written = Vec::with_capacity(waiting.len());
        for one in waiting {
            batch = batch.put(TABLE, number_key(number), one.row);
            if let Some(old) = number.checked_sub(ROWS_MAX).filter(|&old| old > 0) {
                batch = batch.delete(TABLE, number_key(old));
            }
            written.push(one.written);
            number += 1;
        }
        self.0.ledger.commit(batch).await?;
        *next = Some(number);
        for one in written {
            // Whoever waited may have gone.
            let _ = one.send(());
        }
        Ok(())
    }

    async fn newest(&self) -> Result<u64, Problem> {
        let rows = self.0.ledger.last(TABLE, 1).await?;
        Ok(rows.first().and_then(|(key, _)| key_number(key)).unwrap_or(0))
    }

    /// Rows below `before` (all when `None`), newest first.
    async fn page(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Value)>, Problem> {
        let end = match before {
            Some(before) => before,
            None => self.newest().await? + 1,
        };
        let floor = end.saturating_sub(limit as u64 + 1);
        let rows = self.0.ledger.scan(TABLE, number_key(floor), limit).await?;
        let mut page: Vec<(u64, Value)> = rows
            .iter()
            .filter_map(|(key, row)| Some((key_number(key)?, serde_json::from_slice(row).ok()?)))
            .filter(|(number, _)| *number < end)
            .collect();
        page.reverse();
        Ok(page)
    }
}

async fn list(_: Admin, State(audit): State<Audit>, asked: Asked) -> Result<Json<Value>, Problem> {
    let limit = asked.limit()?;
    let rows = audit.page(asked.cursor()?, limit).await?;
    let next = rows
        .last()
        .map(|(number, _)| *number)
        .filter(|&number| number > 1 && rows.len() == limit);
    let items = rows
        .into_iter()
        .map(|(number, mut row)| {
            row["number"] = json!(number);
            row
        })
        .collect();
    Ok(Json(asked.page(items, next.map(|number| number.to_string()))))
}

/// `/api/v1/audit`.
#[must_use]
pub fn routes(audit: &Audit) -> Routes {
    let list = route::get("/api/v1/audit", list)
        .summary("Lists the writes of all callers, newest first")
        .description(format!(
            "The newest {ROWS_MAX} writes are kept. Dry runs are not written down."
        ))
        .paged()
        .answers(200, schema::page_of("AuditRow"));
    Routes::new("audit", audit, [list]).component(
        "AuditRow",
        schema::object(&[
            ("number", schema::count("Position in the audit, from 1.")),
            ("at", schema::formatted("date-time", "When it was answered.")),
            ("token", schema::string("Id of the token.")),
            ("name", schema::string("Name of the token.")),
            ("role", schema::reference("Role")),
            (
                "source",
                schema::nullable(schema::string("Address the request came from.")),
            ),
            ("method", schema::string("HTTP method.")),
            ("path", schema::string("Path of the request.")),
            ("status", schema::count("HTTP status of the answer.")),
            ("request_id", schema::string("As in the header X-Request-Id.")),
            (
                "revision_before",
                schema::nullable(schema::count("Configuration revision before the write.")),
            ),
            (
                "revision_after",
                schema::nullable(schema::count("Configuration revision after it.")),
            ),
            (
                "tenant",
                schema::nullable(schema::string("Id of the tenant that it was done for.")),
            ),
            (
                "changes",
                schema::anything("What was changed: for OVN the transaction, and rows with the names of their columns. Values are not kept here."),
            ),
        ]),
    )
}
