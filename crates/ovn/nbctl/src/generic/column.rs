//! `COLUMN[:KEY]` and `COLUMN[:KEY]=VALUE` as commands take them.

use super::lookup;
use crate::context::{Context, Row, fail};
use crate::needs::Needs;
use purlin_ovn_core::model::nb_schema;
use purlin_ovsdb::text::{self, Token, token};
use purlin_ovsdb::{ColumnSchema, ColumnType, Datum, Mutation};

/// `COLUMN[:KEY]` of an argument, and what follows it.
pub(super) struct Head<'a> {
    pub(super) column: &'static str,
    pub(super) schema: &'static ColumnSchema,
    pub(super) key: Option<String>,
    pub(super) rest: &'a str,
}

/// Reads `COLUMN[:KEY]`.
pub(super) fn head<'a>(table: &'static str, argument: &'a str) -> Result<Head<'a>, String> {
    let Token { text, mut rest } = token(argument)?;
    if text.is_empty() {
        return fail(format!("{argument}: missing column name"));
    }
    let column = lookup::column(table, &text)?;
    let mut key = None;
    if let Some(after) = rest.strip_prefix(':') {
        let Token { text, rest: after } = token(after)?;
        key = Some(text);
        rest = after;
    }
    let schema = nb_schema().table(table).and_then(|table| table.column(column));
    Ok(Head {
        column,
        schema: schema.expect("a column of the schema"),
        key,
        rest,
    })
}

/// Reads `COLUMN[:KEY]` and nothing else.
pub(super) fn whole<'a>(table: &'static str, argument: &'a str) -> Result<Head<'a>, String> {
    let head = head(table, argument)?;
    if head.rest.is_empty() {
        return Ok(head);
    }
    fail(format!(
        "{argument}: trailing garbage \"{}\" in argument",
        head.rest
    ))
}

/// Splits an operator off the rest of an argument: which one of these, and the value after it.
pub(super) fn operator<'a>(
    argument: &str,
    rest: &'a str,
    operators: &[&str],
) -> Result<(usize, &'a str), String> {
    let fits = |(at, operator): (usize, &&str)| {
        let value = rest.strip_prefix(operator).filter(|value| !value.is_empty())?;
        Some((operator.len(), at, value))
    };
    // The longest one wins; of several of a length there is only one that fits.
    let found = operators
        .iter()
        .enumerate()
        .filter_map(fits)
        .max_by_key(|(length, ..)| *length);
    if let Some((_, at, value)) = found {
        return Ok((at, value));
    }
    let mut names: Vec<String> = operators.iter().map(|name| format!("\"{name}\"")).collect();
    let last = names.pop().unwrap_or_default();
    let listed = match names.as_slice() {
        [] => last,
        [one] => format!("{one} or {last}"),
        several => format!("{}, or {last}", several.join(", ")),
    };
    fail(format!(
        "{argument}: argument does not end in {listed} followed by a value."
    ))
}

/// The column that an argument begins with.
pub(super) fn need(table: &'static str, argument: &str, needs: &mut Needs) -> Result<(), String> {
    let Token { text, .. } = token(argument)?;
    if text.is_empty() {
        return fail(format!("{argument}: missing column name"));
    }
    needs.column(table, lookup::column(table, &text)?);
    Ok(())
}

/// Sets `COLUMN[:KEY]=VALUE` in a row. `last` says that nothing of this line looks at the column any more, so that
/// a key can be left to the server.
///
/// # Errors
/// What is wrong with the argument.
pub fn set_column(ctx: &mut Context<'_, '_>, row: Row, argument: &str, last: bool) -> Result<(), String> {
    let head = head(row.table, argument)?;
    let (_, value) = operator(argument, head.rest, &["="])?;
    must_change(ctx, row, &head)?;
    let (column, kind) = (head.column, &head.schema.kind);
    let Some(key) = head.key else {
        let value = text::datum(kind, value, ctx.symbols)?;
        ctx.set(row, column, value);
        return Ok(());
    };
    let Some(base) = &kind.value else {
        return fail(format!("cannot specify key to set for non-map column {column}"));
    };
    let key = text::atom(&kind.key, &key, ctx.symbols)?;
    let value = text::atom(base, value, ctx.symbols)?;
    let old = ctx.value(row, column);
    if last && !is_new(ctx, row) {
        if old.get(&key) == Some(&value) {
            return Ok(());
        }
        if old.get(&key).is_some() {
            let gone = Mutation::delete(column, Datum::set([key.clone()]));
            ctx.work.mutate(row.table, row.uuid, gone);
        }
        let came = Mutation::insert(column, Datum::map([(key, value)]));
        ctx.work.mutate(row.table, row.uuid, came);
        return Ok(());
    }
    ctx.verify(row, column);
    let pairs = old.pairs().iter().cloned().chain([(key, value)]);
    ctx.set(row, column, Datum::map(pairs));
    Ok(())
}

/// Columns that never change may be written in a row that is not there yet.
pub(super) fn must_change(ctx: &Context<'_, '_>, row: Row, head: &Head<'_>) -> Result<(), String> {
    if head.schema.mutable || is_new(ctx, row) {
        return Ok(());
    }
    fail(format!(
        "cannot modify read-only column {} in table {}",
        head.column, row.table
    ))
}

pub(super) fn is_new(ctx: &Context<'_, '_>, row: Row) -> bool {
    ctx.work.is_new(row.table, row.uuid)
}

/// The type with room for any number of elements, at least so many.
pub(super) fn any_number(kind: &ColumnType, least: u32) -> ColumnType {
    ColumnType {
        min: least,
        max: ColumnType::UNLIMITED,
        ..kind.clone()
    }
}
