//! A difference as text, without a tree of values in between: a bulk write has one row for each of its thousands of ports.

use super::diff::{ColumnDiff, Diff, RowDiff};
use super::natural::Natural;
use purlin_ovsdb::{DatabaseSchema, TableSchema};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// What [`Diff::to_json`] makes, member by member in the same order.
#[derive(Debug, Clone, Copy)]
pub struct Told<'d> {
    diff: &'d Diff,
    schema: &'d DatabaseSchema,
}

impl Diff {
    /// For a serializer: as [`Diff::to_json`].
    pub fn told<'d>(&'d self, schema: &'d DatabaseSchema) -> Told<'d> {
        Told { diff: self, schema }
    }
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.diff.rows.iter().map(|row| Row {
            row,
            table: self.schema.table(&row.table),
        });
        serializer.collect_seq(rows)
    }
}

/// One row.
struct Row<'d> {
    row: &'d RowDiff,
    table: Option<&'d TableSchema>,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(6))?;
        members.serialize_entry("table", &self.row.table)?;
        members.serialize_entry("uuid", &self.row.uuid)?;
        members.serialize_entry("label", &self.row.label)?;
        members.serialize_entry("change", self.row.kind.word())?;
        members.serialize_entry("why", self.row.why.word())?;
        members.serialize_entry("columns", &Columns(self))?;
        members.end()
    }
}

struct Columns<'r, 'd>(&'r Row<'d>);

impl Serialize for Columns<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Row { row, table } = self.0;
        let columns = row.columns.iter().map(|column| {
            let table = *table;
            (&column.column, Both { column, table })
        });
        serializer.collect_map(columns)
    }
}

/// A column before and after.
struct Both<'d> {
    column: &'d ColumnDiff,
    table: Option<&'d TableSchema>,
}

impl Serialize for Both<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = self.table.and_then(|table| table.column(&self.column.column));
        let names = match self.column.parts {
            true => ["removed", "added"],
            false => ["before", "after"],
        };
        let mut members = serializer.serialize_map(Some(2))?;
        for (name, value) in names.into_iter().zip([&self.column.before, &self.column.after]) {
            match (value, kind) {
                (Some(value), Some(column)) => {
                    members.serialize_entry(name, &Natural(value, &column.kind))?;
                }
                // A column that the schema does not have: as the database writes it.
                (value, _) => members.serialize_entry(name, value)?,
            }
        }
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Why, nb_schema};
    use purlin_ovsdb::{Datum, Uuid};

    fn column(name: &str, before: Option<Datum>, after: Option<Datum>, parts: bool) -> ColumnDiff {
        let column = name.to_owned();
        ColumnDiff {
            column,
            before,
            after,
            parts,
        }
    }

    #[test]
    fn the_text_is_that_of_the_tree() {
        let row = |table: &str, kind: Kind, columns: Vec<ColumnDiff>| RowDiff {
            table: table.to_owned(),
            uuid: Uuid::from_bytes([7; 16]),
            label: "a \"b\"\n".to_owned(),
            kind,
            why: Why::Orphaned,
            columns,
        };
        let uuids = Datum::set([1, 2].map(|n| Uuid::from_bytes([n; 16])));
        let changed = vec![
            column("acls", Some(Datum::EMPTY), Some(uuids.clone()), true),
            column("name", Some("old".into()), Some("new".into()), false),
            column(
                "other_config",
                Some(Datum::EMPTY_MAP),
                Some(Datum::map([("a", "b")])),
                true,
            ),
        ];
        let added = vec![
            column("enabled", None, Some(true.into()), false),
            column("tag", None, Some(7.into()), false),
            column("tag_request", None, Some(Datum::EMPTY), false),
            column("no_such_column", None, Some(uuids.clone()), false),
        ];
        let rows = vec![
            row("Logical_Switch", Kind::Changed, changed),
            row("Logical_Switch_Port", Kind::Added, added),
            row(
                "No_Such_Table",
                Kind::Removed,
                vec![column("x", Some(uuids), None, false)],
            ),
            row(
                "QoS",
                Kind::Changed,
                vec![column(
                    "bandwidth",
                    Some(Datum::EMPTY_MAP),
                    Some(Datum::map([("rate", 9)])),
                    true,
                )],
            ),
        ];
        for diff in [Diff { rows }, Diff::default()] {
            let text = serde_json::to_string(&diff.told(nb_schema())).unwrap();
            let tree = diff.to_json(nb_schema());
            assert_eq!(text, tree.to_string());
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), tree);
        }
    }
}
