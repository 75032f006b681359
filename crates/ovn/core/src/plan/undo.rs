//! The way back from a difference, for as long as nobody has walked on.

use super::{Expect, build};
use crate::model::{Change, ColumnDiff, Diff, Kind, RowDiff, State, changed, keys, target};
use crate::problem::Problem;
use purlin_ovsdb::{ColumnType, DatabaseSchema, Datum, Row};

/// Changes that undo a difference, and what must still be so: values that it left, elements that it put in or took out.
pub fn undo(schema: &DatabaseSchema, diff: &Diff) -> (Vec<Change>, Vec<Expect>) {
    let mut changes = Vec::new();
    let mut expect = Vec::new();
    for row in &diff.rows {
        match row.kind {
            Kind::Added => {
                expect.extend(row.columns.iter().filter_map(|column| value(row, column)));
                expect.extend(childless(schema, row));
                // Others go when what holds them is put back.
                if schema.table(&row.table).is_some_and(|table| table.root) {
                    changes.push(Change::Delete {
                        table: row.table.clone(),
                        uuid: row.uuid,
                    });
                }
            }
            Kind::Removed => changes.insert(0, insert(row)),
            Kind::Changed => {
                for column in &row.columns {
                    let kind = schema
                        .table(&row.table)
                        .and_then(|table| table.column(&column.column));
                    if let Some(kind) = kind {
                        back(row, column, &kind.kind, &mut changes, &mut expect);
                    }
                }
            }
        }
    }
    (changes, expect)
}

fn insert(row: &RowDiff) -> Change {
    Change::Restore {
        table: row.table.clone(),
        uuid: row.uuid,
        row: before_of(row),
    }
}

/// A row that went, without what was at its default: that is put back where nothing is said.
fn before_of(row: &RowDiff) -> Row {
    let columns = row.columns.iter();
    columns
        .filter_map(|column| Some((column.column.clone(), column.before.clone()?)))
        .collect()
}

/// Nothing has come to hang on a row since it came: a child would go with it, whoever has made it.
fn childless<'r>(schema: &'r DatabaseSchema, row: &'r RowDiff) -> impl Iterator<Item = Expect> + 'r {
    let columns = schema
        .table(&row.table)
        .into_iter()
        .flat_map(|table| &table.columns);
    let holds = |kind: &ColumnType| target(kind).is_some_and(|(_, strong)| strong);
    let told = |name: &str| row.columns.iter().any(|column| column.column == name);
    let empty = columns.filter(move |(name, column)| holds(&column.kind) && !told(name));
    empty.map(|(name, column)| Expect::Value {
        table: row.table.clone(),
        uuid: row.uuid,
        column: name.clone(),
        value: Datum::default_of(&column.kind),
    })
}

fn value(row: &RowDiff, column: &ColumnDiff) -> Option<Expect> {
    Some(Expect::Value {
        table: row.table.clone(),
        uuid: row.uuid,
        column: column.column.clone(),
        value: column.after.clone()?,
    })
}

fn back(
    row: &RowDiff,
    column: &ColumnDiff,
    kind: &ColumnType,
    changes: &mut Vec<Change>,
    expect: &mut Vec<Expect>,
) {
    let (table, uuid, name) = (row.table.clone(), row.uuid, column.column.clone());
    let (Some(before), Some(after)) = (&column.before, &column.after) else {
        return;
    };
    if kind.max == 1 {
        expect.extend(value(row, column));
        let row = Row::new().with(&name, before.clone());
        changes.push(Change::Update { table, uuid, row });
        return;
    }
    let (gone, new) = (before.without(after), after.without(before));
    if !new.is_empty() {
        expect.push(Expect::Has {
            table: table.clone(),
            uuid,
            column: name.clone(),
            values: new.clone(),
        });
        changes.push(Change::Remove {
            table: table.clone(),
            uuid,
            column: name.clone(),
            values: keys(&new),
        });
    }
    if !gone.is_empty() {
        let changed_keys = keys(&new);
        let absent: Vec<_> = keys(&gone)
            .atoms()
            .iter()
            .filter(|atom| !changed_keys.contains(atom))
            .cloned()
            .collect();
        if !absent.is_empty() {
            expect.push(Expect::Lacks {
                table: table.clone(),
                uuid,
                column: name.clone(),
                values: Datum::set(absent),
            });
        }
        changes.push(Change::Add {
            table,
            uuid,
            column: name,
            values: gone,
        });
    }
}

