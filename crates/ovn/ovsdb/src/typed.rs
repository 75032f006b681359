//! Columns whose types the compiler knows.
//!
//! [`Column`] names a column and what it holds; [`crate::nb`] and [`crate::sb`] have one for each column of OVN's
//! schemas. A typed row looks at a cached one and copies nothing. What the server does not have, or the replica was not
//! asked for, reads as its default.
//!
//! ```
//! use purlin_ovsdb::{Insert, Transaction, Uuid, nb::{LogicalSwitch, LogicalSwitchPort}};
//! # let switch = Uuid::ZERO;
//! let mut change = Transaction::new();
//! let port = change.insert(
//!     Insert::new(LogicalSwitchPort::TABLE)
//!         .set(LogicalSwitchPort::NAME, "web-1")
//!         .set(LogicalSwitchPort::ADDRESSES, ["dynamic"])
//!         .set(LogicalSwitchPort::EXTERNAL_IDS, [("owner", "purlin")]),
//! );
//! change.mutate(LogicalSwitch::TABLE, switch, [LogicalSwitch::PORTS.insert([port])]);
//! ```

mod encode;
mod kind;

pub use encode::{Encode, EncodeAtom};
pub use kind::{
    AtomKind, Boolean, Elements, Integer, Kind, Map, Optional, Pairs, Real, Reference, Set, Text,
};

use crate::cache::{Database, RowRef};
use crate::condition::Condition;
use crate::mutation::{Mutation, Mutator};
use crate::operation::Insert;
use crate::row::{Name, Row};
use crate::schema::Wanted;
use crate::uuid::Uuid;
use crate::value::Datum;
use std::marker::PhantomData;

/// A column and what it holds.
#[derive(Debug)]
pub struct Column<K> {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    kind: PhantomData<fn() -> K>,
}

impl<K> Clone for Column<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Column<K> {}

impl<K: Kind> Column<K> {
    /// This column of this table.
    #[must_use]
    pub const fn new(table: &'static str, name: &'static str) -> Self {
        Self {
            table,
            name,
            kind: PhantomData,
        }
    }

    /// As replicas are asked for it: only where the server's column holds the same.
    #[must_use]
    pub fn wanted(self) -> Wanted {
        Wanted {
            name: self.name.to_owned(),
            kind: Some(K::column_type()),
        }
    }

    /// A value of this column.
    #[must_use]
    pub fn datum(self, value: impl Encode<K>) -> Datum {
        value.encode()
    }

    /// Rows with just this value.
    #[must_use]
    pub fn equal(self, value: impl Encode<K>) -> Condition {
        Condition::equal(self.name, value.encode())
    }

    /// Rows with all of these elements or pairs.
    #[must_use]
    pub fn includes(self, value: impl Encode<K>) -> Condition {
        Condition::includes(self.name, value.encode())
    }

    /// Brings these elements or pairs.
    #[must_use]
    pub fn insert(self, value: impl Encode<K>) -> Mutation {
        self.mutation(Mutator::Insert, value.encode())
    }

    /// Takes these elements or pairs away.
    #[must_use]
    pub fn delete(self, value: impl Encode<K>) -> Mutation {
        self.mutation(Mutator::Delete, value.encode())
    }

    const fn mutation(self, mutator: Mutator, value: Datum) -> Mutation {
        Mutation {
            column: Name::Borrowed(self.name),
            mutator,
            value,
        }
    }
}

impl<K: AtomKind, V: AtomKind> Column<Map<K, V>> {
    /// Takes these keys away, whatever they have.
    #[must_use]
    pub fn delete_keys<T: EncodeAtom<K>>(self, keys: impl IntoIterator<Item = T>) -> Mutation {
        Mutation::delete(
            self.name,
            Datum::set(keys.into_iter().map(EncodeAtom::encode_atom)),
        )
    }
}

/// A row of a table that the compiler knows.
pub trait TypedRow<'a>: From<RowRef<'a>> {
    /// The table's name.
    const TABLE: &'static str;

    /// All columns that the compiler knows.
    fn columns() -> Vec<Wanted>;

    /// The cached row behind it.
    fn row(&self) -> RowRef<'a>;

    /// Its name.
    fn uuid(&self) -> Uuid {
        self.row().uuid()
    }
}

impl<'a> RowRef<'a> {
    /// What a column holds; its default where the cache does not keep it.
    #[must_use]
    pub fn read<K: Kind>(&self, column: Column<K>) -> K::Value<'a> {
        debug_assert_eq!(column.table, self.layout().name(), "a column of another table");
        K::read(self.get(column.name))
    }
}

impl Database {
    /// All rows of a table that the compiler knows, in the order of their UUIDs.
    pub fn all<'a, T: TypedRow<'a>>(&'a self) -> impl Iterator<Item = T> + use<'a, T> {
        let rows = self.table(T::TABLE).map(|table| table.rows());
        rows.into_iter().flatten().map(T::from)
    }

    /// A row of a table that the compiler knows.
    #[must_use]
    pub fn one<'a, T: TypedRow<'a>>(&'a self, uuid: Uuid) -> Option<T> {
        self.table(T::TABLE)?.get(uuid).map(T::from)
    }
}

impl Insert {
    /// With one more column.
    #[must_use]
    pub fn set<K: Kind>(mut self, column: Column<K>, value: impl Encode<K>) -> Self {
        debug_assert_eq!(column.table, &*self.table, "a column of another table");
        self.row.set_known(column.name, value.encode());
        self
    }
}

impl Row {
    /// This row with one more column.
    #[must_use]
    pub fn put<K: Kind>(mut self, column: Column<K>, value: impl Encode<K>) -> Self {
        self.set_known(column.name, value.encode());
        self
    }
}
