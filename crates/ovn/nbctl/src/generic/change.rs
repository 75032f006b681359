//! `set`, `add`, `remove`, `clear`, `create`, `destroy`.

use super::column::{self, Head, any_number, is_new, must_change, set_column};
use super::{look, lookup};
use crate::context::{Context, Row, fail};
use crate::needs::Needs;
use crate::syntax::Command;
use purlin_ovsdb::text;
use purlin_ovsdb::{Atom, ColumnType, Datum, Mutation, Uuid};

const MODULE: &str = "db_ctl_base";

pub(super) fn needs_of_table(command: &Command, needs: &mut Needs) -> Result<(), String> {
    look::need_rows(&command.argv[1], needs).map(drop)
}

/// `TABLE RECORD COLUMN[:KEY]=VALUE...`.
pub(super) fn needs_of_pairs(command: &Command, needs: &mut Needs) -> Result<(), String> {
    let table = look::need_rows(&command.argv[1], needs)?;
    let mut arguments = command.argv[3..].iter();
    arguments.try_for_each(|argument| column::need(table, argument, needs))
}

/// `TABLE RECORD COLUMN VALUE...`.
pub(super) fn needs_of_one(command: &Command, needs: &mut Needs) -> Result<(), String> {
    let table = look::need_rows(&command.argv[1], needs)?;
    needs.column(table, lookup::column(table, &command.argv[3])?);
    Ok(())
}

/// `TABLE RECORD COLUMN...`.
pub(super) fn needs_of_columns(command: &Command, needs: &mut Needs) -> Result<(), String> {
    let table = look::need_rows(&command.argv[1], needs)?;
    for typed in &command.argv[3..] {
        needs.column(table, lookup::column(table, typed)?);
    }
    Ok(())
}

/// Nothing is looked at; but the table must be one.
pub(super) fn needs_of_create(command: &Command, _: &mut Needs) -> Result<(), String> {
    lookup::table(&command.argv[1]).map(drop)
}

/// The row that a command is about; none where it need not be there.
fn target(ctx: &Context<'_, '_>) -> Result<Option<Row>, String> {
    let (table, _) = lookup::table(ctx.arg(1))?;
    if ctx.has("--if-exists") {
        return ctx.row(table, ctx.arg(2));
    }
    ctx.must_row(table, ctx.arg(2)).map(Some)
}

pub(super) fn set(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let Some(row) = target(ctx)? else { return Ok(()) };
    let last = ctx.last;
    ctx.args(3)
        .iter()
        .try_for_each(|argument| set_column(ctx, row, argument, last))
}

/// The column that `add` and `remove` are about. Its name is looked at before the row is.
fn target_column<'a>(ctx: &Context<'a, '_>) -> Result<Option<(Row, Head<'a>)>, String> {
    let (table, _) = lookup::table(ctx.arg(1))?;
    let name = lookup::column(table, ctx.arg(3))?;
    let Some(row) = target(ctx)? else { return Ok(None) };
    let head = column::head(table, name)?;
    must_change(ctx, row, &head)?;
    Ok(Some((row, Head { rest: "", ..head })))
}

fn word(kind: &ColumnType) -> &'static str {
    if kind.value.is_some() { "pairs" } else { "values" }
}

pub(super) fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let Some((row, head)) = target_column(ctx)? else {
        return Ok(());
    };
    let (column, kind) = (head.column, &head.schema.kind);
    let left_to_server = ctx.last && !is_new(ctx, row);
    let mut all = if left_to_server {
        Datum::EMPTY
    } else {
        ctx.value(row, column)
    };
    for argument in ctx.args(4) {
        let more = text::datum(&any_number(kind, 1), argument, ctx.symbols)?;
        all = union(&all, &more, kind);
    }
    if left_to_server {
        let old = ctx.value(row, column);
        for (key, value) in all.pairs() {
            replace_key(ctx, row, column, &old, key, value);
        }
        if !all.atoms().is_empty() {
            let more = Mutation::insert(column, all);
            ctx.work.mutate(row.table, row.uuid, more);
        }
        return Ok(());
    }
    if kind.max != ColumnType::UNLIMITED && all.len() > kind.max as usize {
        return fail(format!(
            "\"add\" operation would put {} {} in column {column} of table {} but the maximum number is {}",
            all.len(),
            word(kind),
            row.table,
            kind.max
        ));
    }
    ctx.verify(row, column);
    ctx.set(row, column, all);
    Ok(())
}

