//! Whose doing a difference is: what the database has told, less what is known to be ours.
//!
//! A database tells what has become of its rows and not who wanted it, and it may tell several transactions at once.
//! Those that we know are put on the rows as they were; what is still missing for the rows as they are, others have done.

use super::diff::{ColumnDiff, Diff, Kind, RowDiff, Why};
use purlin_ovsdb::{ColumnType, DatabaseSchema, Datum, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// A transaction that may be part of a difference.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// What it does.
    pub diff: &'k Diff,
    /// Whether the database has confirmed it. One that is still under way counts only when nothing speaks against it.
    pub sure: bool,
}

/// A difference, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributed {
    /// Which of the known transactions are in it, by their place in the list.
    pub ours: Vec<usize>,
    /// What nobody of them has done.
    pub others: Diff,
}

/// Columns of a row that is there, those at their defaults left out.
type Columns = BTreeMap<String, Datum>;

/// A row on its way.
struct Going<'d> {
    /// As it is with what is known so far.
    now: Option<Columns>,
    /// As it was told to be in the end.
    end: Option<Columns>,
    /// Whether all its columns are here, or only those that differ.
    whole: bool,
    told: &'d RowDiff,
}

type Rows<'d> = BTreeMap<(&'d str, Uuid), Going<'d>>;

/// Takes a difference apart. Known transactions come in the order in which they were committed.
pub fn attribute(schema: &DatabaseSchema, seen: &Diff, known: &[Known<'_>]) -> Attributed {
    // Most often it is just one of ours, and nothing else.
    if let [one] = known
        && is_just(seen, one.diff)
    {
        return Attributed {
            ours: vec![0],
            others: Diff::default(),
        };
    }
    let going = |told| Going {
        now: side(told, Side::Before),
        end: side(told, Side::After),
        whole: told.kind != Kind::Changed,
        told,
    };
    let mut rows: Rows<'_> = seen.rows.iter().map(|row| (key(row), going(row))).collect();
    let mut ours = Vec::new();
    for (at, known) in known.iter().enumerate() {
        if is_in(schema, &rows, *known) {
            for row in &known.diff.rows {
                // What came and went within one difference shows in neither: others have put it back.
                let there = rows.entry(key(row)).or_insert_with(|| Going {
                    end: side(row, Side::Before),
                    ..going(row)
                });
                put(schema, row, there);
            }
            ours.push(at);
        }
    }
    let others = rows.values().filter_map(|row| left(schema, row));
    Attributed {
        ours,
        others: Diff {
            rows: others.collect(),
        },
    }
}

/// Whether a difference, sorted as all are, is this one: what people call its rows does not count.
fn is_just(seen: &Diff, known: &Diff) -> bool {
    let same = |(a, b): (&RowDiff, &RowDiff)| key(a) == key(b) && a.kind == b.kind && a.columns == b.columns;
    !seen.is_empty() && seen.rows.len() == known.rows.len() && seen.rows.iter().zip(&known.rows).all(same)
}

fn key(row: &RowDiff) -> (&str, Uuid) {
    (&row.table, row.uuid)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

fn side(row: &RowDiff, side: Side) -> Option<Columns> {
    let absent = match side {
        Side::Before => Kind::Added,
        Side::After => Kind::Removed,
    };
    let value = |column: &ColumnDiff| match side {
        Side::Before => column.before.clone(),
        Side::After => column.after.clone(),
    };
    (row.kind != absent).then(|| {
        let columns = row.columns.iter();
        columns
            .filter_map(|column| Some((column.column.clone(), value(column)?)))
            .collect()
    })
}

/// Whether a transaction is part of what was told. It happens as a whole: one row that nobody else can have made, or
/// that is as only it leaves it, speaks for all of it.
fn is_in<'d>(schema: &DatabaseSchema, rows: &Rows<'d>, known: Known<'d>) -> bool {
    let of = |kind: Kind| known.diff.rows.iter().filter(move |row| row.kind == kind);
    let told = |row: &'d RowDiff| rows.get(&key(row));
    let became = |row: &'d RowDiff, kind: Kind| told(row).is_some_and(|row| row.told.kind == kind);
    if of(Kind::Added).next().is_some() {
        return of(Kind::Added).any(|row| became(row, Kind::Added));
    }
    if of(Kind::Removed).next().is_some() {
        return of(Kind::Removed).all(|row| became(row, Kind::Removed));
    }
    let visible = |row: &'d RowDiff| {
        let Some((told, before)) = told(row).and_then(|row| Some((row.told, row.now.as_ref()?))) else {
            return false;
        };
        row.columns.iter().all(|column| {
            let after = told.columns.iter().find(|told| told.column == column.column);
            let after = after.and_then(|told| told.after.as_ref());
            let kind = kind_of(schema, &row.table, &column.column);
            kind.is_some_and(|kind| is_visible(kind, column, before.get(&column.column), after, known.sure))
        })
    };
    of(Kind::Changed).next().is_some() && of(Kind::Changed).all(visible)
}