/// Everything that is no longer as it must be: all of it, where a plan stops at the first.
pub fn unmet(state: &State<'_>, expect: &[Expect]) -> Vec<Problem> {
    expect
        .iter()
        .filter_map(|expect| build::unmet(state, expect))
        .collect()
}

/// Whether a transaction whose answer was lost has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// A row is there that only it can have brought, or all is as it leaves it.
    Happened,
    /// All is as it was before.
    Absent,
    /// Others have written the same rows since.
    Unclear,
}

/// Looks in the network for what a difference would have left there.
pub fn evidence(state: &State<'_>, diff: &Diff) -> Evidence {
    let is = |row: &RowDiff| state.contains(&row.table, row.uuid);
    let of = |kind: Kind| diff.rows.iter().filter(move |row| row.kind == kind);
    // Their names were chosen at random: nobody else brings them.
    if of(Kind::Added).any(is) {
        return Evidence::Happened;
    }
    let holds = |side: fn(&ColumnDiff) -> (&Option<Datum>, &Option<Datum>)| {
        of(Kind::Changed).all(|row| row.columns.iter().all(|column| held(state, row, column, side)))
    };
    let brings = of(Kind::Added).next().is_some();
    if !brings && !of(Kind::Removed).any(is) && holds(|column| (&column.after, &column.before)) {
        return Evidence::Happened;
    }
    if of(Kind::Removed).all(is) && holds(|column| (&column.before, &column.after)) {
        return Evidence::Absent;
    }
    Evidence::Unclear
}

/// The state as it was before a difference that has happened: what it brought is gone, what it took is back. Nothing is
/// checked, and what others did since to other values stays.
pub fn roll_back(state: &mut State<'_>, diff: &Diff) {
    for row in &diff.rows {
        let before = match row.kind {
            Kind::Added => None,
            Kind::Removed => Some(before_of(row)),
            Kind::Changed => match state.row(&row.table, row.uuid) {
                Some(held) => Some(changed_back(state.schema(), row, held)),
                None => continue,
            },
        };
        state.put(&row.table, row.uuid, before.as_ref());
    }
}

fn changed_back(schema: &DatabaseSchema, row: &RowDiff, mut held: Row) -> Row {
    for column in &row.columns {
        let known = schema
            .table(&row.table)
            .and_then(|table| table.column(&column.column));
        let (Some(known), Some(before), Some(after)) = (known, &column.before, &column.after) else {
            continue;
        };
        let value = match held.get(&column.column) {
            Some(now) => changed(&known.kind, now, after, before),
            None => before.clone(),
        };
        held.set(&column.column, value);
    }
    held
}

/// Whether the row has what one side of a column has and the other has not.
fn held(
    state: &State<'_>,
    row: &RowDiff,
    column: &ColumnDiff,
    side: fn(&ColumnDiff) -> (&Option<Datum>, &Option<Datum>),
) -> bool {
    let (Some(wanted), Some(other)) = side(column) else {
        return false;
    };
    let kind = state
        .schema()
        .table(&row.table)
        .and_then(|table| table.column(&column.column));
    let Some(held) = state.value(&row.table, row.uuid, &column.column) else {
        return false;
    };
    match kind {
        Some(kind) if kind.kind.max == 1 => held == wanted,
        _ => {
            let foreign = keys(&other.without(wanted));
            let (own, has) = (keys(&wanted.without(other)), keys(held));
            wanted.without(other).without(held).is_empty()
                && foreign
                    .atoms()
                    .iter()
                    .all(|atom| own.contains(atom) || !has.contains(atom))
        }
    }
}
