//! Words of a selection or a mapping that mean nothing: a backup of rows that are not there is empty, and who made it
//! learns of that when it is needed.

use super::rename::name_of;
use super::{Content, OF_THE_SERVER, Selection};
use crate::model::{OWNER_KEY, references};
use purlin_ovsdb::DatabaseSchema;
use std::collections::{BTreeMap, BTreeSet};

impl Content {
    /// What is wrong with a selection from these rows, one sentence for each word.
    pub fn misses(&self, schema: &DatabaseSchema, selection: &Selection) -> Vec<String> {
        let mut faults = Vec::new();
        for table in &selection.tables {
            match schema.table(table) {
                Some(known) if known.root || OF_THE_SERVER.contains(&table.as_str()) => {}
                Some(_) => faults.push(format!(
                    "tables: rows of {table} are kept with those that they hang on: name {} instead",
                    above(schema, table)
                )),
                None => {
                    let known = schema.tables.keys().map(String::as_str);
                    faults.push(told("tables: the database has no table", table, known));
                }
            }
        }
        let root = |table: &str| schema.table(table).is_some_and(|table| table.root);
        let meant =
            |table: &String| root(table) && (selection.tables.is_empty() || selection.tables.contains(table));
        let rows = self.rows.iter().filter(|((table, _), _)| meant(table));
        let names: BTreeSet<&str> = rows.filter_map(|(_, row)| name_of(row)).collect();
        for name in selection
            .names
            .iter()
            .filter(|name| !names.contains(name.as_str()))
        {
            let mut below = self
                .rows
                .iter()
                .filter(|((table, _), row)| !root(table) && name_of(row) == Some(name));
            faults.push(match below.next() {
                Some(((table, _), _)) => format!(
                    "names: {name:?} is a row of {table}, which is kept with what it hangs on, a row of {}",
                    above(schema, table)
                ),
                None => told(
                    "names: no row that is meant has the name",
                    name,
                    names.iter().copied(),
                ),
            });
        }
        if let Some(owner) = &selection.owner {
            let owners = self.rows.values();
            let owners = owners.filter_map(|row| row.get("external_ids")?.get_str(OWNER_KEY));
            let owners: BTreeSet<&str> = owners.collect();
            if !owners.contains(owner.as_str()) {
                faults.push(told("owner: no row belongs to", owner, owners));
            }
        }
        faults
    }

    /// What is wrong with other names for these rows.
    pub fn unmapped(&self, mapping: &BTreeMap<String, String>) -> Vec<String> {
        if mapping.is_empty() {
            return Vec::new();
        }
        let names: BTreeSet<&str> = self.rows.values().filter_map(name_of).collect();
        let uuids: BTreeSet<String> = self.rows.keys().map(|(_, uuid)| uuid.to_string()).collect();
        let unknown = mapping
            .keys()
            .filter(|word| !names.contains(word.as_str()) && !uuids.contains(*word));
        unknown
            .map(|word| {
                told(
                    "no row that comes back has the name or UUID",
                    word,
                    names.iter().copied(),
                )
            })
            .collect()
    }
}

fn told<'a>(what: &str, word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = purlin_config::nearest(word, known);
    let guess = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
    format!("{what} {word:?}{guess}")
}

/// The tables whose rows hold rows of this one.
fn above(schema: &DatabaseSchema, table: &str) -> String {
    let above: BTreeSet<&str> = references(schema)
        .filter(|reference| reference.strong && reference.to == table)
        .map(|reference| reference.table)
        .collect();
    above.into_iter().collect::<Vec<_>>().join(" or ")
}
