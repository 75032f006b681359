//! One state of the cached tables.

use super::RowData;
use super::index::IndexData;
use super::layout::{Index, Layout, TableLayout};
use super::trie::Trie;
use crate::row::Row;
use crate::uuid::Uuid;
use crate::value::{Atom, Datum};
use std::cmp::Ordering;
use std::sync::Arc;

/// One state of the cached tables; a copy costs a few pointers and never changes.
#[derive(Debug, Clone)]
pub struct Database {
    pub(super) layout: Arc<Layout>,
    pub(super) tables: Arc<[Arc<TableData>]>,
}

#[derive(Debug, Clone)]
pub(super) struct TableData {
    pub(super) rows: Trie<RowData>,
    pub(super) indexes: Vec<IndexData>,
}

impl TableData {
    /// Rows that are sorted by name, none twice, with all indexes: at once.
    pub(super) fn of(layout: &TableLayout, rows: Vec<(Uuid, RowData)>) -> Self {
        let index = |(index, column): &(Index, usize)| {
            let values = rows.iter().map(|(uuid, row)| (*uuid, layout.value(row, *column)));
            IndexData::of(values.flat_map(|(uuid, value)| index.keys(value).map(move |atom| (atom, uuid))))
        };
        Self {
            indexes: layout.indexes().iter().map(index).collect(),
            rows: Trie::from_sorted(rows),
        }
    }
}

impl Database {
    /// All tables of this layout, empty.
    #[must_use]
    pub fn empty(layout: Arc<Layout>) -> Self {
        let table = |table: &Arc<TableLayout>| TableData {
            rows: Trie::new(),
            indexes: table.indexes().iter().map(|_| IndexData::new()).collect(),
        };
        let tables = layout.tables().iter().map(table).map(Arc::new).collect();
        Self { layout, tables }
    }

    /// Which tables and columns it has.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// A table by name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<TableRef<'_>> {
        self.layout.table_at(name).map(|at| self.table_at(at))
    }

    pub(crate) fn table_at(&self, at: usize) -> TableRef<'_> {
        TableRef {
            layout: &self.layout.tables()[at],
            data: &self.tables[at],
        }
    }

    /// All tables, sorted by name.
    pub fn tables(&self) -> impl Iterator<Item = TableRef<'_>> {
        (0..self.tables.len()).map(|at| self.table_at(at))
    }

    /// How many rows all tables have together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }

    /// Whether no table has a row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Just these of its rows, with the same tables and indexes. The rows are shared, not copied.
    #[must_use]
    pub fn only<'n>(&self, rows: impl IntoIterator<Item = (&'n str, Uuid)>) -> Self {
        let mut part = Self::empty(Arc::clone(&self.layout));
        for (table, uuid) in rows {
            let Some(at) = self.layout.table_at(table) else {
                continue;
            };
            if let Some(row) = self.tables[at].rows.get(&uuid) {
                part.put(at, uuid, Some(row));
            }
        }
        part
    }

    /// Puts a row in as another state of the same tables has it, or takes it away where that has none. The row is shared,
    /// not copied.
    pub fn adopt(&mut self, table: &str, uuid: Uuid, from: &Self) {
        let Some(at) = self.layout.table_at(table) else {
            return;
        };
        debug_assert_eq!(self.tables.len(), from.tables.len(), "of the same tables");
        self.put(at, uuid, from.tables[at].rows.get(&uuid));
    }

    /// Puts a row in place of what this copy has, or takes it away: for whoever looks at what would be. Columns that are
    /// not given are at their defaults; tables and columns that the cache does not keep are left out.
    pub fn set(&mut self, table: &str, uuid: Uuid, row: Option<&Row>) {
        let Some(at) = self.layout.table_at(table) else {
            return;
        };
        let layout = &self.layout.tables()[at];
        let data = row.map(|row| {
            let columns = row.columns();
            let known = columns.filter_map(|(name, value)| Some((layout.place_of(name)?, value.clone())));
            RowData::new(layout, &mut known.collect())
        });
        self.put(at, uuid, data.as_ref());
    }

    /// Rows for an empty table, sorted by name, none twice.
    pub(super) fn fill(&mut self, at: usize, rows: Vec<(Uuid, RowData)>) {
        let table = TableData::of(&self.layout.tables()[at], rows);
        Arc::make_mut(&mut self.tables)[at] = Arc::new(table);
    }

    /// Gives a set in a row another value, where it is known which elements go and come. Costs no look at the others.
    pub fn amend(
        &mut self,
        table: &str,
        uuid: Uuid,
        column: &str,
        value: Datum,
        (gone, came): (&Datum, &Datum),
    ) {
        let Some(at) = self.layout.table_at(table) else {
            return;
        };
        let layout = &self.layout.tables()[at];
        let (Some(place), Some(row)) = (layout.place_of(column), self.tables[at].rows.get(&uuid)) else {
            return;
        };
        let row = row.with(layout, [(place, value)], |_, _, value| value);
        let table = Arc::make_mut(&mut Arc::make_mut(&mut self.tables)[at]);
        table.rows.insert(uuid, row);
        for ((index, column), data) in layout.indexes().iter().zip(&mut table.indexes) {
            if *column == place as usize && matches!(index, Index::Column(_)) {
                gone.atoms().iter().for_each(|atom| data.remove(atom, uuid));
                came.atoms().iter().for_each(|atom| data.insert(atom, uuid));
            }
        }
    }

    /// Puts a row in place, or takes it away, with all indexes; returns what was there.
    pub(super) fn put(&mut self, at: usize, uuid: Uuid, row: Option<&RowData>) -> Option<RowData> {
        let table = Arc::make_mut(&mut Arc::make_mut(&mut self.tables)[at]);
        let before = match row {
            Some(row) => table.rows.insert(uuid, row.clone()),
            None => table.rows.remove(&uuid),
        };
        let layout = &self.layout.tables()[at];
        for ((index, column), data) in layout.indexes().iter().zip(&mut table.indexes) {
            let old = before.as_ref().map(|row| layout.value(row, *column));
            let new = row.map(|row| layout.value(row, *column));
            if old == new {
                continue;
            }
            // A set of thousands that gains one element costs one entry, and one walk: both are sorted.
            let (mut gone, mut came) = (keys(index, old).peekable(), keys(index, new).peekable());
            loop {
                let turn = match (gone.peek(), came.peek()) {
                    (None, None) => break,
                    (Some(old), Some(new)) => old.cmp(new),
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                };
                let old = gone.next_if(|_| turn.is_le());
                let new = came.next_if(|_| turn.is_ge());
                match (old, new) {
                    (Some(atom), None) => data.remove(atom, uuid),
                    (None, Some(atom)) => data.insert(atom, uuid),
                    _ => {}
                }
            }
        }
        before
    }
}

