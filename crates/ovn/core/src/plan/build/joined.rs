//! Elements that a request puts into sets and takes out of them, gathered row by row.
//!
//! A thousand ports for one switch are a thousand times "bring this port to the switch's ports". The server, the copy and
//! its indexes would look the switch up and copy its set each time; gathered, they do so once. What comes of it is what one
//! after the other would bring, whatever others have put into the set meanwhile: of each element the last word counts, and
//! elements that nobody spoke of stay as they are.

#[cfg(test)]
mod tests;

use super::{Builder, Done};
use crate::model::target;
use purlin_ovsdb::{Atom, ColumnType, Datum, Mutation, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// What is gathered and not done yet.
#[derive(Debug, Default)]
pub(super) struct Joins {
    rows: BTreeMap<Uuid, Vec<Join>>,
    /// Rows among the elements: where they hang is not in the copy yet.
    moving: BTreeSet<Uuid>,
}

/// One set of one row.
#[derive(Debug)]
struct Join {
    table: String,
    column: String,
    /// The elements that were spoken of: whether they are to be in the set.
    last: BTreeMap<Atom, bool>,
}

impl Join {
    /// Whether an element will be in the set, which has `held` now.
    fn has(&self, held: &Datum, atom: &Atom) -> bool {
        let last = self.last.get(atom).copied();
        last.unwrap_or_else(|| held.contains(atom))
    }

    /// The elements that are to be in the set, or are not to be.
    fn wanted(&self, comes: bool) -> impl Iterator<Item = &Atom> {
        let last = self.last.iter().filter(move |(_, last)| **last == comes);
        last.map(|(atom, _)| atom)
    }

    /// What the set loses, and what it gains.
    fn moved(&self, held: &Datum) -> (Datum, Datum) {
        let gone = self.wanted(false).filter(|atom| held.contains(atom));
        let came = self.wanted(true).filter(|atom| !held.contains(atom));
        (Datum::set(gone.cloned()), Datum::set(came.cloned()))
    }

    fn mutations(&self) -> Vec<Mutation> {
        let (gone, came) = (self.wanted(false).cloned(), self.wanted(true).cloned());
        let (gone, came) = (Datum::set(gone), Datum::set(came));
        let delete = (!gone.is_empty()).then(|| Mutation::delete(&self.column, gone));
        let insert = (!came.is_empty()).then(|| Mutation::insert(&self.column, came));
        delete.into_iter().chain(insert).collect()
    }
}

impl Joins {
    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn of(&mut self, table: &str, uuid: Uuid, column: &str) -> Option<&mut Join> {
        let mut joins = self.rows.get_mut(&uuid)?.iter_mut();
        joins.find(|join| join.column == column && join.table == table)
    }
}

impl Builder<'_, '_> {
    /// Elements come into a set that may hold any number of them, or go.
    pub(super) fn join(
        &mut self,
        (table, uuid): (&str, Uuid),
        (column, kind): (&str, &ColumnType),
        values: &Datum,
        comes: bool,
    ) -> Done {
        self.settle_above(table, uuid);
        if let (Some(_), Some((to, _))) = (self.after.confine(), target(kind)) {
            // Whether a row is a tenant's to lend says what it hangs on.
            for row in values.atoms().iter().filter_map(Atom::as_uuid) {
                self.settle_above(to, row);
            }
        }
        // Whoever may write the row for one element may do so for the next; what a tenant may depends on the element.
        let looked_at = self.after.confine().is_none() && self.joins.of(table, uuid, column).is_some();
        if !looked_at && !self.lent(table, uuid, column, values) {
            self.ours(table, uuid)?;
        }
        if comes {
            self.fits(table, column, values, kind, false)?;
        }
        let held = self.after.value(table, uuid, column).unwrap_or(&Datum::EMPTY);
        let known = self.joins.of(table, uuid, column);
        let has = |atom: &Atom| match &known {
            Some(join) => join.has(held, atom),
            None => held.contains(atom),
        };
        // What is so already is not asked for.
        if values.atoms().iter().all(|atom| has(atom) == comes) {
            return Ok(());
        }
        let last = values.atoms().iter().map(|atom| (atom.clone(), comes));
        match known {
            Some(join) => join.last.extend(last),
            None => {
                let join = Join {
                    table: table.to_owned(),
                    column: column.to_owned(),
                    last: last.collect(),
                };
                self.joins.rows.entry(uuid).or_default().push(join);
            }
        }
        self.joins
            .moving
            .extend(values.atoms().iter().filter_map(Atom::as_uuid));
        Ok(())
    }

    /// Does what is gathered: for whatever looks at these sets, or at where rows hang.
    pub(in crate::plan) fn settle(&mut self) {
        let joins = std::mem::take(&mut self.joins);
        for (uuid, joins) in joins.rows {
            for join in joins {
                let held = self.after.value(&join.table, uuid, &join.column);
                let held = held.cloned().unwrap_or(Datum::EMPTY);
                let (gone, came) = join.moved(&held);
                let kept = if gone.is_empty() {
                    held
                } else {
                    held.without(&gone)
                };
                let after = kept.with_atoms(came.atoms());
                self.after
                    .amend(&join.table, uuid, &join.column, after, (gone, came));
                self.operations.mutate(&join.table, uuid, join.mutations());
            }
        }
    }

    /// Whose a row is says the row that it hangs on: where one of them is about to move, it moves first.
    pub(super) fn settle_above(&mut self, table: &str, uuid: Uuid) {
        let (mut table, mut uuid) = (table, uuid);
        while !self.joins.is_empty() {
            if self.joins.moving.contains(&uuid) {
                return self.settle();
            }
            let Some((above, _, row)) = self.after.parent(table, uuid) else {
                return;
            };
            (table, uuid) = (above, row);
        }
    }
}

/// Whether elements of a set may be gathered: none of them is refused for how many there are.
pub(super) const fn is_free_set(kind: &ColumnType) -> bool {
    kind.value.is_none() && kind.min == 0 && kind.max == ColumnType::UNLIMITED
}
