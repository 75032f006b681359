//! Records in memory, for tests of what stands on records.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::{Batch, Expectation, RecordError, Records, Row};

/// Table and key.
type Key = (String, Vec<u8>);

/// Records in memory, which several nodes of one test may share; they keep the contract but for durability.
#[derive(Debug, Default)]
pub struct MemoryRecords {
    rows: Mutex<BTreeMap<Key, Vec<u8>>>,
    full: AtomicBool,
}

impl MemoryRecords {
    /// From now on writes fail as on a full disk ([`RecordError::Full`]), or work again.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Everything that is stored: a line for each row, with its table, key and value as text.
    #[must_use]
    pub fn dump(&self) -> String {
        let line = |((table, key), value): (&Key, &Vec<u8>)| {
            let (key, value) = (String::from_utf8_lossy(key), String::from_utf8_lossy(value));
            format!("{table} {key} {value}\n")
        };
        self.rows().iter().map(line).collect()
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<Key, Vec<u8>>> {
        self.rows.lock().expect("nobody panics while holding the rows")
    }
}

impl Records for MemoryRecords {
    fn get(&self, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
        Ok(self.rows().get(&(table.to_owned(), key.to_vec())).cloned())
    }

    fn scan(&self, table: &str, after: &[u8], limit: usize) -> Result<Vec<Row>, RecordError> {
        let rows = self.rows();
        let found = rows
            .iter()
            .filter(|((of, key), _)| of == table && (after.is_empty() || key.as_slice() > after));
        Ok(found.take(limit).map(row).collect())
    }

    fn commit(&self, batch: Batch) -> Result<(), RecordError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(RecordError::Full);
        }
        let mut rows = self.rows();
        for (table, key, expected) in batch.expect {
            let place = (table, key);
            let found = rows.get(&place);
            let holds = match &expected {
                Expectation::Absent => found.is_none(),
                Expectation::Value(value) => found == Some(value),
            };
            if !holds {
                let (table, key) = place;
                return Err(RecordError::Conflict { table, key });
            }
        }
        for place in batch.delete {
            rows.remove(&place);
        }
        for (table, key, value) in batch.put {
            rows.insert((table, key), value);
        }
        Ok(())
    }

    fn last(&self, table: &str, limit: usize) -> Result<Vec<Row>, RecordError> {
        let rows = self.rows();
        let found = rows.iter().rev().filter(|((of, _), _)| of == table);
        Ok(found.take(limit).map(row).collect())
    }
}

fn row(((_, key), value): (&Key, &Vec<u8>)) -> Row {
    (key.clone(), value.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::records;
    use super::*;

    #[test]
    fn records_in_memory_keep_the_contract() {
        records::all(|| {
            let records = Arc::new(MemoryRecords::default());
            move || Arc::clone(&records) as Arc<dyn Records>
        });
    }

    #[test]
    fn a_full_memory_refuses_and_recovers() {
        let records = MemoryRecords::default();
        records.set_full(true);
        let refused = records.commit(Batch::default().put("t", *b"a", *b"1"));
        assert!(matches!(refused, Err(RecordError::Full)));
        records.set_full(false);
        records.commit(Batch::default().put("t", *b"a", *b"1")).unwrap();
        assert_eq!(records.dump(), "t a 1\n");
    }
}