fn keys<'a>(index: &'a Index, value: Option<&'a Datum>) -> impl Iterator<Item = &'a Atom> {
    value.into_iter().flat_map(|value| index.keys(value))
}

/// One table of one state.
#[derive(Debug, Clone, Copy)]
pub struct TableRef<'a> {
    layout: &'a Arc<TableLayout>,
    data: &'a TableData,
}

impl<'a> TableRef<'a> {
    /// Its columns and indexes.
    #[must_use]
    pub const fn layout(&self) -> &'a Arc<TableLayout> {
        self.layout
    }

    /// How many rows it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.data.rows.len()
    }

    /// Whether it has no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row by its name.
    #[must_use]
    pub fn get(&self, uuid: Uuid) -> Option<RowRef<'a>> {
        self.data
            .rows
            .get(&uuid)
            .map(|data| RowRef::new(uuid, self.layout, data))
    }

    /// The rows, in the order of their UUIDs.
    pub fn rows(&self) -> impl Iterator<Item = RowRef<'a>> + use<'a> {
        let layout = self.layout;
        let rows = self.data.rows.iter();
        rows.map(move |(uuid, data)| RowRef::new(*uuid, layout, data))
    }

    /// The rows after this one, in the order of their UUIDs. Costs what it yields, not what it skips.
    pub fn rows_after(&self, after: Uuid) -> impl Iterator<Item = RowRef<'a>> + use<'a> {
        let layout = self.layout;
        let rows = self.data.rows.iter_after(&after);
        rows.map(move |(uuid, data)| RowRef::new(*uuid, layout, data))
    }

    /// Whether nothing in it has changed since the other state of the same copy. Costs nothing. After all rows were
    /// loaded anew it says no, whether they differ or not.
    #[must_use]
    pub fn is_same(&self, other: &TableRef<'_>) -> bool {
        self.data.rows.is_same(&other.data.rows)
    }

    /// Whether rows can be found by this at once.
    #[must_use]
    pub fn has_index(&self, index: &Index) -> bool {
        self.layout.indexes().iter().any(|(known, _)| known == index)
    }

    /// How many rows have this value, as far as an index tells at once; `None` without such an index.
    #[must_use]
    pub fn count(&self, index: &Index, atom: &Atom) -> Option<usize> {
        let at = self
            .layout
            .indexes()
            .iter()
            .position(|(known, _)| known == index)?;
        Some(self.data.indexes[at].count(atom))
    }

    /// Whether any row can be found by this index at all, as far as it tells at once; `None` without such an index.
    #[must_use]
    pub fn finds_any(&self, index: &Index) -> Option<bool> {
        let indexes = self.layout.indexes();
        let at = indexes.iter().position(|(known, _)| known == index)?;
        Some(!self.data.indexes[at].is_empty())
    }

    /// The rows that have this value, in the order of their UUIDs. Without such an index it looks at every row.
    pub fn find<'b>(
        &self,
        index: &'b Index,
        atom: &'b Atom,
    ) -> impl Iterator<Item = RowRef<'a>> + use<'a, 'b> {
        self.find_after(index, atom, None)
    }

    /// The same, of the rows after this one.
    pub fn find_after<'b>(
        &self,
        index: &'b Index,
        atom: &'b Atom,
        after: Option<Uuid>,
    ) -> impl Iterator<Item = RowRef<'a>> + use<'a, 'b> {
        let at = self.layout.indexes().iter().position(|(known, _)| known == index);
        let (table, layout) = (*self, self.layout);
        let indexed = at.map(|at| self.data.indexes[at].candidates(atom, after));
        let scanned = at.is_none().then(|| {
            let all = after.is_none().then(|| table.rows());
            let later = after.map(|after| table.rows_after(after));
            all.into_iter().flatten().chain(later.into_iter().flatten())
        });
        let indexed = indexed
            .into_iter()
            .flatten()
            .filter_map(move |uuid| table.get(uuid));
        let column = match index {
            Index::Column(name) | Index::Key(name, _) => layout.column_at(name),
        };
        let has = move |row: &RowRef<'a>| {
            let value = column.map(|column| row.at(column));
            value.is_some_and(|value| index.has(value, atom))
        };
        indexed.chain(scanned.into_iter().flatten()).filter(has)
    }

    /// The names of the rows whose column is, or has among its elements or keys, this atom, in their order: what
    /// [`TableRef::find`] finds, at the price of a look into the index.
    #[must_use]
    pub fn names_by(&self, column: &str, atom: &Atom) -> Vec<Uuid> {
        let own = |index: &Index| matches!(index, Index::Column(name) if **name == *column);
        let mut indexes = self.layout.indexes().iter().zip(&self.data.indexes);
        let Some(((index, at), data)) = indexes.find(|((index, _), _)| own(index)) else {
            let index = Index::column(column);
            return self.find(&index, atom).map(|row| row.uuid()).collect();
        };
        let has = |uuid: &Uuid| self.get(*uuid).is_some_and(|row| index.has(row.at(*at), atom));
        let (one, many) = data.rows_of(atom);
        match many {
            Some(rows) => rows.iter().map(|(uuid, ())| *uuid).filter(has).collect(),
            None => one.into_iter().filter(has).collect(),
        }
    }

    /// The row whose column is this text, by an index if there is one.
    #[must_use]
    pub fn find_one(&self, column: &str, text: &str) -> Option<RowRef<'a>> {
        let (index, atom) = (Index::column(column), Atom::from(text));
        self.find(&index, &atom).next()
    }
}

