//! A transaction in the making: the rows as they are, and as the commands so far leave them.
//!
//! What a command *sets* the next command sees. What it *adds to* or *takes from* a set or a map is left to the
//! server ([`Mutation`]), so that two writers do not lose each other's elements; the next command sees that only by
//! the notes that [`Work::note_parent`] takes. Programs that drive `ovn-nbctl` know it so.

mod build;

pub use build::Built;
pub(crate) use build::name_of;

use purlin_ovsdb::cache::{Database, Index};
use purlin_ovsdb::{Atom, ColumnType, DatabaseSchema, Datum, Mutation, Str, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of one row.
#[derive(Debug, Default)]
struct Pending {
    new: bool,
    /// The new row is to be called just so.
    chosen: bool,
    deleted: bool,
    written: BTreeMap<String, Datum>,
    mutations: Vec<Mutation>,
    verified: BTreeSet<String>,
}

/// A transaction in the making.
#[derive(Debug)]
pub struct Work<'a> {
    base: &'a Database,
    schema: &'a DatabaseSchema,
    pending: BTreeMap<Str, BTreeMap<Uuid, Pending>>,
    /// Ports that were added (with their switch or router) or taken away, by table and name.
    parents: BTreeMap<(&'static str, String), Option<Uuid>>,
}

impl<'a> Work<'a> {
    /// Nothing changed yet. `schema` is the server's own.
    #[must_use]
    pub const fn new(base: &'a Database, schema: &'a DatabaseSchema) -> Self {
        Self {
            base,
            schema,
            pending: BTreeMap::new(),
            parents: BTreeMap::new(),
        }
    }

    /// The schema of the server.
    #[must_use]
    pub const fn schema(&self) -> &'a DatabaseSchema {
        self.schema
    }

    fn of(&self, table: &str) -> impl Iterator<Item = (&Uuid, &Pending)> {
        self.pending.get(table).into_iter().flatten()
    }

    fn at(&self, table: &str, uuid: Uuid) -> Option<&Pending> {
        self.pending.get(table)?.get(&uuid)
    }

    fn touch(&mut self, table: &str, uuid: Uuid) -> &mut Pending {
        if !self.pending.contains_key(table) {
            self.pending.insert(Str::from(table), BTreeMap::new());
        }
        let rows = self.pending.get_mut(table).expect("just put in");
        rows.entry(uuid).or_default()
    }

    /// A column's type on the server.
    #[must_use]
    pub fn kind(&self, table: &str, column: &str) -> Option<&'a ColumnType> {
        Some(&self.schema.table(table)?.column(column)?.kind)
    }

    /// Whether there is such a row.
    #[must_use]
    pub fn has(&self, table: &str, uuid: Uuid) -> bool {
        match self.at(table, uuid) {
            Some(pending) if pending.deleted => false,
            Some(pending) if pending.new => true,
            _ => self
                .base
                .table(table)
                .is_some_and(|rows| rows.get(uuid).is_some()),
        }
    }

    /// All rows: those that are there in the order of their names, then the new ones.
    #[must_use]
    pub fn rows(&self, table: &str) -> Vec<Uuid> {
        let there = self.base.table(table).into_iter().flat_map(|rows| rows.rows());
        let there = there.map(|row| row.uuid());
        let kept = there.filter(|uuid| !self.at(table, *uuid).is_some_and(|pending| pending.deleted));
        let new = self
            .of(table)
            .filter(|(_, pending)| pending.new && !pending.deleted);
        kept.chain(new.map(|(uuid, _)| *uuid)).collect()
    }

    /// Rows whose column has this atom: as its value, one of its set, or a key of its map.
    #[must_use]
    pub fn find(&self, table: &str, column: &str, atom: &Atom) -> Vec<Uuid> {
        let index = Index::column(column);
        let there = self.base.table(table).into_iter();
        let there = there
            .flat_map(|rows| rows.find(&index, atom))
            .map(|row| row.uuid());
        let changed = |uuid: &Uuid| {
            self.at(table, *uuid)
                .is_some_and(|pending| pending.deleted || pending.written.contains_key(column))
        };
        let written = self.of(table).filter(|(_, pending)| !pending.deleted);
        let written = written.filter(|(_, pending)| {
            let value = pending.written.get(column);
            value.is_some_and(|value| value.contains(atom) || value.get(atom).is_some())
        });
        there
            .filter(|uuid| !changed(uuid))
            .chain(written.map(|(uuid, _)| *uuid))
            .collect()
    }

    /// A column's value; its default where nothing is known of it.
    #[must_use]
    pub fn value(&self, table: &str, uuid: Uuid, column: &str) -> Datum {
        if let Some(written) = self
            .at(table, uuid)
            .and_then(|pending| pending.written.get(column))
        {
            return written.clone();
        }
        let row = self.base.table(table).and_then(|rows| rows.get(uuid));
        if let Some(value) = row.and_then(|row| row.get(column)) {
            return value.clone();
        }
        self.kind(table, column).map_or(Datum::EMPTY, Datum::default_of)
    }

    /// Brings a row.
    pub fn insert(&mut self, table: &str, uuid: Uuid) {
        self.touch(table, uuid).new = true;
    }

    /// Brings a row that keeps this name.
    pub fn insert_as(&mut self, table: &str, uuid: Uuid) {
        self.insert(table, uuid);
        self.touch(table, uuid).chosen = true;
    }

    /// Whether this transaction brings the row.
    #[must_use]
    pub fn is_new(&self, table: &str, uuid: Uuid) -> bool {
        self.at(table, uuid).is_some_and(|pending| pending.new)
    }

    /// Writes a column whole.
    pub fn set(&mut self, table: &str, uuid: Uuid, column: &str, value: impl Into<Datum>) {
        let mut value = value.into();
        // The empty set and the empty map are two values; callers need not know which one a column has.
        if value.is_empty() && self.kind(table, column).is_some_and(|kind| kind.value.is_some()) {
            value = Datum::EMPTY_MAP;
        }
        self.touch(table, uuid).written.insert(column.to_owned(), value);
    }

    /// Leaves a change to the server.
    pub fn mutate(&mut self, table: &str, uuid: Uuid, mutation: Mutation) {
        self.touch(table, uuid).mutations.push(mutation);
    }

    /// Whether a set has this element, or gets it with this transaction.
    #[must_use]
    pub fn may_hold(&self, table: &str, uuid: Uuid, column: &str, atom: &Atom) -> bool {
        let added = |pending: &Pending| {
            let mut added = pending.mutations.iter();
            added.any(|mutation| mutation.column == column && mutation.value.contains(atom))
        };
        self.value(table, uuid, column).contains(atom) || self.at(table, uuid).is_some_and(added)
    }

    /// Takes a row away. Rows of tables that are kept by references go with their last one.
    pub fn delete(&mut self, table: &str, uuid: Uuid) {
        let pending = self.touch(table, uuid);
        pending.deleted = true;
    }

    /// Lets the transaction happen only if the column is then still what it is now.
    pub fn verify(&mut self, table: &str, uuid: Uuid, column: &str) {
        self.touch(table, uuid).verified.insert(column.to_owned());
    }

    /// The port of this name belongs to `parent` now, or to nobody.
    pub fn note_parent(&mut self, table: &'static str, port: &str, parent: Option<Uuid>) {
        self.parents.insert((table, port.to_owned()), parent);
    }

    /// The row of `table` whose `ports` hold this port.
    #[must_use]
    pub fn parent(&self, table: &'static str, port: Uuid, name: &str) -> Option<Uuid> {
        match self.parents.get(&(table, name.to_owned())) {
            Some(noted) => *noted,
            None => self.find(table, "ports", &Atom::Uuid(port)).first().copied(),
        }
    }
}
