//! Updates become the next state, whole or not at all.

use super::changes::{Changes, RowChange};
use super::database::Database;
use super::layout::{Layout, TableLayout};
use crate::monitor::{RowUpdate, Since, TableUpdates, UpdateSeed};
use crate::uuid::Uuid;
use crate::value::Interner;
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
        self.change(updates, txn)
    }

    /// Takes a whole state over in place of what is here, and says what differs. Rows that are the same stay the same
    /// memory.
    ///
    /// # Errors
    ///
    /// The state cannot be read. Nothing changed then.
    pub fn reload(&mut self, json: &[u8], txn: Option<Uuid>) -> Result<Changes, CacheError> {
        let updates = self.read(json)?;
        self.replace(updates, txn)
    }

    /// Takes over what a server answers to `monitor_cond_since`: differences where it knew the transaction that we had
    /// (`true`), else a whole state. The transaction that the cache is at then is in the changes.
    ///
    /// # Errors
    ///
    /// As [`Cache::apply`] and [`Cache::reload`].
    pub fn catch_up(&mut self, json: &[u8]) -> Result<(bool, Changes), CacheError> {
        let Since { found, txn, updates } = self.seed().read_since(json)?;
        let txn = Some(txn).filter(|txn| !txn.is_zero());
        let changes = match found {
            true => self.change(updates, txn),
            false => self.replace(updates, txn),
        };
        Ok((found, changes?))
    }

    fn read(&mut self, json: &[u8]) -> Result<TableUpdates, CacheError> {
        Ok(self.seed().read(json)?)
    }

    fn seed(&mut self) -> UpdateSeed<'_> {
        UpdateSeed {
            layout: &self.current.layout,
            interner: &mut self.interner,
        }
    }

    fn change(&mut self, updates: TableUpdates, txn: Option<Uuid>) -> Result<Changes, CacheError> {
        let mut next = self.current.clone();
        let (mut rows, layout) = (Vec::new(), next.layout.clone());
        for (table, updates) in updates {
            rows.reserve(updates.len());
            let table = (table, &*layout.tables()[table]);
            for (uuid, update) in updates {
                rows.extend(change(&mut next, table, uuid, update)?);
            }
        }
        self.current = next;
        Ok(Changes { layout, txn, rows })
    }

    fn replace(&mut self, updates: TableUpdates, txn: Option<Uuid>) -> Result<Changes, CacheError> {
        let mut next = Database::empty(self.current.layout.clone());
        for (table, updates) in updates {
            let known = &self.current.tables[table].rows;
            let whole = |(uuid, update)| match update {
                RowUpdate::Insert(row) | RowUpdate::Replace(row) => Ok((
                    uuid,
                    known
                        .get(&uuid)
                        .filter(|known| **known == row)
                        .cloned()
                        .unwrap_or(row),
                )),
                RowUpdate::Modify(_) | RowUpdate::Delete => {
                    Err(CacheError::NotThere(name(&self.current, table), uuid))
                }
            };
            let mut rows = updates.into_iter().map(whole).collect::<Result<Vec<_>, _>>()?;
            rows.sort_unstable_by_key(|(uuid, _)| *uuid);
            if let Some(twice) = rows.windows(2).find(|two| two[0].0 == two[1].0) {
                return Err(CacheError::AlreadyThere(name(&self.current, table), twice[0].0));
            }
            next.fill(table, rows);
        }
        let changes = Changes::between(&self.current, &next, txn);
        self.current = next;
        Ok(changes)
    }
}

fn name(database: &Database, table: usize) -> String {
    database.layout.tables()[table].name().to_owned()
}

fn change(
    next: &mut Database,
    (table, layout): (usize, &TableLayout),
    uuid: Uuid,
    update: RowUpdate,
) -> Result<Option<RowChange>, CacheError> {
    let before = next.tables[table].rows.get(&uuid).cloned();
    let after = match (update, &before) {
        (RowUpdate::Insert(_), Some(_)) => return Err(CacheError::AlreadyThere(name(next, table), uuid)),
        (RowUpdate::Insert(row) | RowUpdate::Replace(row), _) => Some(row),
        (RowUpdate::Modify(diff), Some(row)) => Some(row.with(layout, diff, |at, old, diff| {
            old.apply(&diff, &layout.columns()[at].kind)
        })),
        (RowUpdate::Delete, Some(_)) => None,
        (RowUpdate::Modify(_) | RowUpdate::Delete, None) => {
            return Err(CacheError::NotThere(name(next, table), uuid));
        }
    };
    next.put(table, uuid, after.as_ref());
    let changed = before != after;
    Ok(changed.then(|| RowChange::new((table, layout), uuid, before, after)))
}
