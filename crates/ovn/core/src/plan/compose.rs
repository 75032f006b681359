//! Two differences, one after the other, as one: so that a way back over many transactions is one transaction.
//!
//! Others may have written between the two. What they did elsewhere stays out of it; where both differences and theirs
//! met in one value, nobody can say what it should become, and that is told.

use crate::model::{ColumnDiff, Diff, Kind, RowDiff};
use crate::problem::Problem;
use purlin_ovsdb::{Atom, ColumnType, DatabaseSchema, Datum, TableSchema, Uuid};
use std::collections::BTreeMap;

/// What `older` and then `newer` have changed, all in all.
///
/// # Errors
/// Every row that others must have written in between, in a way that cannot be told from ours.
pub fn compose(schema: &DatabaseSchema, older: Diff, newer: Diff) -> Result<Diff, Vec<Problem>> {
    let key = |row: &RowDiff| (row.table.clone(), row.uuid);
    let mut rows: BTreeMap<(String, Uuid), RowDiff> =
        older.rows.into_iter().map(|row| (key(&row), row)).collect();
    let mut problems = Vec::new();
    for new in newer.rows {
        let at = key(&new);
        let Some(old) = rows.remove(&at) else {
            rows.insert(at, new);
            continue;
        };
        let Some(table) = schema.table(&new.table) else {
            continue;
        };
        match joined(table, old, new) {
            Ok(Some(row)) => {
                rows.insert(at, row);
            }
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Diff {
        rows: rows.into_values().collect(),
    })
}

/// Both differences of a row; `None` when nothing is left of them.
fn joined(table: &TableSchema, old: RowDiff, new: RowDiff) -> Result<Option<RowDiff>, Problem> {
    let row = |kind: Kind, columns: Vec<ColumnDiff>| RowDiff {
        kind,
        columns,
        ..RowDiff::clone(&new)
    };
    Ok(match (old.kind, new.kind) {
        // What came and went was not there at first, whatever others did to it meanwhile.
        (Kind::Added, Kind::Removed) => None,
        (Kind::Added, Kind::Added) => Some(new),
        (Kind::Removed, Kind::Removed) => Some(old),
        (Kind::Added, Kind::Changed) => {
            let columns = along(table, &old, &new, &new.columns, Way::Forth)?;
            Some(row(Kind::Added, columns))
        }
        (Kind::Changed, Kind::Removed) => {
            let columns = along(table, &new, &old, &old.columns, Way::Back)?;
            Some(row(Kind::Removed, columns))
        }
        (Kind::Changed, Kind::Changed) => {
            let columns = both(table, &old, &new)?;
            (!columns.is_empty()).then(|| row(Kind::Changed, columns))
        }
        (Kind::Removed, Kind::Added) => {
            let columns = between(table, &old, &new);
            (!columns.is_empty()).then(|| row(Kind::Changed, columns))
        }
        // It was away in between, and none of ours did that.
        (Kind::Removed, Kind::Changed) | (Kind::Changed, Kind::Added) => {
            return Err(met(&new, "the row"));
        }
    })
}

/// In which direction the changes are put on a whole row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// On a row that came: what it is like after them.
    Forth,
    /// On a row that went: what it was like before them.
    Back,
}

/// The columns of a row that came or went, after the changes of `steps` or before them.
fn along(
    table: &TableSchema,
    whole: &RowDiff,
    told: &RowDiff,
    steps: &[ColumnDiff],
    way: Way,
) -> Result<Vec<ColumnDiff>, Problem> {
    let side = |column: &ColumnDiff| match way {
        Way::Forth => column.after.clone(),
        Way::Back => column.before.clone(),
    };
    let mut values: BTreeMap<String, Datum> = whole
        .columns
        .iter()
        .filter_map(|column| Some((column.column.clone(), side(column)?)))
        .collect();
    for step in steps {
        let Some(kind) = table.column(&step.column).map(|column| &column.kind) else {
            continue;
        };
        let (from, to) = match way {
            Way::Forth => (&step.before, &step.after),
            Way::Back => (&step.after, &step.before),
        };
        let (Some(from), Some(to)) = (from, to) else {
            continue;
        };
        let held = values.get(&step.column).cloned();
        let held = held.unwrap_or_else(|| Datum::default_of(kind));
        let value = if kind.max > 1 {
            union(&held.without(from), to)
        } else if held == *from {
            to.clone()
        } else {
            return Err(met(told, &format!("`{}`", step.column)));
        };
        values.insert(step.column.clone(), value);
    }
    let told = |(name, value): (String, Datum)| {
        let kind = &table.column(&name)?.kind;
        (value != Datum::default_of(kind)).then(|| ColumnDiff {
            before: (way == Way::Back).then(|| value.clone()),
            after: (way == Way::Forth).then_some(value),
            column: name,
            parts: false,
        })
    };
    Ok(values.into_iter().filter_map(told).collect())
}

