//! How a transaction is recognised that may have happened already.
//!
//! A transaction that inserts a row chooses the row's UUID itself; when the row is there, the transaction happened.
//! One that inserts nothing can be told to leave a mark in a row that it touches; the mark is then looked for first,
//! with every sending, because the server that lost the answer may still carry the first one out.

use crate::condition::Condition;
use crate::mutation::Mutation;
use crate::operation::{Operation, Transaction, Wait};
use crate::uuid::Uuid;
use crate::value::Datum;

/// What tells whether a transaction happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Guard {
    /// The inserted row. Asked for only when the transaction is sent again: the server itself refuses a second one.
    Row(Wait),
    /// The mark, and the operation that leaves it.
    Mark(Wait, Operation),
    /// It may happen twice without a difference.
    Repeatable,
    /// Nothing.
    None,
}

impl Guard {
    /// Chooses. `uuids`: whether the server lets us choose the names of rows.
    pub(super) fn of(
        transactions: &[&Transaction],
        uuids: bool,
        marker: &(String, String),
        id: Uuid,
    ) -> Self {
        if transactions.iter().all(|one| one.is_repeatable()) {
            return Self::Repeatable;
        }
        let inserts = transactions
            .iter()
            .flat_map(|one| one.operations())
            .find_map(|operation| match operation {
                Operation::Insert(insert) => Some((&insert.table, insert.uuid?)),
                _ => None,
            });
        if let (Some((table, uuid)), true) = (inserts, uuids) {
            return Self::Row(Wait::none(table, vec![Condition::row(uuid)]));
        }
        match transactions.iter().find_map(|one| one.mark_on()) {
            Some((table, row)) => Self::mark(table, row, marker, id),
            None => Self::None,
        }
    }

    fn mark(table: &str, row: Uuid, (column, key): &(String, String), id: Uuid) -> Self {
        let pair = Datum::map([(key.as_str(), id.to_string())]);
        let there = vec![Condition::row(row), Condition::includes(column, pair.clone())];
        let leave = Operation::Mutate {
            table: table.into(),
            conditions: vec![Condition::row(row)],
            mutations: vec![
                Mutation::delete(column, Datum::set([key.as_str()])),
                Mutation::insert(column, pair),
            ],
        };
        Self::Mark(Wait::none(table, there), leave)
    }

    /// What goes before the operations in the sending of this number, counted from 1.
    pub(super) fn before(&self, sending: u32) -> Option<Operation> {
        match self {
            Self::Row(wait) if sending > 1 => Some(Operation::Wait(wait.clone())),
            Self::Mark(wait, _) => Some(Operation::Wait(wait.clone())),
            _ => None,
        }
    }

    /// What goes after them.
    pub(super) fn after(&self) -> Option<Operation> {
        match self {
            Self::Mark(_, leave) => Some(leave.clone()),
            _ => None,
        }
    }

    /// Whether the transaction may be sent again after its answer was lost.
    pub(super) fn may_repeat(&self) -> bool {
        *self != Self::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Insert;
    use crate::row::Row;

    const ID: Uuid = Uuid::from_bytes([7; 16]);

    fn guard(transaction: &Transaction, uuids: bool) -> Guard {
        let marker = ("external_ids".to_owned(), "txn".to_owned());
        Guard::of(&[transaction], uuids, &marker, ID)
    }

    #[test]
    fn a_row_of_our_own_name_tells() {
        let mut transaction = Transaction::new();
        transaction.insert(Insert::new("t").uuid(ID));
        let guard = guard(&transaction, true);
        assert!(guard.before(1).is_none());
        assert!(matches!(guard.before(2), Some(Operation::Wait(_))));
    }

    #[test]
    fn an_old_server_that_chooses_names_itself_leaves_no_trace() {
        let mut transaction = Transaction::new();
        transaction.insert(Insert::new("t"));
        assert!(!guard(&transaction, false).may_repeat());
    }

    #[test]
    fn deleting_a_row_twice_is_deleting_it() {
        let mut transaction = Transaction::new();
        transaction.delete("t", ID);
        assert_eq!(guard(&transaction, true), Guard::Repeatable);
    }

    #[test]
    fn an_update_needs_a_mark_or_a_word() {
        let mut transaction = Transaction::new();
        transaction.update("t", ID, Row::new().with("n", 1));
        assert_eq!(guard(&transaction, true), Guard::None);
        assert_eq!(guard(&transaction.clone().repeatable(), true), Guard::Repeatable);
        let marked = guard(&transaction.marked("t", ID), true);
        assert!(marked.before(1).is_some() && marked.after().is_some());
    }
}
