//! Rows by the words that people use for them.

use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_ovn_core::model::{NAME_KEY, State, label_column};
use purlin_ovsdb::{Atom, Uuid};
use std::collections::HashMap;

/// Names of which the nearest is looked for when there is none of a name.
const COMPARED: usize = 10_000;

/// Why a word stands for no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lost {
    Nobody { near: Option<String> },
    Many(Vec<Uuid>),
}

/// Words that stand for rows of the same request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aliases(pub(crate) HashMap<String, (String, Uuid)>);

impl Aliases {
    pub(crate) fn find(&self, state: &State<'_>, table: &str, word: &str) -> Result<Uuid, Lost> {
        let own = self.0.get(word.strip_prefix('$').unwrap_or(word));
        match own {
            Some((of, uuid)) if of == table => Ok(*uuid),
            _ => find(state, table, word),
        }
    }
}

/// The row of a table that a word stands for: its UUID, its name, or what is shown in place of one.
pub(crate) fn find(state: &State<'_>, table: &str, word: &str) -> Result<Uuid, Lost> {
    if let Some(uuid) = Uuid::parse(word).filter(|uuid| state.contains(table, *uuid)) {
        return Ok(uuid);
    }
    let schema = state.schema().table(table);
    let has = |column: &str| schema.is_some_and(|schema| schema.column(column).is_some());
    let by_column = |column: &str| match has(column) && !word.is_empty() {
        true => state.find(table, column, &Atom::from(word)),
        false => Vec::new(),
    };
    let mut found = by_column("name");
    if found.is_empty() && has("external_ids") {
        found = state.find_key(table, "external_ids", NAME_KEY, word);
    }
    for column in [
        label_column(table).unwrap_or_default(),
        "logical_port",
        "hostname",
    ] {
        if found.is_empty() && column != "name" {
            found = by_column(column);
        }
    }
    match found.as_slice() {
        [] => Err(Lost::Nobody {
            near: near(state, table, word),
        }),
        [one] => Ok(*one),
        _ => Err(Lost::Many(found)),
    }
}

fn near(state: &State<'_>, table: &str, word: &str) -> Option<String> {
    let uuids = state.uuids(table).into_iter().take(COMPARED);
    let names: Vec<String> = uuids.map(|uuid| state.label(table, uuid)).collect();
    purlin_config::nearest(word, names.iter().map(String::as_str)).map(str::to_owned)
}

/// The word by which a row is found again: its name where that is nobody else's, else its UUID.
pub(crate) fn word(state: &State<'_>, table: &str, uuid: Uuid) -> String {
    let name = state.text(table, uuid, "name").filter(|name| !name.is_empty());
    if let Some(name) = name
        && state.find(table, "name", &Atom::from(name)).len() == 1
    {
        return name.to_owned();
    }
    let ids = state.value(table, uuid, "external_ids");
    if let Some(name) = ids.and_then(|ids| ids.get_str(NAME_KEY))
        && state.find_key(table, "external_ids", NAME_KEY, name).len() == 1
    {
        return name.to_owned();
    }
    uuid.to_string()
}

/// The row that a path names.
pub(crate) fn of_path(state: &State<'_>, one: &str, table: &str, word: &str) -> Result<Uuid, Problem> {
    find(state, table, word).map_err(|lost| match lost {
        Lost::Nobody { near: None } => Problem::no_such(one, word),
        Lost::Nobody { near: Some(near) } => {
            let detail = format!("there is no {one} {word:?}; did you mean {near:?}?");
            let reason = &purlin_api::reasons::NO_SUCH_OBJECT;
            Problem::new(StatusCode::NOT_FOUND, reason, detail).with("nearest", near)
        }
        Lost::Many(uuids) => {
            let detail = format!(
                "{} rows of {table} are called {word:?}: say which by its UUID",
                uuids.len()
            );
            let uuids: Vec<String> = uuids.iter().map(Uuid::to_string).collect();
            Problem::not_possible(detail).with("uuids", uuids)
        }
    })
}

/// In the words of a fault.
pub(crate) fn lost(lost: &Lost, table: &str, word: &str) -> String {
    match lost {
        Lost::Nobody { near: Some(near) } => {
            format!("there is no {table} {word:?}; did you mean {near:?}?")
        }
        Lost::Nobody { near: None } => format!("there is no {table} {word:?}; expected a name or a UUID"),
        Lost::Many(uuids) => {
            let uuids: Vec<String> = uuids.iter().map(Uuid::to_string).collect();
            format!(
                "{} rows of {table} are called {word:?}; say which by its UUID: {}",
                uuids.len(),
                uuids.join(", ")
            )
        }
    }
}

/// 404 where the database's schema has no such table: OVN may be older than this program.
pub(crate) fn known(state: &State<'_>, table: &str) -> Result<(), Problem> {
    match state.schema().table(table) {
        Some(_) => Ok(()),
        None => {
            let detail = format!(
                "this OVN (schema {}) has no table {table}",
                state.schema().version
            );
            Err(Problem::new(
                StatusCode::NOT_FOUND,
                &reasons::NO_SUCH_TABLE,
                detail,
            ))
        }
    }
}
