//! Which tables and columns commands look at, so that a single command need not read the whole database.

use crate::commands;
use crate::syntax::{Command, Looks};
use purlin_ovn_core::model::nb_schema;
use purlin_ovsdb::client::{Spec, TableSpec};
use std::collections::{BTreeMap, BTreeSet};

/// Tables and columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs(BTreeMap<String, BTreeSet<String>>);

impl Needs {
    /// What these commands look at, and what waiting for them takes.
    ///
    /// # Errors
    /// A table or column that a command names and that there is not.
    pub fn of(list: &[Command]) -> Result<Self, String> {
        let mut needs = Self::default();
        needs.column("NB_Global", "nb_cfg");
        for command in list {
            match command.syntax.looks {
                Looks::At(text) => needs.add(text),
                Looks::AsTold(told) => told(command, &mut needs)?,
            }
        }
        Ok(needs)
    }

    /// With what a wait for the southbound database or the hypervisors looks at.
    pub fn progress(&mut self) {
        let mut columns = vec!["sb_cfg", "sb_cfg_timestamp", "nb_cfg_timestamp"];
        columns.extend(["hv_cfg", "hv_cfg_timestamp"]);
        columns
            .into_iter()
            .for_each(|column| self.column("NB_Global", column));
    }

    fn add(&mut self, text: &str) {
        for part in text.split(';') {
            let mut words = part.split_whitespace();
            let Some(table) = words.next() else { continue };
            self.table(table);
            words.for_each(|column| self.column(table, column));
        }
    }

    /// A table, if only for its rows' names.
    pub fn table(&mut self, table: &str) {
        self.0.entry(table.to_owned()).or_default();
    }

    /// A column.
    pub fn column(&mut self, table: &str, column: &str) {
        self.0
            .entry(table.to_owned())
            .or_default()
            .insert(column.to_owned());
    }

    /// What a replica is to hold.
    #[must_use]
    pub fn spec(&self) -> Spec {
        let mut spec = Spec::new();
        for (table, columns) in &self.0 {
            let named = TableSpec::named(columns.iter().map(String::as_str));
            spec = spec.table(table, named);
        }
        spec
    }

    /// Everything, with what commands look rows up by.
    #[must_use]
    pub fn everything() -> Spec {
        use purlin_ovsdb::cache::Index;
        let mut spec = Spec::everything();
        for (name, table) in &nb_schema().tables {
            let by = ["name", "ports", "dst_ip", "logical_port"];
            let known = by.into_iter().filter(|column| table.column(column).is_some());
            let indexed = known.fold(TableSpec::all(), |spec, column| spec.index(Index::column(column)));
            spec = spec.table(name, indexed);
        }
        spec
    }
}

/// Names in [`Looks::At`] that the schema does not have; a test asks for them.
#[must_use]
pub fn misnamed() -> Vec<String> {
    let mut wrong = Vec::new();
    for syntax in commands::all() {
        let Looks::At(text) = syntax.looks else { continue };
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let mut words = part.split_whitespace();
            let name = words.next().unwrap_or_default();
            let table = nb_schema().table(name);
            if table.is_none() {
                wrong.push(format!("{}: {name}", syntax.name));
            }
            let unknown = words.filter(|column| table.is_some_and(|table| table.column(column).is_none()));
            wrong.extend(unknown.map(|column| format!("{}: {name}.{column}", syntax.name)));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_table_and_column_that_a_command_looks_at_is_in_the_schema() {
        assert_eq!(super::misnamed(), Vec::<String>::new());
    }
}
