//! Forwarding groups of switches.

use super::port::switch_of;
use super::words::{FORWARDING_GROUP, PORT, SWITCH};
use crate::address::mac;
use crate::context::{Context, Row, fail, text_set};
use crate::format::{cut, left};
use crate::syntax::{Looks, MANY, Mode, Syntax};
use std::net::Ipv4Addr;

const GROUPS: &str = "Logical_Switch name ports forwarding_groups; Logical_Switch_Port name; \
                      Forwarding_Group name child_port vip vmac";

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "fwd-group-add",
        min: 4,
        max: MANY,
        arguments: "SWITCH GROUP VIP VMAC PORT...",
        options: "--liveness",
        mode: Mode::Writes,
        looks: Looks::At(GROUPS),
        run: add,
    },
    Syntax {
        name: "fwd-group-del",
        min: 1,
        max: 1,
        arguments: "GROUP",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::At(GROUPS),
        run: delete,
    },
    Syntax {
        name: "fwd-group-list",
        min: 0,
        max: 1,
        arguments: "[GROUP]",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At(GROUPS),
        run: list,
    },
];

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    if ctx.count() < 5 {
        return fail("Usage : ovn-nbctl fwd-group-add group switch vip vmac child_ports...");
    }
    let (name, switch_name) = (ctx.arg(1), ctx.arg(2));
    if ctx.find(&FORWARDING_GROUP, name)?.is_some() {
        return fail(format!("{name}: a forwarding group by this name already exists"));
    }
    let mut switch = ctx.get(&SWITCH, switch_name)?;
    let (vip, ethernet) = (ctx.arg(3), ctx.arg(4));
    if vip.parse::<Ipv4Addr>().is_err() {
        return fail(format!("invalid ip address {vip}"));
    }
    if mac(ethernet).is_none() {
        return fail(format!("invalid mac address {ethernet}"));
    }
    for id in ctx.args(5) {
        let Some(port) = ctx.find(&PORT, id)? else {
            return fail(format!("{id}: logical switch port does not exist"));
        };
        switch = switch_of(ctx, port)?;
        let name = ctx.text(switch, "name");
        if &*name != switch_name {
            return fail(format!("{id}: port already exists but in logical switch {name}"));
        }
    }
    let group = ctx.insert(FORWARDING_GROUP.table);
    ctx.set(group, "name", name);
    ctx.set(group, "vip", vip);
    ctx.set(group, "vmac", ethernet);
    ctx.set(group, "child_port", text_set(ctx.args(5)));
    if ctx.has("--liveness") {
        ctx.set(group, "liveness", true);
    }
    ctx.add_ref(switch, "forwarding_groups", group);
    Ok(())
}

/// The switch that a group's ports are on.
fn group_switch(ctx: &Context<'_, '_>, group: Row) -> Result<Option<Row>, String> {
    let first = ctx
        .texts(group, "child_port")
        .first()
        .cloned()
        .unwrap_or_default();
    match ctx.find(&PORT, &first)? {
        Some(port) => switch_of(ctx, port).map(Some),
        None => Ok(None),
    }
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let Some(group) = ctx.find(&FORWARDING_GROUP, ctx.arg(1))? else {
        return Ok(());
    };
    let Some(switch) = group_switch(ctx, group)? else {
        return Ok(());
    };
    let name = ctx.text(group, "name");
    let all = ctx.refs(switch, "forwarding_groups", FORWARDING_GROUP.table);
    if let Some(held) = all.into_iter().find(|held| ctx.text(*held, "name") == name) {
        ctx.drop_ref(switch, "forwarding_groups", held);
        ctx.delete(group);
    }
    Ok(())
}

fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let only = (ctx.count() == 1).then(|| ctx.arg(1));
    if let Some(id) = only {
        ctx.get(&SWITCH, id)?;
    }
    ctx.line(format!(
        "{}{}{}{}CHILD_PORTS",
        left("FWD_GROUP", 16, 16),
        left("LS", 14, 16),
        left("VIP", 16, 7),
        left("VMAC", 22, 21)
    ));
    for group in ctx.rows(FORWARDING_GROUP.table) {
        let Some(switch) = group_switch(ctx, group)? else {
            continue;
        };
        let at = ctx.text(switch, "name");
        if only.is_some_and(|only| *only != *at) {
            continue;
        }
        let text = |column| ctx.text(group, column);
        let ports: String = ctx
            .texts(group, "child_port")
            .iter()
            .map(|port| format!(" {port}"))
            .collect();
        let line = format!(
            "{}{}{}{:<9}     {ports}",
            left(&text("name"), 16, 16),
            left(&at, 14, 18),
            left(&text("vip"), 15, 16),
            cut(&text("vmac"), 18)
        );
        ctx.line(line);
    }
    Ok(())
}
