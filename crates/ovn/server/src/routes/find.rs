//! Tables and rows by the words of a path.

use super::list::NAMES;
use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_ovn_core::model::{Child, State};
use purlin_ovsdb::{Atom, DatabaseSchema, TableSchema, Uuid};

/// A table of the schema.
pub(super) fn table<'s>(schema: &'s DatabaseSchema, name: &str) -> Result<&'s TableSchema, Problem> {
    schema.table(name).ok_or_else(|| {
        let same = schema
            .tables
            .keys()
            .find(|known| known.eq_ignore_ascii_case(name));
        let help = same
            .map(|known| format!("; did you mean {known}?"))
            .unwrap_or_default();
        let detail = format!("{} has no table {name}{help}", schema.name);
        Problem::new(StatusCode::NOT_FOUND, &reasons::NO_SUCH_TABLE, detail)
    })
}

/// A row by UUID, or by what people call it by.
pub(super) fn row(state: &State<'_>, table: &str, word: &str) -> Result<Uuid, Problem> {
    if let Some(uuid) = Uuid::parse(word).filter(|uuid| state.contains(table, *uuid)) {
        return Ok(uuid);
    }
    let known = |column: &&&str| {
        let schema = state.schema().table(table);
        schema.is_some_and(|table| table.column(column).is_some())
    };
    let found = NAMES.iter().filter(known);
    let mut found = found.map(|column| state.find(table, column, &Atom::from(word)));
    match found.find(|rows| !rows.is_empty()).unwrap_or_default().as_slice() {
        [] => Err(Problem::no_such(table, word)),
        [one] => Ok(*one),
        many => {
            let uuids: Vec<String> = many.iter().map(Uuid::to_string).collect();
            let detail = format!(
                "{} rows of {table} have the name {word}: say which by its UUID",
                many.len()
            );
            Err(Problem::not_possible(detail).with("uuids", uuids))
        }
    }
}

/// Where a new row of a table hangs: `TABLE/ROW` or `TABLE/ROW/COLUMN`. None for tables whose rows stand by themselves.
pub(super) fn parent(state: &State<'_>, table: &str, told: Option<&str>) -> Result<Option<Child>, Problem> {
    let Some(told) = told else {
        let schema = state.schema();
        return match self::table(schema, table)?.root {
            true => Ok(None),
            false => Err(Problem::parameter(format!(
                "a row of {table} cannot be by itself: `parent` says where it hangs, one of {}",
                shown(&places(state, table))
            ))),
        };
    };
    let mut words = told.splitn(3, '/');
    let (of, name, column) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
        words.next(),
    );
    let column = place(state, table, of, column)?;
    Ok(Some(Child {
        table: of.to_owned(),
        uuid: row(state, of, name)?,
        column,
    }))
}

/// The column of `of` that rows of `table` hang under.
pub(super) fn place(
    state: &State<'_>,
    table: &str,
    of: &str,
    column: Option<&str>,
) -> Result<String, Problem> {
    let places = places(state, table);
    let mut fitting = places
        .iter()
        .filter(|(table, place)| *table == of && column.is_none_or(|column| column == *place));
    match (fitting.next(), fitting.next()) {
        (Some((_, column)), None) => Ok((*column).to_owned()),
        _ => Err(Problem::parameter(format!(
            "{of} is no place for a row of {table}; expected one of {}",
            shown(&places)
        ))),
    }
}

fn places<'s>(state: &State<'s>, table: &str) -> Vec<(&'s str, &'s str)> {
    let pointing = state.schema().pointing_at(table).iter();
    let strong = pointing.filter(|from| from.strong);
    strong
        .map(|from| (from.table.as_str(), from.column.as_str()))
        .collect()
}

fn shown(places: &[(&str, &str)]) -> String {
    let words: Vec<String> = places
        .iter()
        .map(|(table, column)| format!("{table}/NAME/{column}"))
        .collect();
    words.join(", ")
}
