//! Logical switch ports: which there are, their addresses.

use super::words::{PORT, ROUTER_PORT, SWITCH, called, list_named, within};
use crate::address::{is_dynamic, is_port_address, port_addresses};
use crate::context::{Context, Row, fail, text_set};
use crate::syntax::{Looks, MANY, Mode, Syntax};
use purlin_ovsdb::Str;
use std::net::IpAddr;

const PORTS: &str = "Logical_Switch name ports; Logical_Switch_Port name";

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "lsp-add",
        min: 2,
        max: 4,
        arguments: "SWITCH PORT [PARENT] [TAG]",
        options: "--may-exist",
        mode: Mode::Writes,
        // Where the port may be there, the switch that it is on may be another.
        looks: Looks::NamedIf(
            "Logical_Switch#1 name ports; Logical_Switch_Port#2 name parent_name tag_request",
            |command| !command.has("--may-exist"),
        ),
        run: add,
    },
    Syntax {
        name: "lsp-del",
        min: 1,
        max: 1,
        arguments: "PORT",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::Named("Logical_Switch name ports; Logical_Switch_Port#1 name"),
        run: delete,
    },
    Syntax {
        name: "lsp-list",
        min: 1,
        max: 1,
        arguments: "SWITCH",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At(PORTS),
        run: list,
    },
    Syntax {
        name: "lsp-get-ls",
        min: 1,
        max: 1,
        arguments: "PORT",
        options: "",
        mode: Mode::Reads,
        looks: Looks::Named("Logical_Switch name ports; Logical_Switch_Port#1 name"),
        run: get_switch,
    },
    Syntax {
        name: "lsp-set-addresses",
        min: 1,
        max: MANY,
        arguments: "PORT [ADDRESS]...",
        options: "",
        mode: Mode::Writes,
        looks: Looks::At("Logical_Switch name ports; Logical_Switch_Port name addresses dynamic_addresses"),
        run: set_addresses,
    },
    Syntax {
        name: "lsp-get-addresses",
        min: 1,
        max: 1,
        arguments: "PORT",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At("Logical_Switch_Port name addresses options; Logical_Router_Port name mac networks"),
        run: get_addresses,
    },
    Syntax {
        name: "lsp-set-port-security",
        min: 0,
        max: MANY,
        arguments: "PORT [ADDRS]...",
        options: "",
        mode: Mode::Writes,
        looks: Looks::Named("Logical_Switch_Port#1 name port_security"),
        run: |ctx| {
            let port = ctx.get(&PORT, ctx.arg(1))?;
            ctx.set(port, "port_security", text_set(ctx.args(2)));
            Ok(())
        },
    },
    Syntax {
        name: "lsp-get-port-security",
        min: 1,
        max: 1,
        arguments: "PORT",
        options: "",
        mode: Mode::Reads,
        looks: Looks::Named("Logical_Switch_Port#1 name port_security"),
        run: |ctx| {
            let port = ctx.get(&PORT, ctx.arg(1))?;
            let texts = ctx.texts(port, "port_security");
            texts.iter().for_each(|text| ctx.line(text));
            Ok(())
        },
    },
];

/// The switch that a port is on.
pub(super) fn switch_of(ctx: &Context<'_, '_>, port: Row) -> Result<Row, String> {
    let name = ctx.text(port, "name");
    let uuid = ctx.work.parent(SWITCH.table, port.uuid, &name);
    let uuid = uuid.ok_or_else(|| format!("logical port {name} is not part of any logical switch"))?;
    Ok(Row {
        table: SWITCH.table,
        uuid,
    })
}

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let switch = ctx.get(&SWITCH, ctx.arg(1))?;
    let nested = match ctx.count() {
        2 => None,
        4 => {
            let text = ctx.arg(4);
            let tag = within(text, 0, 4095)
                .ok_or_else(|| format!("{text}: invalid tag (must be in range 0 to 4095)"))?;
            Some((ctx.arg(3), tag))
        }
        _ => return fail("lsp-add with parent must also specify a tag"),
    };
    let name = ctx.arg(2);
    if let Some(port) = ctx.find(&PORT, name)? {
        if !ctx.has("--may-exist") {
            return fail(format!("{name}: a port with this name already exists"));
        }
        return same(ctx, port, switch, nested);
    }
    let port = ctx.insert(PORT.table);
    ctx.set(port, "name", name);
    if let Some((parent, tag)) = nested {
        ctx.set(port, "parent_name", parent);
        ctx.set(port, "tag_request", tag);
    }
    ctx.add_ref(switch, "ports", port);
    ctx.work.note_parent(SWITCH.table, name, Some(switch.uuid));
    Ok(())
}

