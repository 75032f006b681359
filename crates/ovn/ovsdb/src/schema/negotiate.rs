//! What we know of a table, held against what a server has.
//!
//! A server may be older or newer than the schema that our types were generated from. A column that only the server
//! has is not asked for. A column that only we have is neither asked for nor sent; it reads as its default.

use super::{DatabaseSchema, TableSchema};
use crate::types::ColumnType;
use std::fmt;

/// A column as the reader wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The column's name.
    pub name: String,
    /// The type it must have to be read, or any.
    pub kind: Option<ColumnType>,
}

impl Wanted {
    /// Any type will do.
    #[must_use]
    pub fn any(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: None,
        }
    }
}

/// Why a column or table is not read from this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The server has no such table.
    Table(String),
    /// The server's table has no such column.
    Column(String, String),
    /// The column holds something else there.
    Type(String, String),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => write!(f, "the server has no table {table}"),
            Self::Column(table, column) => write!(f, "the server's table {table} has no column {column}"),
            Self::Type(table, column) => write!(f, "{table}.{column} has another type on the server"),
        }
    }
}

impl DatabaseSchema {
    /// The columns of `wanted` that can be read from `table` here, each with its type here, and what cannot be.
    #[must_use]
    pub fn negotiate(&self, table: &str, wanted: &[Wanted]) -> (Vec<(String, ColumnType)>, Vec<Mismatch>) {
        match self.table(table) {
            Some(schema) => schema.negotiate(table, wanted),
            None => (Vec::new(), vec![Mismatch::Table(table.to_owned())]),
        }
    }
}

impl TableSchema {
    fn negotiate(&self, table: &str, wanted: &[Wanted]) -> (Vec<(String, ColumnType)>, Vec<Mismatch>) {
        let (mut columns, mut missing) = (Vec::new(), Vec::new());
        for column in wanted {
            let name = || (table.to_owned(), column.name.clone());
            match self.column(&column.name) {
                None => missing.push(Mismatch::Column(name().0, name().1)),
                Some(here)
                    if column
                        .kind
                        .as_ref()
                        .is_some_and(|kind| !kind.same_shape(&here.kind)) =>
                {
                    missing.push(Mismatch::Type(name().0, name().1));
                }
                Some(here) => columns.push((column.name.clone(), here.kind.clone())),
            }
        }
        (columns, missing)
    }
}
