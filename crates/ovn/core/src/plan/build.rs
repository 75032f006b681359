//! Changes put on a copy of the state, one after the other, and the operations that do the same in the database.

mod confined;
mod joined;
mod permit;
mod values;

use super::guards::Guards;
use super::{Expect, Reason, Refusal, Writer};
use crate::check::UNIQUE_NAMES;
use crate::model::{Change, Child, Diff, Kind, OWNER_KEY, State, etag, is_volatile, keys};
use crate::problem::Problem;
use joined::{Joins, is_free_set};
use purlin_ovsdb::{Atom, Datum, Insert, Mutation, Row, Transaction, Uuid};
use std::collections::BTreeSet;

pub(super) struct Builder<'a, 'r> {
    pub(super) after: State<'a>,
    writer: &'r Writer,
    operations: Transaction,
    guards: Guards,
    alone: bool,
    /// Whether it brings rows that a tenant's quotas count.
    counted: bool,
    /// The mark of rows that have no other.
    mark: Datum,
    /// Rows that this request brings.
    born: BTreeSet<(Uuid, &'a str)>,
    /// What is to come into sets and to go.
    joins: Joins,
}

type Done = Result<(), Refusal>;

impl<'a, 'r> Builder<'a, 'r> {
    pub(super) fn new(state: &State<'a>, writer: &'r Writer) -> Self {
        Self {
            after: state.clone(),
            writer,
            operations: Transaction::new(),
            guards: Guards::default(),
            alone: false,
            counted: false,
            mark: Datum::map([(OWNER_KEY, writer.owner.as_str())]),
            born: BTreeSet::new(),
            joins: Joins::default(),
        }
    }

    /// All that must hold first, then what is done, then who did it.
    pub(super) fn finish(mut self, actor: &str, id: &str) -> (Transaction, State<'a>) {
        self.tally();
        let mut transaction = Transaction::new();
        self.guards.write(&mut transaction);
        transaction.append(self.operations);
        let clean = |text: &str| {
            text.chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect::<String>()
        };
        let tenant = self
            .after
            .confine()
            .map(|confine| format!(" of tenant {}", confine.name));
        let tenant = clean(&tenant.unwrap_or_default());
        transaction.comment(format!(
            "purlin: request {} by {}{tenant}",
            clean(id),
            clean(actor)
        ));
        match self.alone {
            true => (transaction.alone(), self.after),
            false => (transaction, self.after),
        }
    }

    pub(super) fn change(&mut self, change: Change) -> Done {
        match self.within(change)? {
            Change::Insert {
                table,
                uuid,
                row,
                parent,
            } => {
                if let Some(parent) = &parent {
                    self.settle_above(&parent.table, parent.uuid);
                }
                let mut row = self.marked(&table, row, parent.as_ref())?;
                if table == "DHCP_Options" {
                    self.write_dhcp(&mut row, uuid)?;
                }
                self.insert(&table, uuid, row, parent)
            }
            Change::Restore { table, uuid, row } => {
                self.restorable(&table, uuid, &row)?;
                self.insert(&table, uuid, row, None)
            }
            Change::Update { table, uuid, row } => self.update(&table, uuid, row),
            Change::Add {
                table,
                uuid,
                column,
                values,
            } => self.add(&table, uuid, &column, values),
            Change::Remove {
                table,
                uuid,
                column,
                values,
            } => self.remove(&table, uuid, &column, &values),
            Change::Delete { table, uuid } => self.delete(&table, uuid),
        }
    }

    pub(super) fn expect(&mut self, expect: Expect) -> Done {
        let (table, uuid) = match &expect {
            Expect::Etag { table, uuid, .. }
            | Expect::Value { table, uuid, .. }
            | Expect::Has { table, uuid, .. }
            | Expect::Lacks { table, uuid, .. } => (table.clone(), *uuid),
        };
        self.there(&table, uuid)?;
        if let Some(problem) = unmet(&self.after, &expect) {
            return Err(Refusal::one(Reason::Changed, problem));
        }
        match expect {
            Expect::Etag { .. } => self.guard_row(&table, uuid),
            Expect::Value { column, value, .. } => self.guards.unchanged(&table, uuid, &column, value),
            Expect::Has { column, values, .. } => self.guards.includes(&table, uuid, &column, values),
            // The database has no condition for "no such key".
            Expect::Lacks { column, .. } if self.column(&table, &column)?.value.is_some() => {
                self.guard_value(&table, uuid, &column);
            }
            Expect::Lacks { column, values, .. } => self.guards.excludes(&table, uuid, &column, &values),
        }
        Ok(())
    }

