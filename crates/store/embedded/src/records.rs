//! Records on redb: small tables, atomic and durable on return, over the same medium as the journals.
//!
//! Why redb and not an LSM tree is told in `docs/adr/0003-lease-journal.md`: control-plane writes are few, and
//! what counts is that a full disk or a torn write never keeps the store from going on or opening again.

mod backend;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{RwLock, RwLockReadGuard};

use purlin_store::{Batch, Expectation, OpenError, RecordError, Records, Row};
use redb::{Database, Error, ReadableDatabase, ReadableTable, TableDefinition, TableError, TableHandle};

use self::backend::Backend;
use crate::medium::{Medium, is_full};

/// Pages kept in memory; the whole of a usual control plane's state.
const CACHE: usize = 2 << 20;

type Table<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;

/// Called with a table, a key and a value.
pub type EachRow<'a> = &'a mut dyn FnMut(&str, &[u8], &[u8]);

/// New values by table; `None` removes the key.
type Changes<'a> = BTreeMap<&'a str, Vec<(&'a [u8], Option<&'a [u8]>)>>;

/// A row as the engine lends it.
type Lent<'a> = (
    redb::AccessGuard<'a, &'static [u8]>,
    redb::AccessGuard<'a, &'static [u8]>,
);

/// Tables in one file.
pub struct RecordFile {
    medium: Arc<dyn Medium>,
    path: PathBuf,
    /// `None` after an error, until the next call opens the file again.
    database: RwLock<Option<Database>>,
    sync_failed: Arc<AtomicBool>,
}

impl fmt::Debug for RecordFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl RecordFile {
    /// Opens or creates the file `path` in a folder that exists. The caller holds the folder's lock.
    ///
    /// # Errors
    /// When it cannot be read, is damaged or no such file.
    pub fn open(medium: Arc<dyn Medium>, path: &Path) -> Result<Self, OpenError> {
        let sync_failed = Arc::new(AtomicBool::new(false));
        let database = open(medium.as_ref(), path, &sync_failed).map_err(|error| match error {
            Error::Corrupted(_) => OpenError::Damaged {
                path: path.display().to_string(),
                offset: 0,
                what: "the tables do not add up",
            },
            Error::Io(source) => failed(path, source),
            other => failed(path, std::io::Error::other(other)),
        })?;
        Ok(Self {
            medium,
            path: path.to_owned(),
            database: RwLock::new(Some(database)),
            sync_failed,
        })
    }

    /// Calls `each` with every table, key and value as they are at one moment.
    ///
    /// # Errors
    /// When the engine cannot read.
    pub fn for_each(&self, each: EachRow<'_>) -> Result<(), RecordError> {
        self.with(|database| {
            let reading = database.begin_read()?;
            for handle in reading.list_tables()? {
                let table = reading.open_table(Table::new(handle.name()))?;
                for row in table.iter()? {
                    let (key, value) = row?;
                    each(handle.name(), key.value(), value.value());
                }
            }
            Ok(())
        })
    }

    /// Bytes of the file; 0 when that cannot be said.
    pub(crate) fn size(&self) -> u64 {
        self.medium
            .open_read(&self.path)
            .and_then(|file| file.length())
            .unwrap_or(0)
    }

