//! The way back from a difference, for as long as nobody has walked on.

use super::Expect;
use crate::model::{Change, ColumnDiff, Diff, Kind, RowDiff};
use purlin_ovsdb::{ColumnType, DatabaseSchema, Datum, Row};

/// Changes that undo a difference, and what must still be so: values that it left, elements that it put in or took out.
pub fn undo(schema: &DatabaseSchema, diff: &Diff) -> (Vec<Change>, Vec<Expect>) {
    let mut changes = Vec::new();
    let mut expect = Vec::new();
    for row in &diff.rows {
        match row.kind {
            Kind::Added => {
                expect.extend(row.columns.iter().filter_map(|column| value(row, column)));
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
    let columns = row
        .columns
        .iter()
        .filter_map(|c| Some((c.column.clone(), c.before.clone()?)));
    Change::Restore {
        table: row.table.clone(),
        uuid: row.uuid,
        row: columns.collect(),
    }
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
    let (gone, new) = (without(before, after), without(after, before));
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
            values: super::build::keys(&new),
        });
    }
    if !gone.is_empty() {
        let changed_keys = super::build::keys(&new);
        let absent: Vec<_> = super::build::keys(&gone)
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

/// Elements or pairs of `a` that are not in `b`.
fn without(a: &Datum, b: &Datum) -> Datum {
    match a {
        Datum::Map(_) => Datum::map(a.pairs().iter().filter(|(k, v)| b.get(k) != Some(v)).cloned()),
        _ => Datum::set(a.atoms().iter().filter(|atom| !b.contains(atom)).cloned()),
    }
}
