//! Mirrors.

use super::words::{MIRROR, delete_one_or_all, direction};
use crate::address::normal_address;
use crate::context::{Context, fail};
use crate::syntax::{Looks, Mode, Syntax};
use purlin_ovsdb::text::integer;

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "mirror-add",
        min: 5,
        max: 5,
        arguments: "NAME TYPE INDEX FILTER IP",
        options: "--may-exist",
        mode: Mode::Writes,
        looks: Looks::At("Mirror name"),
        run: add,
    },
    Syntax {
        name: "mirror-del",
        min: 0,
        max: 1,
        arguments: "[NAME]",
        options: "",
        mode: Mode::Writes,
        looks: Looks::At("Mirror name"),
        run: |ctx| delete_one_or_all(ctx, MIRROR.table),
    },
    Syntax {
        name: "mirror-list",
        min: 0,
        max: 0,
        arguments: "",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At("Mirror name filter index sink type"),
        run: list,
    },
];

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let name = ctx.arg(1);
    if !ctx.named(MIRROR.table, "name", name).is_empty() {
        return fail(format!("Mirror with {name} name already exists."));
    }
    let kind = match ctx.arg(2) {
        text if text.starts_with('g') => "gre",
        text if text.starts_with('e') => "erspan",
        text => return fail(format!("{text}: type must be \"gre\" or \"erspan\"")),
    };
    let index = integer(ctx.arg(3)).ok_or("Invalid Index")?;
    let filter = direction(ctx.arg(4), "selection")?;
    let sink = ctx.arg(5);
    if normal_address(sink).is_none() {
        return fail(format!("Invalid sink ip: {sink}"));
    }
    let row = ctx.insert(MIRROR.table);
    ctx.set(row, "name", name);
    ctx.set(row, "index", index);
    ctx.set(row, "filter", filter);
    ctx.set(row, "type", kind);
    ctx.set(row, "sink", sink);
    Ok(())
}

fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let mut rows = ctx.rows(MIRROR.table);
    rows.sort_by_key(|row| ctx.text(*row, "name"));
    for row in rows {
        let text = |column| ctx.text(row, column);
        let (name, kind, sink, filter) = (text("name"), text("type"), text("sink"), text("filter"));
        let index = ctx.integer(row, "index");
        ctx.line(format!("{name}:"));
        ctx.line(format!("  Type     :  {kind}"));
        ctx.line(format!("  Sink     :  {sink}"));
        ctx.line(format!("  Filter   :  {filter}"));
        ctx.line(format!("  Index/Key:  {index}\n"));
    }
    Ok(())
}
