//! Which tables and columns a cache keeps, and how they can be found.

use super::RowData;
use crate::types::ColumnType;
use crate::value::{Atom, Datum, Str};
use std::sync::Arc;

/// The tables of a cache, sorted by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    tables: Vec<Arc<TableLayout>>,
}

/// One table: its columns sorted by name, and its indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct TableLayout {
    name: Str,
    columns: Vec<ColumnLayout>,
    defaults: Vec<Datum>,
    indexes: Vec<(Index, usize)>,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnLayout {
    /// Its name.
    pub name: Str,
    /// Its type on the server.
    pub kind: ColumnType,
}

/// By what rows can be found at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Index {
    /// An element of this column: its value, one of its set, or a key of its map.
    Column(Str),
    /// What the map in this column has under this key.
    Key(Str, Str),
}

impl Index {
    /// An element of this column.
    #[must_use]
    pub fn column(name: &str) -> Self {
        Self::Column(Str::from(name))
    }

    /// What this column's map has under this key.
    #[must_use]
    pub fn key(column: &str, key: &str) -> Self {
        Self::Key(Str::from(column), Str::from(key))
    }

    fn column_name(&self) -> &str {
        match self {
            Self::Column(name) | Self::Key(name, _) => name,
        }
    }

    /// What a value can be found by.
    pub fn keys<'a>(&'a self, value: &'a Datum) -> impl Iterator<Item = &'a Atom> {
        let (all, under) = match self {
            Self::Column(_) => (true, None),
            Self::Key(_, key) => (false, pair(value, key)),
        };
        let atoms = value.atoms().iter().filter(move |_| all);
        let keys = value.pairs().iter().filter(move |_| all).map(|(key, _)| key);
        atoms.chain(keys).chain(under)
    }
}

impl Index {
    /// Whether a value can be found by this atom.
    #[must_use]
    pub fn has(&self, value: &Datum, atom: &Atom) -> bool {
        match self {
            Self::Column(_) => value.contains(atom) || value.get(atom).is_some(),
            Self::Key(_, key) => pair(value, key) == Some(atom),
        }
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).expect("a table has fewer columns")
}

fn pair<'a>(value: &'a Datum, key: &str) -> Option<&'a Atom> {
    let pairs = value.pairs();
    let at = pairs.binary_search_by(|(k, _)| k.as_str().cmp(&Some(key))).ok()?;
    Some(&pairs[at].1)
}

impl Layout {
    /// Tables in any order.
    #[must_use]
    pub fn new(tables: impl IntoIterator<Item = TableLayout>) -> Self {
        let mut tables: Vec<_> = tables.into_iter().map(Arc::new).collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        tables.dedup_by(|a, b| a.name == b.name);
        Self { tables }
    }

    /// The tables, sorted by name.
    #[must_use]
    pub fn tables(&self) -> &[Arc<TableLayout>] {
        &self.tables
    }

    /// Where a table is among them.
    #[must_use]
    pub fn table_at(&self, name: &str) -> Option<usize> {
        self.tables.binary_search_by(|table| (*table.name).cmp(name)).ok()
    }
}

impl TableLayout {
    /// A table with these columns, in any order. An index on a column that is not among them finds nothing and is
    /// left out.
    #[must_use]
    pub fn new(
        name: &str,
        columns: impl IntoIterator<Item = (String, ColumnType)>,
        indexes: impl IntoIterator<Item = Index>,
    ) -> Self {
        let column = |(name, kind): (String, ColumnType)| ColumnLayout {
            name: Str::from(name),
            kind,
        };
        let mut columns: Vec<_> = columns.into_iter().map(column).collect();
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        columns.dedup_by(|a, b| a.name == b.name);
        let defaults = columns
            .iter()
            .map(|column| Datum::default_of(&column.kind))
            .collect();
        let mut table = Self {
            name: Str::from(name),
            columns,
            defaults,
            indexes: Vec::new(),
        };
        let place = |index: Index| table.column_at(index.column_name()).map(|at| (index, at));
        table.indexes = indexes.into_iter().filter_map(place).collect();
        table
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns, sorted by name.
    #[must_use]
    pub fn columns(&self) -> &[ColumnLayout] {
        &self.columns
    }

    /// Where a column is among them.
    #[must_use]
    pub fn column_at(&self, name: &str) -> Option<usize> {
        self.columns
            .binary_search_by(|column| (*column.name).cmp(name))
            .ok()
    }

    /// Whether the column in this place is called so.
    pub(crate) fn is_at(&self, at: u32, name: &str) -> bool {
        *self.columns[at as usize].name == *name
    }

    /// The same, as rows keep it.
    pub(crate) fn place_of(&self, name: &str) -> Option<u32> {
        self.column_at(name).map(place)
    }

    /// The indexes, each with the place of its column.
    pub(crate) fn indexes(&self) -> &[(Index, usize)] {
        &self.indexes
    }

    /// What the column in this place holds where nobody wrote it.
    pub(crate) fn default_at(&self, at: usize) -> &Datum {
        &self.defaults[at]
    }

    /// What a row holds in this place.
    pub(crate) fn value<'a>(&'a self, row: &'a RowData, at: usize) -> &'a Datum {
        row.get(at).unwrap_or(&self.defaults[at])
    }
}
