//! Records in memory.

use purlin_store::{Batch, Expectation, RecordError, Records, Row};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Records in memory, which several nodes may share.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Tables>);

/// By table and key.
type Tables = BTreeMap<(String, Vec<u8>), Vec<u8>>;

impl Records for Memory {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .get(&(table.to_owned(), key.to_vec()))
            .cloned())
    }

    fn scan(&self, table: &str, after: &[u8], limit: usize) -> Result<Vec<Row>, RecordError> {
        let rows = self.0.lock().unwrap();
        let of_table = rows
            .iter()
            .filter(|((t, k), _)| t == table && (after.is_empty() || k.as_slice() > after));
        Ok(of_table
            .take(limit)
            .map(|((_, k), v)| (k.clone(), v.clone()))
            .collect())
    }

    fn commit(&self, batch: Batch) -> Result<(), RecordError> {
        let mut rows = self.0.lock().unwrap();
        for (table, key, expected) in batch.expect {
            let found = rows.get(&(table.clone(), key.clone()));
            let holds = match &expected {
                Expectation::Absent => found.is_none(),
                Expectation::Value(value) => found == Some(value),
            };
            if !holds {
                return Err(RecordError::Conflict { table, key });
            }
        }
        for (table, key, value) in batch.put {
            rows.insert((table, key), value);
        }
        for (table, key) in batch.delete {
            rows.remove(&(table, key));
        }
        Ok(())
    }

    fn last(&self, table: &str, limit: usize) -> Result<Vec<Row>, RecordError> {
        let rows = self.0.lock().unwrap();
        let of_table = rows.iter().rev().filter(|((t, _), _)| t == table);
        Ok(of_table
            .take(limit)
            .map(|((_, k), v)| (k.clone(), v.clone()))
            .collect())
    }
}
