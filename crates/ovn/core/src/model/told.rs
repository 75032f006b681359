//! A difference as JSON: for a text without a tree of values in between, since a bulk write has one row for each of its
//! thousands of ports.

use super::diff::{ColumnDiff, Diff, RowDiff};
use super::natural::Natural;
use purlin_ovsdb::{DatabaseSchema, TableSchema};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// A list of rows, values as people write them; what [`Diff::from_json`] reads.
#[derive(Debug, Clone, Copy)]
pub struct Told<'d> {
    diff: &'d Diff,
    schema: &'d DatabaseSchema,
}

impl Diff {
    /// For a serializer; [`Diff::to_json`] makes a tree of it.
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
    use crate::model::{Kind, Why, natural, nb_schema};
    use purlin_ovsdb::{ColumnType, Datum, Uuid};

    fn column(name: &str, before: Option<Datum>, after: Option<Datum>, parts: bool) -> ColumnDiff {
        let column = name.to_owned();
        ColumnDiff {
            column,
            before,
            after,
            parts,
        }
    }

    fn row(table: &str, kind: Kind, columns: Vec<ColumnDiff>) -> RowDiff {
        RowDiff {
            table: table.to_owned(),
            uuid: Uuid::from_bytes([7; 16]),
            label: "a \"b\"\n".to_owned(),
            kind,
            why: Why::Orphaned,
            columns,
        }
    }

    /// The columns of one row, as they are told.
    fn check(table: &str, kind: Kind, columns: Vec<ColumnDiff>, told: &str) {
        let rows = vec![row(table, kind, columns)];
        let diff = Diff { rows };
        let text = format!(
            "[{{\"table\":\"{table}\",\"uuid\":\"07070707-0707-0707-0707-070707070707\",\"label\":\"a \\\"b\\\"\\n\",\
             \"change\":\"{}\",\"why\":\"orphaned\",\"columns\":{told}}}]",
            kind.word()
        );
        assert_eq!(serde_json::to_string(&diff.told(nb_schema())).unwrap(), text);
        // The members of the tree are in the same order.
        assert_eq!(diff.to_json(nb_schema()).to_string(), text);
    }

    #[test]
    fn values_are_told_as_people_write_them() {
        let uuids = || Datum::set([1, 2].map(|n| Uuid::from_bytes([n; 16])));
        let no_map = || Some(Datum::EMPTY_MAP);
        check(
            "Logical_Switch",
            Kind::Changed,
            vec![
                column("acls", Some(Datum::EMPTY), Some(uuids()), true),
                column("name", Some("old".into()), Some("new".into()), false),
                column("other_config", no_map(), Some(Datum::map([("a", "b")])), true),
            ],
            r#"{"acls":{"removed":[],"added":["01010101-0101-0101-0101-010101010101","02020202-0202-0202-0202-020202020202"]},"name":{"before":"old","after":"new"},"other_config":{"removed":{},"added":{"a":"b"}}}"#,
        );
        check(
            "Logical_Switch_Port",
            Kind::Added,
            vec![
                column("enabled", None, Some(true.into()), false),
                column("tag", None, Some(7.into()), false),
                column("tag_request", None, Some(Datum::EMPTY), false),
                column("no_such_column", None, Some(uuids()), false),
            ],
            r#"{"enabled":{"before":null,"after":true},"tag":{"before":null,"after":7},"tag_request":{"before":null,"after":null},"no_such_column":{"before":null,"after":["set",[["uuid","01010101-0101-0101-0101-010101010101"],["uuid","02020202-0202-0202-0202-020202020202"]]]}}"#,
        );
        check(
            "No_Such_Table",
            Kind::Removed,
            vec![column("x", Some(Datum::from(1.5)), None, false)],
            r#"{"x":{"before":1.5,"after":null}}"#,
        );
        check(
            "QoS",
            Kind::Changed,
            vec![column(
                "bandwidth",
                no_map(),
                Some(Datum::map([("rate", 9)])),
                true,
            )],
            r#"{"bandwidth":{"removed":{},"added":{"rate":9}}}"#,
        );
        assert_eq!(Diff::default().to_json(nb_schema()).to_string(), "[]");
    }

    #[test]
    fn keys_that_are_no_texts_are_told_as_texts() {
        let kind = |json: &str| ColumnType::parse(&serde_json::from_str(json).unwrap()).unwrap();
        let told = |value: &Datum, kind: &ColumnType| natural(value, kind).to_string();
        let numbers = kind(r#"{"key": "integer", "value": "string", "min": 0, "max": "unlimited"}"#);
        assert_eq!(told(&Datum::map([(-1, "a")]), &numbers), r#"{"-1":"a"}"#);
        let rows = kind(r#"{"key": "uuid", "value": "real", "min": 0, "max": "unlimited"}"#);
        let one = Datum::map([(Uuid::from_bytes([1; 16]), 0.5)]);
        assert_eq!(
            told(&one, &rows),
            r#"{"01010101-0101-0101-0101-010101010101":0.5}"#
        );
    }
}
