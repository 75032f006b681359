//! A table of few rows: held in memory, written to the store first.

use purlin_api::Problem;
use purlin_api::ledger::Ledger;
use purlin_store::{Batch, Expectation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::watch;

/// Rows of one table, by id.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    table: &'static str,
    rows: RwLock<BTreeMap<String, Kept<T>>>,
    bell: Bell,
}

/// Rung when rows have changed, for whoever relies on what they said.
#[derive(Debug, Clone)]
pub(crate) struct Bell(Arc<watch::Sender<u64>>);

impl Default for Bell {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Bell {
    fn ring(&self) {
        self.0.send_modify(|times| *times += 1);
    }

    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// A row, and how it lies in the store: whoever writes it anew says what it was.
#[derive(Debug, Clone)]
struct Kept<T> {
    row: Arc<T>,
    octets: Vec<u8>,
}

/// Most rows of a table.
pub(crate) const ROWS_MAX: usize = 50_000;

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Shelf<T> {
    pub(crate) fn new(table: &'static str, bell: &Bell) -> Self {
        Self {
            table,
            rows: RwLock::new(BTreeMap::new()),
            bell: bell.clone(),
        }
    }

    /// Changes what is here, and says so.
    fn change<R>(&self, change: impl FnOnce(&mut BTreeMap<String, Kept<T>>) -> R) -> R {
        let changed = change(&mut self.rows.write().unwrap_or_else(PoisonError::into_inner));
        self.bell.ring();
        changed
    }

    /// Reads the table anew.
    pub(crate) async fn refresh(&self, ledger: &Ledger) -> Result<(), Problem> {
        let found = ledger.scan(self.table, Vec::new(), ROWS_MAX).await?;
        let mut rows = BTreeMap::new();
        for (key, octets) in found {
            rows.insert(String::from_utf8_lossy(&key).into_owned(), self.read(octets)?);
        }
        self.change(|known| *known = rows);
        Ok(())
    }

    /// Reads one row anew, whether it is there or not any more.
    pub(crate) async fn refresh_row(&self, ledger: &Ledger, key: Vec<u8>) -> Result<(), Problem> {
        let found = ledger.get(self.table, key.clone()).await?;
        let id = String::from_utf8_lossy(&key).into_owned();
        let kept = found.map(|octets| self.read(octets)).transpose()?;
        self.change(|rows| match kept {
            Some(kept) => rows.insert(id, kept),
            None => rows.remove(&id),
        });
        Ok(())
    }

    fn read(&self, octets: Vec<u8>) -> Result<Kept<T>, Problem> {
        let row = serde_json::from_slice(&octets).map_err(|cause| {
            Problem::broken(format!("a row of the table {} is damaged: {cause}", self.table))
        })?;
        Ok(Kept {
            row: Arc::new(row),
            octets,
        })
    }

    fn rows(&self) -> RwLockReadGuard<'_, BTreeMap<String, Kept<T>>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<T>> {
        self.rows().get(id).map(|kept| Arc::clone(&kept.row))
    }

    pub(crate) fn find(&self, is: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let rows = self.rows();
        let mut rows = rows.values();
        rows.find(|kept| is(&kept.row)).map(|kept| Arc::clone(&kept.row))
    }

    /// Those for which it holds, in the order of their ids.
    pub(crate) fn all(&self, is: impl Fn(&T) -> bool) -> Vec<Arc<T>> {
        let rows = self.rows();
        let rows = rows.values().filter(|kept| is(&kept.row));
        rows.map(|kept| Arc::clone(&kept.row)).collect()
    }

    /// Rows of a start of their ids.
    pub(crate) fn under(&self, start: &str) -> Vec<(String, Arc<T>)> {
        let rows = self.rows();
        let rows = rows.range(start.to_owned()..);
        rows.take_while(|(id, _)| id.starts_with(start))
            .map(|(id, kept)| (id.clone(), Arc::clone(&kept.row)))
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows().len()
    }

    /// Has the row written; in the store it must be what it is here.
    pub(crate) fn put<'a>(&'a self, edit: &mut Edit<'a>, id: &str, row: T) {
        let octets = serde_json::to_vec(&row).expect("a row has nothing that JSON cannot say");
        edit.expect(self.table, id, self.expectation(id));
        edit.batch = std::mem::take(&mut edit.batch).put(self.table, id.as_bytes(), octets.clone());
        let (id, row) = (id.to_owned(), Arc::new(row));
        edit.then.push(Box::new(move || {
            self.change(|rows| rows.insert(id, Kept { row, octets }));
        }));
    }

    /// Has the row taken away, whatever it has become elsewhere: who revokes something means it.
    pub(crate) fn take<'a>(&'a self, edit: &mut Edit<'a>, id: &str) {
        edit.batch = std::mem::take(&mut edit.batch).delete(self.table, id.as_bytes());
        let id = id.to_owned();
        edit.then.push(Box::new(move || {
            self.change(|rows| rows.remove(&id));
        }));
    }

    fn expectation(&self, id: &str) -> Expectation {
        match self.rows().get(id) {
            Some(kept) => Expectation::Value(kept.octets.clone()),
            None => Expectation::Absent,
        }
    }
}

/// Several writes that happen together or not at all.
#[derive(Default)]
pub(crate) struct Edit<'a> {
    batch: Batch,
    then: Vec<Box<dyn FnOnce() + Send + 'a>>,
}

impl Edit<'_> {
    fn expect(&mut self, table: &str, id: &str, what: Expectation) {
        self.batch = std::mem::take(&mut self.batch).expect(table, id.as_bytes(), what);
    }

    /// Writes it to the store, then here.
    pub(crate) async fn commit(self, ledger: &Ledger) -> Result<(), Problem> {
        ledger.commit(self.batch).await?;
        self.then.into_iter().for_each(|then| then());
        Ok(())
    }
}
