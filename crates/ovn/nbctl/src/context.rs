//! What a running command has at hand: its arguments, the rows, and where it prints to.

use crate::symbols::Symbols;
use crate::syntax::Command;
use crate::table::Table;
use crate::warning::Warning;
use crate::work::Work;
use purlin_ovsdb::{Atom, Datum, Mutation, Str, Uuid};

/// A row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The table.
    pub table: &'static str,
    /// The row's name.
    pub uuid: Uuid,
}

/// How people call the rows of a table.
#[derive(Debug)]
pub struct Noun {
    /// The table.
    pub table: &'static str,
    /// One of them.
    pub one: &'static str,
    /// Several of them, where a name that several have is a mistake; else the first one is meant.
    pub many: Option<&'static str>,
}

/// What a running command has at hand.
#[derive(Debug)]
pub struct Context<'c, 'a> {
    /// The command as it was typed.
    pub command: &'c Command,
    /// The rows, and what becomes of them.
    pub work: &'c mut Work<'a>,
    /// Names that `--id` gave.
    pub symbols: &'c mut Symbols,
    /// Things to say besides the output.
    pub warnings: &'c mut Vec<Warning>,
    /// What it prints.
    pub output: String,
    /// Or a table that it prints.
    pub table: Option<Table>,
    /// A row whose name stands alone in the output, and is known for good only when the transaction has happened.
    pub created: Option<Uuid>,
    /// What it waits for is not so yet: the whole line is to be run again when something has changed.
    pub again: bool,
    /// Whether it is the last one of its line.
    pub last: bool,
}

/// Ends a command with this sentence.
pub fn fail<T>(text: impl Into<String>) -> Result<T, String> {
    Err(text.into())
}

