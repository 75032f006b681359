//! Meters.

use super::words::{delete_one_or_all, within};
use crate::context::{Context, Row, fail};
use crate::syntax::{Looks, Mode, Syntax};
use purlin_ovsdb::Atom;
use std::fmt::Write as _;

const METERS: &str = "Meter name fair bands unit; Meter_Band action rate burst_size";
const MOST: i64 = u32::MAX as i64;

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "meter-add",
        min: 4,
        max: 5,
        arguments: "NAME ACTION RATE UNIT [BURST]",
        options: "--fair,--may-exist",
        mode: Mode::Writes,
        looks: Looks::At(METERS),
        run: add,
    },
    Syntax {
        name: "meter-del",
        min: 0,
        max: 1,
        arguments: "[NAME]",
        options: "",
        mode: Mode::Writes,
        looks: Looks::At("Meter name"),
        run: |ctx| delete_one_or_all(ctx, "Meter"),
    },
    Syntax {
        name: "meter-list",
        min: 0,
        max: 0,
        arguments: "",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At(METERS),
        run: list,
    },
];

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let name = ctx.arg(1);
    let there = ctx.named("Meter", "name", name).first().copied();
    if there.is_some() && !ctx.has("--may-exist") {
        return fail(format!("meter with name \"{name}\" already exists"));
    }
    if name.starts_with("__") {
        return fail("meter names that begin with \"__\" are reserved");
    }
    if ctx.arg(2) != "drop" {
        return fail("action must be \"drop\"");
    }
    let rate = within(ctx.arg(3), 1, MOST).ok_or("rate must be in the range 1...4294967295")?;
    let unit = ctx.arg(4);
    if !matches!(unit, "kbps" | "pktps") {
        return fail("unit must be \"kbps\" or \"pktps\"");
    }
    let burst = match ctx.count() {
        5 => within(ctx.arg(5), 0, MOST).ok_or("burst must be in the range 0...4294967295")?,
        _ => 0,
    };
    let bands = there.map(|meter| ctx.refs(meter, "bands", "Meter_Band"));
    let band = match bands.and_then(|bands| bands.first().copied()) {
        Some(band) => band,
        None => ctx.insert("Meter_Band"),
    };
    ctx.set(band, "action", "drop");
    ctx.set(band, "rate", rate);
    ctx.set(band, "burst_size", burst);
    let meter = match there {
        Some(meter) => meter,
        None => ctx.insert("Meter"),
    };
    ctx.set(meter, "name", name);
    ctx.set(meter, "unit", unit);
    ctx.set(meter, "bands", Atom::Uuid(band.uuid));
    if ctx.has("--fair") {
        ctx.set(meter, "fair", true);
    }
    Ok(())
}

fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let mut meters = ctx.rows("Meter");
    meters.sort_by_key(|meter| ctx.text(*meter, "name"));
    for meter in meters {
        let name = ctx.text(meter, "name");
        let fair = match ctx.truth(meter, "fair") {
            Some(true) => " (fair)",
            Some(false) => " (shared)",
            None => "",
        };
        ctx.line(format!("{name}:{fair} bands:"));
        let bands: String = ctx
            .refs(meter, "bands", "Meter_Band")
            .into_iter()
            .map(|band| band_text(ctx, meter, band))
            .collect();
        ctx.line(bands);
    }
    Ok(())
}

fn band_text(ctx: &Context<'_, '_>, meter: Row, band: Row) -> String {
    let unit = ctx.text(meter, "unit");
    let (action, rate) = (ctx.text(band, "action"), ctx.integer(band, "rate"));
    let mut text = format!("  {action}: {rate} {unit}");
    let burst = ctx.integer(band, "burst_size");
    if burst != 0 {
        let what = if &*unit == "kbps" { "kb" } else { "packet" };
        let _ = write!(text, ", {burst} {what} burst");
    }
    text
}
