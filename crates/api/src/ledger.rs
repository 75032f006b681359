//! The record store seen from async code: every call runs on a blocking thread.

use purlin_store::{Batch, RecordError, Records, Row};
use std::sync::Arc;

use crate::problem::Problem;

/// A shared handle to the record store.
#[derive(Debug, Clone)]
pub struct Ledger(Arc<dyn Records>);

impl Ledger {
    #[must_use]
    pub fn new(records: Arc<dyn Records>) -> Self {
        Self(records)
    }

    /// Runs one piece of blocking work with the store.
    ///
    /// # Errors
    /// What the work returns, as a problem.
    pub async fn with<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Records) -> Result<T, RecordError> + Send + 'static,
    {
        let records = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(records.as_ref())).await;
        match done {
            Ok(result) => result.map_err(Problem::from),
            Err(_) => Err(Problem::broken("a thread of the record store died")),
        }
    }

    /// See [`Records::get`].
    ///
    /// # Errors
    /// When the store cannot read.
    pub async fn get(&self, table: &'static str, key: Vec<u8>) -> Result<Option<Vec<u8>>, Problem> {
        self.with(move |records| records.get(table, &key)).await
    }

    /// See [`Records::scan`].
    ///
    /// # Errors
    /// When the store cannot read.
    pub async fn scan(&self, table: &'static str, after: Vec<u8>, limit: usize) -> Result<Vec<Row>, Problem> {
        self.with(move |records| records.scan(table, &after, limit)).await
    }

    /// See [`Records::last`].
    ///
    /// # Errors
    /// When the store cannot read.
    pub async fn last(&self, table: &'static str, limit: usize) -> Result<Vec<Row>, Problem> {
        self.with(move |records| records.last(table, limit)).await
    }

    /// See [`Records::commit`].
    ///
    /// # Errors
    /// When the batch was not applied.
    pub async fn commit(&self, batch: Batch) -> Result<(), Problem> {
        self.with(move |records| records.commit(batch)).await
    }
}

/// Numbers as keys that sort as numbers do.
pub(crate) fn number_key(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// The number behind a key of [`number_key`].
pub(crate) fn key_number(key: &[u8]) -> Option<u64> {
    key.try_into().ok().map(u64::from_be_bytes)
}
