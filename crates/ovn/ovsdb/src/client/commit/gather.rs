//! Fewer operations for the same change: elements that many bring to one row come in one operation.
//!
//! A hundred ports for one switch are a hundred times "bring this port to the switch's ports". A server looks the row up
//! and copies the set each time; as one operation it does so once. Only where the order cannot matter: the row is touched
//! by nothing else in the transaction.

use crate::condition::{Condition, Function};
use crate::mutation::{Mutation, Mutator};
use crate::operation::Operation;
use crate::outcome::Done;
use crate::uuid::Uuid;
use crate::value::{Atom, Datum};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Operations, some of which speak for several.
pub(super) struct Gathered<'a> {
    pub(super) operations: Vec<Cow<'a, Operation>>,
    /// For each operation that was asked for, which of the above does it.
    places: Vec<usize>,
}

type Row<'a> = (&'a str, Uuid);

impl<'a> Gathered<'a> {
    pub(super) fn new(asked: impl Iterator<Item = &'a Operation> + Clone) -> Self {
        let mut other = Touched::default();
        for operation in asked.clone().filter(|operation| brings(operation).is_none()) {
            other.add(operation);
        }
        let free = |row: &Row<'_>| !other.all && !other.tables.contains(row.0) && !other.rows.contains(row);
        let bringing = |operation: &'a Operation| brings(operation).filter(|(row, _)| free(row));
        let mut all: HashMap<Row<'a>, Vec<Bringing<'a>>> = HashMap::new();
        for (row, mutations) in asked.clone().filter_map(bringing) {
            all.entry(row).or_default().push(mutations);
        }
        let (mut operations, mut places) = (Vec::new(), Vec::new());
        let mut seen: HashMap<Row<'a>, Vec<usize>> = HashMap::new();
        for (at, operation) in asked.enumerate() {
            places.push(operations.len());
            let Some((row, _)) = bringing(operation) else {
                operations.push(Cow::Borrowed(operation));
                continue;
            };
            let wanted = &all[&row];
            if wanted.len() == 1 {
                operations.push(Cow::Borrowed(operation));
                continue;
            }
            let own = seen.entry(row).or_default();
            own.push(at);
            // The last one speaks for all: a row must be inserted before its name is used.
            if own.len() == wanted.len() {
                own.iter().for_each(|at| places[*at] = operations.len());
                operations.push(Cow::Owned(spoken(operation, wanted)));
            }
        }
        Self { operations, places }
    }

    /// The answers of the operations that were asked for. One that speaks for several met the row for each of them.
    pub(super) fn answers(&self, done: &[Done]) -> Vec<Done> {
        self.places.iter().map(|place| done[*place].clone()).collect()
    }
}

type Bringing<'a> = &'a [Mutation];

/// The row, and what is brought to it: when nothing else is done, and just to this row.
fn brings(operation: &Operation) -> Option<(Row<'_>, Bringing<'_>)> {
    let Operation::Mutate {
        table,
        conditions,
        mutations,
    } = operation
    else {
        return None;
    };
    let [
        Condition::Clause {
            column,
            function: Function::Equal,
            value,
        },
    ] = conditions.as_slice()
    else {
        return None;
    };
    let uuid = value
        .one()
        .and_then(Atom::as_uuid)
        .filter(|_| column == "_uuid")?;
    // Pairs of a map are not like elements: of two for one key only the first comes in.
    let set = |one: &Mutation| one.mutator == Mutator::Insert && !matches!(one.value, Datum::Map(_));
    mutations
        .iter()
        .all(set)
        .then(|| ((&**table, uuid), mutations.as_slice()))
}

/// This operation, with what all of them bring.
fn spoken(operation: &Operation, all: &[Bringing<'_>]) -> Operation {
    let mut operation = operation.clone();
    if let Operation::Mutate { mutations, .. } = &mut operation {
        *mutations = united(all);
    }
    operation
}

fn united(all: &[Bringing<'_>]) -> Vec<Mutation> {
    let mut columns: Vec<(&str, Vec<Atom>)> = Vec::new();
    for mutation in all.iter().copied().flatten() {
        let at = columns
            .iter()
            .position(|(name, _)| *name == mutation.column)
            .unwrap_or_else(|| {
                columns.push((&mutation.column, Vec::new()));
                columns.len() - 1
            });
        columns[at].1.extend_from_slice(mutation.value.atoms());
    }
    columns
        .into_iter()
        .map(|(column, atoms)| Mutation::insert(column, Datum::set(atoms)))
        .collect()
}

/// What other operations look at or change.
#[derive(Default)]
struct Touched<'a> {
    rows: HashSet<Row<'a>>,
    tables: HashSet<&'a str>,
    all: bool,
}

impl<'a> Touched<'a> {
    fn add(&mut self, operation: &'a Operation) {
        match operation {
            Operation::Insert(insert) => self.rows.extend(insert.uuid.map(|uuid| (&*insert.table, uuid))),
            Operation::Comment(_) => {}
            Operation::Update {
                table, conditions, ..
            }
            | Operation::Mutate {
                table, conditions, ..
            }
            | Operation::Delete { table, conditions }
            | Operation::Select {
                table, conditions, ..
            } => self.meets(table, conditions),
            Operation::Wait(wait) => self.meets(&wait.table, &wait.conditions),
            Operation::Commit { .. } | Operation::Abort | Operation::Assert { .. } => self.all = true,
        }
    }

    fn meets(&mut self, table: &'a str, conditions: &[Condition]) {
        let row = conditions.iter().find_map(|condition| match condition {
            Condition::Clause {
                column,
                function: Function::Equal,
                value,
            } if column == "_uuid" => value.one()?.as_uuid(),
            _ => None,
        });
        match row {
            Some(uuid) => drop(self.rows.insert((table, uuid))),
            None => drop(self.tables.insert(table)),
        }
    }
}

#[cfg(test)]
mod tests;
