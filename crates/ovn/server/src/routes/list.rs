//! Which rows of a table, in which order, with which members: the parameters of every list of rows.

use super::find;
use crate::lists::{Filter, List};
use crate::orders::By;
use crate::platform::Side;
use crate::shown::{self, Fields};
use purlin_api::asked::Asked;
use purlin_api::route::Draft;
use purlin_api::{Problem, schema};
use purlin_ovn_core::model::{State, object};
use purlin_ovsdb::cache::Index;
use purlin_ovsdb::value::Names;
use purlin_ovsdb::{Atom, AtomicType, BaseType, ColumnSchema, Datum, TableSchema, Uuid};
use serde_json::Value;
use std::fmt::Write;
use std::str::FromStr;

const KNOWN: [&str; 6] = ["name", "owned_by", "sort", "fields", "cursor", "limit"];

/// The columns by which people call rows.
pub(super) const NAMES: [&str; 3] = ["name", "logical_port", "hostname"];

/// The parameters of a list of rows.
pub(super) fn parameters<S>(draft: Draft<S>) -> Draft<S> {
    draft
        .query("name", schema::word("Only rows of this name; in the southbound also by logical port or host name."))
        .any_query(
            "columns",
            "COLUMN=VALUE: only rows that have this value in the column, as an element of its set or as a key of its map. COLUMN:KEY=VALUE: only rows whose map has this value under the key. Columns that the copy has no index for are looked through once, and are quick from then on.",
        )
        .query(
            "sort",
            schema::matching("^-?[a-z0-9_]+$", "Column of one value to sort by, with a minus the greatest first; by UUID when absent."),
        )
        .query(
            "fields",
            schema::string("Comma-separated columns and members with an underscore (_uuid, _etag, _owner, _parent) to answer with; all when absent."),
        )
        .query("cursor", schema::string("next_cursor of the page before; the other parameters stay as they were."))
        .limited("Rows per page; 100 when absent.")
}

/// Where a sorted or unsorted list goes on. `UUID`, or `UUID.VALUE` with the value's JSON in hexadecimal.
struct Cursor(Uuid, Option<Value>);

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (uuid, value) = match text.split_once('.') {
            None => (text, None),
            Some((uuid, value)) => (uuid, Some(value)),
        };
        let value = value.map(|value| serde_json::from_slice(&unhex(value)?).map_err(drop));
        Ok(Self(Uuid::parse(uuid).ok_or(())?, value.transpose()?))
    }
}

fn unhex(text: &str) -> Result<Vec<u8>, ()> {
    let pairs = text.as_bytes().chunks(2);
    let octet = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).map_err(drop)?;
        u8::from_str_radix(pair, 16).map_err(drop)
    };
    pairs.map(octet).collect()
}

/// The cursor behind this row.
pub(super) fn written(uuid: Uuid, value: Option<&Datum>) -> String {
    let mut text = uuid.to_string();
    if let Some(value) = value {
        text.push('.');
        for octet in value.to_json().to_string().bytes() {
            write!(text, "{octet:02x}").expect("a String takes everything");
        }
    }
    text
}

/// One page of a table.
pub(super) async fn page(side: &Side, name: &str, asked: &Asked) -> Result<Value, Problem> {
    let (schema, snapshot) = side.read().await?;
    let table = find::table(&schema, name)?;
    let sort = asked
        .text("sort")
        .map(|word| sorted(name, table, word))
        .transpose()?;
    let after = after(asked, table, sort.as_ref().map(|(column, _)| column.as_str()))?;
    let list = List {
        table: name,
        filters: filters(name, table, asked)?,
        sort,
        after,
        limit: asked.limit()?,
    };
    let fields = Fields::of(asked.written("fields"), name, table)?;
    let page = list.page(&schema, &side.orders, &snapshot.clone().into());
    let state = State::new(&schema, &page.database);
    let items = page.rows.iter();
    let items: Vec<Value> = items
        .filter_map(|uuid| shown::members(&state, name, *uuid, &fields))
        .collect();
    let last = page.rows.last().filter(|_| page.more).map(|uuid| {
        let column = list.sort.as_ref().map(|(column, _)| column);
        written(*uuid, column.and_then(|column| state.value(name, *uuid, column)))
    });
    Ok(object([("items", items.into()), ("next_cursor", last.into())]))
}

/// Where the page begins: behind which row, and which value of the column that the list is sorted by.
pub(super) fn after(
    asked: &Asked,
    table: &TableSchema,
    sort: Option<&str>,
) -> Result<Option<(Datum, Uuid)>, Problem> {
    match (asked.cursor::<Cursor>()?, sort) {
        (None, _) => Ok(None),
        (Some(Cursor(uuid, None)), None) => Ok(Some((Datum::EMPTY, uuid))),
        (Some(Cursor(uuid, Some(value))), Some(column)) => {
            let kind = table.column(column).map(|column| &column.kind);
            let value = kind.and_then(|kind| Datum::parse(kind, &value, Names::Refused).ok());
            Ok(Some((value.ok_or_else(other_list)?, uuid)))
        }
        _ => Err(other_list()),
    }
}