    fn insert(&mut self, table: &str, uuid: Uuid, row: Row, parent: Option<Child>) -> Done {
        let schema = self.table(table)?;
        if self.after.contains(table, uuid) {
            let problem = Problem::error(
                "row-exists",
                format!("{table} {uuid}"),
                "there is such a row already",
            );
            return Err(Refusal::one(Reason::Invalid, problem));
        }
        let row = self.checked(table, schema, row, None)?;
        self.after.put(table, uuid, Some(&row));
        let tables = &self.after.schema().tables;
        self.born.extend(
            tables
                .get_key_value(table)
                .map(|(table, _)| (uuid, table.as_str())),
        );
        let mut insert = Insert::new(table).uuid(uuid);
        insert.row = row;
        self.operations.insert(insert);
        match parent {
            Some(parent) => self.add(&parent.table, parent.uuid, &parent.column, Datum::from(uuid)),
            None => Ok(()),
        }
    }

    fn update(&mut self, table: &str, uuid: Uuid, row: Row) -> Done {
        self.settle();
        let schema = self.table(table)?;
        self.ours(table, uuid)?;
        let mut row = self.checked(table, schema, row, Some(uuid))?;
        self.keep_marks(table, uuid, &mut row);
        if table == "DHCP_Options" {
            self.write_dhcp(&mut row, uuid)?;
        }
        let mut changed = Row::new();
        for (column, value) in row.columns() {
            let before = self.after.value(table, uuid, column).cloned();
            if before.as_ref() == Some(value) {
                continue;
            }
            self.guard_value(table, uuid, column);
            changed.set(column, value.clone());
        }
        if changed.is_empty() {
            return Ok(());
        }
        let mut whole = self.after.row(table, uuid).expect("`ours` found it");
        for (column, value) in changed.columns() {
            whole.set(column, value.clone());
        }
        self.after.put(table, uuid, Some(&whole));
        self.operations.update(table, uuid, changed);
        Ok(())
    }

    fn add(&mut self, table: &str, uuid: Uuid, column: &str, values: Datum) -> Done {
        let kind = self.column(table, column)?;
        if is_free_set(kind) {
            return self.join((table, uuid), (column, kind), &values, true);
        }
        self.settle();
        if !self.lent(table, uuid, column, &values) {
            self.ours(table, uuid)?;
        }
        if column == "external_ids" {
            self.mark_stays(table, uuid, &values)?;
        }
        let mut values = values;
        if table == "DHCP_Options" && column == "options" {
            let mut row = Row::new().with("options", values);
            self.write_dhcp(&mut row, uuid)?;
            values = row.remove("options").expect("just set");
        }
        self.fits(table, column, &values, kind, false)?;
        let before = self
            .after
            .value(table, uuid, column)
            .cloned()
            .unwrap_or(Datum::EMPTY);
        let mut mutations = Vec::new();
        let after = if kind.value.is_some() {
            let known = values
                .pairs()
                .iter()
                .map(|(k, _)| k)
                .filter(|k| before.get(k).is_some());
            let known = Datum::set(known.cloned());
            if !known.is_empty() {
                // `insert` leaves keys alone that are there.
                mutations.push(Mutation::delete(column, known));
            }
            Datum::map(before.pairs().iter().chain(values.pairs()).cloned())
        } else {
            before.with_atoms(values.atoms())
        };
        if after.len() == before.len() && after == before {
            return Ok(());
        }
        // Its elements are in the database already, or were looked at above.
        self.fits_in_number(table, column, &after, kind)?;
        let new = values.atoms().iter().filter(|atom| !before.contains(atom));
        let moved = kind
            .value
            .is_none()
            .then(|| (Datum::EMPTY, Datum::set(new.cloned())));
        mutations.push(Mutation::insert(column, values));
        self.mutate(table, uuid, (column, after), moved, mutations);
        Ok(())
    }

    fn remove(&mut self, table: &str, uuid: Uuid, column: &str, values: &Datum) -> Done {
        let kind = self.column(table, column)?;
        let gone = keys(values);
        if is_free_set(kind) {
            return self.join((table, uuid), (column, kind), &gone, false);
        }
        self.settle();
        if !self.lent(table, uuid, column, values) {
            self.ours(table, uuid)?;
        }
        let before = self
            .after
            .value(table, uuid, column)
            .cloned()
            .unwrap_or(Datum::EMPTY);
        let after = if kind.value.is_some() {
            Datum::map(before.pairs().iter().filter(|(k, _)| !gone.contains(k)).cloned())
        } else {
            before.without(&gone)
        };
        if after.len() == before.len() && after == before {
            return Ok(());
        }
        if column == "external_ids" {
            self.mark_stays(table, uuid, &gone)?;
        }
        self.fits_in_number(table, column, &after, kind)?;
        let held = gone.atoms().iter().filter(|atom| before.contains(atom));
        let moved = kind
            .value
            .is_none()
            .then(|| (Datum::set(held.cloned()), Datum::EMPTY));
        let mutations = vec![Mutation::delete(column, gone)];
        self.mutate(table, uuid, (column, after), moved, mutations);
        Ok(())
    }