/// A key that is there already gets its value only by going first.
fn replace_key(ctx: &mut Context<'_, '_>, row: Row, column: &str, old: &Datum, key: &Atom, value: &Atom) {
    match old.get(key) {
        Some(same) if same == value => return,
        Some(_) => {
            let gone = Mutation::delete(column, Datum::set([key.clone()]));
            ctx.work.mutate(row.table, row.uuid, gone);
        }
        None => {}
    }
    let came = Mutation::insert(column, Datum::map([(key.clone(), value.clone())]));
    ctx.work.mutate(row.table, row.uuid, came);
}

/// Both together; a key that both have keeps the first value.
fn union(a: &Datum, b: &Datum, kind: &ColumnType) -> Datum {
    if kind.value.is_some() {
        return Datum::map(b.pairs().iter().chain(a.pairs()).cloned());
    }
    Datum::set(a.atoms().iter().chain(b.atoms()).cloned())
}

pub(super) fn remove(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let Some((row, head)) = target_column(ctx)? else {
        return Ok(());
    };
    let (column, kind) = (head.column, &head.schema.kind);
    let mut rest = ctx.value(row, column);
    let pairs = any_number(kind, 1);
    let keys = ColumnType {
        value: None,
        ..pairs.clone()
    };
    for argument in ctx.args(4) {
        let gone = match text::datum(&pairs, argument, ctx.symbols) {
            Err(_) if kind.value.is_some() => text::datum(&keys, argument, ctx.symbols)?,
            other => other?,
        };
        rest = without(&rest, &gone);
    }
    if rest.len() < kind.min as usize {
        return fail(format!(
            "\"remove\" operation would put {} {} in column {column} of table {} but the minimum number is {}",
            rest.len(),
            word(kind),
            row.table,
            kind.min
        ));
    }
    ctx.verify(row, column);
    ctx.set(row, column, rest);
    Ok(())
}

fn without(all: &Datum, gone: &Datum) -> Datum {
    if matches!(all, Datum::Map(_)) {
        let goes = |(key, value): &(Atom, Atom)| gone.contains(key) || gone.get(key) == Some(value);
        return Datum::map(all.pairs().iter().filter(|pair| !goes(pair)).cloned());
    }
    Datum::set(all.atoms().iter().filter(|atom| !gone.contains(atom)).cloned())
}

pub(super) fn clear(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let Some(row) = target(ctx)? else { return Ok(()) };
    for typed in ctx.args(3) {
        let name = lookup::column(row.table, typed)?;
        let head = column::head(row.table, name)?;
        must_change(ctx, row, &head)?;
        if head.schema.kind.min > 0 {
            return fail(format!(
                "\"clear\" operation cannot be applied to column {name} of table {}, which is not allowed to be empty",
                row.table
            ));
        }
        ctx.set(row, name, Datum::EMPTY);
    }
    Ok(())
}

pub(super) fn create(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let (table, schema) = lookup::table(ctx.arg(1))?;
    let row = match ctx.option("--id") {
        None => {
            if !schema.root {
                let text = format!(
                    "applying \"create\" command to table {table} without --id option will have no effect"
                );
                ctx.warn(MODULE, text);
            }
            ctx.insert(table)
        }
        Some(id) if Uuid::parse(id).is_some() => {
            let uuid = Uuid::parse(id).unwrap_or_default();
            ctx.work.insert_as(table, uuid);
            Row { table, uuid }
        }
        Some(id) => {
            let (uuid, _) = ctx.symbols.create(id)?;
            if schema.root {
                ctx.symbols.keep(id);
            }
            ctx.work.insert(table, uuid);
            Row { table, uuid }
        }
    };
    for argument in ctx.args(2) {
        set_column(ctx, row, argument, false)?;
    }
    ctx.created = Some(row.uuid);
    Ok(())
}

pub(super) fn destroy(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let (all, if_exists) = (ctx.has("--all"), ctx.has("--if-exists"));
    let (table, _) = lookup::table(ctx.arg(1))?;
    if all && ctx.count() > 1 {
        return fail("--all and records argument should not be specified together");
    }
    if all && if_exists {
        return fail("--all and --if-exists should not be specified together");
    }
    if !all && ctx.count() == 1 {
        ctx.warn(MODULE, "either --all or records argument should be specified");
        return Ok(());
    }
    if all {
        for row in ctx.rows(table) {
            ctx.delete(row);
        }
    }
    for typed in ctx.args(2) {
        match ctx.row(table, typed)? {
            Some(row) => ctx.delete(row),
            None if if_exists => {}
            None => ctx.must_row(table, typed).map(drop)?,
        }
    }
    Ok(())
}
