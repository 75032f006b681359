//! The operations that a transaction in the making comes to.

use super::{Pending, Work};
use purlin_ovsdb::cache::RowRef;
use purlin_ovsdb::{Atom, Datum, Insert, Mutation, Row, Str, Transaction, Uuid, Wait};
use std::collections::BTreeSet;

/// A transaction ready to be sent.
#[derive(Debug)]
pub struct Built {
    /// The operations.
    pub transaction: Transaction,
    /// Which operation brings which new row, by the name that it has here.
    pub inserts: Vec<(usize, Uuid)>,
    /// Whether it changes anything; if not, it need not be sent.
    pub changes: bool,
}

impl Work<'_> {
    /// The operations: first what must still be so, then what changes.
    #[must_use]
    pub fn build(&self) -> Built {
        let mut built = Built {
            transaction: Transaction::new(),
            inserts: Vec::new(),
            changes: false,
        };
        let new: BTreeSet<Uuid> = self
            .all()
            .filter(|(.., row)| row.new)
            .map(|(_, uuid, _)| uuid)
            .collect();
        for (table, uuid, pending) in self.all() {
            self.guard(table, uuid, pending, &mut built.transaction);
        }
        for (table, uuid, pending) in self.all() {
            self.change(table, uuid, pending, &new, &mut built);
        }
        built
    }

    fn all(&self) -> impl Iterator<Item = (&Str, Uuid, &Pending)> {
        let tables = self.pending.iter();
        tables.flat_map(|(table, rows)| rows.iter().map(move |(uuid, row)| (table, *uuid, row)))
    }

    fn before(&self, table: &str, uuid: Uuid) -> Option<RowRef<'_>> {
        self.base.table(table)?.get(uuid)
    }

    fn guard(&self, table: &str, uuid: Uuid, pending: &Pending, transaction: &mut Transaction) {
        let Some(row) = self.before(table, uuid) else {
            return;
        };
        let values = pending.verified.iter();
        let values = values.filter_map(|column| Some((column.clone(), row.get(column)?.clone())));
        let expected: Row = values.collect();
        if !expected.is_empty() {
            transaction.wait(Wait::unchanged(table, uuid, expected));
        }
    }

    fn change(&self, table: &str, uuid: Uuid, pending: &Pending, new: &BTreeSet<Uuid>, built: &mut Built) {
        let root = self.schema().table(table).is_some_and(|table| table.root);
        let transaction = &mut built.transaction;
        match (pending.new, pending.deleted) {
            (true, true) => {}
            (true, false) => {
                built.inserts.push((transaction.len(), uuid));
                transaction.insert(self.inserted(table, uuid, pending, new));
                built.changes = true;
            }
            (false, true) if root => {
                transaction.delete(table, uuid);
                built.changes = true;
            }
            (false, true) => {}
            (false, false) => {
                let row: Row = pending
                    .written
                    .iter()
                    .map(|(column, value)| (column.clone(), renamed(value, new)))
                    .collect();
                if !row.is_empty() {
                    let before = self.before(table, uuid);
                    let old = |column: &str| before.and_then(|before| before.get(column));
                    built.changes |= pending
                        .written
                        .iter()
                        .any(|(column, value)| old(column) != Some(value));
                    transaction.update(table, uuid, row);
                }
                if !pending.mutations.is_empty() {
                    let mutations = pending.mutations.iter().map(|mutation| Mutation {
                        value: renamed(&mutation.value, new),
                        ..mutation.clone()
                    });
                    transaction.mutate(table, uuid, mutations);
                    built.changes = true;
                }
            }
        }
    }

    /// A new row goes with everything at once: what would be added to it later is put in.
    fn inserted(&self, table: &str, uuid: Uuid, pending: &Pending, new: &BTreeSet<Uuid>) -> Insert {
        let mut row = Row::new();
        for (column, value) in &pending.written {
            let kind = self.kind(table, column);
            if kind.is_none_or(|kind| Datum::default_of(kind) != *value) {
                row.set(column, value.clone());
            }
        }
        if let Some(schema) = self.schema().table(table) {
            for mutation in &pending.mutations {
                // What does not fit is refused by the server, with its own words.
                if mutation.apply(schema, &mut row).is_err() {
                    row.set(&mutation.column, mutation.value.clone());
                }
            }
        }
        let mut insert = Insert::new(table).named(&name_of(uuid));
        if pending.chosen {
            insert = insert.uuid(uuid);
        }
        for (column, value) in row.columns() {
            insert = insert.with(column, renamed(value, new));
        }
        insert
    }
}

/// What operations of the same transaction call a new row.
pub(crate) fn name_of(uuid: Uuid) -> String {
    format!("row{}", uuid.to_string().replace('-', "_"))
}

/// The value with names in place of rows that are not there yet.
fn renamed(value: &Datum, new: &BTreeSet<Uuid>) -> Datum {
    let is_new = |atom: &Atom| atom.as_uuid().is_some_and(|uuid| new.contains(&uuid));
    let rename = |atom: &Atom| match atom.as_uuid() {
        Some(uuid) if new.contains(&uuid) => Atom::Named(Str::from(name_of(uuid))),
        _ => atom.clone(),
    };
    if value.atoms().iter().any(is_new) {
        return Datum::set(value.atoms().iter().map(rename));
    }
    if value
        .pairs()
        .iter()
        .any(|(key, atom)| is_new(key) || is_new(atom))
    {
        let pairs = value.pairs().iter();
        return Datum::map(pairs.map(|(key, atom)| (rename(key), rename(atom))));
    }
    value.clone()
}
