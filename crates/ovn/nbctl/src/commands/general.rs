//! `init`, `sync`, `show`.

use super::words::{ROUTER, SWITCH};
use crate::context::{Context, Row};
use crate::syntax::{Looks, Mode, Syntax};
use purlin_ovsdb::Str;
use std::fmt::Write as _;

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "init",
        min: 0,
        max: 0,
        arguments: "",
        options: "",
        mode: Mode::Writes,
        looks: Looks::At(""),
        run: |_| Ok(()),
    },
    Syntax {
        name: "sync",
        min: 0,
        max: 0,
        arguments: "",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At(""),
        run: |_| Ok(()),
    },
    Syntax {
        name: "show",
        min: 0,
        max: 1,
        arguments: "[SWITCH]",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At(
            "Logical_Switch name external_ids ports; Logical_Router name external_ids ports nat; \
             Logical_Switch_Port name external_ids type parent_name tag addresses options; \
             Logical_Router_Port name mac networks options gateway_chassis; \
             Gateway_Chassis name chassis_name priority; \
             NAT external_ip external_port_range logical_ip type",
        ),
        run: show,
    },
];

fn show(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let one = (ctx.count() == 1).then(|| ctx.arg(1));
    let switches = match one {
        Some(id) => ctx.find(&SWITCH, id)?.into_iter().collect(),
        None => ctx.rows(SWITCH.table),
    };
    for switch in switches {
        let text = switch_text(ctx, switch);
        ctx.output.push_str(&text);
    }
    let routers = match one {
        Some(id) => ctx.find(&ROUTER, id)?.into_iter().collect(),
        None => ctx.rows(ROUTER.table),
    };
    for router in routers {
        let text = router_text(ctx, router);
        ctx.output.push_str(&text);
    }
    Ok(())
}

/// What another system calls it.
fn alias(ctx: &Context<'_, '_>, row: Row, key: &str) -> String {
    match ctx.key(row, "external_ids", key) {
        Some(alias) if !alias.is_empty() => format!(" (aka {alias})"),
        _ => String::new(),
    }
}

fn quoted(texts: &[Str]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
    quoted.join(", ")
}

fn switch_text(ctx: &Context<'_, '_>, switch: Row) -> String {
    let mut text = String::new();
    let (name, aka) = (
        ctx.text(switch, "name"),
        alias(ctx, switch, "neutron:network_name"),
    );
    let _ = writeln!(text, "switch {} ({name}){aka}", switch.uuid);
    for port in ctx.refs(switch, "ports", "Logical_Switch_Port") {
        let (name, aka) = (ctx.text(port, "name"), alias(ctx, port, "neutron:port_name"));
        let _ = writeln!(text, "    port {name}{aka}");
        let kind = ctx.text(port, "type");
        if !kind.is_empty() {
            let _ = writeln!(text, "        type: {kind}");
        }
        if let Some(parent) = ctx.maybe_text(port, "parent_name") {
            let _ = writeln!(text, "        parent: {parent}");
        }
        if let Some(tag) = ctx.maybe_integer(port, "tag") {
            let _ = writeln!(text, "        tag: {tag}");
        }
        let addresses = ctx.texts(port, "addresses");
        // "router" alone says only what the next line says better.
        if !addresses.is_empty() && !matches!(addresses.as_slice(), [one] if &**one == "router") {
            let _ = writeln!(text, "        addresses: [{}]", quoted(&addresses));
        }
        if let Some(peer) = ctx.key(port, "options", "router-port") {
            let _ = writeln!(text, "        router-port: {peer}");
        }
    }
    text
}

fn router_text(ctx: &Context<'_, '_>, router: Row) -> String {
    let mut text = String::new();
    let (name, aka) = (
        ctx.text(router, "name"),
        alias(ctx, router, "neutron:router_name"),
    );
    let _ = writeln!(text, "router {} ({name}){aka}", router.uuid);
    for port in ctx.refs(router, "ports", "Logical_Router_Port") {
        let _ = writeln!(text, "    port {}", ctx.text(port, "name"));
        let _ = writeln!(text, "        mac: \"{}\"", ctx.text(port, "mac"));
        let networks = ctx.texts(port, "networks");
        if !networks.is_empty() {
            let _ = writeln!(text, "        networks: [{}]", quoted(&networks));
        }
        if let Some(table) = ctx.key(port, "options", "route_table") {
            let _ = writeln!(text, "        route-table: {table}");
        }
        let chassis = gateways(ctx, port);
        if !chassis.is_empty() {
            let names: Vec<String> = chassis
                .iter()
                .map(|row| ctx.text(*row, "chassis_name").to_string())
                .collect();
            let _ = writeln!(text, "        gateway chassis: [{}]", names.join(" "));
        }
    }
    for nat in ctx.refs(router, "nat", "NAT") {
        let _ = writeln!(text, "    nat {}", nat.uuid);
        let _ = writeln!(text, "        external ip: \"{}\"", ctx.text(nat, "external_ip"));
        let range = ctx.text(nat, "external_port_range");
        if !range.is_empty() {
            let _ = writeln!(text, "        external port(s): \"{range}\"");
        }
        let _ = writeln!(text, "        logical ip: \"{}\"", ctx.text(nat, "logical_ip"));
        let _ = writeln!(text, "        type: \"{}\"", ctx.text(nat, "type"));
    }
    text
}

/// A router port's gateway chassis, the one that counts first.
pub(super) fn gateways(ctx: &Context<'_, '_>, port: Row) -> Vec<Row> {
    let mut chassis = ctx.refs(port, "gateway_chassis", "Gateway_Chassis");
    chassis.sort_by(|a, b| {
        let rank = |row: &Row| (ctx.integer(*row, "priority"), ctx.text(*row, "name"));
        rank(b).cmp(&rank(a))
    });
    chassis
}
