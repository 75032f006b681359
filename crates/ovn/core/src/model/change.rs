//! What is wanted: changes to rows, in the terms of the database.

use purlin_ovsdb::{Datum, Row, Uuid};

/// Where a new row hangs: it is added to this column of its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    pub table: String,
    pub uuid: Uuid,
    pub column: String,
}

/// One wanted change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Brings a row under a UUID that the asker chose, so that asking twice brings it once.
    Insert {
        table: String,
        uuid: Uuid,
        row: Row,
        parent: Option<Child>,
    },
    /// Brings a row back just as it was, without a mark where it had none.
    Restore { table: String, uuid: Uuid, row: Row },
    /// Gives columns new values.
    Update { table: String, uuid: Uuid, row: Row },
    /// Adds elements to a set, or sets keys of a map; others that write to the same column at the same time lose
    /// nothing.
    Add {
        table: String,
        uuid: Uuid,
        column: String,
        values: Datum,
    },
    /// Takes elements out of a set, or keys (given as a set) out of a map.
    Remove {
        table: String,
        uuid: Uuid,
        column: String,
        values: Datum,
    },
    /// Takes a row away, and all that cannot be without it.
    Delete { table: String, uuid: Uuid },
}

impl Change {
    pub fn table(&self) -> &str {
        match self {
            Self::Insert { table, .. }
            | Self::Restore { table, .. }
            | Self::Update { table, .. }
            | Self::Add { table, .. }
            | Self::Remove { table, .. }
            | Self::Delete { table, .. } => table,
        }
    }

    pub fn uuid(&self) -> Uuid {
        match self {
            Self::Insert { uuid, .. }
            | Self::Restore { uuid, .. }
            | Self::Update { uuid, .. }
            | Self::Add { uuid, .. }
            | Self::Remove { uuid, .. }
            | Self::Delete { uuid, .. } => *uuid,
        }
    }
}
