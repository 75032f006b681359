//! Load balancers, and where they are used.

use super::vip::{self, Vip};
use super::words::{BALANCER, ROUTER, SWITCH};
use crate::context::{Context, Noun, Row, fail};
use crate::format::{cut, left};
use crate::syntax::{Looks, Mode, Syntax};
use crate::warning::Warning;
use purlin_ovsdb::{Atom, Datum};
use std::fmt::Write as _;

const OF_SWITCH: &str = "Logical_Switch name load_balancer; Load_Balancer name";
const OF_ROUTER: &str = "Logical_Router name load_balancer; Load_Balancer name";

const fn command(
    name: &'static str,
    arguments: &'static str,
    counts: (usize, usize),
    options: &'static str,
    looks: &'static str,
    run: fn(&mut Context<'_, '_>) -> Result<(), String>,
) -> Syntax {
    Syntax {
        options,
        ..Syntax::new(name, arguments, counts, Looks::At(looks), run)
    }
}

pub(super) static COMMANDS: &[Syntax] = &[
    command(
        "lb-add",
        "LB VIP[:PORT] IP[:PORT]... [PROTOCOL] [ADDRESS_FAMILY]",
        (3, 5),
        "--may-exist,--add-duplicate,--reject,--event,--add-route,--template",
        "Load_Balancer name protocol vips",
        add,
    ),
    command(
        "lb-del",
        "LB [VIP]",
        (1, 2),
        "--if-exists",
        "Load_Balancer name vips",
        delete,
    ),
    Syntax {
        mode: Mode::Reads,
        ..command(
            "lb-list",
            "[LB]",
            (0, 1),
            "",
            "Load_Balancer name options protocol vips",
            |ctx| {
                let rows = match ctx.count() {
                    0 => ctx.rows(BALANCER.table),
                    _ => ctx.named(BALANCER.table, "name", ctx.arg(1)),
                };
                print(ctx, &rows);
                Ok(())
            },
        )
    },
    command(
        "lr-lb-add",
        "ROUTER LB",
        (2, 2),
        "--may-exist",
        OF_ROUTER,
        |ctx| use_it(ctx, &ROUTER),
    ),
    command(
        "lr-lb-del",
        "ROUTER [LB]",
        (1, 2),
        "--if-exists",
        OF_ROUTER,
        |ctx| drop_it(ctx, &ROUTER),
    ),
    Syntax {
        mode: Mode::Reads,
        ..command(
            "lr-lb-list",
            "ROUTER",
            (1, 1),
            "",
            "Logical_Router name load_balancer load_balancer_group; Load_Balancer name options protocol vips; \
             Load_Balancer_Group name load_balancer",
            |ctx| list_used(ctx, &ROUTER),
        )
    },
    command(
        "ls-lb-add",
        "SWITCH LB",
        (2, 2),
        "--may-exist",
        OF_SWITCH,
        |ctx| use_it(ctx, &SWITCH),
    ),
    command(
        "ls-lb-del",
        "SWITCH [LB]",
        (1, 2),
        "--if-exists",
        OF_SWITCH,
        |ctx| drop_it(ctx, &SWITCH),
    ),
    Syntax {
        mode: Mode::Reads,
        ..command(
            "ls-lb-list",
            "SWITCH",
            (1, 1),
            "",
            "Logical_Switch name load_balancer load_balancer_group; Load_Balancer name options protocol vips; \
             Load_Balancer_Group name load_balancer",
            |ctx| list_used(ctx, &SWITCH),
        )
    },
];

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    if ctx.has("--event") && ctx.has("--reject") {
        return fail("--reject and --event can't specified at the same time");
    }
    let protocol = (ctx.count() >= 4).then(|| ctx.arg(4));
    if let Some(other) = protocol.filter(|one| !matches!(*one, "tcp" | "udp" | "sctp")) {
        return fail(format!(
            "{other}: protocol must be one of \"tcp\", \"udp\",  or \"sctp\"."
        ));
    }
    let v4 = ctx.count() < 5 || ctx.arg(5) == "ipv4";
    let template = ctx.has("--template");
    let read = match template {
        true => vip::template(ctx.arg(2), ctx.arg(3), v4),
        false => vip::explicit(ctx.arg(2), ctx.arg(3)),
    };
    let vip = read.map_err(|fault| {
        let log = fault
            .log
            .into_iter()
            .map(|text| Warning::error("socket_util", text));
        ctx.warnings.extend(log);
        fault.text
    })?;
    if protocol.is_some() && !vip.has_port {
        return fail("Protocol is unnecessary when no port of vip is given.");
    }
    if !ctx.has("--add-duplicate")
        && let Some(balancer) = ctx.find(&BALANCER, ctx.arg(1))?
    {
        return add_vip(ctx, balancer, &vip, protocol);
    }
    let balancer = ctx.insert(BALANCER.table);
    ctx.set(balancer, "name", ctx.arg(1));
    ctx.set(balancer, "protocol", protocol.unwrap_or("tcp"));
    ctx.set(balancer, "vips", Datum::map([(vip.vip, vip.backends)]));
    let flags = [
        ("--reject", "reject"),
        ("--event", "event"),
        ("--add-route", "add_route"),
    ];
    let mut options: Vec<(&str, &str)> = flags
        .iter()
        .filter(|(flag, _)| ctx.has(flag))
        .map(|(_, key)| (*key, "true"))
        .collect();
    if template {
        options.push(("template", "true"));
        options.push(("address-family", if v4 { "ipv4" } else { "ipv6" }));
    }
    ctx.set(balancer, "options", Datum::map(options));
    Ok(())
}

