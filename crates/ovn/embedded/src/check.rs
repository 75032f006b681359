//! What must hold when a transaction is done, and what follows from it: references, garbage, indexes, sizes.
//!
//! In the order of ovsdb-server: strong references must lead somewhere; rows of tables that are no roots go with their last
//! one; weak references to rows that are gone are taken out; then what is left is counted and compared.
//!
//! Source: RFC 7047, section 3.2 (`<base-type>`, `<table-schema>`); ovsdb(7), "Database Schema".

use crate::change::Change;
use crate::fault::Fault;
use crate::rows::{pointed, references, values};
use purlin_ovsdb::{Atom, Datum, Row, TableSchema, Uuid};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

type Key = (Arc<str>, Uuid);

/// Completes a change, or says why it cannot be.
pub(crate) fn complete(change: &mut Change<'_>) -> Result<(), Fault> {
    let mut counts = Counts::of(change);
    counts.collect_garbage(change);
    counts.check(change)?;
    prune_weak(change)?;
    check_sizes(change)?;
    check_indexes(change)
}

/// How many strong references lead to each row that the change touches or points at.
struct Counts(HashMap<Uuid, isize>);

impl Counts {
    fn of(change: &Change<'_>) -> Self {
        let mut counts = Self(HashMap::new());
        for ((table, _), touched) in &change.touched {
            let Some(schema) = change.before.schema.table(table) else {
                continue;
            };
            if let Some(old) = &touched.old {
                counts.add(change, schema, &old.columns, -1);
            }
            if let Some(new) = &touched.new {
                counts.add(change, schema, new, 1);
            }
        }
        counts
    }

    fn add(&mut self, change: &Change<'_>, schema: &TableSchema, row: &Row, by: isize) {
        for (target, _) in references(schema, row).filter(|(_, strong)| *strong) {
            *self.count(change, target) += by;
        }
    }

    fn count(&mut self, change: &Change<'_>, target: Uuid) -> &mut isize {
        let before = || {
            let pointers = change.before.pointers.get(&target);
            pointers.map_or(0, |pointers| pointers.strong.cast_signed())
        };
        self.0.entry(target).or_insert_with(before)
    }

    /// Takes away the rows that nobody points at any more, and then those that only these pointed at.
    fn collect_garbage(&mut self, change: &mut Change<'_>) {
        let touched = change.touched.keys().cloned();
        let mut suspects: Vec<Key> = touched.chain(self.lost_references(change)).collect();
        while let Some((table, uuid)) = suspects.pop() {
            let Some(schema) = change.before.schema.table(&table).filter(|schema| !schema.root) else {
                continue;
            };
            let Some(row) = change.row(&table, uuid).cloned() else {
                continue;
            };
            if *self.count(change, uuid) > 0 {
                continue;
            }
            change.put(&table, uuid, None);
            self.add(change, schema, &row, -1);
            suspects.extend(targets(change, schema, &row));
        }
    }

    /// The rows that lost a reference.
    fn lost_references(&self, change: &Change<'_>) -> Vec<Key> {
        let mut lost = Vec::new();
        for ((table, _), touched) in &change.touched {
            if let (Some(schema), Some(old)) = (change.before.schema.table(table), &touched.old) {
                lost.extend(targets(change, schema, &old.columns));
            }
        }
        lost
    }

    /// Every strong reference leads to a row, and every row that somebody points at is there.
    fn check(&mut self, change: &Change<'_>) -> Result<(), Fault> {
        for ((table, uuid), touched) in &change.touched {
            let Some(schema) = change.before.schema.table(table) else {
                continue;
            };
            let Some(new) = &touched.new else {
                let left = *self.count(change, *uuid);
                if left > 0 && touched.old.is_some() {
                    let details =
                        format!("cannot delete {table} row {uuid} because of {left} remaining reference(s)");
                    return Err(Fault::new("referential integrity violation", details));
                }
                continue;
            };
            for pointed in pointed(schema, new).filter(|pointed| pointed.strong) {
                if change.row(&Arc::from(pointed.table), pointed.target).is_none() {
                    let details = format!(
                        "Table {table} column {} row {uuid} references nonexistent row {} in table {}.",
                        pointed.column, pointed.target, pointed.table
                    );
                    return Err(Fault::new("referential integrity violation", details));
                }
            }
        }
        Ok(())
    }
}

/// The rows that a row points at strongly.
fn targets(change: &Change<'_>, schema: &TableSchema, row: &Row) -> Vec<Key> {
    let known = |name: &str| {
        change
            .before
            .tables
            .get_key_value(name)
            .map(|(table, _)| Arc::clone(table))
    };
    let strong = pointed(schema, row).filter(|pointed| pointed.strong);
    strong
        .filter_map(|pointed| Some((known(pointed.table)?, pointed.target)))
        .collect()
}

