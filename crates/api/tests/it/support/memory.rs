//! Records in memory, with a switch that makes every write fail.

use purlin_store::{Batch, Expectation, RecordError, Records, Row};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Table and key.
type Key = (String, Vec<u8>);

#[derive(Debug, Default)]
pub(crate) struct MemoryRecords {
    rows: Mutex<BTreeMap<Key, Vec<u8>>>,
    full: AtomicBool,
}

impl MemoryRecords {
    /// From now on writes fail as on a full disk, or work again.
    pub(crate) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    fn of(&self, table: &str) -> Vec<Row> {
        let rows = self.rows.lock().unwrap();
        rows.iter()
            .filter(|((t, _), _)| t == table)
            .map(|((_, k), v)| (k.clone(), v.clone()))
            .collect()
    }
}

impl Records for MemoryRecords {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
        Ok(self
            .rows
            .lock()
            .unwrap()
            .get(&(table.to_owned(), key.to_vec()))
            .cloned())
    }

    fn scan(&self, table: &str, after: &[u8], limit: usize) -> Result<Vec<Row>, RecordError> {
        let above = |key: &[u8]| after.is_empty() || key > after;
        Ok(self
            .of(table)
            .into_iter()
            .filter(|(key, _)| above(key))
            .take(limit)
            .collect())
    }

    fn commit(&self, batch: Batch) -> Result<(), RecordError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(RecordError::Full);
        }
        let mut rows = self.rows.lock().unwrap();
        for (table, key, wanted) in &batch.expect {
            let found = rows.get(&(table.clone(), key.clone()));
            let holds = match wanted {
                Expectation::Absent => found.is_none(),
                Expectation::Value(value) => found == Some(value),
            };
            if !holds {
                return Err(RecordError::Conflict {
                    table: table.clone(),
                    key: key.clone(),
                });
            }
        }
        for (table, key) in batch.delete {
            rows.remove(&(table, key));
        }
        for (table, key, value) in batch.put {
            rows.insert((table, key), value);
        }
        Ok(())
    }

    fn last(&self, table: &str, limit: usize) -> Result<Vec<Row>, RecordError> {
        Ok(self.of(table).into_iter().rev().take(limit).collect())
    }
}
