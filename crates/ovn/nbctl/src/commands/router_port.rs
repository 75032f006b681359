//! Logical router ports.

use super::general::gateways;
use super::words::{GATEWAY_CHASSIS, ROUTER, ROUTER_PORT, called, enabled, list_named, priority, state};
use crate::address::{cidr, mac, normal_prefix};
use crate::context::{Context, Row, fail, key_values, text_set};
use crate::generic::set_column;
use crate::syntax::{Looks, MANY, Mode, Syntax};
use purlin_ovsdb::{Datum, Str};
use std::collections::BTreeSet;

const PORTS: &str = "Logical_Router name ports; Logical_Router_Port name";
const OPTIONS: &str = "Logical_Router_Port#1 name options";
const ENABLED: &str = "Logical_Router_Port#1 name enabled";
const CHASSIS: &str = "Logical_Router_Port name gateway_chassis; Gateway_Chassis name chassis_name priority";

const fn command(
    name: &'static str,
    arguments: &'static str,
    counts: (usize, usize),
    mode: Mode,
    looks: &'static str,
    run: fn(&mut Context<'_, '_>) -> Result<(), String>,
) -> Syntax {
    Syntax {
        mode,
        ..Syntax::new(name, arguments, counts, Looks::Named(looks), run)
    }
}

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        options: "--may-exist",
        ..command(
            "lrp-add",
            "ROUTER PORT MAC NETWORK... [COLUMN[:KEY]=VALUE]...",
            (4, MANY),
            Mode::Writes,
            "Logical_Router name ports; Logical_Router_Port name networks mac peer",
            add,
        )
    },
    Syntax {
        options: "--may-exist",
        ..command(
            "lrp-set-gateway-chassis",
            "PORT CHASSIS [PRIORITY]",
            (2, 3),
            Mode::Writes,
            CHASSIS,
            set_chassis,
        )
    },
    command(
        "lrp-set-options",
        "PORT KEY=VALUE [KEY=VALUE]...",
        (1, MANY),
        Mode::Writes,
        OPTIONS,
        |ctx| {
            let port = ctx.get(&ROUTER_PORT, ctx.arg(1))?;
            ctx.set(port, "options", key_values(ctx.args(2)));
            Ok(())
        },
    ),
    command(
        "lrp-del-gateway-chassis",
        "PORT CHASSIS",
        (2, 2),
        Mode::Writes,
        CHASSIS,
        delete_chassis,
    ),
    command(
        "lrp-get-gateway-chassis",
        "PORT",
        (1, 1),
        Mode::Reads,
        CHASSIS,
        |ctx| {
            let port = ctx.get(&ROUTER_PORT, ctx.arg(1))?;
            for chassis in gateways(ctx, port) {
                let (name, priority) = (ctx.text(chassis, "name"), ctx.integer(chassis, "priority"));
                ctx.line(format!("{name} {priority:>5}"));
            }
            Ok(())
        },
    ),
    Syntax {
        options: "--if-exists",
        ..command("lrp-del", "PORT", (1, 1), Mode::Writes, PORTS, delete)
    },
    command("lrp-list", "ROUTER", (1, 1), Mode::Reads, PORTS, |ctx| {
        let router = ctx.get(&ROUTER, ctx.arg(1))?;
        let ports = ctx.refs(router, "ports", ROUTER_PORT.table);
        list_named(ctx, &ports);
        Ok(())
    }),
    command(
        "lrp-set-enabled",
        "PORT STATE",
        (2, 2),
        Mode::Writes,
        ENABLED,
        |ctx| {
            let port = ctx.get(&ROUTER_PORT, ctx.arg(1))?;
            let enabled = enabled(ctx.arg(2))?;
            ctx.set(port, "enabled", enabled);
            Ok(())
        },
    ),
    command("lrp-get-enabled", "PORT", (1, 1), Mode::Reads, ENABLED, |ctx| {
        let port = ctx.get(&ROUTER_PORT, ctx.arg(1))?;
        let state = state(ctx, port);
        ctx.line(state);
        Ok(())
    }),
    command(
        "lrp-set-redirect-type",
        "PORT TYPE",
        (2, 2),
        Mode::Writes,
        OPTIONS,
        set_redirect,
    ),
    command(
        "lrp-get-redirect-type",
        "PORT",
        (1, 1),
        Mode::Reads,
        OPTIONS,
        |ctx| {
            let port = ctx.get(&ROUTER_PORT, ctx.arg(1))?;
            let kind = ctx.key(port, "options", "redirect-type");
            ctx.line(kind.as_deref().unwrap_or("overlay"));
            Ok(())
        },
    ),
];

