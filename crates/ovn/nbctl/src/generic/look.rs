//! `get`, `list`, `find`, `wait-until`.

use super::{column, compare, lookup};
use crate::context::{Context, Row, fail};
use crate::needs::Needs;
use crate::syntax::Command;
use crate::table::Table;
use purlin_ovn_core::model::nb_schema;
use purlin_ovsdb::text;
use purlin_ovsdb::types::AtomicType;
use purlin_ovsdb::{ColumnType, Datum};

/// What finding rows of a table takes.
pub(super) fn need_rows(typed: &str, needs: &mut Needs) -> Result<&'static str, String> {
    let (table, _) = lookup::table(typed)?;
    needs.table(table);
    for way in lookup::ways(table) {
        let (at, name) = way.name;
        needs.column(at, name);
        if let Some(through) = way.through {
            needs.column(at, through);
        }
    }
    Ok(table)
}

fn is_uuid(argument: &str) -> bool {
    argument.eq_ignore_ascii_case("_uuid") || argument.eq_ignore_ascii_case("-uuid")
}

pub(super) fn needs_of_get(command: &Command, needs: &mut Needs) -> Result<(), String> {
    let table = need_rows(&command.argv[1], needs)?;
    let columns = command.argv[3..].iter().filter(|argument| !is_uuid(argument));
    columns
        .into_iter()
        .try_for_each(|argument| column::need(table, argument, needs))
}

pub(super) fn get(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let (id, if_exists) = (ctx.option("--id"), ctx.has("--if-exists"));
    if id.is_some() && if_exists {
        return fail("--if-exists and --id may not be specified together");
    }
    let (table, _) = lookup::table(ctx.arg(1))?;
    let row = match ctx.row(table, ctx.arg(2))? {
        Some(row) => row,
        None if if_exists => return Ok(()),
        None => ctx.must_row(table, ctx.arg(2))?,
    };
    if let Some(id) = id {
        let (_, new) = ctx.symbols.create(id)?;
        if !new {
            return fail(format!(
                "row id \"{id}\" specified on \"get\" command was used before it was defined"
            ));
        }
        ctx.symbols.name_row(id, row.uuid);
    }
    for argument in ctx.args(3) {
        if is_uuid(argument) {
            ctx.line(row.uuid.to_string());
        } else {
            get_one(ctx, row, argument, if_exists)?;
        }
    }
    Ok(())
}

fn get_one(ctx: &mut Context<'_, '_>, row: Row, argument: &str, if_exists: bool) -> Result<(), String> {
    let head = column::whole(row.table, argument)?;
    let (column, kind) = (head.column, &head.schema.kind);
    ctx.verify(row, column);
    let value = ctx.value(row, column);
    let Some(key) = &head.key else {
        ctx.line(text::datum_text(&value, kind));
        return Ok(());
    };
    if kind.value.is_none() {
        return fail(format!("cannot specify key to get for non-map column {column}"));
    }
    let atom = text::atom(&kind.key, key, ctx.symbols)?;
    match value.get(&atom) {
        Some(found) => ctx.line(text::quoted(found)),
        None if if_exists => ctx.line(""),
        None => {
            let (table, record) = (row.table, ctx.arg(2));
            return fail(format!(
                "no key \"{key}\" in {table} record \"{record}\" column {column}"
            ));
        }
    }
    Ok(())
}

/// The columns that a table is to be shown with; `None` is `_uuid`.
fn columns(table: &'static str, wanted: Option<&str>) -> Result<Vec<Option<&'static str>>, String> {
    let Some(wanted) = wanted else {
        let schema = nb_schema().table(table).expect("a table of the schema");
        let all = schema.columns.keys().map(|name| Some(name.as_str()));
        return Ok(std::iter::once(None).chain(all).collect());
    };
    let names = wanted.split([',', ' ']).filter(|name| !name.is_empty());
    let column = |name: &str| match name.eq_ignore_ascii_case("_uuid") {
        true => Ok(None),
        false => lookup::column(table, name).map(Some),
    };
    let columns: Vec<_> = names.map(column).collect::<Result<_, _>>()?;
    if columns.is_empty() {
        return fail("must specify at least one column name");
    }
    Ok(columns)
}

pub(super) fn needs_of_list(command: &Command, needs: &mut Needs) -> Result<(), String> {
    let table = need_rows(&command.argv[1], needs)?;
    let columns = columns(table, command.option("--columns"))?;
    columns
        .into_iter()
        .flatten()
        .for_each(|column| needs.column(table, column));
    Ok(())
}

pub(super) fn needs_of_find(command: &Command, needs: &mut Needs) -> Result<(), String> {
    needs_of_list(command, needs)?;
    let (table, _) = lookup::table(&command.argv[1])?;
    let conditions = command.argv[2..].iter();
    conditions
        .into_iter()
        .try_for_each(|argument| column::need(table, argument, needs))
}

fn shown(ctx: &Context<'_, '_>, row: Row, columns: &[Option<&'static str>]) -> Vec<(Datum, ColumnType)> {
    let schema = nb_schema().table(row.table).expect("a table of the schema");
    let cell = |column: &Option<&str>| match column {
        None => (Datum::from(row.uuid), AtomicType::Uuid.into()),
        Some(name) => {
            let kind = schema.column(name).expect("a column of the schema").kind.clone();
            (ctx.value(row, name), kind)
        }
    };
    columns.iter().map(cell).collect()
}

fn table_of(columns: &[Option<&'static str>], rows: Vec<Vec<(Datum, ColumnType)>>) -> Table {
    let headings = columns.iter().map(|column| column.unwrap_or("_uuid").to_owned());
    Table {
        headings: headings.collect(),
        rows,
    }
}

pub(super) fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let (table, _) = lookup::table(ctx.arg(1))?;
    let columns = columns(table, ctx.option("--columns"))?;
    let mut rows = Vec::new();
    for typed in ctx.args(2) {
        match ctx.row(table, typed)? {
            Some(row) => rows.push(row),
            None if ctx.has("--if-exists") => {}
            None => rows.push(ctx.must_row(table, typed)?),
        }
    }
    if ctx.count() < 2 {
        rows = ctx.rows(table);
    }
    let rows = rows.into_iter().map(|row| shown(ctx, row, &columns)).collect();
    ctx.table = Some(table_of(&columns, rows));
    Ok(())
}

pub(super) fn find(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let (table, _) = lookup::table(ctx.arg(1))?;
    let columns = columns(table, ctx.option("--columns"))?;
    let mut found = Vec::new();
    for row in ctx.rows(table) {
        if all_hold(ctx, row, 2)? {
            found.push(shown(ctx, row, &columns));
        }
    }
    ctx.table = Some(table_of(&columns, found));
    Ok(())
}

/// Whether a row meets the conditions from this argument on.
fn all_hold(ctx: &mut Context<'_, '_>, row: Row, from: usize) -> Result<bool, String> {
    for condition in ctx.args(from) {
        if !compare::holds(ctx, row, condition)? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn wait_until(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let (table, _) = lookup::table(ctx.arg(1))?;
    ctx.again = match ctx.row(table, ctx.arg(2))? {
        Some(row) => !all_hold(ctx, row, 3)?,
        None => true,
    };
    Ok(())
}
