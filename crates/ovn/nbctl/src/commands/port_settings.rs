//! Logical switch ports: what they are told besides their addresses.

use super::dhcp;
use super::words::{MIRROR, PORT, enabled, state};
use crate::address::{cidr4, cidr6};
use crate::context::{Context, fail, key_values};
use crate::syntax::{Looks, MANY, Mode, Syntax};
use purlin_ovsdb::{Atom, Datum};

const TYPES: [&str; 8] = [
    "l2gateway",
    "localnet",
    "localport",
    "router",
    "vtep",
    "external",
    "virtual",
    "remote",
];

const fn reads(
    name: &'static str,
    looks: &'static str,
    run: fn(&mut Context<'_, '_>) -> Result<(), String>,
) -> Syntax {
    Syntax {
        name,
        min: 1,
        max: 1,
        arguments: "PORT",
        options: "",
        mode: Mode::Reads,
        looks: Looks::Named(looks),
        run,
    }
}

const fn writes(
    name: &'static str,
    arguments: &'static str,
    counts: (usize, usize),
    looks: &'static str,
    run: fn(&mut Context<'_, '_>) -> Result<(), String>,
) -> Syntax {
    Syntax {
        min: counts.0,
        max: counts.1,
        arguments,
        mode: Mode::Writes,
        ..reads(name, looks, run)
    }
}

const DHCP4: &str = "Logical_Switch_Port#1 name dhcpv4_options; DHCP_Options cidr";
const DHCP6: &str = "Logical_Switch_Port#1 name dhcpv6_options; DHCP_Options cidr";
const MIRRORS: &str = "Logical_Switch_Port#1 name mirror_rules; Mirror name";

pub(super) static COMMANDS: &[Syntax] = &[
    reads(
        "lsp-get-parent",
        "Logical_Switch_Port#1 name parent_name",
        |ctx| {
            let port = ctx.get(&PORT, ctx.arg(1))?;
            if let Some(parent) = ctx.maybe_text(port, "parent_name") {
                ctx.line(parent);
            }
            Ok(())
        },
    ),
    reads("lsp-get-tag", "Logical_Switch_Port#1 name tag", |ctx| {
        let port = ctx.get(&PORT, ctx.arg(1))?;
        if let Some(tag) = ctx.maybe_integer(port, "tag") {
            ctx.line(tag.to_string());
        }
        Ok(())
    }),
    reads("lsp-get-up", "Logical_Switch_Port#1 name up", |ctx| {
        let port = ctx.get(&PORT, ctx.arg(1))?;
        let up = ctx.truth(port, "up") == Some(true);
        ctx.line(if up { "up" } else { "down" });
        Ok(())
    }),
    writes(
        "lsp-set-enabled",
        "PORT STATE",
        (2, 2),
        "Logical_Switch_Port#1 name enabled",
        |ctx| {
            let port = ctx.get(&PORT, ctx.arg(1))?;
            let enabled = enabled(ctx.arg(2))?;
            ctx.set(port, "enabled", enabled);
            Ok(())
        },
    ),
    reads("lsp-get-enabled", "Logical_Switch_Port#1 name enabled", |ctx| {
        let port = ctx.get(&PORT, ctx.arg(1))?;
        let state = state(ctx, port);
        ctx.line(state);
        Ok(())
    }),
    writes(
        "lsp-set-type",
        "PORT TYPE",
        (2, 2),
        "Logical_Switch_Port#1 name type",
        set_type,
    ),
    reads("lsp-get-type", "Logical_Switch_Port#1 name type", |ctx| {
        let port = ctx.get(&PORT, ctx.arg(1))?;
        let kind = ctx.text(port, "type");
        ctx.line(kind);
        Ok(())
    }),
    writes(
        "lsp-set-options",
        "PORT KEY=VALUE [KEY=VALUE]...",
        (1, MANY),
        "Logical_Switch_Port#1 name options",
        |ctx| {
            let port = ctx.get(&PORT, ctx.arg(1))?;
            ctx.set(port, "options", key_values(ctx.args(2)));
            Ok(())
        },
    ),
    reads("lsp-get-options", "Logical_Switch_Port#1 name options", |ctx| {
        let port = ctx.get(&PORT, ctx.arg(1))?;
        for (key, value) in ctx.pairs(port, "options") {
            ctx.line(format!("{key}={value}"));
        }
        Ok(())
    }),
    writes(
        "lsp-set-dhcpv4-options",
        "PORT [DHCP_OPT_UUID]",
        (1, 2),
        DHCP4,
        |ctx| set_dhcp(ctx, "dhcpv4_options", "IPv4", |cidr| cidr4(cidr).is_some()),
    ),
    reads("lsp-get-dhcpv4-options", DHCP4, |ctx| {
        get_dhcp(ctx, "dhcpv4_options")
    }),
    writes(
        "lsp-set-dhcpv6-options",
        "PORT [DHCP_OPT_UUID]",
        (1, 2),
        DHCP6,
        |ctx| set_dhcp(ctx, "dhcpv6_options", "IPv6", |cidr| cidr6(cidr).is_some()),
    ),
    reads("lsp-get-dhcpv6-options", DHCP6, |ctx| {
        get_dhcp(ctx, "dhcpv6_options")
    }),
    Syntax {
        options: "--may-exist",
        ..writes("lsp-attach-mirror", "PORT MIRROR", (2, 2), MIRRORS, attach_mirror)
    },
    writes("lsp-detach-mirror", "PORT MIRROR", (2, 2), MIRRORS, |ctx| {
        let port = ctx.get(&PORT, ctx.arg(1))?;
        let mirror = ctx.get(&MIRROR, ctx.arg(2))?;
        ctx.drop_ref(port, "mirror_rules", mirror);
        Ok(())
    }),
];

