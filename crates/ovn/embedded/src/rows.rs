//! What a database holds: rows by table, and who refers to whom.

use purlin_ovsdb::{DatabaseSchema, Datum, Row, TableSchema, Uuid};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A row as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Another one after every change.
    pub(crate) version: Uuid,
    /// The columns that are not at their defaults.
    pub(crate) columns: Row,
}

/// A table's rows, and which of them has which values of an index.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) by_uuid: HashMap<Uuid, Arc<Stored>>,
    /// In the order of the schema's indexes.
    pub(crate) indexes: Vec<HashMap<Vec<Datum>, Uuid>>,
}

/// Who points at a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pointers {
    /// How many strong references there are.
    pub(crate) strong: usize,
    /// Rows with weak ones: table and row.
    pub(crate) weak: BTreeSet<(Arc<str>, Uuid)>,
}

/// One row before and after a transaction.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) table: Arc<str>,
    pub(crate) uuid: Uuid,
    pub(crate) old: Option<Arc<Stored>>,
    pub(crate) new: Option<Arc<Stored>>,
}

/// A database: its schema, and everything in it.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) schema: Arc<DatabaseSchema>,
    pub(crate) tables: HashMap<Arc<str>, Rows>,
    /// Row names are unique over all tables: they are random.
    pub(crate) pointers: HashMap<Uuid, Pointers>,
}

impl Contents {
    pub(crate) fn new(schema: Arc<DatabaseSchema>) -> Self {
        let rows = |table: &TableSchema| Rows {
            by_uuid: HashMap::new(),
            indexes: vec![HashMap::new(); table.indexes.len()],
        };
        let tables = schema.tables.iter();
        let tables = tables.map(|(name, table)| (Arc::from(name.as_str()), rows(table)));
        Self {
            tables: tables.collect(),
            pointers: HashMap::new(),
            schema,
        }
    }

    pub(crate) fn row(&self, table: &str, uuid: Uuid) -> Option<&Arc<Stored>> {
        self.tables.get(table)?.by_uuid.get(&uuid)
    }

    pub(crate) fn count(&self, table: &str) -> usize {
        self.tables.get(table).map_or(0, |rows| rows.by_uuid.len())
    }

    /// Puts what a transaction has decided in place. Everything was checked before.
    pub(crate) fn apply(&mut self, changes: &[Changed]) {
        // First all that goes: rows may trade the values of an index.
        for change in changes {
            self.unlink(change);
        }
        for change in changes {
            self.link(change);
        }
    }

    fn unlink(&mut self, change: &Changed) {
        let (Some(old), Some(schema)) = (&change.old, self.schema.table(&change.table)) else {
            return;
        };
        for (target, strong) in references(schema, &old.columns) {
            let Some(pointers) = self.pointers.get_mut(&target) else {
                continue;
            };
            if strong {
                pointers.strong = pointers.strong.saturating_sub(1);
            } else {
                pointers.weak.remove(&(Arc::clone(&change.table), change.uuid));
            }
            if *pointers == Pointers::default() {
                self.pointers.remove(&target);
            }
        }
        if let Some(rows) = self.tables.get_mut(&change.table) {
            rows.by_uuid.remove(&change.uuid);
            for (columns, index) in schema.indexes.iter().zip(&mut rows.indexes) {
                index.remove(&values(schema, &old.columns, columns));
            }
        }
    }

    fn link(&mut self, change: &Changed) {
        let (Some(new), Some(schema)) = (&change.new, self.schema.table(&change.table)) else {
            return;
        };
        for (target, strong) in references(schema, &new.columns) {
            let pointers = self.pointers.entry(target).or_default();
            if strong {
                pointers.strong += 1;
            } else {
                pointers.weak.insert((Arc::clone(&change.table), change.uuid));
            }
        }
        if let Some(rows) = self.tables.get_mut(&change.table) {
            rows.by_uuid.insert(change.uuid, Arc::clone(new));
            for (columns, index) in schema.indexes.iter().zip(&mut rows.indexes) {
                index.insert(values(schema, &new.columns, columns), change.uuid);
            }
        }
    }
}

/// A column's value, its default where the row does not speak of it.
pub(crate) fn value(schema: &TableSchema, row: &Row, column: &str) -> Datum {
    match (row.get(column), schema.column(column)) {
        (Some(value), _) => value.clone(),
        (None, Some(column)) => Datum::default_of(&column.kind),
        (None, None) => Datum::EMPTY,
    }
}

/// The values of several columns.
pub(crate) fn values(schema: &TableSchema, row: &Row, columns: &[String]) -> Vec<Datum> {
    columns.iter().map(|column| value(schema, row, column)).collect()
}

/// Leaves out the columns that are at their defaults.
pub(crate) fn trim(schema: &TableSchema, row: &Row) -> Row {
    let kept = row.columns().filter(|(name, value)| {
        let default = schema.column(name).map(|column| Datum::default_of(&column.kind));
        default.is_some_and(|default| default != **value)
    });
    kept.map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

/// The rows that a row points at, and whether strongly. Each once for every place where it stands.
pub(crate) fn references<'a>(
    schema: &'a TableSchema,
    row: &'a Row,
) -> impl Iterator<Item = (Uuid, bool)> + 'a {
    pointed(schema, row).map(|pointed| (pointed.target, pointed.strong))
}

/// A reference with where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pointed<'a> {
    pub(crate) column: &'a str,
    pub(crate) table: &'a str,
    pub(crate) target: Uuid,
    pub(crate) strong: bool,
}

/// All references of a row with the columns that they stand in.
pub(crate) fn pointed<'a>(schema: &'a TableSchema, row: &'a Row) -> impl Iterator<Item = Pointed<'a>> + 'a {
    row.columns().flat_map(move |(name, value)| {
        let kind = schema.column(name).map(|column| &column.kind);
        let of_key = kind.and_then(|kind| kind.key.reference.as_ref());
        let of_value = kind.and_then(|kind| kind.value.as_ref()?.reference.as_ref());
        let elements = value.atoms().iter().map(move |atom| (atom, of_key));
        let pairs = value.pairs().iter();
        let pairs = pairs.flat_map(move |(key, value)| [(key, of_key), (value, of_value)]);
        elements.chain(pairs).filter_map(move |(atom, reference)| {
            let (target, reference) = (atom.as_uuid()?, reference?);
            Some(Pointed {
                column: name,
                table: &reference.table,
                target,
                strong: reference.strong,
            })
        })
    })
}
