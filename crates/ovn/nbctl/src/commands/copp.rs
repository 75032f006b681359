//! Control plane protection: which meter guards which protocol.

use super::words::{COPP, ROUTER, SWITCH};
use crate::context::{Context, Noun, fail};
use crate::syntax::{Looks, Mode, Syntax};
use purlin_ovn_core::model::METERED;
use purlin_ovsdb::{Atom, Datum, Uuid};

const POLICIES: &str = "Copp meters name; Logical_Switch name copp; Logical_Router name copp";

const fn command(
    name: &'static str,
    arguments: &'static str,
    counts: (usize, usize),
    run: fn(&mut Context<'_, '_>) -> Result<(), String>,
) -> Syntax {
    Syntax::new(name, arguments, counts, Looks::At(POLICIES), run)
}

pub(super) static COMMANDS: &[Syntax] = &[
    command("copp-add", "NAME PROTO METER", (3, 3), add),
    command("copp-del", "NAME [PROTO]", (1, 2), delete),
    Syntax {
        mode: Mode::Reads,
        ..command("copp-list", "NAME", (1, 1), |ctx| {
            if let Some(copp) = ctx.find(&COPP, ctx.arg(1))? {
                for (protocol, meter) in ctx.pairs(copp, "meters") {
                    ctx.line(format!("{protocol}: {meter}"));
                }
            }
            Ok(())
        })
    },
    command("ls-copp-add", "NAME SWITCH", (2, 2), |ctx| use_it(ctx, &SWITCH)),
    command("lr-copp-add", "NAME ROUTER", (2, 2), |ctx| use_it(ctx, &ROUTER)),
];

fn protocol(text: &str) -> Result<(), String> {
    if METERED.contains(&text) {
        return Ok(());
    }
    fail(format!(
        "Invalid control protocol. Allowed values: {}.",
        METERED.join(", ")
    ))
}

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    protocol(ctx.arg(2))?;
    let id = ctx.arg(1);
    let by_uuid = Uuid::parse(id).is_some();
    let there = if by_uuid {
        Some(ctx.get(&COPP, id)?)
    } else {
        ctx.find(&COPP, id)?
    };
    let copp = match there {
        Some(copp) => copp,
        None => ctx.insert(COPP.table),
    };
    let mut meters = ctx.pairs(copp, "meters");
    meters.push((ctx.arg(2).to_owned(), ctx.arg(3).to_owned()));
    ctx.set(copp, "meters", Datum::map(meters));
    if !by_uuid {
        ctx.set(copp, "name", id);
    }
    Ok(())
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let one = (ctx.count() == 2).then(|| ctx.arg(2));
    one.map(protocol).transpose()?;
    let Some(copp) = ctx.find(&COPP, ctx.arg(1))? else {
        return Ok(());
    };
    let mut meters = ctx.pairs(copp, "meters");
    let before = meters.len();
    meters.retain(|(key, _)| one.is_some_and(|one| one != key));
    if meters.is_empty() {
        ctx.delete(copp);
    } else if meters.len() < before {
        ctx.set(copp, "meters", Datum::map(meters));
    }
    Ok(())
}

fn use_it(ctx: &mut Context<'_, '_>, noun: &Noun) -> Result<(), String> {
    let user = ctx.get(noun, ctx.arg(2))?;
    let copp = ctx.get(&COPP, ctx.arg(1))?;
    ctx.set(user, "copp", Atom::Uuid(copp.uuid));
    Ok(())
}