fn is_visible(
    kind: &ColumnType,
    column: &ColumnDiff,
    before: Option<&Datum>,
    after: Option<&Datum>,
    sure: bool,
) -> bool {
    let (Some(was), Some(is)) = (&column.before, &column.after) else {
        return false;
    };
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    if kind.max == 1 {
        // One that is sure may be hidden by what others wrote after it; where nothing is left to be told, it comes later.
        return before == was && (after == is || (sure && before != after));
    }
    let (gone, new) = (was.without(is), is.without(was));
    new.without(after).is_empty()
        && gone.without(before).is_empty()
        && keys(&gone).atoms().iter().all(|key| {
            // A key with another value stays a key.
            keys(&new).contains(key) || !keys(after).contains(key)
        })
}

fn put(schema: &DatabaseSchema, row: &RowDiff, there: &mut Going<'_>) {
    match (row.kind, &mut there.now) {
        (Kind::Added, now) => *now = side(row, Side::After),
        (Kind::Removed, now) => *now = None,
        (Kind::Changed, Some(columns)) => {
            for column in &row.columns {
                let (Some(was), Some(is), Some(kind)) = (
                    &column.before,
                    &column.after,
                    kind_of(schema, &row.table, &column.column),
                ) else {
                    continue;
                };
                let held = match columns.get(&column.column) {
                    Some(held) => held.clone(),
                    None if there.whole => Datum::default_of(kind),
                    None => {
                        // It is in the end as it was before: others have put it back.
                        if let Some(end) = &mut there.end {
                            end.entry(column.column.clone()).or_insert_with(|| was.clone());
                        }
                        was.clone()
                    }
                };
                columns.insert(column.column.clone(), changed(kind, &held, was, is));
            }
        }
        (Kind::Changed, None) => {}
    }
}

/// The value after a change from `was` to `is`, done to what is held.
pub(crate) fn changed(kind: &ColumnType, held: &Datum, was: &Datum, is: &Datum) -> Datum {
    if kind.max == 1 {
        return is.clone();
    }
    let (gone, new) = (was.without(is), is.without(was));
    if kind.value.is_some() {
        let gone = keys(&gone);
        let kept = held.pairs().iter().filter(|(key, _)| !gone.contains(key));
        return Datum::map(kept.chain(new.pairs()).cloned());
    }
    let kept = held.atoms().iter().filter(|atom| !gone.contains(atom));
    Datum::set(kept.chain(new.atoms()).cloned())
}

/// What is missing for the row as it is in the end.
fn left(schema: &DatabaseSchema, row: &Going<'_>) -> Option<RowDiff> {
    let (told, now, end) = (row.told, row.now.as_ref(), row.end.as_ref());
    let kind = match (now, end) {
        (None, None) => return None,
        (None, Some(_)) => Kind::Added,
        (Some(_), None) => Kind::Removed,
        (Some(_), Some(_)) => Kind::Changed,
    };
    let empty = Columns::new();
    let (before, after) = (now.unwrap_or(&empty), end.unwrap_or(&empty));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let columns = names.into_iter().filter_map(|name| {
        let default = || kind_of(schema, &told.table, name).map(Datum::default_of);
        let of = |columns: &Columns| columns.get(name).cloned().or_else(default);
        let (was, is) = (of(before)?, of(after)?);
        if was == is {
            return None;
        }
        let parts = kind == Kind::Changed && kind_of(schema, &told.table, name)?.max > 1;
        let (was, is) = match parts {
            true => (was.without(&is), is.without(&was)),
            false => (was, is),
        };
        Some(ColumnDiff {
            column: name.clone(),
            before: Some(was).filter(|_| kind != Kind::Added),
            after: Some(is).filter(|_| kind != Kind::Removed),
            parts,
        })
    });
    let columns: Vec<ColumnDiff> = columns.collect();
    (kind != Kind::Changed || !columns.is_empty()).then(|| RowDiff {
        kind,
        why: Why::Asked,
        columns,
        ..told.clone()
    })
}

fn kind_of<'s>(schema: &'s DatabaseSchema, table: &str, column: &str) -> Option<&'s ColumnType> {
    Some(&schema.table(table)?.column(column)?.kind)
}

/// The elements of a set, or the keys of a map.
pub(crate) fn keys(values: &Datum) -> Datum {
    match values.pairs() {
        [] => values.clone(),
        pairs => Datum::set(pairs.iter().map(|(key, _)| key.clone())),
    }
}
