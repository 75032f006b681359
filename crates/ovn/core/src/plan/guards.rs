//! What a decision has relied on, as operations that make the database look again.

use crate::model::OWNER_KEY;
use purlin_ovsdb::{Atom, Condition, Datum, Function, Row, Str, Transaction, Uuid, Wait};
use std::collections::{BTreeMap, BTreeSet};

/// Gathered while a plan is made, written once at the front of its transaction.
#[derive(Debug, Default)]
pub(super) struct Guards {
    unchanged: BTreeMap<(String, Uuid), Row>,
    marked: BTreeMap<(String, Uuid), BTreeMap<&'static str, String>>,
    empty: BTreeSet<String>,
    exists: BTreeSet<(String, Uuid)>,
    includes: Vec<(String, Uuid, Condition)>,
    excludes: Vec<(String, Uuid, Condition)>,
    nobody: BTreeSet<(String, String, Atom)>,
}

impl Guards {
    /// The column still has this value.
    pub(super) fn unchanged(&mut self, table: &str, uuid: Uuid, column: &str, value: Datum) {
        let row = self.unchanged.entry((table.to_owned(), uuid)).or_default();
        row.set(column, value);
    }

    /// The row is there and carries this owner's mark.
    pub(super) fn owned(&mut self, table: &str, uuid: Uuid, owner: &str) {
        self.marked(table, uuid, OWNER_KEY, owner);
    }

    /// The row is there and carries this mark.
    pub(super) fn marked(&mut self, table: &str, uuid: Uuid, key: &'static str, mark: &str) {
        let marks = self.marked.entry((table.to_owned(), uuid)).or_default();
        marks.insert(key, mark.to_owned());
    }

    /// The table has no row.
    pub(super) fn empty(&mut self, table: &str) {
        self.empty.insert(table.to_owned());
    }

    pub(super) fn exists(&mut self, table: &str, uuid: Uuid) {
        self.exists.insert((table.to_owned(), uuid));
    }

    pub(super) fn includes(&mut self, table: &str, uuid: Uuid, column: &str, values: Datum) {
        let condition = Condition::includes(column, values);
        self.includes.push((table.to_owned(), uuid, condition));
    }

    /// None of these elements is in the set.
    pub(super) fn excludes(&mut self, table: &str, uuid: Uuid, column: &str, values: &Datum) {
        for atom in values.atoms() {
            let condition = Condition::new(column, Function::Excludes, atom.clone());
            self.excludes.push((table.to_owned(), uuid, condition));
        }
    }

    /// No row has this value in this column.
    pub(super) fn nobody(&mut self, table: &str, column: &str, value: Atom) {
        self.nobody.insert((table.to_owned(), column.to_owned(), value));
    }

    pub(super) fn write(self, transaction: &mut Transaction) {
        for ((table, uuid), marks) in &self.marked {
            let mark = Datum::map(
                marks
                    .iter()
                    .map(|(key, mark)| (Atom::from(*key), Atom::from(mark))),
            );
            transaction.wait(some(
                table,
                vec![Condition::row(*uuid), Condition::includes("external_ids", mark)],
            ));
        }
        let covered =
            |key: &(String, Uuid)| self.marked.contains_key(key) || self.unchanged.contains_key(key);
        for (table, uuid) in self.exists.iter().filter(|key| !covered(key)) {
            transaction.wait(some(table, vec![Condition::row(*uuid)]));
        }
        for (table, uuid, condition) in self.includes.into_iter().chain(self.excludes) {
            transaction.wait(some(&table, vec![Condition::row(uuid), condition]));
        }
        for ((table, uuid), row) in self.unchanged {
            transaction.wait(Wait::unchanged(&table, uuid, row));
        }
        for table in self.empty {
            transaction.wait(Wait::none(&table, Vec::new()));
        }
        for (table, column, value) in self.nobody {
            transaction.wait(Wait::none(&table, vec![Condition::equal(&column, value)]));
        }
    }
}

/// Refuses at once unless a row meets all conditions.
fn some(table: &str, conditions: Vec<Condition>) -> Wait {
    Wait {
        table: Str::from(table),
        conditions,
        columns: vec![Str::from("_uuid")],
        equal: false,
        rows: Vec::new(),
        timeout_ms: Some(0),
    }
}
