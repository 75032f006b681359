//! [`Records`]: the control plane's small state, shared by all nodes of the cluster.
//!
//! The trait blocks. Calls are made on the runtime that the store was connected on while the caller's thread waits, so
//! that thread must not be the only one of that runtime (a runtime of several threads, or a blocking thread).
//!
//! Commits take their turn on the outbox's row: nobody can come between a batch's expectations and its changes, and each
//! change leaves a note for other nodes' caches in the same transaction.

mod commit;

use std::sync::mpsc;

use purlin_store::{Batch, RecordError, Records, Row};

use crate::failure::Failure;
use crate::postgres::{Doing, Postgres, Work};
use crate::session::Session;

/// What is said of a panicking call.
const NO_ANSWER: &str = "the call ended without an answer";

const GET: &str = "SELECT value FROM purlin.record WHERE tbl = $1 AND key = $2";
const SCAN: &str = "SELECT key, value FROM purlin.record WHERE tbl = $1 AND key > $2 ORDER BY key LIMIT $3";
const FIRST: &str = "SELECT key, value FROM purlin.record WHERE tbl = $1 ORDER BY key LIMIT $2";
const LAST: &str = "SELECT key, value FROM purlin.record WHERE tbl = $1 ORDER BY key DESC LIMIT $2";

/// The records of a cluster.
#[derive(Debug, Clone)]
pub struct PostgresRecords {
    store: Postgres,
}

impl Postgres {
    /// The cluster's records. See [`PostgresRecords`] about threads.
    #[must_use]
    pub fn records(&self) -> PostgresRecords {
        PostgresRecords { store: self.clone() }
    }
}

impl PostgresRecords {
    /// Makes a call on the store's runtime and waits for its answer.
    fn wait<W: Work + Send + 'static>(&self, work: W) -> Result<W::Done, RecordError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let store = self.store.clone();
        self.store.runtime().spawn(async move {
            // Whoever asked may have gone.
            let _ = answer.send(store.call(&work).await);
        });
        let outcome = answered
            .recv()
            .map_err(|_| RecordError::Failed(NO_ANSWER.into()))?;
        Ok(outcome?)
    }

    fn select(&self, table: &str, choice: Choice, limit: usize) -> Result<Vec<Row>, RecordError> {
        self.wait(Select {
            table: table.to_owned(),
            choice,
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
        })
    }
}

impl Records for PostgresRecords {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
        let (table, key) = (table.to_owned(), key.to_owned());
        self.wait(Get { table, key })
    }

    fn scan(&self, table: &str, after: &[u8], limit: usize) -> Result<Vec<Row>, RecordError> {
        let choice = if after.is_empty() {
            Choice::First
        } else {
            Choice::After(after.to_owned())
        };
        self.select(table, choice, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), RecordError> {
        self.wait(commit::Commit::new(batch))?
            .map_err(|(table, key)| RecordError::Conflict { table, key })
    }

    fn last(&self, table: &str, limit: usize) -> Result<Vec<Row>, RecordError> {
        self.select(table, Choice::Last, limit)
    }
}

struct Get {
    table: String,
    key: Vec<u8>,
}

impl Work for Get {
    type Done = Option<Vec<u8>>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            let rows = session.query(GET, &[&self.table, &self.key]).await?;
            rows.first().map(|row| Ok(row.try_get("value")?)).transpose()
        })
    }
}

enum Choice {
    First,
    After(Vec<u8>),
    Last,
}

struct Select {
    table: String,
    choice: Choice,
    limit: i64,
}

impl Work for Select {
    type Done = Vec<Row>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            let rows = match &self.choice {
                Choice::First => session.query(FIRST, &[&self.table, &self.limit]).await?,
                Choice::After(key) => session.query(SCAN, &[&self.table, key, &self.limit]).await?,
                Choice::Last => session.query(LAST, &[&self.table, &self.limit]).await?,
            };
            rows.iter()
                .map(|row| Ok::<_, Failure>((row.try_get("key")?, row.try_get("value")?)))
                .collect()
        })
    }
}
