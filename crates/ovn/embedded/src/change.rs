//! A transaction under way: what it has changed so far, over what was there before.

use crate::rows::{Changed, Contents, Stored, trim};
use purlin_ovsdb::{Condition, Row, TableSchema, Uuid};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A row that the transaction has touched.
#[derive(Debug, Clone)]
pub(crate) struct Touched {
    pub(crate) old: Option<Arc<Stored>>,
    pub(crate) new: Option<Row>,
}

/// Rows as the transaction sees them.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(crate) before: &'a Contents,
    pub(crate) touched: BTreeMap<(Arc<str>, Uuid), Touched>,
}

impl<'a> Change<'a> {
    pub(crate) const fn new(before: &'a Contents) -> Self {
        Self {
            before,
            touched: BTreeMap::new(),
        }
    }

    /// A row as it is now.
    pub(crate) fn row(&self, table: &Arc<str>, uuid: Uuid) -> Option<&Row> {
        match self.touched.get(&(Arc::clone(table), uuid)) {
            Some(touched) => touched.new.as_ref(),
            None => Some(&self.before.row(table, uuid)?.columns),
        }
    }

    /// Whether a row of this name is there, or was before the transaction.
    pub(crate) fn was_ever(&self, table: &Arc<str>, uuid: Uuid) -> bool {
        self.touched.contains_key(&(Arc::clone(table), uuid)) || self.before.row(table, uuid).is_some()
    }

    /// Gives a row, new or not, these values; `None` takes it away.
    pub(crate) fn put(&mut self, table: &Arc<str>, uuid: Uuid, new: Option<Row>) {
        let before = self.before;
        let old = || before.row(table, uuid).map(Arc::clone);
        let touched = self
            .touched
            .entry((Arc::clone(table), uuid))
            .or_insert_with(|| Touched {
                old: old(),
                new: None,
            });
        touched.new = new;
    }

    /// The rows that meet all conditions, in the order of their names.
    pub(crate) fn meeting(
        &self,
        schema: &TableSchema,
        table: &Arc<str>,
        conditions: &[Condition],
    ) -> Vec<Uuid> {
        let named = conditions.iter().find_map(named_row);
        let mut found: Vec<Uuid> = match named {
            Some(uuid) => self.row(table, uuid).map(|_| uuid).into_iter().collect(),
            None => self.all(table),
        };
        found.retain(|&uuid| {
            let row = self.row(table, uuid);
            row.is_some_and(|row| self.meets(schema, conditions, table, uuid, row))
        });
        found.sort_unstable();
        found
    }

    fn all(&self, table: &Arc<str>) -> Vec<Uuid> {
        let before = self.before.tables.get(table);
        let before = before.into_iter().flat_map(|rows| rows.by_uuid.keys().copied());
        let touched = self.touched.keys().filter(|(of, _)| of == table);
        let mut all: Vec<Uuid> = before.chain(touched.map(|(_, uuid)| *uuid)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn meets(
        &self,
        schema: &TableSchema,
        conditions: &[Condition],
        table: &Arc<str>,
        uuid: Uuid,
        row: &Row,
    ) -> bool {
        conditions.iter().all(|condition| match condition {
            Condition::Clause { column, .. } if column.starts_with('_') => {
                condition.matches(schema, &self.names_of(table, uuid))
            }
            _ => condition.matches(schema, row),
        })
    }

    /// `_uuid` and `_version` as columns. A row that the transaction has changed has no version yet that anyone knows.
    pub(crate) fn names_of(&self, table: &Arc<str>, uuid: Uuid) -> Row {
        let untouched = !self.touched.contains_key(&(Arc::clone(table), uuid));
        let stored = self.before.row(table, uuid).filter(|_| untouched);
        let version = stored.map_or(Uuid::ZERO, |stored| stored.version);
        Row::new().with("_uuid", uuid).with("_version", version)
    }

    /// Everything that is not as it was before, under new versions.
    pub(crate) fn finish(self, mut version: impl FnMut() -> Uuid) -> Vec<Changed> {
        let schema = &self.before.schema;
        let mut changes = Vec::with_capacity(self.touched.len());
        for ((table, uuid), touched) in self.touched {
            let Some(of) = schema.table(&table) else { continue };
            let new = touched.new.map(|row| trim(of, &row));
            if new.as_ref() == touched.old.as_ref().map(|old| &old.columns) {
                continue;
            }
            let new = new.map(|columns| {
                Arc::new(Stored {
                    version: version(),
                    columns,
                })
            });
            let old = touched.old;
            changes.push(Changed {
                table,
                uuid,
                old,
                new,
            });
        }
        changes
    }
}

/// The row that a condition names.
fn named_row(condition: &Condition) -> Option<Uuid> {
    match condition {
        Condition::Clause {
            column,
            function: purlin_ovsdb::Function::Equal,
            value,
        } if column == "_uuid" => value.one()?.as_uuid(),
        _ => None,
    }
}
