//! Names of keys that a person asked for and no row has: misspelt, rather than empty.

use super::{Column, View, cell};
use crate::exit::Failure;
use serde_json::Value;
use std::collections::BTreeSet;

/// Keys of rows that are told as known, at most.
const TOLD: usize = 60;

/// Keys not seen yet. What a column was made for is known even where no row has it; other keys are known by the rows.
#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) filters: Vec<String>,
    columns: Vec<String>,
    known: BTreeSet<String>,
    seen: bool,
}

impl Unknown {
    pub(super) fn new(view: &View, all: &[Column]) -> Self {
        let known = |name: &str| {
            all.iter()
                .any(|column| column.path == name || column.header.eq_ignore_ascii_case(name))
        };
        let of_rows = |name: &&str| !known(name);
        let filters = view.filters.iter().filter_map(|filter| filter.key());
        let columns = view.columns.iter().map(String::as_str);
        Self {
            filters: filters.filter(of_rows).map(str::to_owned).collect(),
            columns: columns.filter(of_rows).map(str::to_owned).collect(),
            known: all.iter().map(|column| column.path.to_owned()).collect(),
            seen: false,
        }
    }

    /// Looks at a page. Columns are judged by the first one that has rows, before anything of it is shown.
    pub(super) fn look(&mut self, rows: &[Value]) -> Result<(), Failure> {
        if rows.is_empty() || self.filters.is_empty() && (self.seen || self.columns.is_empty()) {
            return Ok(());
        }
        let absent = |name: &String| !rows.iter().any(|row| cell::has(row, name));
        self.filters.retain(absent);
        let keys = rows
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|row| row.keys());
        let fresh: Vec<&String> = keys.filter(|key| !self.known.contains(*key)).take(TOLD).collect();
        self.known.extend(fresh.into_iter().cloned());
        if !std::mem::replace(&mut self.seen, true) {
            self.columns.retain(absent);
            self.refuse("--columns", |unknown| &unknown.columns)?;
        }
        Ok(())
    }

    /// Refuses the first of these, if there were rows that could have had it.
    pub(super) fn refuse(&self, flag: &str, names: impl Fn(&Self) -> &[String]) -> Result<(), Failure> {
        match names(self).first() {
            Some(name) if self.seen => {
                let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
                let what = format!("{flag}: nothing here has {name:?}");
                Err(Failure::usage(what, format!("choose from {}", known.join(", "))))
            }
            _ => Ok(()),
        }
    }
}
