//! Committing a batch: in turn, checked, applied, told.

use std::collections::{BTreeMap, HashMap};

use purlin_store::{Batch, Expectation};

use crate::failure::Failure;
use crate::line::bell;
use crate::outbox;
use crate::postgres::{Doing, Work};
use crate::session::Session;

const FOUND: &str = "SELECT r.tbl, r.key, r.value FROM purlin.record AS r \
     JOIN UNNEST($1::text[], $2::bytea[]) AS e (tbl, key) ON r.tbl = e.tbl AND r.key = e.key";

const DELETE: &str = "DELETE FROM purlin.record AS r \
     USING UNNEST($1::text[], $2::bytea[]) AS d (tbl, key) WHERE r.tbl = d.tbl AND r.key = d.key";

const PUT: &str = "INSERT INTO purlin.record (tbl, key, value) \
     SELECT * FROM UNNEST($1::text[], $2::bytea[], $3::bytea[]) \
     ON CONFLICT (tbl, key) DO UPDATE SET value = excluded.value";

/// Wakes whoever has asked to be woken ([`crate::Postgres::bell`]), once the transaction is committed.
const RING: &str = concat!("SELECT pg_notify('", bell!(), "', '')");

/// A row that was not as expected.
type Conflict = (String, Vec<u8>);

/// The new value of each row changed; `None` deletes it.
pub(super) type Changes = BTreeMap<(String, Vec<u8>), Option<Vec<u8>>>;

pub(super) struct Commit {
    expect: Vec<(String, Vec<u8>, Expectation)>,
    /// A put beats a delete, a later put an earlier one.
    pub(super) changes: Changes,
    quiet: bool,
}

impl Commit {
    pub(super) fn new(batch: Batch) -> Self {
        let deleted = batch.delete.into_iter().map(|row| (row, None));
        let put = batch
            .put
            .into_iter()
            .map(|(table, key, value)| ((table, key), Some(value)));
        Self {
            expect: batch.expect,
            changes: deleted.chain(put).collect(),
            quiet: batch.quiet,
        }
    }

    async fn conflict(&self, session: &Session) -> Result<Option<Conflict>, Failure> {
        if self.expect.is_empty() {
            return Ok(None);
        }
        let (tables, keys): (Vec<&str>, Vec<&[u8]>) = self
            .expect
            .iter()
            .map(|(table, key, _)| (table.as_str(), key.as_slice()))
            .unzip();
        let rows = session.query(FOUND, &[&tables, &keys]).await?;
        let mut found: HashMap<(&str, &[u8]), &[u8]> = HashMap::new();
        for row in &rows {
            found.insert((row.try_get("tbl")?, row.try_get("key")?), row.try_get("value")?);
        }
        let differs = self.expect.iter().find(|(table, key, expected)| {
            let value = found.get(&(table.as_str(), key.as_slice()));
            match expected {
                Expectation::Absent => value.is_some(),
                Expectation::Value(expected) => value != Some(&expected.as_slice()),
            }
        });
        Ok(differs.map(|(table, key, _)| (table.clone(), key.clone())))
    }

    async fn apply(&self, session: &Session) -> Result<(), Failure> {
        let (mut deleted, mut put) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new(), Vec::new()));
        for ((table, key), value) in &self.changes {
            match value {
                None => {
                    deleted.0.push(table.as_str());
                    deleted.1.push(key.as_slice());
                }
                Some(value) => {
                    put.0.push(table.as_str());
                    put.1.push(key.as_slice());
                    put.2.push(value.as_slice());
                }
            }
        }
        if !deleted.0.is_empty() {
            session.query(DELETE, &[&deleted.0, &deleted.1]).await?;
        }
        if !put.0.is_empty() {
            session.query(PUT, &[&put.0, &put.1, &put.2]).await?;
        }
        Ok(())
    }
}

impl Work for Commit {
    type Done = Result<(), Conflict>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            session.run("BEGIN").await?;
            let last = outbox::take_turn(session).await?;
            if let Some(conflict) = self.conflict(session).await? {
                session.run("ROLLBACK").await?;
                return Ok(Err(conflict));
            }
            self.apply(session).await?;
            if !self.quiet && !self.changes.is_empty() {
                let rows = self.changes.keys();
                let notes: Vec<_> = rows
                    .map(|(table, key)| (table.as_str(), key.as_slice()))
                    .collect();
                outbox::leave(session, last, &notes).await?;
                session.query(RING, &[]).await?;
            }
            session.commit().await?;
            Ok(Ok(()))
        })
    }
}
