//! [`Records`]: the control plane's small state, shared by all nodes of the cluster.
//!
//! The trait blocks. Calls are made on the runtime that the store was connected on while the caller's thread waits, so
//! that thread must not be the only one of that runtime (a runtime of several threads, or a blocking thread).
//!
//! Commits take their turn on the outbox's row: nobody can come between a batch's expectations and its changes, and each
//! change leaves a note for other nodes' caches in the same transaction.

mod commit;
mod patience;

use std::sync::{Arc, mpsc};

use purlin_store::{Batch, RecordError, Records, Row};

use crate::failure::Failure;
use crate::postgres::{Doing, Postgres, Waiting, Work};
use crate::session::Session;
use patience::Patience;

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
    patience: Option<Arc<Patience>>,
}

impl Postgres {
    /// The cluster's records. See [`PostgresRecords`] about threads.
    #[must_use]
    pub fn records(&self) -> PostgresRecords {
        PostgresRecords {
            store: self.clone(),
            patience: None,
        }
    }

    /// The same for a node that starts: until [`PostgresRecords::started`], what the server does not do now is asked for
    /// again, after a pause that `told` is told of. What waiting will not help is said at once all the same.
    #[must_use]
    pub fn patient_records(&self, told: impl Fn(&Waiting) + Send + Sync + 'static) -> PostgresRecords {
        PostgresRecords {
            store: self.clone(),
            patience: Some(Arc::new(Patience::new(told))),
        }
    }
}

impl PostgresRecords {
    /// The node has started, for all clones: from now on who asks is told what is wrong, and decides himself.
    pub fn started(&self) {
        if let Some(patience) = &self.patience {
            patience.end();
        }
    }

    /// Makes a call on the store's runtime and waits for its answer.
    fn wait<W: Work + Send + 'static>(&self, work: W) -> Result<W::Done, RecordError> {
        self.wait_counting(work).map(|(done, _)| done)
    }

    /// The same; and how many attempts it took.
    fn wait_counting<W: Work + Send + 'static>(&self, work: W) -> Result<(W::Done, u32), RecordError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let (store, patience) = (self.store.clone(), self.patience.clone());
        self.store.runtime().spawn(async move {
            let outcome = match patience {
                Some(patience) => patience.call(&store, &work).await,
                None => store.call(&work).await.map(|done| (done, 1)),
            };
            // Whoever asked may have gone.
            let _ = answer.send(outcome);
        });
        let outcome = answered
            .recv()
            .map_err(|_| RecordError::Failed(NO_ANSWER.into()))?;
        Ok(outcome?)
    }

    /// Whether these changes are made.
    fn is_so(&self, changes: &commit::Changes) -> Result<bool, RecordError> {
        for ((table, key), value) in changes {
            if self.get(table, key)? != *value {
                return Ok(false);
            }
        }
        Ok(true)
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
        let commit = commit::Commit::new(batch);
        let changes = commit.changes.clone();
        match self.wait_counting(commit)? {
            (Ok(()), _) => Ok(()),
            // The answer to an earlier attempt was lost, and that one was made.
            (Err(_), attempts) if attempts > 1 && self.is_so(&changes)? => Ok(()),
            (Err((table, key)), _) => Err(RecordError::Conflict { table, key }),
        }
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
