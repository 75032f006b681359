//! Ports and meters that go while other rows name them by text: the database keeps no reference, so nothing else notices.

use crate::model::{Diff, Kind, NAMING, State};
use crate::problem::Problem;
use purlin_ovsdb::{Atom, Uuid};
use std::collections::BTreeSet;

/// Rows that name what goes, and stay.
pub(super) fn names(after: &State<'_>, diff: &Diff) -> Vec<Problem> {
    let mut lost: BTreeSet<(&str, &str)> = BTreeSet::new();
    for row in &diff.rows {
        let name = row.columns.iter().find(|column| column.column == "name");
        let before = name.and_then(|name| name.before.as_ref()?.one()?.as_str());
        let before = before.filter(|name| !name.is_empty() && after.by_name(&row.table, name).is_none());
        if let (Kind::Removed | Kind::Changed, Some(name)) = (row.kind, before) {
            lost.insert((&row.table, name));
        }
    }
    let mut problems = Vec::new();
    for (of, name) in lost {
        for naming in NAMING.iter().filter(|naming| naming.to == of) {
            let (table, column) = (naming.table, naming.column);
            let (rows, column) = match naming.key {
                Some(key) => (
                    after.find_key(table, column, key, name),
                    format!("{column}:{key}"),
                ),
                None if is_map(after, table, column) => {
                    (by_value(after, table, column, name), column.to_owned())
                }
                None => (after.find(table, column, &Atom::from(name)), column.to_owned()),
            };
            for row in rows {
                let place = format!("{table} {}: {column}", after.label(table, row));
                problems.push(Problem::warning(
                    "name-lost",
                    place,
                    format!("names `{name}`, which goes"),
                ));
            }
        }
    }
    problems
}

fn is_map(state: &State<'_>, table: &str, column: &str) -> bool {
    let table = state.schema().table(table);
    let column = table.and_then(|table| table.column(column));
    column.is_some_and(|column| column.kind.value.is_some())
}

/// Rows with this among the values of a map, which no index finds.
fn by_value(state: &State<'_>, table: &str, column: &str, name: &str) -> Vec<Uuid> {
    let mut rows = state.uuids(table);
    rows.retain(|row| state.map(table, *row, column).values().any(|value| value == name));
    rows
}
