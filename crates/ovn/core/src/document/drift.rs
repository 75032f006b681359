//! How the network differs from its document.

use super::{Apply, Document, Options, apply};
use crate::model::{Diff, Kind, RowDiff, State};
use crate::plan::{Reach, Refusal, Writer};
use purlin_ovsdb::Uuid;
use std::fmt;

/// What is not as the document says. Its difference leads from the network to the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub owner: String,
    pub diff: Diff,
}

/// Compares an owner's rows with the owner's document.
pub fn drift(state: &State<'_>, document: &Document, owner: &str) -> Result<Drift, Refusal> {
    let writer = Writer {
        owner: owner.to_owned(),
        reach: Reach::Own,
    };
    let mut count = 0u128;
    let plan = apply(
        state,
        document,
        Apply {
            actor: "drift",
            id: "drift",
            writer: &writer,
            options: Options {
                prune: true,
                adopt: false,
            },
            // Nothing is written, so any names do that no row has.
            uuids: &mut || {
                count += 1;
                Uuid::from_bytes(count.to_be_bytes())
            },
        },
    )?;
    Ok(Drift {
        owner: owner.to_owned(),
        diff: plan.diff,
    })
}

impl Drift {
    /// Whether the network is as the document says.
    pub fn is_none(&self) -> bool {
        self.diff.is_empty()
    }

    /// Rows that the document has and the network lacks.
    pub fn missing(&self) -> impl Iterator<Item = &RowDiff> {
        self.of(Kind::Added)
    }

    /// Rows with other values; `before` is the network, `after` the document.
    pub fn different(&self) -> impl Iterator<Item = &RowDiff> {
        self.of(Kind::Changed)
    }

    /// Rows of the owner that the document does not name.
    pub fn extra(&self) -> impl Iterator<Item = &RowDiff> {
        self.of(Kind::Removed)
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &RowDiff> {
        self.diff.rows.iter().filter(move |row| row.kind == kind)
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return write!(f, "{}: the network is as the document says", self.owner);
        }
        for row in self.missing() {
            writeln!(f, "missing: {} {}", row.table, row.label)?;
        }
        for row in self.different() {
            let columns: Vec<&str> = row.columns.iter().map(|column| column.column.as_str()).collect();
            writeln!(
                f,
                "different: {} {} ({})",
                row.table,
                row.label,
                columns.join(", ")
            )?;
        }
        for row in self.extra() {
            writeln!(f, "not in the document: {} {}", row.table, row.label)?;
        }
        let (missing, different, extra) = self.diff.counts();
        write!(
            f,
            "{}: {missing} missing, {different} different, {extra} not in the document",
            self.owner
        )
    }
}
