//! One page of a table's rows: which, in what order, from where on.
//!
//! A list without filters walks the rows from its cursor on. One with filters starts from the filter that leaves the fewest,
//! by an index of the copy or by an order that is made for it; the others are looked at row by row.

use crate::orders::{By, Orders, Rows, Walk};
use purlin_ovn_core::model::State;
use purlin_ovsdb::cache::{Database, RowRef, TableRef};
use purlin_ovsdb::{Atom, DatabaseSchema, Datum, Uuid};
use std::collections::BTreeSet;

/// Rows that are sorted after they were found, at most; of more, the order of the whole table is walked.
const SORTED_MAX: usize = 4096;

/// What a row must have to be in the list.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    /// One of these ways holds.
    Has(Vec<(By, Atom)>),
    /// It belongs to this owner, by its own mark or by that of the row that it hangs on.
    OwnedBy(String),
}

/// A list that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct List<'q> {
    pub(crate) table: &'q str,
    pub(crate) filters: Vec<Filter>,
    /// Column of one value, and whether the greatest comes first. Without one, rows come by their UUIDs.
    pub(crate) sort: Option<(String, bool)>,
    /// The last row of the page before, with its value where the list is sorted.
    pub(crate) after: Option<(Datum, Uuid)>,
    pub(crate) limit: usize,
}

/// A page, and the state of which it is.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) database: Database,
    pub(crate) rows: Vec<Uuid>,
    /// Whether others come after them.
    pub(crate) more: bool,
}

impl Filter {
    fn fits(&self, schema: &DatabaseSchema, database: &Database, table: &str, row: &RowRef<'_>) -> bool {
        match self {
            Self::Has(ways) => ways
                .iter()
                .any(|(by, atom)| by.keys(row).contains(&Datum::One(atom.clone()))),
            Self::OwnedBy(owner) => {
                let state = State::new(schema, database);
                state.owner(table, row.uuid()).to_string() == *owner
            }
        }
    }

    /// The ways to find all rows that may fit.
    fn ways(&self) -> Vec<(By, Atom)> {
        match self {
            Self::Has(ways) => ways.clone(),
            // Who has no mark may hang on a row that has it.
            Self::OwnedBy(owner) => [owner.as_str(), "nobody"]
                .map(|name| (By::Owner, Atom::from(name)))
                .to_vec(),
        }
    }

    /// How many rows an index finds; none where there is no index.
    fn count(&self, table: &TableRef<'_>) -> Option<usize> {
        let Self::Has(ways) = self else { return None };
        let counts = ways.iter().map(|(by, atom)| match by {
            By::Found(index) => table.count(index, atom),
            _ => None,
        });
        counts.sum()
    }
}

impl List<'_> {
    pub(crate) fn page(&self, schema: &DatabaseSchema, orders: &Orders, now: &Rows) -> Page {
        let wanted = self.limit + 1;
        let (database, rows) = match (&self.sort, self.driving(&now.database)) {
            (None, None) => (now.database.clone(), self.plain(&now.database)),
            (None, Some((filter, _))) => self.found(schema, orders, now, filter, wanted),
            (Some((column, down)), Some((filter, Some(..=SORTED_MAX)))) => {
                self.sorted(schema, orders, now, filter, column, *down)
            }
            (Some((column, down)), _) => {
                let walk = Walk {
                    after: self.after.clone(),
                    backwards: *down,
                    limit: wanted,
                    only: None,
                };
                let by = By::Value(column.clone());
                orders.walk(now, self.table, &by, &walk, self.fitting(schema))
            }
        };
        self.cut(database, rows)
    }

    /// A page of rows of which one more than wanted was looked for.
    pub(crate) fn cut(&self, database: Database, mut rows: Vec<Uuid>) -> Page {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        Page { database, rows, more }
    }

    /// Rows with what they are sorted by, those behind the cursor, in order.
    pub(crate) fn in_order(&self, mut rows: Vec<(Datum, Uuid)>, down: bool) -> Vec<Uuid> {
        rows.sort_unstable();
        if down {
            rows.reverse();
        }
        let later = |row: &(Datum, Uuid)| match &self.after {
            Some(after) if down => row < after,
            Some(after) => row > after,
            None => true,
        };
        let rows = rows.into_iter().filter(later).map(|(_, uuid)| uuid);
        rows.collect()
    }

    fn fitting<'f>(&'f self, schema: &'f DatabaseSchema) -> impl Fn(&Database, &RowRef<'_>) -> bool + 'f {
        |database, row| {
            let mut filters = self.filters.iter();
            filters.all(|filter| filter.fits(schema, database, self.table, row))
        }
    }

    /// The filter that leaves the fewest, and how many where that is known.
    fn driving(&self, database: &Database) -> Option<(&Filter, Option<usize>)> {
        let table = database.table(self.table)?;
        let counted = self.filters.iter().map(|filter| (filter, filter.count(&table)));
        counted.min_by_key(|(_, count)| count.unwrap_or(usize::MAX))
    }

    fn plain(&self, database: &Database) -> Vec<Uuid> {
        let Some(table) = database.table(self.table) else {
            return Vec::new();
        };
        let wanted = self.limit + 1;
        match &self.after {
            Some((_, after)) => table
                .rows_after(*after)
                .map(|row| row.uuid())
                .take(wanted)
                .collect(),
            None => table.rows().map(|row| row.uuid()).take(wanted).collect(),
        }
    }

    /// By UUID, as many as are wanted.
    fn found(
        &self,
        schema: &DatabaseSchema,
        orders: &Orders,
        now: &Rows,
        filter: &Filter,
        wanted: usize,
    ) -> (Database, Vec<Uuid>) {
        let after = match self.sort {
            None => self.after.as_ref().map(|(_, uuid)| *uuid),
            Some(_) => None,
        };
        let mut now = now.clone();
        let mut found = BTreeSet::new();
        for (by, atom) in filter.ways() {
            let table = now.database.table(self.table);
            let indexed = table.filter(|table| matches!(&by, By::Found(index) if table.has_index(index)));
            if let (Some(table), By::Found(index)) = (indexed, &by) {
                let rows = table.find_after(index, &atom, after);
                let fitting = rows.filter(|row| self.fitting(schema)(&now.database, row));
                found.extend(fitting.map(|row| row.uuid()).take(wanted));
                continue;
            }
            let only = Datum::One(atom.clone());
            let walk = Walk {
                after: after.map(|uuid| (only.clone(), uuid)),
                only: Some(only),
                backwards: false,
                limit: wanted,
            };
            let (database, rows) = orders.walk(&now, self.table, &by, &walk, self.fitting(schema));
            found.extend(rows);
            now.database = database;
        }
        (now.database, found.into_iter().take(wanted).collect())
    }

    /// Few enough to be put in order now.
    fn sorted(
        &self,
        schema: &DatabaseSchema,
        orders: &Orders,
        now: &Rows,
        filter: &Filter,
        column: &str,
        down: bool,
    ) -> (Database, Vec<Uuid>) {
        let (database, found) = self.found(schema, orders, now, filter, usize::MAX);
        let value = |uuid: Uuid| database.table(self.table)?.get(uuid)?.get(column).cloned();
        let rows = found.into_iter().filter_map(|uuid| Some((value(uuid)?, uuid)));
        let rows = self.in_order(rows.collect(), down);
        (database, rows)
    }
}
