//! The operations of a transaction, as a request carries them.

mod transaction;

pub use transaction::Transaction;

use crate::condition::Condition;
use crate::mutation::Mutation;
use crate::row::Row;
use crate::uuid::Uuid;
use crate::value::{Atom, Datum, Str};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// One operation.
///
/// Source: RFC 7047, section 5.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Brings a row.
    Insert(Insert),
    /// Reads rows that meet all conditions; all columns where none are named.
    Select {
        /// The table.
        table: Str,
        /// All must hold.
        conditions: Vec<Condition>,
        /// The columns wanted.
        columns: Option<Vec<Str>>,
    },
    /// Gives columns of the rows new values.
    Update {
        /// The table.
        table: Str,
        /// All must hold.
        conditions: Vec<Condition>,
        /// The columns to write.
        row: Row,
    },
    /// Calculates columns of the rows anew.
    Mutate {
        /// The table.
        table: Str,
        /// All must hold.
        conditions: Vec<Condition>,
        /// One after the other.
        mutations: Vec<Mutation>,
    },
    /// Takes the rows away.
    Delete {
        /// The table.
        table: Str,
        /// All must hold.
        conditions: Vec<Condition>,
    },
    /// Goes on only when the rows are so.
    Wait(Wait),
    /// Asks that the answer waits until the change is on disk.
    Commit {
        /// Whether to wait.
        durable: bool,
    },
    /// Lets the transaction fail.
    Abort,
    /// Words for the server's log of transactions.
    Comment(String),
    /// Goes on only while this connection owns the lock.
    Assert {
        /// The lock's name.
        lock: String,
    },
}

/// Brings a row.
///
/// Source: RFC 7047, section 5.2.1; `uuid` from ovsdb-server(7), section 5.2.1 (Open vSwitch 2.13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// The table.
    pub table: Str,
    /// The columns that are not at their defaults.
    pub row: Row,
    /// What it is to be called; the server chooses where none is given. A name that is taken is refused, so that an
    /// insert with a name happens once however often it is sent.
    pub uuid: Option<Uuid>,
    /// What other operations of this transaction call it.
    pub name: Option<Str>,
}

impl Insert {
    /// An empty row of this table.
    #[must_use]
    pub fn new(table: &str) -> Self {
        Self {
            table: Str::from(table),
            row: Row::new(),
            uuid: None,
            name: None,
        }
    }

    /// With one more column.
    #[must_use]
    pub fn with(mut self, column: &str, value: impl Into<Datum>) -> Self {
        self.row.set(column, value);
        self
    }

    /// Called so.
    #[must_use]
    pub const fn uuid(mut self, uuid: Uuid) -> Self {
        self.uuid = Some(uuid);
        self
    }

    /// Called so within the transaction; an `<id>` of RFC 7047, section 3.1.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(Str::from(name));
        self
    }

    /// What refers to this row from other operations of the transaction: its name there, else its UUID.
    #[must_use]
    pub fn reference(&self) -> Option<Atom> {
        let name = self.name.clone().map(Atom::Named);
        name.or(self.uuid.map(Atom::Uuid))
    }
}

/// Goes on only when the rows that meet all conditions are, in these columns, just `rows` (or just not).
///
/// Source: RFC 7047, section 5.2.6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The table.
    pub table: Str,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// The columns that are compared.
    pub columns: Vec<Str>,
    /// Whether they are to be equal, or to differ.
    pub equal: bool,
    /// What they are compared with.
    pub rows: Vec<Row>,
    /// How long, in milliseconds; 0 refuses at once, `None` waits for ever.
    pub timeout_ms: Option<u64>,
}

impl Wait {
    /// Refuses at once unless one row with these columns has just these values.
    #[must_use]
    pub fn unchanged(table: &str, uuid: Uuid, row: Row) -> Self {
        Self {
            table: Str::from(table),
            conditions: vec![Condition::row(uuid)],
            columns: row.columns().map(|(name, _)| Str::from(name)).collect(),
            equal: true,
            rows: vec![row],
            timeout_ms: Some(0),
        }
    }

