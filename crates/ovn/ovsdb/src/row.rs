//! A row as requests and `select` carry it: values by column name.

use crate::error::{Error, Fault};
use crate::schema::TableSchema;
use crate::types::{AtomicType, ColumnType};
use crate::uuid::Uuid;
use crate::value::{Atom, Datum, Names};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;

/// A column's name: those that the compiler knows take no memory.
pub type Name = Cow<'static, str>;

/// Values by column name; a column that is not there is not spoken of.
///
/// Source: RFC 7047, section 5.1, `<row>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row(
    /// Sorted by name: rows that are written have few columns.
    Vec<(Name, Datum)>,
);

impl Row {
    /// A row that speaks of no column.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// This row with one more column.
    #[must_use]
    pub fn with(mut self, column: &str, value: impl Into<Datum>) -> Self {
        self.set(column, value);
        self
    }

    /// Sets a column.
    pub fn set(&mut self, column: &str, value: impl Into<Datum>) {
        match self.place(column) {
            Ok(at) => self.0[at].1 = value.into(),
            Err(at) => self.0.insert(at, (Name::Owned(column.to_owned()), value.into())),
        }
    }

    /// The same, of a column that the compiler knows.
    pub(crate) fn set_known(&mut self, column: &'static str, value: Datum) {
        match self.place(column) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (Name::Borrowed(column), value)),
        }
    }

    fn place(&self, column: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(name, _)| (**name).cmp(column))
    }

    /// A column's value.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Datum> {
        self.place(column).ok().map(|at| &self.0[at].1)
    }

    /// Takes a column out.
    pub fn remove(&mut self, column: &str) -> Option<Datum> {
        self.place(column).ok().map(|at| self.0.remove(at).1)
    }

    /// The row's own name, when `_uuid` was asked for.
    #[must_use]
    pub fn uuid(&self) -> Option<Uuid> {
        self.get("_uuid")?.one()?.as_uuid()
    }

    /// The columns in the order of their names.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Datum)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Whether it speaks of no column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a row of this table.
    ///
    /// # Errors
    ///
    /// An unknown column, or a value that does not fit.
    pub fn parse(table: &TableSchema, json: &Value, names: Names) -> Result<Self, Error> {
        let object = json
            .as_object()
            .ok_or_else(|| Error::syntax(json, "row must be JSON object"))?;
        let parse = |(name, value): (&String, &Value)| {
            let column = column_type(table, name).ok_or_else(|| {
                let text = format!("No column {name} in table.");
                Error::new(Fault::UnknownColumn, text).at(json)
            })?;
            Ok((name.clone(), Datum::parse(&column, value, names)?))
        };
        object.iter().map(parse).collect()
    }

    pub(crate) fn rename(&mut self, rename: &dyn Fn(&str) -> Atom) {
        self.0.iter_mut().for_each(|(_, value)| value.rename(rename));
    }
}

/// A column's type, those that every table has included.
pub(crate) fn column_type(table: &TableSchema, name: &str) -> Option<ColumnType> {
    match name {
        "_uuid" | "_version" => Some(AtomicType::Uuid.into()),
        name => Some(table.column(name)?.kind.clone()),
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns())
    }
}

impl<N: Into<String>, D: Into<Datum>> FromIterator<(N, D)> for Row {
    fn from_iter<I: IntoIterator<Item = (N, D)>>(columns: I) -> Self {
        let owned = |(name, value): (N, D)| (Name::Owned(name.into()), value.into());
        let mut columns: Vec<_> = columns.into_iter().map(owned).collect();
        if !columns.is_sorted_by(|a: &(Name, Datum), b| a.0 < b.0) {
            // Of two of one name the last one counts.
            columns.reverse();
            columns.sort_by(|a, b| a.0.cmp(&b.0));
            columns.dedup_by(|a, b| a.0 == b.0);
        }
        Self(columns)
    }
}
