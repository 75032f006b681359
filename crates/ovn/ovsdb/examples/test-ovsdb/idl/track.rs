//! What changed, as the suite expects it: rows that came, went and changed, with their columns, and the rows that point to
//! those that came or went.

use super::{TABLES, rows};
use purlin_ovsdb::cache::{Changes, ColumnLayout, Database, RowChange, RowRef};
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Places = BTreeMap<(String, Uuid), RowChange>;

/// The changes since `told`; at last all rows there are, with what changed of them.
pub(super) fn lines(told: Option<&Snapshot>, now: &Snapshot, last: bool) -> Vec<String> {
    let nothing = Database::empty(Arc::clone(now.database.layout()));
    let old = told.map_or(&nothing, |told| &told.database);
    let changes = Changes::between(old, &now.database, None);
    let changed: Places = changes
        .iter()
        .map(|(table, change, _, _)| ((table.to_owned(), change.uuid), change.clone()))
        .collect();
    let moved: BTreeSet<Uuid> = changed
        .values()
        .filter(|change| change.before.is_none() || change.after.is_none())
        .map(|change| change.uuid)
        .collect();
    let mut lines = Vec::new();
    for name in TABLES {
        let there = now.table(name).into_iter().flat_map(|table| table.rows());
        let gone = told
            .and_then(|told| told.table(name))
            .into_iter()
            .flat_map(|table| table.rows())
            .filter(|row| {
                !last
                    && now
                        .table(name)
                        .is_none_or(|table| table.get(row.uuid()).is_none())
            });
        let there = there.map(|row| (now, row));
        let gone = gone.filter_map(|row| Some((told?, row)));
        for (snapshot, row) in there.chain(gone) {
            let change = changed.get(&(name.to_owned(), row.uuid()));
            let points = points(&row).any(|to| moved.contains(&to));
            lines.extend(told_of(snapshot, name, &row, change, last || points));
        }
    }
    lines
}

fn told_of(
    snapshot: &Snapshot,
    name: &str,
    row: &RowRef<'_>,
    change: Option<&RowChange>,
    anyway: bool,
) -> Vec<String> {
    let columns: Vec<&str> = match change {
        Some(change) if change.after.is_some() => {
            let differs: BTreeSet<usize> = change.columns().collect();
            let columns = row.layout().columns().iter().zip(row.columns()).enumerate();
            // Of a row that came, what is not at its default.
            let written = |column: &ColumnLayout, value: &Datum| {
                change.before.is_some() || *value != Datum::default_of(&column.kind)
            };
            let changed =
                columns.filter(|(at, (column, (_, value)))| differs.contains(at) && written(column, value));
            changed.map(|(_, (_, (name, _)))| name).collect()
        }
        _ => Vec::new(),
    };
    let happened = match change {
        Some(change) if change.after.is_none() => "deleted row: ",
        Some(change) if change.before.is_none() && !columns.is_empty() => "inserted row: ",
        _ => "",
    };
    // A row that came with nothing but defaults is no news to the original.
    if !anyway && happened.is_empty() && columns.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![rows::line(snapshot, name, row, happened)];
    if !columns.is_empty() {
        lines.push(format!("table {name}: updated columns: {}", columns.join(" ")));
    }
    lines
}

/// The rows that a row points to.
fn points(row: &RowRef<'_>) -> impl Iterator<Item = Uuid> {
    let columns = row.layout().columns().iter().zip(row.columns());
    let pointing = columns.filter(|(column, _)| column.kind.key.reference.is_some());
    let atoms = pointing.flat_map(|(_, (_, value))| {
        value
            .atoms()
            .iter()
            .chain(value.pairs().iter().map(|(key, _)| key))
    });
    atoms.filter_map(Atom::as_uuid).collect::<Vec<_>>().into_iter()
}