/// Takes weak references out that lead nowhere.
fn prune_weak(change: &mut Change<'_>) -> Result<(), Fault> {
    let mut doubtful: BTreeSet<Key> = BTreeSet::new();
    for ((table, uuid), touched) in &change.touched {
        if touched.new.is_some() {
            doubtful.insert((Arc::clone(table), *uuid));
        } else if let Some(pointers) = change.before.pointers.get(uuid) {
            doubtful.extend(pointers.weak.iter().cloned());
        }
    }
    for (table, uuid) in doubtful {
        let Some(schema) = change.before.schema.table(&table) else {
            continue;
        };
        let Some(row) = change.row(&table, uuid) else {
            continue;
        };
        let gone: BTreeMap<String, BTreeSet<Uuid>> = gone(change, schema, row);
        if gone.is_empty() {
            continue;
        }
        let mut row = row.clone();
        for (column, gone) in gone {
            let old = row.get(&column).cloned().unwrap_or(Datum::EMPTY);
            let new = without(&old, &gone);
            let least = schema
                .column(&column)
                .map_or(0, |column| column.kind.min as usize);
            if new.len() < least {
                let details = format!(
                    "Weak reference column \"{column}\" in \"{table}\" row {uuid} (inserted within this transaction) \
                     contained all-zeros UUID (probably as the default value for this column) but deleting this value \
                     caused a constraint violation because this column is not allowed to be empty."
                );
                return Err(Fault::constraint(details));
            }
            row.set(&column, new);
        }
        change.put(&table, uuid, Some(row));
    }
    Ok(())
}

fn gone(change: &Change<'_>, schema: &TableSchema, row: &Row) -> BTreeMap<String, BTreeSet<Uuid>> {
    let mut gone: BTreeMap<String, BTreeSet<Uuid>> = BTreeMap::new();
    for pointed in pointed(schema, row).filter(|pointed| !pointed.strong) {
        if change.row(&Arc::from(pointed.table), pointed.target).is_none() {
            gone.entry(pointed.column.to_owned())
                .or_default()
                .insert(pointed.target);
        }
    }
    gone
}

fn without(value: &Datum, gone: &BTreeSet<Uuid>) -> Datum {
    let stays = |atom: &Atom| atom.as_uuid().is_none_or(|uuid| !gone.contains(&uuid));
    match value {
        Datum::Map(_) => {
            let pairs = value
                .pairs()
                .iter()
                .filter(|(key, value)| stays(key) && stays(value));
            Datum::map(pairs.cloned())
        }
        _ => Datum::set(value.atoms().iter().filter(|atom| stays(atom)).cloned()),
    }
}

fn check_sizes(change: &Change<'_>) -> Result<(), Fault> {
    let mut growth: BTreeMap<&Arc<str>, isize> = BTreeMap::new();
    for ((table, _), touched) in &change.touched {
        *growth.entry(table).or_default() +=
            isize::from(touched.new.is_some()) - isize::from(touched.old.is_some());
    }
    for (table, growth) in growth {
        let Some(most) = change
            .before
            .schema
            .table(table)
            .and_then(|schema| schema.rows_max)
        else {
            continue;
        };
        let count = change.before.count(table).cast_signed() + growth;
        if growth > 0 && count > most as isize {
            let details = format!(
                "transaction causes \"{table}\" table to contain {count} rows, greater than the schema-defined limit of \
                 {most} row(s)"
            );
            return Err(Fault::constraint(details));
        }
    }
    Ok(())
}

fn check_indexes(change: &Change<'_>) -> Result<(), Fault> {
    for (table, rows) in &change.before.tables {
        let Some(schema) = change.before.schema.table(table) else {
            continue;
        };
        for (columns, index) in schema.indexes.iter().zip(&rows.indexes) {
            let mut wanted: HashMap<Vec<Datum>, Uuid> = HashMap::new();
            let touched = change.touched.range((Arc::clone(table), Uuid::ZERO)..);
            for ((_, uuid), touched) in touched.take_while(|((of, _), _)| of == table) {
                let Some(new) = &touched.new else { continue };
                let values = values(schema, new, columns);
                // A row that the change touches counts by what it will be.
                let there = index.get(&values).copied().filter(|there| {
                    there != uuid && !change.touched.contains_key(&(Arc::clone(table), *there))
                });
                if let Some(other) = there.or_else(|| wanted.insert(values.clone(), *uuid)) {
                    return Err(Fault::constraint(alike(table, columns, &values, other, *uuid)));
                }
            }
        }
    }
    Ok(())
}

fn alike(table: &str, columns: &[String], values: &[Datum], first: Uuid, second: Uuid) -> String {
    let values: Vec<String> = values.iter().map(|value| value.to_json().to_string()).collect();
    let (word, values) = (
        if columns.len() == 1 { "column" } else { "columns" },
        values.join(" and "),
    );
    let columns: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    format!(
        "Transaction causes multiple rows in \"{table}\" table to have identical values ({values}) for index on {word} {}.  \
         First row, with UUID {first}; second row, with UUID {second}.",
        columns.join(" and ")
    )
}
