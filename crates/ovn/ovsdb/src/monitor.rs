//! What a monitor asks for, and what it brings.

mod update;

pub use update::{RowUpdate, Since, TableUpdates, UpdateSeed};

use crate::condition::Condition;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Which rows and columns a monitor asks for.
///
/// Source: ovsdb-server(7), section 4.1.12, `<monitor-cond-requests>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    tables: BTreeMap<String, Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Part {
    columns: Option<Vec<String>>,
    conditions: Option<Vec<Condition>>,
}

impl Request {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tables: BTreeMap::new(),
        }
    }

    /// These columns of this table.
    pub fn columns(&mut self, table: &str, columns: Vec<String>) {
        self.part(table).columns = Some(columns);
    }

    /// Only rows for which one of the conditions holds; no condition means all rows.
    pub fn conditions(&mut self, table: &str, conditions: Vec<Condition>) {
        self.part(table).conditions = Some(conditions);
    }

    fn part(&mut self, table: &str) -> &mut Part {
        self.tables.entry(table.to_owned()).or_default()
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Whether conditions leave rows out: a server that only knows `monitor` cannot do that.
    #[must_use]
    pub fn is_conditional(&self) -> bool {
        let some = |part: &Part| part.conditions.as_ref().is_some_and(|c| !c.is_empty());
        self.tables.values().any(some)
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.tables.len()))?;
        for (table, part) in &self.tables {
            map.serialize_entry(table, &[part])?;
        }
        map.end()
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(columns) = &self.columns {
            map.serialize_entry("columns", columns)?;
        }
        if let Some(conditions) = &self.conditions {
            map.serialize_entry("where", conditions)?;
        }
        map.end()
    }
}
