//! Rules that hold in every table: references point to rows, indexes hold, nothing is written to vanish.

use super::UNIQUE_NAMES;
use crate::model::{Kind, RowDiff, State, target};
use crate::problem::Problem;
use purlin_ovsdb::{Atom, Datum, Uuid};

pub(super) fn check(state: &State<'_>, row: &RowDiff) -> Vec<Problem> {
    let mut problems = references(state, row);
    problems.extend(unique(state, row));
    problems.extend(named(state, row));
    problems.extend(nameless(state, row));
    problems
}

fn references(state: &State<'_>, row: &RowDiff) -> Vec<Problem> {
    let Some(schema) = state.schema().table(&row.table) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    for column in &row.columns {
        let kind = schema.column(&column.column).map(|column| &column.kind);
        let Some((to, _)) = kind.and_then(target) else {
            continue;
        };
        let before = column.before.as_ref().unwrap_or(&Datum::EMPTY);
        let after = column.after.iter().flat_map(Datum::atoms);
        let new = after
            .filter(|atom| !before.contains(atom))
            .filter_map(Atom::as_uuid);
        for missing in new.filter(|uuid| !state.contains(to, *uuid)) {
            let message = format!("there is no {to} {missing}");
            problems.push(Problem::error(
                "reference-missing",
                column.column.as_str(),
                message,
            ));
        }
    }
    problems
}

/// Ports are known to OVN by their names; switches and routers without one can be told by their UUIDs alone.
fn nameless(state: &State<'_>, row: &RowDiff) -> Option<Problem> {
    let is_port = match row.table.as_str() {
        "Logical_Switch_Port" | "Logical_Router_Port" => true,
        table if UNIQUE_NAMES.contains(&table) => false,
        _ => return None,
    };
    // One that had none before is nothing that this change has done.
    let written = row.kind == Kind::Added || row.columns.iter().any(|column| column.column == "name");
    let empty = state.text(&row.table, row.uuid, "name").is_none_or(str::is_empty);
    (written && empty).then(|| match is_port {
        true => Problem::error("name-empty", "name", "a port needs a name"),
        false => Problem::warning("name-empty", "name", "without a name only its UUID tells it"),
    })
}

/// Names are unique in these tables, and switch ports and router ports share one space of names.
fn named(state: &State<'_>, row: &RowDiff) -> Vec<Problem> {
    let Some(name) = state
        .text(&row.table, row.uuid, "name")
        .filter(|name| !name.is_empty())
    else {
        return Vec::new();
    };
    let space: &[&str] = match row.table.as_str() {
        table if UNIQUE_NAMES.contains(&table) => &[table],
        "Logical_Switch_Port" => &["Logical_Router_Port"],
        "Logical_Router_Port" => &["Logical_Switch_Port"],
        _ => return Vec::new(),
    };
    // A name that was taken twice before is nothing that this change can mend.
    if row.kind == Kind::Changed && !row.columns.iter().any(|column| column.column == "name") {
        return Vec::new();
    }
    let atom = Atom::from(name);
    let taken = space.iter().flat_map(|table| {
        let others = state.find(table, "name", &atom).into_iter();
        others
            .filter(|other| *other != row.uuid)
            .map(move |other| (*table, other))
    });
    taken
        .map(|(table, other)| {
            Problem::error(
                "name-taken",
                "name",
                format!("{table} {other} is called `{name}` too"),
            )
        })
        .collect()
}

/// The indexes of the schema.
fn unique(state: &State<'_>, row: &RowDiff) -> Vec<Problem> {
    let Some(schema) = state.schema().table(&row.table) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    for index in &schema.indexes {
        let values = |uuid: Uuid| -> Vec<Option<&Datum>> {
            index
                .iter()
                .map(|column| state.value(&row.table, uuid, column))
                .collect()
        };
        let own = values(row.uuid);
        let first = own.first().copied().flatten().and_then(Datum::one);
        let candidates = match (index.first(), first) {
            (Some(column), Some(atom)) => state.find(&row.table, column, atom),
            _ => state.uuids(&row.table),
        };
        if let Some(other) = candidates
            .into_iter()
            .find(|other| *other != row.uuid && values(*other) == own)
        {
            let columns = index.join(", ");
            let message = format!("{} {other} has the same {columns}", row.table);
            problems.push(Problem::error("index-taken", columns.as_str(), message));
        }
    }
    problems
}