/// Whether a port that is there is the one that was to be added.
fn same(ctx: &Context<'_, '_>, port: Row, switch: Row, nested: Option<(&str, i64)>) -> Result<(), String> {
    let name = ctx.arg(2);
    let differs = |how: String| fail(format!("{name}: port already exists {how}"));
    let other = switch_of(ctx, port)?;
    if other != switch {
        return differs(format!("but in switch {}", called(ctx, other)));
    }
    let parent = ctx.maybe_text(port, "parent_name");
    let Some((wanted, tag)) = nested else {
        return match parent {
            Some(parent) => differs(format!("but has parent {parent}")),
            None => Ok(()),
        };
    };
    match parent {
        None => return differs("but has no parent".to_owned()),
        Some(parent) if *parent != *wanted => {
            return differs(format!("with different parent {parent}"));
        }
        Some(_) => {}
    }
    match ctx.maybe_integer(port, "tag_request") {
        None => differs("but has no tag_request".to_owned()),
        Some(other) if other != tag => differs(format!("with different tag_request {other}")),
        Some(_) => Ok(()),
    }
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = if ctx.has("--if-exists") {
        ctx.find(&PORT, ctx.arg(1))?
    } else {
        Some(ctx.get(&PORT, ctx.arg(1))?)
    };
    let Some(port) = port else { return Ok(()) };
    let switch = switch_of(ctx, port)?;
    let name = ctx.text(port, "name");
    ctx.work.note_parent(SWITCH.table, &name, None);
    ctx.drop_ref(switch, "ports", port);
    ctx.delete(port);
    Ok(())
}

fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let switch = ctx.get(&SWITCH, ctx.arg(1))?;
    let ports = ctx.refs(switch, "ports", PORT.table);
    list_named(ctx, &ports);
    Ok(())
}

fn get_switch(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = ctx.get(&PORT, ctx.arg(1))?;
    let holders = ctx
        .work
        .find(SWITCH.table, "ports", &purlin_ovsdb::Atom::Uuid(port.uuid));
    for uuid in holders {
        let table = SWITCH.table;
        let name = ctx.text(Row { table, uuid }, "name");
        ctx.line(format!("{uuid} ({name})"));
    }
    Ok(())
}

fn set_addresses(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = ctx.get(&PORT, ctx.arg(1))?;
    let switch = switch_of(ctx, port)?;
    for text in ctx.args(2) {
        if !is_port_address(text) {
            return fail(format!(
                "{text}: Invalid address format. See ovn-nb(5). Hint: An Ethernet address must be listed before an \
                 IP address, together as a single argument."
            ));
        }
        taken(ctx, switch, port, text)?;
    }
    ctx.set(port, "addresses", text_set(ctx.args(2)));
    Ok(())
}

/// Refuses an IP address that another port of the switch has.
fn taken(ctx: &Context<'_, '_>, switch: Row, port: Row, text: &str) -> Result<(), String> {
    let Some(wanted) = port_addresses(text).filter(|wanted| !wanted.is_empty()) else {
        return Ok(());
    };
    for other in ctx.refs(switch, "ports", PORT.table) {
        if other == port {
            continue;
        }
        for address in ctx.texts(other, "addresses") {
            let address = effective(ctx, other, address);
            let others = port_addresses(&address).unwrap_or_default();
            if let Some(same) = duplicate(&wanted, &others) {
                let version = if same.is_ipv4() { 4 } else { 6 };
                let (at, name) = (ctx.text(switch, "name"), ctx.text(other, "name"));
                return fail(format!(
                    "Error on switch {at}: duplicate IPv{version} address '{same}' found on logical switch port \
                     '{name}'"
                ));
            }
        }
    }
    Ok(())
}

/// What OVN gave out for an address that it was asked to give out.
fn effective(ctx: &Context<'_, '_>, port: Row, address: Str) -> Str {
    if is_dynamic(&address) {
        return ctx.maybe_text(port, "dynamic_addresses").unwrap_or(address);
    }
    address
}

/// IPv4 addresses are looked at first.
fn duplicate(wanted: &[IpAddr], others: &[IpAddr]) -> Option<IpAddr> {
    let of = |v4: bool| {
        let mut same = wanted.iter().filter(move |address| address.is_ipv4() == v4);
        same.find(|address| others.contains(address)).copied()
    };
    of(true).or_else(|| of(false))
}

fn get_addresses(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = ctx.get(&PORT, ctx.arg(1))?;
    let addresses = ctx.texts(port, "addresses");
    let is_router = matches!(addresses.as_slice(), [one] if &**one == "router");
    if let Some(peer) = ctx.key(port, "options", "router-port").filter(|_| is_router)
        && let Some(peer) = ctx.find(&ROUTER_PORT, &peer)?
    {
        let mut words = vec![ctx.text(peer, "mac")];
        words.extend(ctx.texts(peer, "networks"));
        ctx.line(words.join(" "));
        return Ok(());
    }
    addresses.iter().for_each(|address| ctx.line(address));
    Ok(())
}