fn add_vip(
    ctx: &mut Context<'_, '_>,
    balancer: Row,
    vip: &Vip,
    protocol: Option<&str>,
) -> Result<(), String> {
    let mut vips = ctx.pairs(balancer, "vips");
    if vips.iter().any(|(key, _)| *key == vip.vip) && !ctx.has("--may-exist") {
        return fail(format!(
            "{}: a load balancer with this vip ({}) already exists",
            ctx.arg(1),
            vip.vip
        ));
    }
    if let Some(protocol) = protocol {
        ctx.verify(balancer, "protocol");
        ctx.set(balancer, "protocol", protocol);
    }
    vips.push((vip.vip.clone(), vip.backends.clone()));
    ctx.verify(balancer, "vips");
    ctx.set(balancer, "vips", Datum::map(vips));
    Ok(())
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let Some(balancer) = ctx.find(&BALANCER, ctx.arg(1))? else {
        return Ok(());
    };
    if ctx.count() == 1 {
        ctx.delete(balancer);
        return Ok(());
    }
    let vip = ctx.arg(2);
    let mut vips = ctx.pairs(balancer, "vips");
    let before = vips.len();
    vips.retain(|(key, _)| key != vip);
    if vips.len() == before {
        if ctx.has("--if-exists") {
            return Ok(());
        }
        return fail(format!("vip {vip} is not part of the load balancer."));
    }
    if vips.is_empty() {
        ctx.delete(balancer);
        return Ok(());
    }
    ctx.verify(balancer, "vips");
    ctx.set(balancer, "vips", Datum::map(vips));
    Ok(())
}

fn use_it(ctx: &mut Context<'_, '_>, noun: &Noun) -> Result<(), String> {
    let user = ctx.get(noun, ctx.arg(1))?;
    let balancer = ctx.get(&BALANCER, ctx.arg(2))?;
    if ctx
        .value(user, "load_balancer")
        .contains(&Atom::Uuid(balancer.uuid))
    {
        if ctx.has("--may-exist") {
            return Ok(());
        }
        return fail(format!(
            "{} : a load balancer with this UUID already exists",
            balancer.uuid
        ));
    }
    ctx.add_ref(user, "load_balancer", balancer);
    Ok(())
}

fn drop_it(ctx: &mut Context<'_, '_>, noun: &Noun) -> Result<(), String> {
    let user = ctx.get(noun, ctx.arg(1))?;
    if ctx.count() == 1 {
        ctx.verify(user, "load_balancer");
        ctx.set(user, "load_balancer", Datum::EMPTY);
        return Ok(());
    }
    let balancer = ctx.get(&BALANCER, ctx.arg(2))?;
    if ctx
        .value(user, "load_balancer")
        .contains(&Atom::Uuid(balancer.uuid))
    {
        ctx.drop_ref(user, "load_balancer", balancer);
        return Ok(());
    }
    if ctx.has("--if-exists") {
        return Ok(());
    }
    fail(format!(
        "load balancer {} is not part of any logical {}.",
        ctx.text(balancer, "name"),
        noun.one
    ))
}

fn list_used(ctx: &mut Context<'_, '_>, noun: &Noun) -> Result<(), String> {
    let user = ctx.get(noun, ctx.arg(1))?;
    let mut rows = ctx.refs(user, "load_balancer", BALANCER.table);
    for group in ctx.refs(user, "load_balancer_group", "Load_Balancer_Group") {
        rows.extend(ctx.refs(group, "load_balancer", BALANCER.table));
    }
    print(ctx, &rows);
    Ok(())
}

fn print(ctx: &mut Context<'_, '_>, rows: &[Row]) {
    let lengths = rows.iter().flat_map(|row| ctx.pairs(*row, "vips"));
    let width = lengths.map(|(vip, _)| vip.len()).max().unwrap_or(0);
    let mut texts: Vec<(String, String)> = Vec::new();
    for row in rows {
        let name = ctx.text(*row, "name");
        if !ctx.value(*row, "vips").is_empty() {
            texts.push((left(&name, 20, 16), balancer_text(ctx, *row, width)));
        }
    }
    texts.sort_by(|a, b| a.0.cmp(&b.0));
    if !texts.is_empty() {
        let vip = left("VIP", width + 4, width);
        let head = format!("{:<40}{:<20}{:<11}{vip}IPs", "UUID", "LB", "PROTO");
        ctx.line(head);
    }
    for (_, text) in texts {
        ctx.line(text);
    }
}

fn balancer_text(ctx: &Context<'_, '_>, row: Row, width: usize) -> String {
    let template = ctx.key_is_true(row, "options", "template");
    let protocol = ctx.text(row, "protocol");
    let name = ctx.text(row, "name");
    let mut text = String::new();
    for (at, (vip, backends)) in ctx.pairs(row, "vips").into_iter().enumerate() {
        let shown = match vip::endpoint(&vip) {
            _ if template => &*protocol,
            Ok((_, 0)) => "",
            Ok(_) => &*protocol,
            Err(_) => continue,
        };
        let head = match at {
            0 => format!("{}    {}", row.uuid, left(&name, 20, 16)),
            _ => format!("\n{:60}", ""),
        };
        let padded = format!("{:<1$}", cut(&vip, width), width + 4);
        let _ = write!(text, "{head}{}{padded}{backends}", left(shown, 11, 7));
    }
    text
}