    /// Runs `work` on the open database. The engine answers nothing after a failed write until it is opened
    /// anew, which brings it back to the last commit: right for a full disk, wrong after a failed sync.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Error>) -> Result<T, RecordError> {
        let guard = self.opened()?;
        let database = guard.as_ref().expect("opened just now");
        let outcome = work(database);
        drop(guard);
        outcome.map_err(|error| {
            if matches!(error, Error::Io(_) | Error::PreviousIo) {
                *self.database.write().expect("no thread panics while opening") = None;
            }
            self.explain(error)
        })
    }

    fn opened(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, RecordError> {
        loop {
            if self.sync_failed.load(Ordering::Acquire) {
                return Err(RecordError::Failed("a sync of the records failed before".into()));
            }
            let guard = self.database.read().expect("no thread panics while opening");
            if guard.is_some() {
                return Ok(guard);
            }
            drop(guard);
            let mut slot = self.database.write().expect("no thread panics while opening");
            if slot.is_none() {
                let opened = open(self.medium.as_ref(), &self.path, &self.sync_failed);
                *slot = Some(opened.map_err(|error| self.explain(error))?);
            }
        }
    }

    fn explain(&self, error: Error) -> RecordError {
        match error {
            Error::Io(cause) if is_full(&cause) && !self.sync_failed.load(Ordering::Acquire) => {
                RecordError::Full
            }
            other => RecordError::Failed(Box::new(other)),
        }
    }

    /// Rows of a table in the order `pick` takes them from it; none when there is no such table.
    fn rows<T: Default>(
        &self,
        table: &str,
        pick: impl FnOnce(&redb::ReadOnlyTable<&'static [u8], &'static [u8]>) -> Result<T, Error>,
    ) -> Result<T, RecordError> {
        self.with(
            |database| match database.begin_read()?.open_table(Table::new(table)) {
                Ok(table) => pick(&table),
                Err(TableError::TableDoesNotExist(_)) => Ok(T::default()),
                Err(error) => Err(error.into()),
            },
        )
    }
}

fn open(medium: &dyn Medium, path: &Path, sync_failed: &Arc<AtomicBool>) -> Result<Database, Error> {
    let backend = Backend::open(medium, path, sync_failed.clone())?;
    Ok(Database::builder()
        .set_cache_size(CACHE)
        .create_with_backend(backend)?)
}

fn failed(path: &Path, source: std::io::Error) -> OpenError {
    OpenError::Io {
        what: "opening",
        path: path.display().to_string(),
        source,
    }
}

fn own(row: Result<Lent<'_>, redb::StorageError>) -> Result<Row, Error> {
    let (key, value) = row?;
    Ok((key.value().to_vec(), value.value().to_vec()))
}

impl Records for RecordFile {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
        self.rows(table, |table| {
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        })
    }

    fn scan(&self, table: &str, after: &[u8], limit: usize) -> Result<Vec<Row>, RecordError> {
        let from = if after.is_empty() {
            Bound::Unbounded
        } else {
            Bound::Excluded(after)
        };
        self.rows(table, |table| {
            table
                .range::<&[u8]>((from, Bound::Unbounded))?
                .take(limit)
                .map(own)
                .collect()
        })
    }

    fn commit(&self, batch: Batch) -> Result<(), RecordError> {
        let conflict = self.with(|database| {
            // One writer at a time: nobody can come between the expectations and the changes.
            let writing = database.begin_write()?;
            let conflict = first_conflict(&writing, &batch.expect)?;
            if conflict.is_none() {
                change(&writing, &batch)?;
                writing.commit()?;
            } else {
                writing.abort()?;
            }
            Ok(conflict)
        })?;
        match conflict {
            Some((table, key)) => Err(RecordError::Conflict { table, key }),
            None => Ok(()),
        }
    }

    fn last(&self, table: &str, limit: usize) -> Result<Vec<Row>, RecordError> {
        self.rows(table, |table| table.iter()?.rev().take(limit).map(own).collect())
    }
}

fn first_conflict(
    writing: &redb::WriteTransaction,
    expected: &[(String, Vec<u8>, Expectation)],
) -> Result<Option<(String, Vec<u8>)>, Error> {
    for (table, key, expectation) in expected {
        let found = writing
            .open_table(Table::new(table))?
            .get(key.as_slice())?
            .map(|value| value.value().to_vec());
        let holds = match expectation {
            Expectation::Absent => found.is_none(),
            Expectation::Value(value) => found.as_ref() == Some(value),
        };
        if !holds {
            return Ok(Some((table.clone(), key.clone())));
        }
    }
    Ok(None)
}

fn change(writing: &redb::WriteTransaction, batch: &Batch) -> Result<(), Error> {
    let mut by_table = Changes::new();
    for (table, key) in &batch.delete {
        by_table.entry(table).or_default().push((key, None));
    }
    for (table, key, value) in &batch.put {
        by_table.entry(table).or_default().push((key, Some(value)));
    }
    for (name, changes) in by_table {
        let mut table = writing.open_table(Table::new(name))?;
        for (key, value) in changes {
            match value {
                Some(value) => drop(table.insert(key, value)?),
                None => drop(table.remove(key)?),
            }
        }
    }
    Ok(())
}
