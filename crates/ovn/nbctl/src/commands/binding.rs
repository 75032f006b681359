//! Static bindings of IP addresses to Ethernet addresses.

use super::words::ROUTER_PORT;
use crate::address::{mac, normal_address};
use crate::context::{Context, Row, fail};
use crate::syntax::{Looks, Mode, Syntax};

const TABLE: &str = "Static_MAC_Binding";
const BINDINGS: &str = "Logical_Router_Port name; Static_MAC_Binding logical_port ip mac";

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "static-mac-binding-add",
        min: 3,
        max: 3,
        arguments: "LOGICAL_PORT IP MAC",
        options: "--may-exist",
        mode: Mode::Writes,
        looks: Looks::At(BINDINGS),
        run: add,
    },
    Syntax {
        name: "static-mac-binding-del",
        min: 2,
        max: 2,
        arguments: "LOGICAL_PORT IP",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::At(BINDINGS),
        run: delete,
    },
    Syntax {
        name: "static-mac-binding-list",
        min: 0,
        max: 0,
        arguments: "",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At(BINDINGS),
        run: list,
    },
];

fn find(ctx: &Context<'_, '_>, port: &str, ip: &str) -> Option<Row> {
    let rows = ctx.named(TABLE, "logical_port", port).into_iter();
    rows.into_iter().find(|row| &*ctx.text(*row, "ip") == ip)
}

fn address(text: &str) -> Result<String, String> {
    normal_address(text).ok_or_else(|| format!("{text}: Not a valid IPv4 or IPv6 address."))
}

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let (port, ip, ethernet) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    ctx.get(&ROUTER_PORT, port)?;
    let normal = address(ip)?;
    if mac(ethernet).is_none() {
        return fail(format!("invalid mac address {ethernet}."));
    }
    if let Some(binding) = find(ctx, port, ip) {
        if !ctx.has("--may-exist") {
            return fail(format!(
                "{port}, {normal}: a Static_MAC_Binding with this logical_port and ip already exists"
            ));
        }
        if &*ctx.text(binding, "mac") != ethernet {
            ctx.verify(binding, "mac");
            ctx.set(binding, "mac", ethernet);
        }
        return Ok(());
    }
    let binding = ctx.insert(TABLE);
    ctx.set(binding, "logical_port", port);
    ctx.set(binding, "ip", normal.as_str());
    ctx.set(binding, "mac", ethernet);
    Ok(())
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = ctx.arg(1);
    ctx.get(&ROUTER_PORT, port)?;
    let ip = address(ctx.arg(2))?;
    match find(ctx, port, &ip) {
        Some(binding) => ctx.delete(binding),
        None if ctx.has("--if-exists") => {}
        None => {
            return fail(format!(
                "no matching Static_MAC_Binding with port {port} and ip {ip}"
            ));
        }
    }
    Ok(())
}

fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let mut lines = Vec::new();
    for row in ctx.rows(TABLE) {
        let (port, ip, mac) = (
            ctx.text(row, "logical_port"),
            ctx.text(row, "ip"),
            ctx.text(row, "mac"),
        );
        lines.push(format!("{port:<25}{ip:<25}{mac}"));
    }
    lines.sort();
    if !lines.is_empty() {
        ctx.line(format!("{:<25}{:<25}MAC", "LOGICAL_PORT", "IP"));
    }
    lines.iter().for_each(|line| ctx.line(line));
    Ok(())
}