    /// `moved` says of a set which elements go and come.
    fn mutate(
        &mut self,
        table: &str,
        uuid: Uuid,
        (column, after): (&str, Datum),
        moved: Option<(Datum, Datum)>,
        mutations: Vec<Mutation>,
    ) {
        match moved {
            Some(moved) => self.after.amend(table, uuid, column, after, moved),
            None => {
                let mut whole = self.after.row(table, uuid).expect("`ours` found it");
                whole.set(column, after);
                self.after.put(table, uuid, Some(&whole));
            }
        }
        self.operations.mutate(table, uuid, mutations);
    }

    fn delete(&mut self, table: &str, uuid: Uuid) -> Done {
        let root = self.table(table)?.root;
        match root {
            true => self.settle(),
            false => self.settle_above(table, uuid),
        }
        self.ours(table, uuid)?;
        self.not_the_global(table, uuid)?;
        self.guard_row(table, uuid);
        if root {
            self.after.put(table, uuid, None);
            self.operations.delete(table, uuid);
            return Ok(());
        }
        let strong = self
            .after
            .referrers(table, uuid)
            .into_iter()
            .filter(|(_, _, _, strong)| *strong);
        for (parent, column, row, _) in strong.collect::<Vec<_>>() {
            self.remove(parent, row, column, &Datum::from(uuid))?;
        }
        Ok(())
    }

    /// Somebody else's change of a row that refers to one that goes would make the server forget that reference: no
    /// other transaction may be merged with this one.
    pub(super) fn travels_alone(&mut self) {
        self.alone = true;
    }

    /// Takes a reference to a row that goes out of a row that is written anyway.
    pub(super) fn take_out(&mut self, table: &str, row: Uuid, column: &str, gone: Uuid) {
        self.operations
            .mutate(table, row, [Mutation::delete(column, gone)]);
    }

    /// The column as the committed state has it; rows of this transaction need no guard.
    fn guard_value(&mut self, table: &str, uuid: Uuid, column: &str) {
        if let Some(value) = self.after.base().value(table, uuid, column) {
            self.guards.unchanged(table, uuid, column, value.clone());
        }
    }

    fn guard_row(&mut self, table: &str, uuid: Uuid) {
        let Some(row) = self.after.base().row(table, uuid) else {
            return;
        };
        for (column, value) in row.columns().filter(|(column, _)| !is_volatile(table, column)) {
            self.guards.unchanged(table, uuid, column, value.clone());
        }
    }

    /// Names of tables whose index does not keep them unique, but we do.
    pub(super) fn guard_names(&mut self, diff: &Diff) {
        for row in &diff.rows {
            let named = UNIQUE_NAMES.contains(&row.table.as_str()) && row.kind != Kind::Removed;
            let name = row.columns.iter().find(|column| column.column == "name");
            if let (true, Some(Datum::One(name))) = (named, name.and_then(|name| name.after.as_ref())) {
                self.guards.nobody(&row.table, "name", name.clone());
            }
        }
    }
}

/// What speaks against an expectation: nothing when it holds.
pub(super) fn unmet(state: &State<'_>, expect: &Expect) -> Option<Problem> {
    let (Expect::Etag { table, uuid, .. }
    | Expect::Value { table, uuid, .. }
    | Expect::Has { table, uuid, .. }
    | Expect::Lacks { table, uuid, .. }) = expect;
    if !state.contains(table, *uuid) {
        let problem = Problem::error("row-missing", format!("{table} {uuid}"), "there is no such row");
        return Some(problem);
    }
    let held = |column: &str| state.value(table, *uuid, column).cloned().unwrap_or(Datum::EMPTY);
    let (holds, what) = match expect {
        Expect::Etag { etag: wanted, .. } => {
            let is = etag(state, table, *uuid).is_some_and(|is| is == wanted.trim_matches('"'));
            (is, "the row".to_owned())
        }
        Expect::Value { column, value, .. } => (held(column) == *value, format!("`{column}`")),
        Expect::Has { column, values, .. } => (has_all(&held(column), values), format!("`{column}`")),
        Expect::Lacks { column, values, .. } => (has_none(&held(column), values), format!("`{column}`")),
    };
    let place = || format!("{table} {}", state.label(table, *uuid));
    (!holds).then(|| {
        let problem = Problem::error("row-changed", place(), format!("{what} has been changed since"));
        problem.help("read it again and decide anew")
    })
}

fn has_all(held: &Datum, values: &Datum) -> bool {
    let pairs = values.pairs().iter().all(|(k, v)| held.get(k) == Some(v));
    pairs && values.atoms().iter().all(|atom| held.contains(atom))
}

fn has_none(held: &Datum, values: &Datum) -> bool {
    let has = |atom: &Atom| held.contains(atom) || held.get(atom).is_some();
    !keys(values).atoms().iter().any(has)
}
