//! Updates become the next state, whole or not at all.

use super::RowData;
use super::changes::{Changes, RowChange};
use super::database::Database;
use super::layout::Layout;
use crate::monitor::{RowUpdate, TableUpdates, UpdateSeed};
use crate::uuid::Uuid;
use crate::value::{Datum, Interner};
use std::sync::Arc;

/// The writer's side of a cache.
#[derive(Debug)]
pub struct Cache {
    current: Database,
    interner: Interner,
}

/// An update that does not fit; the cache is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Not the JSON of an update.
    #[error("an update cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A row that should be new is there already.
    #[error("{0} {1} comes as new and is there already")]
    AlreadyThere(String, Uuid),
    /// A row that should be there is not.
    #[error("{0} {1} changes or goes and is not there")]
    NotThere(String, Uuid),
}

impl Cache {
    /// An empty one.
    #[must_use]
    pub fn new(layout: Arc<Layout>) -> Self {
        Self {
            current: Database::empty(layout),
            interner: Interner::new(),
        }
    }

    /// The state as it is now.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.current
    }

    /// Takes differences over: an update, or what a server sends after the transaction that we had.
    ///
    /// # Errors
    ///
    /// The update cannot be read, or is for another state than ours. Nothing changed then; load all anew.
    pub fn apply(&mut self, json: &[u8], txn: Option<Uuid>) -> Result<Changes, CacheError> {
        let updates = self.read(json)?;
        let mut next = self.current.clone();
        let mut rows = Vec::with_capacity(updates.len());
        for (table, uuid, update) in updates {
            rows.extend(change(&mut next, table, uuid, update)?);
        }
        self.current = next;
        let layout = self.current.layout.clone();
        Ok(Changes { layout, txn, rows })
    }

    /// Takes a whole state over in place of what is here, and says what differs. Rows that are the same stay the same
    /// memory.
    ///
    /// # Errors
    ///
    /// The state cannot be read. Nothing changed then.
    pub fn reload(&mut self, json: &[u8], txn: Option<Uuid>) -> Result<Changes, CacheError> {
        let updates = self.read(json)?;
        let mut next = Database::empty(self.current.layout.clone());
        for (table, uuid, update) in updates {
            let (RowUpdate::Insert(row) | RowUpdate::Replace(row)) = update else {
                return Err(CacheError::NotThere(name(&next, table), uuid));
            };
            let known = self.current.tables[table]
                .rows
                .get(&uuid)
                .filter(|known| **known == row);
            let row = known.cloned().unwrap_or(row);
            if next.put(table, uuid, Some(&row)).is_some() {
                return Err(CacheError::AlreadyThere(name(&next, table), uuid));
            }
        }
        let changes = Changes::between(&self.current, &next, txn);
        self.current = next;
        Ok(changes)
    }

    fn read(&mut self, json: &[u8]) -> Result<TableUpdates, CacheError> {
        let seed = UpdateSeed {
            layout: &self.current.layout,
            interner: &mut self.interner,
        };
        Ok(seed.read(json)?)
    }
}

fn name(database: &Database, table: usize) -> String {
    database.layout.tables()[table].name().to_owned()
}

fn change(
    next: &mut Database,
    table: usize,
    uuid: Uuid,
    update: RowUpdate,
) -> Result<Option<RowChange>, CacheError> {
    let before = next.tables[table].rows.get(&uuid).cloned();
    let after = match (update, &before) {
        (RowUpdate::Insert(_), Some(_)) => return Err(CacheError::AlreadyThere(name(next, table), uuid)),
        (RowUpdate::Insert(row) | RowUpdate::Replace(row), _) => Some(row),
        (RowUpdate::Modify(diff), Some(row)) => Some(modified(next, table, row, diff)),
        (RowUpdate::Delete, Some(_)) => None,
        (RowUpdate::Modify(_) | RowUpdate::Delete, None) => {
            return Err(CacheError::NotThere(name(next, table), uuid));
        }
    };
    next.put(table, uuid, after.as_ref());
    let changed = before != after;
    Ok(changed.then_some(RowChange {
        table,
        uuid,
        before,
        after,
    }))
}

fn modified(database: &Database, table: usize, row: &RowData, diff: Vec<(usize, Datum)>) -> RowData {
    let mut columns = row.to_vec();
    let layout = &database.layout.tables()[table];
    for (at, diff) in diff {
        columns[at] = columns[at].apply(&diff, &layout.columns()[at].kind);
    }
    columns.into()
}