fn set_type(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = ctx.get(&PORT, ctx.arg(1))?;
    let kind = ctx.arg(2);
    if !kind.is_empty() && !TYPES.contains(&kind) {
        return fail(format!(
            "Logical switch port type '{kind}' is unrecognized. Not setting type."
        ));
    }
    ctx.set(port, "type", kind);
    Ok(())
}

fn set_dhcp(
    ctx: &mut Context<'_, '_>,
    column: &str,
    family: &str,
    fits: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let port = ctx.get(&PORT, ctx.arg(1))?;
    let mut value = Datum::EMPTY;
    if ctx.count() == 2 {
        let options = dhcp::get(ctx, ctx.arg(2))?;
        let cidr = ctx.text(options, "cidr");
        if !fits(&cidr) {
            return fail(format!("DHCP options cidr '{cidr}' is not {family}"));
        }
        value = Atom::Uuid(options.uuid).into();
    }
    ctx.set(port, column, value);
    Ok(())
}

fn get_dhcp(ctx: &mut Context<'_, '_>, column: &str) -> Result<(), String> {
    let port = ctx.get(&PORT, ctx.arg(1))?;
    for options in ctx.refs(port, column, "DHCP_Options") {
        let cidr = ctx.text(options, "cidr");
        ctx.line(format!("{} ({cidr})", options.uuid));
    }
    Ok(())
}

fn attach_mirror(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = ctx.get(&PORT, ctx.arg(1))?;
    let mirror = ctx.get(&MIRROR, ctx.arg(2))?;
    if ctx.refs(port, "mirror_rules", MIRROR.table).contains(&mirror) {
        if ctx.has("--may-exist") {
            return Ok(());
        }
        let (name, port) = (ctx.text(mirror, "name"), ctx.arg(1));
        return fail(format!(
            "mirror {name} is already attached to the logical port {port}."
        ));
    }
    ctx.add_ref(port, "mirror_rules", mirror);
    Ok(())
}
