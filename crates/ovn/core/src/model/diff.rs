//! Exactly what differs between two states, row by row and column by column.

use super::natural::from_natural;
use super::state::Moved;
use super::{State, is_volatile};
use purlin_ovsdb::cache::{RowRef, differences};
use purlin_ovsdb::{ColumnType, DatabaseSchema, Datum, Uuid};
use serde_json::Value;
use std::fmt;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Added,
    Changed,
    Removed,
}

/// Why a row is part of the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was asked for.
    Asked,
    /// Nothing points to it any more, so the database takes it away.
    Orphaned,
    /// What it pointed to is gone.
    Unlinked,
}

/// One column, before and after.
///
/// Of a set or a map in a row that changes, only the elements and pairs that go and come: a switch with a thousand ports
/// that gets one more differs by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDiff {
    pub column: String,
    pub before: Option<Datum>,
    pub after: Option<Datum>,
    /// Whether these are elements of the values rather than the values.
    pub parts: bool,
}

/// One row, with the columns that differ; of a row that comes or goes, those that are not at their defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDiff {
    pub table: String,
    pub uuid: Uuid,
    pub label: String,
    pub kind: Kind,
    pub why: Why,
    pub columns: Vec<ColumnDiff>,
}

/// All rows that differ, by table and UUID.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    pub rows: Vec<RowDiff>,
}

impl Diff {
    /// What `after` changed in the committed state below it; `why` says so of each row.
    pub(crate) fn between(after: &State<'_>, why: impl Fn(&str, Uuid) -> Why) -> Self {
        let before = after.base();
        let rows = after.touched().filter_map(|(table, uuid)| {
            let (old, new) = (before.seen(table, uuid), after.seen(table, uuid));
            let (kind, shown) = match (&old, &new) {
                (None, Some(_)) => (Kind::Added, after),
                (Some(_), None) => (Kind::Removed, &before),
                (Some(_), Some(_)) => (Kind::Changed, after),
                (None, None) => return None,
            };
            let moved = |name: &str| after.moved(table, uuid, name);
            let columns = columns(after.schema(), table, (old, new), moved);
            (kind != Kind::Changed || !columns.is_empty()).then(|| RowDiff {
                table: table.to_owned(),
                uuid,
                label: shown.label(table, uuid),
                kind,
                why: why(table, uuid),
                columns,
            })
        });
        Self { rows: rows.collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows come, change and go.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |kind: Kind| self.rows.iter().filter(|row| row.kind == kind).count();
        (count(Kind::Added), count(Kind::Changed), count(Kind::Removed))
    }

    /// Reads what [`Diff::to_json`] wrote: a journal keeps differences so, for as long as they may be undone.
    pub fn from_json(schema: &DatabaseSchema, json: &Value) -> Result<Self, String> {
        let rows = json.as_array().ok_or("a difference is a list of rows")?;
        let rows: Result<Vec<RowDiff>, String> = rows.iter().map(|row| read_row(schema, row)).collect();
        Ok(Self { rows: rows? })
    }

    /// As JSON for programs: a list of rows, values as people write them.
    pub fn to_json(&self, schema: &DatabaseSchema) -> Value {
        serde_json::to_value(self.told(schema)).expect("a difference has nothing that JSON cannot say")
    }
}

fn read_row(schema: &DatabaseSchema, json: &Value) -> Result<RowDiff, String> {
    let text = |key: &str| {
        json[key]
            .as_str()
            .ok_or_else(|| format!("`{key}` is missing in {json}"))
    };
    let word = |known: &[&'static str], word: &str| known.iter().position(|known| *known == word);
    let table = text("table")?;
    let known = schema
        .table(table)
        .ok_or_else(|| format!("there is no table {table}"))?;
    let kind = word(&["added", "changed", "removed"], text("change")?).ok_or("an unknown change")?;
    let kind = [Kind::Added, Kind::Changed, Kind::Removed][kind];
    let why = word(&["asked", "orphaned", "unlinked"], text("why")?).ok_or("an unknown reason")?;
    let why = [Why::Asked, Why::Orphaned, Why::Unlinked][why];
    let mut columns = Vec::new();
    for (name, both) in json["columns"].as_object().into_iter().flatten() {
        let column = known
            .column(name)
            .ok_or_else(|| format!("{table} has no column {name}"))?;
        let parts = both.get("added").is_some();
        let (before, after) = if parts {
            ("removed", "added")
        } else {
            ("before", "after")
        };
        // A column that is never empty may lose nothing.
        let min = if parts { 0 } else { column.kind.min };
        let kind_of = ColumnType {
            min,
            ..column.kind.clone()
        };
        let value =
            |side: &str| from_natural(&both[side], &kind_of).map_err(|why| format!("{table} {name}: {why}"));
        columns.push(ColumnDiff {
            column: name.clone(),
            before: if kind == Kind::Added {
                None
            } else {
                Some(value(before)?)
            },
            after: if kind == Kind::Removed {
                None
            } else {
                Some(value(after)?)
            },
            parts,
        });
    }
    Ok(RowDiff {
        table: table.to_owned(),
        uuid: Uuid::parse(text("uuid")?).ok_or("a UUID is none")?,
        label: text("label")?.to_owned(),
        kind,
        why,
        columns,
    })
}

impl RowDiff {
    /// What became of one row that a database has told about; `None` when it is nothing that people write.
    pub fn between(
        schema: &DatabaseSchema,
        (table, uuid): (&str, Uuid),
        label: impl FnOnce() -> String,
        (before, after): (Option<RowRef<'_>>, Option<RowRef<'_>>),
    ) -> Option<Self> {
        let kind = match (before, after) {
            (None, Some(_)) => Kind::Added,
            (Some(_), None) => Kind::Removed,
            (Some(_), Some(_)) => Kind::Changed,
            (None, None) => return None,
        };
        let columns = columns(schema, table, (before, after), |_| None);
        (kind != Kind::Changed || !columns.is_empty()).then(|| Self {
            table: table.to_owned(),
            uuid,
            label: label(),
            kind,
            why: Why::Asked,
            columns,
        })
    }
}

/// The columns in which a row differs. `moved` says what a set has lost and gained, where that is known.
fn columns<'m>(
    schema: &DatabaseSchema,
    table: &str,
    (old, new): (Option<RowRef<'_>>, Option<RowRef<'_>>),
    moved: impl Fn(&str) -> Option<&'m Moved>,
) -> Vec<ColumnDiff> {
    let Some(schema) = schema.table(table) else {
        return Vec::new();
    };
    let mut columns = Vec::new();
    for (name, before, after) in differences(old, new) {
        let Some(known) = schema.column(name).filter(|_| !is_volatile(table, name)) else {
            continue;
        };
        let diff = |before: Option<Datum>, after: Option<Datum>, parts: bool| ColumnDiff {
            column: name.to_owned(),
            before,
            after,
            parts,
        };
        if let Some((gone, came)) = moved(name) {
            if !(gone.is_empty() && came.is_empty()) {
                columns.push(diff(Some(gone.clone()), Some(came.clone()), true));
            }
            continue;
        }
        columns.push(match (old, new) {
            (Some(_), Some(_)) if known.kind.max > 1 => {
                diff(Some(before.without(after)), Some(after.without(before)), true)
            }
            _ => diff(old.map(|_| before.clone()), new.map(|_| after.clone()), false),
        });
    }
    columns
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }

    fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Changed => '~',
            Self::Removed => '-',
        }
    }
}

impl Why {
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Orphaned => "orphaned",
            Self::Unlinked => "unlinked",
        }
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            let note = match row.why {
                Why::Asked => "",
                Why::Orphaned => " (goes with its owner)",
                Why::Unlinked => " (pointed to a row that goes)",
            };
            writeln!(f, "{} {} {}{note}", row.kind.sign(), row.table, row.label)?;
            for column in &row.columns {
                column.fmt_lines(row.kind, f)?;
            }
        }
        let (added, changed, removed) = self.counts();
        write!(f, "{added} added, {changed} changed, {removed} removed")
    }
}

impl ColumnDiff {
    fn fmt_lines(&self, kind: Kind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.column;
        match (&self.before, &self.after, kind) {
            (Some(before), Some(after), Kind::Changed)
                if self.parts || before.len().max(after.len()) > 1 || after.is_empty() =>
            {
                for gone in lines(before).iter().filter(|line| !lines(after).contains(line)) {
                    writeln!(f, "    {name} - {gone}")?;
                }
                for new in lines(after).iter().filter(|line| !lines(before).contains(line)) {
                    writeln!(f, "    {name} + {new}")?;
                }
                Ok(())
            }
            (Some(before), Some(after), _) => {
                writeln!(f, "    {name}: {} -> {}", shown(before), shown(after))
            }
            (Some(value), None, _) | (None, Some(value), _) => writeln!(f, "    {name}: {}", shown(value)),
            (None, None, _) => Ok(()),
        }
    }
}

/// Each element or pair by itself.
fn lines(value: &Datum) -> Vec<String> {
    let pairs = value
        .pairs()
        .iter()
        .map(|(k, v)| format!("{}={}", one(k), one(v)));
    value.atoms().iter().map(one).chain(pairs).collect()
}

fn shown(value: &Datum) -> String {
    let lines = lines(value);
    match (&lines[..], value) {
        ([], _) => "none".to_owned(),
        ([line], Datum::One(_)) => line.clone(),
        (_, Datum::Map(_)) => format!("{{{}}}", lines.join(", ")),
        _ => format!("[{}]", lines.join(", ")),
    }
}

fn one(atom: &purlin_ovsdb::Atom) -> String {
    match atom.as_uuid() {
        Some(uuid) => uuid.to_string(),
        None => atom.to_json().to_string(),
    }
}
