//! Records in memory.

use purlin_store::{Batch, RecordError, Records, Row};
use std::collections::BTreeMap;
use std::sync::Mutex;

type Key = (String, Vec<u8>);

#[derive(Debug, Default)]
pub(super) struct MemoryRecords(Mutex<BTreeMap<Key, Vec<u8>>>);

impl MemoryRecords {
    fn of(&self, table: &str) -> Vec<Row> {
        let rows = self.0.lock().expect("no test panics while it holds the rows");
        let own = rows.iter().filter(|((t, _), _)| t == table);
        own.map(|((_, key), value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl Records for MemoryRecords {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
        Ok(self
            .of(table)
            .into_iter()
            .find(|(own, _)| own == key)
            .map(|(_, value)| value))
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
        let mut rows = self.0.lock().expect("no test panics while it holds the rows");
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
