//! Operations that happen together or not at all.

use super::{Insert, Operation, Wait};
use crate::condition::{Condition, Function};
use crate::mutation::Mutation;
use crate::row::Row;
use crate::uuid::Uuid;
use crate::value::{Atom, Str};
use std::collections::HashMap;

/// Operations that happen together or not at all.
///
/// ```
/// use purlin_ovsdb::{Insert, Mutation, Transaction, Uuid};
/// # let switch = Uuid::ZERO;
/// let mut change = Transaction::new();
/// let port = change.insert(Insert::new("Logical_Switch_Port").with("name", "web-1"));
/// change.mutate("Logical_Switch", switch, [Mutation::insert("ports", port)]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transaction {
    operations: Vec<Operation>,
    alone: bool,
    repeatable: bool,
    mark: Option<(Str, Uuid)>,
}

impl Transaction {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            operations: Vec::new(),
            alone: false,
            repeatable: false,
            mark: None,
        }
    }

    /// Brings a row, and says how other operations of this transaction refer to it.
    pub fn insert(&mut self, mut insert: Insert) -> Atom {
        if insert.reference().is_none() {
            insert.name = Some(Str::from(format!("row{}", self.operations.len())));
        }
        let reference = insert.reference().expect("it has a name by now");
        self.operations.push(Operation::Insert(insert));
        reference
    }

    /// Gives columns of a row new values.
    pub fn update(&mut self, table: &str, uuid: Uuid, row: Row) {
        self.push(Operation::Update {
            table: Str::from(table),
            conditions: vec![Condition::row(uuid)],
            row,
        });
    }

    /// Calculates columns of a row anew.
    pub fn mutate(&mut self, table: &str, uuid: Uuid, mutations: impl IntoIterator<Item = Mutation>) {
        self.push(Operation::Mutate {
            table: Str::from(table),
            conditions: vec![Condition::row(uuid)],
            mutations: mutations.into_iter().collect(),
        });
    }

    /// Takes a row away.
    pub fn delete(&mut self, table: &str, uuid: Uuid) {
        self.push(Operation::Delete {
            table: Str::from(table),
            conditions: vec![Condition::row(uuid)],
        });
    }

    /// Refuses the whole unless the rows are so.
    pub fn wait(&mut self, wait: Wait) {
        self.push(Operation::Wait(wait));
    }

    /// Words for the server's log: who asked, and for what.
    pub fn comment(&mut self, comment: impl Into<String>) {
        self.push(Operation::Comment(comment.into()));
    }

    /// Refuses the whole unless the connection owns this lock.
    pub fn assert(&mut self, lock: &str) {
        self.push(Operation::Assert {
            lock: lock.to_owned(),
        });
    }

    /// Any operation.
    pub fn push(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    /// All operations of another one, after its own.
    pub fn append(&mut self, other: Self) {
        self.operations.extend(other.operations);
    }

    /// Never sent in one transaction with others, however small it is.
    #[must_use]
    pub const fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Says that doing it twice is doing it once, also when others write in between. What only reads, or only deletes
    /// rows by their UUIDs, is so without a word.
    #[must_use]
    pub const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Leaves a mark in a row that it touches, so that a lost answer can be found out. Not needed by transactions that
    /// insert a row.
    #[must_use]
    pub fn marked(mut self, table: &str, row: Uuid) -> Self {
        self.mark = Some((Str::from(table), row));
        self
    }

    /// Where it leaves a mark.
    #[must_use]
    pub fn mark_on(&self) -> Option<(&str, Uuid)> {
        self.mark.as_ref().map(|(table, row)| (&**table, *row))
    }

    /// Whether doing it twice is doing it once.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        let by_uuid = |condition: &Condition| match condition {
            Condition::Clause { column, function, .. } => column == "_uuid" && *function == Function::Equal,
            Condition::Always(_) => false,
        };
        let deletes = |operation: &Operation| match operation {
            Operation::Delete { conditions, .. } => conditions.iter().any(by_uuid),
            Operation::Comment(_) => true,
            _ => false,
        };
        self.repeatable || self.is_read() || self.operations.iter().all(deletes)
    }

    /// The operations in their order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Whether it does nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// How many operations it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether others may travel with it without either noticing.
    ///
    /// Not with what reads, waits, aborts, asserts a lock or asks for the disk: its outcome would hang on theirs.
    #[must_use]
    pub fn can_travel(&self) -> bool {
        let small = |operation: &Operation| match operation {
            Operation::Insert(_) | Operation::Update { .. } | Operation::Mutate { .. } => true,
            Operation::Delete { .. } | Operation::Comment(_) => true,
            Operation::Wait(wait) => wait.timeout_ms == Some(0),
            _ => false,
        };
        !self.alone && self.operations.iter().all(small)
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_read(&self) -> bool {
        let changes = |operation: &Operation| {
            use Operation::{Delete, Insert, Mutate, Update};
            matches!(
                operation,
                Insert(_) | Update { .. } | Mutate { .. } | Delete { .. }
            )
        };
        !self.operations.iter().any(changes)
    }

    /// Gives every row that it brings, and every reference to one, a name that no other transaction has.
    pub fn scope(&mut self, scope: usize) {
        let rename = |name: &str| Atom::Named(Str::from(format!("t{scope}_{name}")));
        for operation in &mut self.operations {
            operation.rename(&rename);
        }
    }

    /// Chooses a UUID for each row that has none yet, and refers to it by that: names within the transaction are not
    /// needed any more.
    pub fn choose_uuids(&mut self, mut random: impl FnMut() -> [u8; 16]) {
        let (mut names, mut twice) = (HashMap::new(), false);
        for operation in &mut self.operations {
            if let Operation::Insert(insert) = operation {
                let uuid = *insert.uuid.get_or_insert_with(|| Uuid::from_random(random()));
                let name = insert.name.clone();
                twice |= name.is_some_and(|name| names.insert(name, uuid).is_some());
            }
        }
        // A name given twice is a mistake that the server is to name.
        if names.is_empty() || twice {
            return;
        }
        let rename = |name: &str| {
            let known = names.get(name).map(|uuid| Atom::Uuid(*uuid));
            known.unwrap_or_else(|| Atom::Named(Str::from(name)))
        };
        for operation in &mut self.operations {
            operation.rename(&rename);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter() -> impl FnMut() -> [u8; 16] {
        let mut n = 0;
        move || {
            n += 1;
            [n; 16]
        }
    }

    #[test]
    fn rows_of_a_transaction_are_referred_to_by_chosen_uuids() {
        let mut change = Transaction::new();
        let port = change.insert(Insert::new("port"));
        let switch = change.insert(Insert::new("switch").with("ports", port));
        change.mutate("group", Uuid::ZERO, [Mutation::insert("switches", switch)]);
        change.choose_uuids(counter());
        let text = serde_json::to_string(change.operations()).unwrap();
        assert!(
            !text.contains("named-uuid") && !text.contains("uuid-name"),
            "{text}"
        );
        let (port, switch) = (Uuid::from_random([1; 16]), Uuid::from_random([2; 16]));
        assert!(
            text.contains(&format!(r#"{{"ports":["uuid","{port}"]}}"#)),
            "{text}"
        );
        assert!(
            text.contains(&format!(r#"["switches","insert",["uuid","{switch}"]]"#)),
            "{text}"
        );
        let once = change.clone();
        change.choose_uuids(counter());
        assert_eq!(change, once, "a transaction that is sent again keeps its names");
    }

    #[test]
    fn a_name_given_twice_is_left_to_the_server() {
        let mut change = Transaction::new();
        change.insert(Insert::new("port").named("a"));
        change.insert(Insert::new("port").named("a"));
        change.choose_uuids(counter());
        assert!(
            serde_json::to_string(change.operations())
                .unwrap()
                .contains(r#""uuid-name":"a""#)
        );
    }
}