impl<'c> Context<'c, '_> {
    /// An argument, counted from 1.
    #[must_use]
    pub fn arg(&self, at: usize) -> &'c str {
        self.command.argv.get(at).map_or("", String::as_str)
    }

    /// The arguments from this one on.
    #[must_use]
    pub fn args(&self, from: usize) -> &'c [String] {
        self.command.argv.get(from..).unwrap_or_default()
    }

    /// How many arguments there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.command.argv.len() - 1
    }

    /// Whether an option was given.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.command.has(option)
    }

    /// An option's value.
    #[must_use]
    pub fn option(&self, option: &str) -> Option<&'c str> {
        self.command.option(option)
    }

    /// Prints a line.
    pub fn line(&mut self, line: impl AsRef<str>) {
        self.output.push_str(line.as_ref());
        self.output.push('\n');
    }

    /// All rows of a table.
    #[must_use]
    pub fn rows(&self, table: &'static str) -> Vec<Row> {
        let rows = self.work.rows(table).into_iter();
        rows.map(|uuid| Row { table, uuid }).collect()
    }

    /// Rows whose column is this text.
    #[must_use]
    pub fn named(&self, table: &'static str, column: &str, text: &str) -> Vec<Row> {
        let rows = self.work.find(table, column, &Atom::from(text)).into_iter();
        rows.map(|uuid| Row { table, uuid }).collect()
    }

    /// A row by its UUID or name, if there is one.
    ///
    /// # Errors
    /// Several have the name, and that is not allowed.
    pub fn find(&self, noun: &Noun, id: &str) -> Result<Option<Row>, String> {
        let table = noun.table;
        if let Some(uuid) = Uuid::parse(id).filter(|uuid| self.work.has(table, *uuid)) {
            return Ok(Some(Row { table, uuid }));
        }
        let named = self.named(table, "name", id);
        match (named.len(), noun.many) {
            (2.., Some(many)) => fail(format!("Multiple {many} named '{id}'.  Use a UUID.")),
            _ => Ok(named.first().copied()),
        }
    }

    /// A row by its UUID or name.
    ///
    /// # Errors
    /// There is none, or several have the name.
    pub fn get(&self, noun: &Noun, id: &str) -> Result<Row, String> {
        let by = if Uuid::parse(id).is_some() { "UUID" } else { "name" };
        let missing = || format!("{id}: {} {by} not found", noun.one);
        self.find(noun, id)?.ok_or_else(missing)
    }

    /// A column's value.
    #[must_use]
    pub fn value(&self, row: Row, column: &str) -> Datum {
        self.work.value(row.table, row.uuid, column)
    }

    /// A column's text; none where it is empty.
    #[must_use]
    pub fn maybe_text(&self, row: Row, column: &str) -> Option<Str> {
        match self.value(row, column).atoms().first() {
            Some(Atom::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    /// A column's text, empty where there is none.
    #[must_use]
    pub fn text(&self, row: Row, column: &str) -> Str {
        self.maybe_text(row, column).unwrap_or_default()
    }

    /// A column's texts.
    #[must_use]
    pub fn texts(&self, row: Row, column: &str) -> Vec<Str> {
        let value = self.value(row, column);
        let texts = value.atoms().iter().filter_map(|atom| match atom {
            Atom::Text(text) => Some(text.clone()),
            _ => None,
        });
        texts.collect()
    }

    /// A column's integer, when it has one.
    #[must_use]
    pub fn maybe_integer(&self, row: Row, column: &str) -> Option<i64> {
        self.value(row, column).atoms().first()?.as_integer()
    }

    /// A column's integer, 0 where there is none.
    #[must_use]
    pub fn integer(&self, row: Row, column: &str) -> i64 {
        self.maybe_integer(row, column).unwrap_or(0)
    }

    /// A column's boolean, when it has one.
    #[must_use]
    pub fn truth(&self, row: Row, column: &str) -> Option<bool> {
        self.value(row, column).atoms().first()?.as_bool()
    }

    /// The rows of `table` that a column points to.
    #[must_use]
    pub fn refs(&self, row: Row, column: &str, table: &'static str) -> Vec<Row> {
        let value = self.value(row, column);
        let uuids = value.atoms().iter().filter_map(Atom::as_uuid);
        uuids.map(|uuid| Row { table, uuid }).collect()
    }

    /// The pairs of a map of texts, sorted by key.
    #[must_use]
    pub fn pairs(&self, row: Row, column: &str) -> Vec<(String, String)> {
        let text = |atom: &Atom| atom.as_str().unwrap_or_default().to_owned();
        let value = self.value(row, column);
        let pairs = value.pairs().iter();
        pairs.map(|(key, value)| (text(key), text(value))).collect()
    }

    /// What a map of texts has under a key.
    #[must_use]
    pub fn key(&self, row: Row, column: &str, key: &str) -> Option<String> {
        self.value(row, column).get_str(key).map(str::to_owned)
    }

    /// Whether a map of texts says "true" under a key.
    #[must_use]
    pub fn key_is_true(&self, row: Row, column: &str, key: &str) -> bool {
        self.key(row, column, key)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A new row.
    pub fn insert(&mut self, table: &'static str) -> Row {
        let uuid = self.symbols.mint.uuid();
        self.work.insert(table, uuid);
        Row { table, uuid }
    }

    /// Writes a column whole.
    pub fn set(&mut self, row: Row, column: &str, value: impl Into<Datum>) {
        self.work.set(row.table, row.uuid, column, value);
    }

    /// Lets a set of references have one more.
    pub fn add_ref(&mut self, row: Row, column: &str, to: Row) {
        let mutation = Mutation::insert(column, Atom::Uuid(to.uuid));
        self.work.mutate(row.table, row.uuid, mutation);
    }

    /// Takes one out of a set of references.
    pub fn drop_ref(&mut self, row: Row, column: &str, to: Row) {
        if !self
            .work
            .may_hold(row.table, row.uuid, column, &Atom::Uuid(to.uuid))
        {
            self.warn(
                "ovsdb_idl",
                "Trying to delete a key that doesn't exist in the set.",
            );
            return;
        }
        let mutation = Mutation::delete(column, Atom::Uuid(to.uuid));
        self.work.mutate(row.table, row.uuid, mutation);
    }

    /// Takes a row away.
    pub fn delete(&mut self, row: Row) {
        self.work.delete(row.table, row.uuid);
    }

    /// Lets the line happen only if the column is then still what it is now.
    pub fn verify(&mut self, row: Row, column: &str) {
        self.work.verify(row.table, row.uuid, column);
    }

    /// Says something besides the output.
    pub fn warn(&mut self, module: &'static str, text: impl Into<String>) {
        self.warnings.push(Warning::warn(module, text));
    }
}

/// A map of texts from `KEY=VALUE` words; words without `=` say nothing.
#[must_use]
pub fn key_values(words: &[String]) -> Datum {
    Datum::map(words.iter().filter_map(|word| word.split_once('=')))
}

/// A set of texts.
#[must_use]
pub fn text_set(words: &[String]) -> Datum {
    Datum::set(words.iter().map(String::as_str))
}
