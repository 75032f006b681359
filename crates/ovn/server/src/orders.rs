//! Rows in the order of a column's values: for lists that are sorted, or that ask for what no index of the copy knows.
//!
//! An order is made when somebody asks for it, by a look at each row, and from then on follows the rows change by change. A
//! few are kept, those that were asked for last.

use purlin_ovn_core::model::Owner;
use purlin_ovsdb::cache::{Changes, Database, Index, RowRef};
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Orders that are kept at most; at 100,000 rows one is about 10 MiB.
const KEPT_MAX: usize = 16;
/// An order that nobody asked for so long is given up, and with it the rows that it holds.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// What rows are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    /// A column's whole value.
    Value(String),
    /// What can be found by an index: elements, keys, what a map has under a key.
    Found(Index),
    /// The row's own mark of its owner, as a word.
    Owner,
}

impl By {
    /// Under which values a row is found.
    pub(crate) fn keys(&self, row: &RowRef<'_>) -> Vec<Datum> {
        match self {
            Self::Value(column) => row.get(column).cloned().into_iter().collect(),
            Self::Found(index) => {
                let column = match index {
                    Index::Column(column) | Index::Key(column, _) => column,
                };
                let value = row.get(column);
                let atoms = value.into_iter().flat_map(|value| index.keys(value));
                atoms.cloned().map(Datum::One).collect()
            }
            Self::Owner => vec![own_owner(row)],
        }
    }
}

fn own_owner(row: &RowRef<'_>) -> Datum {
    let owner = row.get("external_ids").map_or(Owner::Nobody, Owner::of);
    Datum::One(Atom::from(owner.to_string().as_str()))
}

/// Where a row stands in an order.
type Place = (Datum, Uuid);

/// The kept orders of one database.
#[derive(Debug, Default)]
pub(crate) struct Orders(Mutex<Vec<Entry>>);

#[derive(Debug)]
struct Entry {
    table: String,
    by: By,
    asked: Instant,
    order: Arc<Mutex<Option<Order>>>,
}

#[derive(Debug)]
struct Order {
    database: Database,
    generation: u64,
    rows: BTreeSet<Place>,
}

/// One state of the rows, and how it is counted.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) database: Database,
    pub(crate) generation: u64,
}

impl From<Snapshot> for Rows {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            database: snapshot.database,
            generation: snapshot.generation,
        }
    }
}

/// What is wanted of an order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Walk {
    /// Only rows of this value.
    pub(crate) only: Option<Datum>,
    /// Only what comes after this.
    pub(crate) after: Option<Place>,
    pub(crate) backwards: bool,
    pub(crate) limit: usize,
}

impl Orders {
    /// The rows that are wanted and fit, in order, and the state that they are of: a newer one than was asked about where
    /// the order is further already.
    pub(crate) fn walk(
        &self,
        now: &Rows,
        table: &str,
        by: &By,
        walk: &Walk,
        fits: impl Fn(&Database, &RowRef<'_>) -> bool,
    ) -> (Database, Vec<Uuid>) {
        let order = self.order(table, by);
        let mut order = order.lock().unwrap_or_else(PoisonError::into_inner);
        let order = Order::at(&mut order, now, table, by);
        let database = &order.database;
        let Some(rows) = database.table(table) else {
            return (database.clone(), Vec::new());
        };
        let fitting = |uuid: &Uuid| rows.get(*uuid).is_some_and(|row| fits(database, &row));
        let range = order.rows.range(walk.range());
        let uuids = range.map(|(_, uuid)| *uuid);
        let found = match walk.backwards {
            true => uuids.rev().filter(fitting).take(walk.limit).collect(),
            false => uuids.filter(fitting).take(walk.limit).collect(),
        };
        (database.clone(), found)
    }

    fn order(&self, table: &str, by: &By) -> Arc<Mutex<Option<Order>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = kept
            .iter_mut()
            .find(|entry| entry.table == table && entry.by == *by)
        {
            entry.asked = Instant::now();
            return entry.order.clone();
        }
        if kept.len() == KEPT_MAX {
            let oldest = (0..kept.len()).min_by_key(|at| kept[*at].asked);
            oldest.map(|at| kept.swap_remove(at));
        }
        let order = Arc::new(Mutex::new(None));
        kept.push(Entry {
            table: table.to_owned(),
            by: by.clone(),
            asked: Instant::now(),
            order: order.clone(),
        });
        order
    }

    /// Gives up those that nobody asks for.
    pub(crate) fn tidy(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|entry| entry.asked.elapsed() < IDLE_MAX);
    }

    /// Brings all orders up to a state, so that no old rows are held; gives up those that nobody asks for.
    pub(crate) fn keep_up(&self, now: &Rows) {
        self.tidy();
        let orders: Vec<_> = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let all = kept.iter();
            all.map(|entry| (entry.table.clone(), entry.by.clone(), entry.order.clone()))
                .collect()
        };
        for (table, by, order) in orders {
            let mut order = order.lock().unwrap_or_else(PoisonError::into_inner);
            if order.is_some() {
                Order::at(&mut order, now, &table, &by);
            }
        }
    }
}

impl Order {
    fn at<'o>(order: &'o mut Option<Self>, now: &Rows, table: &str, by: &By) -> &'o mut Self {
        let known = order.take();
        let same = known.filter(|known| Arc::ptr_eq(known.database.layout(), now.database.layout()));
        let order = order.insert(same.unwrap_or_else(|| Self::new(now, table, by)));
        if order.generation < now.generation {
            order.follow(now, table, by);
        }
        order
    }

    fn new(now: &Rows, table: &str, by: &By) -> Self {
        let rows = now.database.table(table);
        let rows = rows.into_iter().flat_map(|rows| rows.rows());
        let keys = rows.flat_map(|row| by.keys(&row).into_iter().map(move |key| (key, row.uuid())));
        Self {
            database: now.database.clone(),
            generation: now.generation,
            rows: keys.collect(),
        }
    }

    fn follow(&mut self, now: &Rows, table: &str, by: &By) {
        let changes = Changes::between(&self.database, &now.database, None);
        for (_, change, before, after) in changes.iter().filter(|(of, ..)| *of == table) {
            for key in before.iter().flat_map(|row| by.keys(row)) {
                self.rows.remove(&(key, change.uuid));
            }
            for key in after.iter().flat_map(|row| by.keys(row)) {
                self.rows.insert((key, change.uuid));
            }
        }
        self.database = now.database.clone();
        self.generation = now.generation;
    }
}

impl Walk {
    fn range(&self) -> (Bound<Place>, Bound<Place>) {
        let (first, last) = (Uuid::ZERO, Uuid::from_bytes([255; 16]));
        let lowest = self.only.clone().map(|only| (only, first));
        let highest = self.only.clone().map(|only| (only, last));
        let bound = |own: Option<Place>, of_page: bool| match (&self.after, own) {
            (Some(after), _) if of_page => Bound::Excluded(after.clone()),
            (_, Some(own)) => Bound::Included(own),
            (_, None) => Bound::Unbounded,
        };
        let (low, high) = (bound(lowest, !self.backwards), bound(highest, self.backwards));
        // A cursor from another list may lie beyond: such a range is empty, not a fault.
        match (&low, &high) {
            (Bound::Excluded(a), Bound::Included(b)) | (Bound::Included(a), Bound::Excluded(b)) if a >= b => {
                (Bound::Included(b.clone()), Bound::Excluded(b.clone()))
            }
            _ => (low, high),
        }
    }
}

#[cfg(test)]
mod tests;
