//! DHCP options.

use crate::address::cidr;
use crate::context::{Context, Row, fail, key_values};
use crate::syntax::{Looks, MANY, Mode, Syntax};
use purlin_ovsdb::Uuid;

const TABLE: &str = "DHCP_Options";

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "dhcp-options-create",
        min: 1,
        max: MANY,
        arguments: "CIDR [EXTERNAL:IDS]",
        options: "",
        mode: Mode::Writes,
        looks: Looks::At(""),
        run: create,
    },
    Syntax {
        name: "dhcp-options-del",
        min: 1,
        max: 1,
        arguments: "DHCP_OPT_UUID",
        options: "",
        mode: Mode::Writes,
        looks: Looks::At("DHCP_Options"),
        run: |ctx| {
            let options = get(ctx, ctx.arg(1))?;
            ctx.delete(options);
            Ok(())
        },
    },
    Syntax {
        name: "dhcp-options-list",
        min: 0,
        max: 0,
        arguments: "",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At("DHCP_Options cidr"),
        run: |ctx| {
            let mut rows = ctx.rows(TABLE);
            rows.sort_by_key(|row| ctx.text(*row, "cidr"));
            rows.into_iter().for_each(|row| ctx.line(row.uuid.to_string()));
            Ok(())
        },
    },
    Syntax {
        name: "dhcp-options-set-options",
        min: 1,
        max: MANY,
        arguments: "DHCP_OPT_UUID KEY=VALUE [KEY=VALUE]...",
        options: "",
        mode: Mode::Writes,
        looks: Looks::At("DHCP_Options options"),
        run: |ctx| {
            let options = get(ctx, ctx.arg(1))?;
            ctx.set(options, "options", key_values(ctx.args(2)));
            Ok(())
        },
    },
    Syntax {
        name: "dhcp-options-get-options",
        min: 1,
        max: 1,
        arguments: "DHCP_OPT_UUID",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At("DHCP_Options options"),
        run: |ctx| {
            let options = get(ctx, ctx.arg(1))?;
            for (key, value) in ctx.pairs(options, "options") {
                ctx.line(format!("{key}={value}"));
            }
            Ok(())
        },
    },
];

/// The options of this UUID.
pub(super) fn get(ctx: &Context<'_, '_>, id: &str) -> Result<Row, String> {
    match Uuid::parse(id).filter(|uuid| ctx.work.has(TABLE, *uuid)) {
        Some(uuid) => Ok(Row { table: TABLE, uuid }),
        None => fail(format!("{id}: dhcp options UUID not found")),
    }
}

fn create(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let text = ctx.arg(1);
    if cidr(text).is_none() {
        return fail(format!("Invalid cidr format '{text}'"));
    }
    let options = ctx.insert(TABLE);
    ctx.set(options, "cidr", text);
    ctx.set(options, "external_ids", key_values(ctx.args(2)));
    Ok(())
}
