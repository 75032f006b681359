//! Which tables and columns commands look at, so that a single command need not read the whole database.

use crate::commands;
use crate::syntax::{Command, Looks};
use purlin_ovn_core::model::nb_schema;
use purlin_ovsdb::client::{Spec, TableSpec};
use purlin_ovsdb::{Condition, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// Rows that are asked for by name, at most; more are asked for by asking for all.
const NAMES_MAX: usize = 1000;

/// Columns of a table, and of which rows: all, or those of these names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    columns: BTreeSet<String>,
    all: bool,
    names: BTreeSet<String>,
}

/// Tables and columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs(BTreeMap<String, Part>);

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
                Looks::At(text) => needs.add(text, None),
                Looks::Named(text) => needs.add(text, Some(command)),
                Looks::NamedIf(text, holds) => needs.add(text, holds(command).then_some(command)),
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

    /// `by` names the rows of tables that have a number behind them.
    fn add(&mut self, text: &str, by: Option<&Command>) {
        for part in text.split(';') {
            let mut words = part.split_whitespace();
            let Some(word) = words.next() else { continue };
            let (table, number) = word.split_once('#').unwrap_or((word, ""));
            let name = by
                .zip(number.parse().ok())
                .map(|(command, at): (_, usize)| command.argv.get(at));
            let needed = self.0.entry(table.to_owned()).or_default();
            match name {
                None => needed.all = true,
                Some(name) => needed.names.extend(name.cloned()),
            }
            needed.columns.extend(words.map(str::to_owned));
        }
    }

    /// A table, if only for its rows' names.
    pub fn table(&mut self, table: &str) {
        self.0.entry(table.to_owned()).or_default().all = true;
    }

    /// A column of all rows.
    pub fn column(&mut self, table: &str, column: &str) {
        self.table(table);
        let needed = self.0.entry(table.to_owned()).or_default();
        needed.columns.insert(column.to_owned());
    }

    /// What a replica is to hold.
    #[must_use]
    pub fn spec(&self) -> Spec {
        let mut spec = Spec::new();
        for (table, part) in &self.0 {
            let mut columns = TableSpec::named(part.columns.iter().map(String::as_str));
            if !part.all && part.names.len() <= NAMES_MAX {
                columns = columns.conditions(part.conditions());
            }
            spec = spec.table(table, columns);
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

impl Part {
    /// Rows of these names, or UUIDs where a name may be one.
    fn conditions(&self) -> Vec<Condition> {
        let uuids = self.names.iter().filter_map(|name| Uuid::parse(name));
        let uuids = uuids.map(|uuid| Condition::equal("_uuid", uuid));
        let names = self
            .names
            .iter()
            .map(|name| Condition::equal("name", name.as_str()));
        let all: Vec<Condition> = names.chain(uuids).collect();
        if all.is_empty() {
            return vec![Condition::Always(false)];
        }
        all
    }
}

/// Names in [`Looks`] that the schema does not have; a test asks for them.
#[must_use]
pub fn misnamed() -> Vec<String> {
    let mut wrong = Vec::new();
    for syntax in commands::all() {
        let text = match syntax.looks {
            Looks::At(text) | Looks::Named(text) | Looks::NamedIf(text, _) => text,
            Looks::AsTold(_) => continue,
        };
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let mut words = part.split_whitespace();
            let name = words
                .next()
                .unwrap_or_default()
                .split('#')
                .next()
                .unwrap_or_default();
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
    use super::*;

    fn part(line: &str, table: &str) -> Part {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let commands = crate::line::parse(&words, crate::line::Options::new()).unwrap();
        Needs::of(&commands).unwrap().0[table].clone()
    }

    #[test]
    fn a_port_is_asked_for_by_its_name_unless_others_are_looked_at_too() {
        const PORT: &str = "Logical_Switch_Port";
        let one = part("lsp-get-type p", PORT);
        assert!(!one.all && one.names.contains("p") && one.conditions().len() == 1);
        let two = part("lsp-add s p -- lsp-add s q", PORT);
        assert_eq!((two.all, two.names.len()), (false, 2));
        assert!(!part("lsp-add s p", "Logical_Switch").all);
        assert!(part("--may-exist lsp-add s p", "Logical_Switch").all);
        assert!(part("lsp-get-type p -- lsp-list s", PORT).all);
        assert_eq!(
            part("ls-add", "Logical_Switch").conditions(),
            [Condition::Always(false)]
        );
    }

    #[test]
    fn every_table_and_column_that_a_command_looks_at_is_in_the_schema() {
        assert_eq!(misnamed(), Vec::<String>::new());
    }
}
