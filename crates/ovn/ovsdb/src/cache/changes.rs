//! What an update changed, row by row.

use super::database::{Database, RowRef};
use super::layout::Layout;
use super::{RowData, trie};
use crate::uuid::Uuid;
use std::sync::Arc;

/// What one update changed.
#[derive(Debug, Clone)]
pub struct Changes {
    pub(super) layout: Arc<Layout>,
    /// Up to and with which transaction; `None` where the server does not say.
    pub txn: Option<Uuid>,
    /// The rows, each once.
    pub rows: Vec<RowChange>,
}

/// A row that came, changed or went.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    pub(super) table: usize,
    /// The row.
    pub uuid: Uuid,
    /// As it was; `None` for a new row.
    pub before: Option<RowData>,
    /// As it is; `None` for a row that went.
    pub after: Option<RowData>,
}

impl Changes {
    /// What makes the second state of the first. Costs what differs, not what there is.
    #[must_use]
    pub fn between(old: &Database, new: &Database, txn: Option<Uuid>) -> Self {
        let mut rows = Vec::new();
        let pairs = old.tables.iter().zip(new.tables.iter()).enumerate();
        let pairs = pairs.filter(|(_, (a, b))| !Arc::ptr_eq(a, b));
        for (table, (a, b)) in pairs {
            trie::differences(&a.rows, &b.rows, &mut |uuid, before, after| {
                let same = matches!((before, after), (Some(a), Some(b)) if Arc::ptr_eq(a, b) || a == b);
                if !same {
                    let (before, after) = (before.cloned(), after.cloned());
                    rows.push(RowChange {
                        table,
                        uuid: *uuid,
                        before,
                        after,
                    });
                }
            });
        }
        let layout = new.layout.clone();
        Self { layout, txn, rows }
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The changes with the names of their tables, and the rows to look into.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RowChange, Option<RowRef<'_>>, Option<RowRef<'_>>)> {
        self.rows.iter().map(|change| {
            let layout = &*self.layout.tables()[change.table];
            let before = change
                .before
                .as_ref()
                .map(|data| RowRef::new(change.uuid, layout, data));
            let after = change
                .after
                .as_ref()
                .map(|data| RowRef::new(change.uuid, layout, data));
            (layout.name(), change, before, after)
        })
    }
}

impl RowChange {
    /// The columns that differ, by their place in the table's layout; all of them for a row that came or went.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        let all = self
            .after
            .as_ref()
            .or(self.before.as_ref())
            .map_or(0, |row| row.len());
        (0..all).filter(|at| match (&self.before, &self.after) {
            (Some(before), Some(after)) => before[*at] != after[*at],
            _ => true,
        })
    }
}
