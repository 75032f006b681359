//! A database: what it holds, the last transactions, and its log.

use crate::change::Change;
use crate::check::complete;
use crate::execute::{Context, Executed, execute};
use crate::fault::Fault;
use crate::log::{Log, LogError, Record};
use crate::rows::{Changed, Contents};
use purlin_ovsdb::{DatabaseSchema, Uuid};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Transactions that are remembered, so that a client that was away for a moment is told only what it missed.
const HISTORY: usize = 1000;
/// Rows of all of them together at most.
const HISTORY_ROWS: usize = 100_000;

/// What became of a request to transact.
#[derive(Debug)]
pub(crate) enum Transacted {
    /// The `result` of the reply; what has changed, if it was committed and anything did.
    Done {
        results: Vec<Value>,
        commit: Option<Commit>,
    },
    /// A `wait` does not hold yet: to be tried again, within so many milliseconds.
    NotYet(Option<u64>),
}

/// A transaction that changed something.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) id: Uuid,
    pub(crate) changes: Arc<Vec<Changed>>,
}

#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) contents: Contents,
    /// The schema as it was given.
    pub(crate) schema: Value,
    history: VecDeque<Commit>,
    history_rows: usize,
    /// Of the last transaction; another one in every life of the process.
    last: Uuid,
    log: Option<Log>,
}

impl Database {
    /// An empty one that is forgotten with the process.
    pub(crate) fn passing(schema: Value, last: Uuid) -> Result<Self, purlin_ovsdb::Error> {
        let parsed = Arc::new(DatabaseSchema::parse(&schema)?);
        Ok(Self {
            contents: Contents::new(parsed),
            schema,
            history: VecDeque::new(),
            history_rows: 0,
            last,
            log: None,
        })
    }

    /// What a log says; everything that follows is written there.
    pub(crate) fn durable(
        schema: Value,
        mut log: Log,
        random: &mut dyn FnMut() -> [u8; 16],
    ) -> Result<Self, LogError> {
        let mut name = || Uuid::from_random(random());
        let mut database = Self::passing(schema, name()).map_err(LogError::Schema)?;
        log.replay(&mut database.contents, &mut name)?;
        database.log = Some(log);
        Ok(database)
    }

    pub(crate) const fn last(&self) -> Uuid {
        self.last
    }

    /// Executes operations, checks what they lead to, and puts it in place. Nothing of it is on disk yet.
    pub(crate) fn transact(
        &mut self,
        operations: &[Value],
        context: &mut Context<'_>,
        date_ms: u64,
    ) -> Transacted {
        let mut change = Change::new(&self.contents);
        let mut executed = match execute(&mut change, operations, context) {
            Ok(executed) => executed,
            Err(left) => return Transacted::NotYet(left),
        };
        if executed.refused {
            executed.results.resize(operations.len(), Value::Null);
            return done(executed, None);
        }
        if let Err(fault) = complete(&mut change) {
            executed.results.push(fault.to_json());
            return done(executed, None);
        }
        let changes = change.finish(|| Uuid::from_random((context.random)()));
        if changes.is_empty() {
            return done(executed, None);
        }
        if let Some(log) = &mut self.log {
            let kept = log.append(&Record {
                schema: &self.contents.schema,
                changes: &changes,
                comment: executed.comments.join("\n"),
                date_ms,
            });
            if let Err(cause) = kept {
                executed.results.push(Fault::unkept(&cause).to_json());
                return done(executed, None);
            }
        }
        self.contents.apply(&changes);
        let commit = Commit {
            id: Uuid::from_random((context.random)()),
            changes: Arc::new(changes),
        };
        self.remember(&commit);
        done(executed, Some(commit))
    }

    fn remember(&mut self, commit: &Commit) {
        self.last = commit.id;
        self.history_rows += commit.changes.len();
        self.history.push_back(commit.clone());
        while self.history.len() > HISTORY || self.history_rows > HISTORY_ROWS {
            let Some(oldest) = self.history.pop_front() else {
                return;
            };
            self.history_rows -= oldest.changes.len();
        }
    }

    /// What has changed since that transaction, each row once; `None` when it is not remembered.
    pub(crate) fn since(&self, id: Uuid) -> Option<Vec<Changed>> {
        if id == self.last {
            return Some(Vec::new());
        }
        let at = self.history.iter().position(|commit| commit.id == id)?;
        let mut rows: BTreeMap<(Arc<str>, Uuid), Changed> = BTreeMap::new();
        for change in self
            .history
            .range(at + 1..)
            .flat_map(|commit| commit.changes.iter())
        {
            rows.entry((Arc::clone(&change.table), change.uuid))
                .and_modify(|first| first.new.clone_from(&change.new))
                .or_insert_with(|| change.clone());
        }
        Some(rows.into_values().collect())
    }

    /// Brings what was transacted to disk. After an error nothing may be answered any more: what clients would read is not
    /// what a restart would find.
    pub(crate) fn sync(&mut self) -> Result<(), LogError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        log.sync()?;
        if log.is_long() {
            log.rewrite(&self.contents, &self.schema)?;
        }
        Ok(())
    }
}

fn done(executed: Executed, commit: Option<Commit>) -> Transacted {
    Transacted::Done {
        results: executed.results,
        commit,
    }
}

/// The answer to a request that cannot even be executed.
pub(crate) fn not_operations(json: &Value) -> Fault {
    Fault::syntax(json, "array of operations expected")
}
