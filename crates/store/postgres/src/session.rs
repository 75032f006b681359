//! One connection, set up, with its prepared statements.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row, Statement};

use crate::failure::Failure;
use crate::line::{Lines, Warned, bell};

pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

pub(crate) struct Session {
    client: Client,
    warned: Warned,
    statements: Mutex<HashMap<&'static str, Statement>>,
    born: Instant,
}

impl Session {
    /// Connects to one host and says how we work: bounded statements and locks, transactions that do not stay open,
    /// commits that are on disk, and on the standby where there is one. One that listens is told of others' commits as
    /// long as it is open, in use or not.
    pub(crate) async fn open(
        lines: &Lines,
        config: &Config,
        limit: Duration,
        listens: bool,
    ) -> Result<Self, Failure> {
        let (client, warned) = lines.connect(config).await?;
        let millis = limit.as_millis();
        // A transaction is left open only by a node that stands still. It ends before whoever waits for its locks gives up.
        let idle = millis / 2;
        client
            .batch_execute(&format!(
                "SET statement_timeout = {millis}; SET lock_timeout = {millis}; \
                 SET idle_in_transaction_session_timeout = {idle}; \
                 SELECT set_config('synchronous_commit', 'on', false) \
                 WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"
            ))
            .await?;
        if listens {
            client.batch_execute(concat!("LISTEN ", bell!())).await?;
        }
        Ok(Self {
            client,
            warned,
            statements: Mutex::default(),
            born: Instant::now(),
        })
    }

    pub(crate) fn age(&self) -> Duration {
        self.born.elapsed()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(crate) fn into_client(self) -> Client {
        self.client
    }

    /// Prepares what is not yet. Before statements are sent in one go: a statement prepared in between would let
    /// the next one overtake it.
    pub(crate) async fn prepare(&self, statements: &[&'static str]) -> Result<(), Failure> {
        for text in statements {
            self.prepared(text).await?;
        }
        Ok(())
    }

    async fn prepared(&self, text: &'static str) -> Result<Statement, Failure> {
        let known = self.statements().get(text).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(text).await?;
        self.statements().insert(text, statement.clone());
        Ok(statement)
    }

    fn statements(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        self.statements.lock().expect("no thread panics with it")
    }

    /// Rows of a prepared statement.
    pub(crate) async fn query(&self, text: &'static str, params: Params<'_>) -> Result<Vec<Row>, Failure> {
        let statement = self.prepared(text).await?;
        Ok(self.client.query(&statement, params).await?)
    }

    /// As [`Self::query`], for a statement outside of a transaction that changes something: an answer means that it is
    /// as durable as the server can make it.
    pub(crate) async fn write(&self, text: &'static str, params: Params<'_>) -> Result<Vec<Row>, Failure> {
        let statement = self.prepared(text).await?;
        self.warned.store(false, Ordering::Release);
        let rows = self.client.query(&statement, params).await?;
        self.confirmed()?;
        Ok(rows)
    }

    /// Statements without parameters or answer, such as BEGIN.
    pub(crate) async fn run(&self, text: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(text).await?)
    }

    /// Ends a transaction of which every statement has succeeded. (After a failed one, COMMIT succeeds and rolls back.)
    pub(crate) async fn commit(&self) -> Result<(), Failure> {
        self.warned.store(false, Ordering::Release);
        self.run("COMMIT").await?;
        self.confirmed()
    }

    fn confirmed(&self) -> Result<(), Failure> {
        if self.warned.load(Ordering::Acquire) {
            Err(Failure::Unconfirmed)
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("age", &self.age())
            .finish_non_exhaustive()
    }
}