    /// Refuses at once when any row meets all conditions.
    #[must_use]
    pub fn none(table: &str, conditions: Vec<Condition>) -> Self {
        Self {
            table: Str::from(table),
            conditions,
            columns: vec![Str::from("_uuid")],
            equal: true,
            rows: Vec::new(),
            timeout_ms: Some(0),
        }
    }
}

impl Operation {
    /// Gives each `uuid-name`, and each reference to one, another name, or the UUID that it stands for.
    pub(crate) fn rename(&mut self, rename: &dyn Fn(&str) -> Atom) {
        match self {
            Self::Insert(insert) => {
                insert.name = insert.name.as_deref().map(rename).and_then(|atom| match atom {
                    Atom::Named(name) => Some(name),
                    _ => None,
                });
                insert.row.rename(rename);
            }
            Self::Select { conditions, .. } | Self::Delete { conditions, .. } => {
                rename_all(conditions, rename);
            }
            Self::Update { conditions, row, .. } => {
                rename_all(conditions, rename);
                row.rename(rename);
            }
            Self::Mutate {
                conditions,
                mutations,
                ..
            } => {
                rename_all(conditions, rename);
                mutations.iter_mut().for_each(|mutation| mutation.rename(rename));
            }
            Self::Wait(wait) => {
                rename_all(&mut wait.conditions, rename);
                wait.rows.iter_mut().for_each(|row| row.rename(rename));
            }
            Self::Commit { .. } | Self::Abort | Self::Comment(_) | Self::Assert { .. } => {}
        }
    }
}

fn rename_all(conditions: &mut [Condition], rename: &dyn Fn(&str) -> Atom) {
    conditions
        .iter_mut()
        .for_each(|condition| condition.rename(rename));
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Insert(insert) => {
                head(&mut map, "insert", &insert.table)?;
                map.serialize_entry("row", &insert.row)?;
                optional(&mut map, "uuid", insert.uuid.as_ref())?;
                optional(&mut map, "uuid-name", insert.name.as_deref())?;
            }
            Self::Select {
                table,
                conditions,
                columns,
            } => {
                head(&mut map, "select", table)?;
                map.serialize_entry("where", conditions)?;
                let columns = columns.as_ref().map(|columns| texts(columns));
                optional(&mut map, "columns", columns.as_ref())?;
            }
            Self::Update {
                table,
                conditions,
                row,
            } => {
                head(&mut map, "update", table)?;
                map.serialize_entry("where", conditions)?;
                map.serialize_entry("row", row)?;
            }
            Self::Mutate {
                table,
                conditions,
                mutations,
            } => {
                head(&mut map, "mutate", table)?;
                map.serialize_entry("where", conditions)?;
                map.serialize_entry("mutations", mutations)?;
            }
            Self::Delete { table, conditions } => {
                head(&mut map, "delete", table)?;
                map.serialize_entry("where", conditions)?;
            }
            Self::Wait(wait) => wait.entries(&mut map)?,
            Self::Commit { durable } => {
                map.serialize_entry("op", "commit")?;
                map.serialize_entry("durable", durable)?;
            }
            Self::Abort => map.serialize_entry("op", "abort")?,
            Self::Comment(comment) => {
                map.serialize_entry("op", "comment")?;
                map.serialize_entry("comment", comment)?;
            }
            Self::Assert { lock } => {
                map.serialize_entry("op", "assert")?;
                map.serialize_entry("lock", lock)?;
            }
        }
        map.end()
    }
}

impl Wait {
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        head(map, "wait", &self.table)?;
        map.serialize_entry("where", &self.conditions)?;
        map.serialize_entry("columns", &texts(&self.columns))?;
        map.serialize_entry("until", if self.equal { "==" } else { "!=" })?;
        map.serialize_entry("rows", &self.rows)?;
        optional(map, "timeout", self.timeout_ms.as_ref())
    }
}

fn texts(texts: &[Str]) -> Vec<&str> {
    texts.iter().map(|text| &**text).collect()
}

fn head<M: SerializeMap>(map: &mut M, op: &str, table: &str) -> Result<(), M::Error> {
    map.serialize_entry("op", op)?;
    map.serialize_entry("table", table)
}

fn optional<M: SerializeMap, T: Serialize + ?Sized>(
    map: &mut M,
    name: &str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}