/// The router that a port is on.
fn router_of(ctx: &Context<'_, '_>, port: Row) -> Result<Row, String> {
    let name = ctx.text(port, "name");
    let uuid = ctx.work.parent(ROUTER.table, port.uuid, &name);
    let uuid = uuid.ok_or_else(|| format!("port {name} is not part of any logical router"))?;
    Ok(Row {
        table: ROUTER.table,
        uuid,
    })
}

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    let (name, address) = (ctx.arg(2), ctx.arg(3));
    let rest = ctx.args(4);
    let count = rest
        .iter()
        .position(|word| word.contains('='))
        .unwrap_or(rest.len());
    let (networks, settings) = rest.split_at(count);
    if networks.is_empty() {
        return fail(format!("{name}: router port requires specifying a network"));
    }
    let Some(wanted) = mac(address) else {
        return fail(format!("{name}: invalid mac address {address}"));
    };
    if let Some(port) = ctx.find(&ROUTER_PORT, name)? {
        if !ctx.has("--may-exist") {
            return fail(format!("{name}: a port with this name already exists"));
        }
        return same(ctx, port, router, wanted, networks, settings);
    }
    if let Some(bad) = networks.iter().find(|network| cidr(network).is_none()) {
        return fail(format!("{name}: invalid network address: {bad}"));
    }
    let port = ctx.insert(ROUTER_PORT.table);
    ctx.set(port, "name", name);
    ctx.set(port, "mac", address);
    ctx.set(port, "networks", text_set(networks));
    for setting in settings {
        set_column(ctx, port, setting, false)?;
    }
    ctx.add_ref(router, "ports", port);
    ctx.work.note_parent(ROUTER.table, name, Some(router.uuid));
    Ok(())
}

/// Whether a port that is there is the one that was to be added.
fn same(
    ctx: &Context<'_, '_>,
    port: Row,
    router: Row,
    wanted: [u8; 6],
    networks: &[String],
    settings: &[String],
) -> Result<(), String> {
    let name = ctx.arg(2);
    let other = router_of(ctx, port)?;
    if other != router {
        return fail(format!(
            "{name}: port already exists but in router {}",
            called(ctx, other)
        ));
    }
    let address = ctx.text(port, "mac");
    if mac(&address).unwrap_or_default() != wanted {
        return fail(format!("{name}: port already exists with mac {address}"));
    }
    let Some(new) = normal_set(networks.iter().map(String::as_str)) else {
        return fail(format!("{name}: Invalid networks configured"));
    };
    let there: Vec<Str> = ctx.texts(port, "networks");
    let Some(old) = normal_set(there.iter().map(|text| &**text)) else {
        return fail(format!("{name}: Existing port has invalid networks configured"));
    };
    if old != new {
        return fail(format!("{name}: port already exists with different network"));
    }
    let peer = settings.iter().find_map(|setting| setting.strip_prefix("peer="));
    if peer != ctx.maybe_text(port, "peer").as_deref() {
        return fail(format!("{name}: port already exists with mismatching peer"));
    }
    Ok(())
}

fn normal_set<'t>(networks: impl Iterator<Item = &'t str>) -> Option<BTreeSet<String>> {
    networks.map(normal_prefix).collect()
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = if ctx.has("--if-exists") {
        ctx.find(&ROUTER_PORT, ctx.arg(1))?
    } else {
        Some(ctx.get(&ROUTER_PORT, ctx.arg(1))?)
    };
    let Some(port) = port else { return Ok(()) };
    let router = router_of(ctx, port)?;
    let name = ctx.text(port, "name");
    ctx.work.note_parent(ROUTER.table, &name, None);
    ctx.drop_ref(router, "ports", port);
    ctx.delete(port);
    Ok(())
}

fn set_chassis(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = ctx.get(&ROUTER_PORT, ctx.arg(1))?;
    let chassis_name = ctx.arg(2);
    let priority = match ctx.count() {
        3 => priority(ctx.arg(3))?,
        _ => 0,
    };
    let name = format!("{}-{chassis_name}", ctx.arg(1));
    let chassis = match ctx.find(&GATEWAY_CHASSIS, &name)? {
        Some(chassis) => chassis,
        None => {
            let chassis = ctx.insert(GATEWAY_CHASSIS.table);
            ctx.set(chassis, "name", name.as_str());
            ctx.set(chassis, "chassis_name", chassis_name);
            chassis
        }
    };
    ctx.set(chassis, "priority", priority);
    ctx.add_ref(port, "gateway_chassis", chassis);
    Ok(())
}

fn delete_chassis(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = ctx.get(&ROUTER_PORT, ctx.arg(1))?;
    let name = ctx.arg(2);
    let all = ctx.refs(port, "gateway_chassis", GATEWAY_CHASSIS.table);
    // The known tool compares only as far as the stored name goes.
    let gone = all
        .iter()
        .find(|row| name.starts_with(&*ctx.text(**row, "chassis_name")))
        .copied();
    let Some(gone) = gone else {
        return fail(format!(
            "chassis {name} is not added to logical port {}",
            ctx.arg(1)
        ));
    };
    if all.len() == 1 {
        ctx.set(port, "gateway_chassis", Datum::EMPTY);
    } else {
        ctx.drop_ref(port, "gateway_chassis", gone);
    }
    ctx.delete(gone);
    Ok(())
}

fn set_redirect(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let port = ctx.get(&ROUTER_PORT, ctx.arg(1))?;
    let kind = ctx.arg(2);
    if !kind.eq_ignore_ascii_case("bridged") && !kind.eq_ignore_ascii_case("overlay") {
        return fail(format!("Invalid redirect type: {kind}"));
    }
    let mut options = ctx.pairs(port, "options");
    options.push(("redirect-type".to_owned(), kind.to_owned()));
    ctx.set(port, "options", Datum::map(options));
    Ok(())
}