/// The columns of a row that was changed twice.
fn both(table: &TableSchema, old: &RowDiff, new: &RowDiff) -> Result<Vec<ColumnDiff>, Problem> {
    let mut columns: BTreeMap<&str, ColumnDiff> = old
        .columns
        .iter()
        .map(|column| (column.column.as_str(), column.clone()))
        .collect();
    for second in &new.columns {
        let Some(kind) = table.column(&second.column).map(|column| &column.kind) else {
            continue;
        };
        let joined = match columns.remove(second.column.as_str()) {
            None => Some(second.clone()),
            Some(first) => {
                twice(kind, &first, second).ok_or_else(|| met(new, &format!("`{}`", second.column)))?
            }
        };
        if let Some(joined) = joined {
            columns.insert(&second.column, joined);
        }
    }
    Ok(columns.into_values().collect())
}

/// Two changes of one column: `Some(None)` when they cancel out, `None` when others came in between.
#[expect(
    clippy::option_option,
    reason = "nothing left is another answer than no answer"
)]
fn twice(kind: &ColumnType, first: &ColumnDiff, second: &ColumnDiff) -> Option<Option<ColumnDiff>> {
    let (gone, came) = (first.before.as_ref()?, first.after.as_ref()?);
    let (then_gone, then_came) = (second.before.as_ref()?, second.after.as_ref()?);
    if kind.max <= 1 {
        let same = came == then_gone;
        let told = || ColumnDiff {
            after: second.after.clone(),
            ..first.clone()
        };
        return same.then(|| (gone != then_came).then(told));
    }
    let apart = |one: Datum, other: Datum| {
        // One key with two values: somebody else has set it in between.
        let clash = one.pairs().iter().any(|(key, _)| other.get(key).is_some());
        (!clash).then(|| union(&one, &other))
    };
    let before = apart(gone.without(then_came), then_gone.without(came))?;
    let after = apart(came.without(then_gone), then_came.without(gone))?;
    let is_left = !(before.is_empty() && after.is_empty());
    Some(is_left.then(|| ColumnDiff {
        column: second.column.clone(),
        before: Some(before),
        after: Some(after),
        parts: true,
    }))
}

/// What differs between a row that went and the same row that came back.
fn between(table: &TableSchema, went: &RowDiff, came: &RowDiff) -> Vec<ColumnDiff> {
    let find = |row: &RowDiff, name: &str| row.columns.iter().find(|column| column.column == name).cloned();
    let columns = table.columns.iter().filter_map(|(name, column)| {
        let default = || Datum::default_of(&column.kind);
        let before = find(went, name)
            .and_then(|column| column.before)
            .unwrap_or_else(default);
        let after = find(came, name)
            .and_then(|column| column.after)
            .unwrap_or_else(default);
        let parts = column.kind.max > 1;
        if before == after {
            return None;
        }
        let (before, after) = match parts {
            true => (before.without(&after), after.without(&before)),
            false => (before, after),
        };
        Some(ColumnDiff {
            column: name.clone(),
            before: Some(before),
            after: Some(after),
            parts,
        })
    });
    columns.collect()
}

/// All elements of both; of a key that both have, the second one's value.
fn union(one: &Datum, other: &Datum) -> Datum {
    let is_map = |datum: &Datum| matches!(datum, Datum::Map(_));
    if is_map(one) || is_map(other) {
        let pairs = one.pairs().iter().chain(other.pairs());
        return Datum::map(pairs.cloned());
    }
    let atoms: Vec<Atom> = other.atoms().to_vec();
    one.with_atoms(&atoms)
}

fn met(row: &RowDiff, what: &str) -> Problem {
    let place = format!("{} {}", row.table, row.label);
    Problem::error(
        "row-interleaved",
        place,
        format!("others have written {what} in between"),
    )
}
