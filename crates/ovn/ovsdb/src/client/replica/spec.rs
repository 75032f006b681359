//! What a replica is asked to hold.

use crate::cache::{Index, Layout, TableLayout};
use crate::condition::Condition;
use crate::monitor::Request;
use crate::schema::{DatabaseSchema, Mismatch, Wanted};
use crate::typed::TypedRow;
use std::collections::BTreeMap;

/// Which member a replica listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Follow {
    /// Whoever leads: what was just written is seen first. Moves along when the lead moves.
    #[default]
    Leader,
    /// Any member of the cluster, as long as it lives.
    Any,
}

/// What a replica is asked to hold.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    tables: BTreeMap<String, TableSpec>,
    all: bool,
    pub(super) follow: Follow,
}

/// What of one table.
#[derive(Debug, Clone, Default)]
pub struct TableSpec {
    columns: Option<Vec<Wanted>>,
    pub(super) conditions: Vec<Condition>,
    indexes: Vec<Index>,
}

impl TableSpec {
    /// All columns that the server has, all rows, no index.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only these columns.
    #[must_use]
    pub fn columns(columns: impl IntoIterator<Item = Wanted>) -> Self {
        Self {
            columns: Some(columns.into_iter().collect()),
            ..Self::default()
        }
    }

    /// The columns that the compiler knows of this row's table, as far as the server has them.
    #[must_use]
    pub fn of<'a, T: TypedRow<'a>>() -> Self {
        Self::columns(T::columns())
    }

    /// Only columns of these names.
    #[must_use]
    pub fn named<'a>(columns: impl IntoIterator<Item = &'a str>) -> Self {
        Self::columns(columns.into_iter().map(Wanted::any))
    }

    /// Only rows for which one of the conditions holds.
    #[must_use]
    pub fn conditions(mut self, conditions: Vec<Condition>) -> Self {
        self.conditions = conditions;
        self
    }

    /// With an index.
    #[must_use]
    pub fn index(mut self, index: Index) -> Self {
        self.indexes.push(index);
        self
    }
}

impl Spec {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every table and column that the server has; tables that are named besides get their own columns, conditions and
    /// indexes.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    /// With this table.
    #[must_use]
    pub fn table(mut self, name: &str, table: TableSpec) -> Self {
        self.tables.insert(name.to_owned(), table);
        self
    }

    /// Listening to this member.
    #[must_use]
    pub const fn follow(mut self, follow: Follow) -> Self {
        self.follow = follow;
        self
    }

    /// Returns whether the table was known.
    pub(super) fn set_conditions(&mut self, table: &str, conditions: Vec<Condition>) {
        self.tables.entry(table.to_owned()).or_default().conditions = conditions;
    }

    /// What of it this server has: how it is stored, how it is asked for, and what is missing.
    pub(super) fn negotiate(&self, schema: &DatabaseSchema) -> (Layout, Request, Vec<Mismatch>) {
        let mut tables: BTreeMap<&str, TableSpec> = BTreeMap::new();
        if self.all {
            tables.extend(schema.tables.keys().map(|name| (name.as_str(), TableSpec::all())));
        }
        tables.extend(
            self.tables
                .iter()
                .map(|(name, table)| (name.as_str(), table.clone())),
        );
        let (mut layouts, mut request, mut missing) = (Vec::new(), Request::new(), Vec::new());
        for (name, table) in tables {
            let everything = || {
                schema
                    .table(name)
                    .into_iter()
                    .flat_map(|table| table.columns.keys())
            };
            let wanted = table
                .columns
                .unwrap_or_else(|| everything().map(|column| Wanted::any(column)).collect());
            let (columns, lacking) = schema.negotiate(name, &wanted);
            missing.extend(lacking);
            if schema.table(name).is_none() {
                continue;
            }
            request.columns(name, columns.iter().map(|(column, _)| column.clone()).collect());
            if !table.conditions.is_empty() {
                request.conditions(name, table.conditions);
            }
            layouts.push(TableLayout::new(name, columns, table.indexes));
        }
        (Layout::new(layouts), request, missing)
    }
}