/// One row of one state.
#[derive(Debug, Clone, Copy)]
pub struct RowRef<'a> {
    uuid: Uuid,
    layout: &'a TableLayout,
    data: &'a RowData,
}

impl<'a> RowRef<'a> {
    pub(crate) const fn new(uuid: Uuid, layout: &'a TableLayout, data: &'a RowData) -> Self {
        Self { uuid, layout, data }
    }

    /// Its name.
    #[must_use]
    pub const fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Its table's layout.
    #[must_use]
    pub const fn layout(&self) -> &'a TableLayout {
        self.layout
    }

    /// A column's value; `None` when the cache does not keep the column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&'a Datum> {
        self.layout.column_at(column).map(|at| self.at(at))
    }

    fn at(&self, at: usize) -> &'a Datum {
        self.layout.value(self.data, at)
    }

    /// All columns that the cache keeps, with their names.
    pub fn columns(&self) -> impl Iterator<Item = (&'a str, &'a Datum)> + use<'a> {
        let row = *self;
        let columns = self.layout.columns().iter().enumerate();
        columns.map(move |(at, column)| (&*column.name, row.at(at)))
    }

    /// The columns as an operation or an answer carries them.
    #[must_use]
    pub fn to_row(&self) -> Row {
        self.columns()
            .map(|(name, value)| (name, value.clone()))
            .collect()
    }

    /// The shared columns themselves.
    #[must_use]
    pub const fn data(&self) -> &'a RowData {
        self.data
    }
}

/// The columns in which two states of one row differ, with both values, sorted by name; of a row that comes or goes, those
/// that are not at their defaults. Costs what the rows hold, not what their table could.
pub fn differences<'a>(
    before: Option<RowRef<'a>>,
    after: Option<RowRef<'a>>,
) -> impl Iterator<Item = (&'a str, &'a Datum, &'a Datum)> {
    let both = before.zip(after);
    let one = before.or(after).filter(|_| both.is_none());
    let differing = both.into_iter().flat_map(|(a, b)| a.data.differences(b.data));
    let held = one.into_iter().flat_map(|row| row.data.places());
    let layout = before.or(after).map(|row| row.layout);
    differing.chain(held).filter_map(move |at| {
        let layout = layout?;
        let value = |row: Option<RowRef<'a>>| row.map_or(layout.default_at(at), |row| row.at(at));
        Some((&*layout.columns()[at].name, value(before), value(after)))
    })
}
