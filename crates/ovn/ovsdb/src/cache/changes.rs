//! What an update changed, row by row.

use super::database::{Database, RowRef};
use super::layout::{Layout, TableLayout};
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
    pub(super) table: u32,
    /// How many columns the table has.
    width: u32,
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
                if before != after {
                    rows.push(RowChange::new(
                        (table, &new.layout.tables()[table]),
                        *uuid,
                        before.cloned(),
                        after.cloned(),
                    ));
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
            let layout = &*self.layout.tables()[change.table as usize];
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
    pub(super) fn new(
        (table, layout): (usize, &TableLayout),
        uuid: Uuid,
        before: Option<RowData>,
        after: Option<RowData>,
    ) -> Self {
        let small = |n: usize| u32::try_from(n).expect("a schema has fewer tables and columns");
        Self {
            table: small(table),
            width: small(layout.columns().len()),
            uuid,
            before,
            after,
        }
    }

    /// The columns that differ, by their place in the table's layout; all of them for a row that came or went.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        let both = self.before.as_ref().zip(self.after.as_ref());
        let all = if both.is_some() { 0 } else { self.width as usize };
        let differences = both.map(|(before, after)| before.differences(after));
        (0..all).chain(differences.into_iter().flatten())
    }
}