fn other_list() -> Problem {
    Problem::parameter("cursor is of a list that is sorted otherwise")
}

fn filters(name: &str, table: &TableSchema, asked: &Asked) -> Result<Vec<Filter>, Problem> {
    let mut filters = Vec::new();
    if let Some(word) = asked.text("name") {
        let columns = NAMES.iter().filter(|column| table.column(column).is_some());
        let found = |column: &&str| (By::Found(Index::column(column)), Atom::from(word));
        let ways: Vec<_> = columns.map(found).collect();
        if ways.is_empty() {
            return Err(unknown(name, "name", table));
        }
        filters.push(Filter::Has(ways));
    }
    if let Some(owner) = asked.text("owned_by") {
        filters.push(Filter::OwnedBy(owner.to_owned()));
    }
    for (word, value) in asked.others(&KNOWN) {
        let (column, key) = match word.split_once(':') {
            Some((column, key)) => (column, Some(key)),
            None => (word, None),
        };
        let known = table.column(column).ok_or_else(|| unknown(name, column, table))?;
        let (index, base) = way(name, column, key, known)?;
        let atom = atom(base.atomic, value).ok_or_else(|| {
            let kind = base.atomic;
            Problem::parameter(format!(
                "{word}={value:?} is not valid; {name}.{column} holds values of type {kind}"
            ))
        })?;
        among(base, word, &atom)?;
        filters.push(Filter::Has(vec![(By::Found(index), atom)]));
    }
    Ok(filters)
}

/// A value that no row can have is a misspelt one: an empty list would hide that.
pub(super) fn among(base: &BaseType, parameter: &str, atom: &Atom) -> Result<(), Problem> {
    let Some(allowed) = base.allowed.as_ref().filter(|allowed| !allowed.contains(atom)) else {
        return Ok(());
    };
    let words = |atom: &Atom| {
        atom.as_str()
            .map_or_else(|| atom.to_json().to_string(), str::to_owned)
    };
    let known: Vec<String> = allowed.atoms().iter().map(words).collect();
    let told = words(atom);
    let detail = format!(
        "{parameter}={told:?} is not valid; expected one of {}",
        known.join(", ")
    );
    Err(Problem::parameter(detail))
}

fn way<'k>(
    name: &str,
    column: &str,
    key: Option<&str>,
    known: &'k ColumnSchema,
) -> Result<(Index, &'k BaseType), Problem> {
    match (key, &known.kind.value) {
        (None, _) => Ok((Index::column(column), &known.kind.key)),
        (Some(key), Some(value)) => Ok((Index::key(column, key), value)),
        (Some(_), None) => Err(Problem::parameter(format!(
            "{name}.{column} is no map: ask for {column}=VALUE"
        ))),
    }
}

/// A value of a column, out of a parameter.
pub(super) fn atom(kind: AtomicType, text: &str) -> Option<Atom> {
    Some(match kind {
        AtomicType::Integer => Atom::Integer(text.parse().ok()?),
        AtomicType::Real => Atom::Real(text.parse().ok()?),
        AtomicType::Boolean => Atom::Boolean(text.parse().ok()?),
        AtomicType::String => Atom::from(text),
        AtomicType::Uuid => Atom::Uuid(Uuid::parse(text)?),
    })
}

fn sorted(name: &str, table: &TableSchema, word: &str) -> Result<(String, bool), Problem> {
    let (column, down) = match word.strip_prefix('-') {
        Some(column) => (column, true),
        None => (word, false),
    };
    let known = table.column(column).ok_or_else(|| unknown(name, column, table))?;
    if known.kind.max > 1 || known.kind.value.is_some() {
        let detail = format!("{name}.{column} holds many values; lists are sorted by a column of one");
        return Err(Problem::parameter(detail));
    }
    Ok((column.to_owned(), down))
}

/// A word that is neither a parameter nor a column.
pub(crate) fn unknown(name: &str, word: &str, table: &TableSchema) -> Problem {
    if shown::ABOUT.contains(&word) {
        let detail = format!(
            "{word} stands beside the columns of {name}, and lists are not filtered or sorted by it; one row is at its UUID, \
             below the path of the list, and those of an owner come with owned_by=NAME"
        );
        return Problem::parameter(detail).with("unknown", word);
    }
    let known = || {
        table
            .columns
            .keys()
            .map(String::as_str)
            .chain(KNOWN)
            .chain(shown::ABOUT)
    };
    let near = purlin_config::nearest(word, known());
    let guess = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
    Problem::parameter(format!("{name} has no column {word:?}{guess}"))
        .with("unknown", word)
        .with("nearest", near)
}
