//! QoS rules of switches.

use super::words::{SWITCH, direction, drop_rules, priority, within};
use crate::context::{Context, Row, fail};
use crate::syntax::{Looks, Mode, Syntax};
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::cmp::Reverse;
use std::fmt::Write as _;

const RULES: &str = "Logical_Switch name qos_rules; QoS direction priority match";

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "qos-add",
        min: 5,
        max: 7,
        arguments: "SWITCH DIRECTION PRIORITY MATCH [rate=RATE [burst=BURST]] [dscp=DSCP]",
        options: "--may-exist",
        mode: Mode::Writes,
        looks: Looks::At(RULES),
        run: add,
    },
    Syntax {
        name: "qos-del",
        min: 1,
        max: 4,
        arguments: "SWITCH [{DIRECTION | UUID} [PRIORITY MATCH]]",
        options: "",
        mode: Mode::Writes,
        looks: Looks::At(RULES),
        run: delete,
    },
    Syntax {
        name: "qos-list",
        min: 1,
        max: 1,
        arguments: "SWITCH",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At("Logical_Switch name qos_rules; QoS direction priority match bandwidth action"),
        run: list,
    },
];

fn key(ctx: &Context<'_, '_>, rule: Row) -> (String, Reverse<i64>, String) {
    (
        ctx.text(rule, "direction").to_string(),
        Reverse(ctx.integer(rule, "priority")),
        ctx.text(rule, "match").to_string(),
    )
}

/// `dscp=`, `rate=` and `burst=` of the arguments; `None` where they are not said.
#[derive(Default)]
struct Limits {
    dscp: Option<i64>,
    rate: Option<i64>,
    burst: Option<i64>,
}

fn limits(words: &[String]) -> Result<Limits, String> {
    let mut limits = Limits::default();
    let most = u32::MAX.into();
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or(("", word));
        let number = |least, most| {
            within(value, least, most)
                .map(Some)
                .ok_or_else(|| format!("{value}: {name} must be in the range {least}...{most}"))
        };
        match name {
            "dscp" => limits.dscp = number(0, 63)?,
            "rate" => limits.rate = number(1, most)?,
            "burst" => limits.burst = number(1, most)?,
            _ => {
                return fail(format!(
                    "{word}: supported arguments are \"dscp=\", \"rate=\", and \"burst=\""
                ));
            }
        }
    }
    if limits.dscp.is_none() && limits.rate.is_none() {
        return fail("Either \"rate\" and/or \"dscp\" must be specified");
    }
    Ok(limits)
}

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let direction = direction(ctx.arg(2), "direction")?;
    let priority = priority(ctx.arg(3))?;
    let switch = ctx.get(&SWITCH, ctx.arg(1))?;
    let limits = limits(ctx.args(5))?;
    let rule = ctx.insert("QoS");
    ctx.set(rule, "priority", priority);
    ctx.set(rule, "direction", direction);
    ctx.set(rule, "match", ctx.arg(4));
    if let Some(dscp) = limits.dscp {
        ctx.set(rule, "action", Datum::map([("dscp", dscp)]));
    }
    if let Some(rate) = limits.rate {
        let burst = limits.burst.map(|burst| ("burst", burst));
        ctx.set(
            rule,
            "bandwidth",
            Datum::map(burst.into_iter().chain([("rate", rate)])),
        );
    }
    let wanted = key(ctx, rule);
    let rules = ctx.refs(switch, "qos_rules", "QoS");
    if rules.iter().any(|other| key(ctx, *other) == wanted) {
        if ctx.has("--may-exist") {
            return Ok(());
        }
        return fail(format!("Same qos already existed on the ls {}.", ctx.arg(1)));
    }
    ctx.add_ref(switch, "qos_rules", rule);
    Ok(())
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let switch = ctx.get(&SWITCH, ctx.arg(1))?;
    if ctx.count() == 1 {
        ctx.verify(switch, "qos_rules");
        ctx.set(switch, "qos_rules", Datum::EMPTY);
        return Ok(());
    }
    let mut rules = ctx.refs(switch, "qos_rules", "QoS");
    if let Some(uuid) = Uuid::parse(ctx.arg(2)) {
        if ctx.count() > 2 {
            return fail("uuid must be the only argument");
        }
        rules.retain(|rule| rule.uuid == uuid);
        if rules.is_empty() {
            return fail("uuid is not found");
        }
    } else {
        let direction = direction(ctx.arg(2), "direction")?;
        rules.retain(|rule| &*ctx.text(*rule, "direction") == direction);
    }
    drop_rules(ctx, switch, "qos_rules", rules)
}

fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let switch = ctx.get(&SWITCH, ctx.arg(1))?;
    let mut rules = ctx.refs(switch, "qos_rules", "QoS");
    rules.sort_by_key(|rule| key(ctx, *rule));
    for rule in rules {
        let mut line = format!(
            "{:>10} {:>5} ({})",
            ctx.text(rule, "direction"),
            ctx.integer(rule, "priority"),
            ctx.text(rule, "match")
        );
        for (column, key) in [("bandwidth", "rate"), ("bandwidth", "burst"), ("action", "dscp")] {
            let value = ctx.value(rule, column);
            if let Some(number) = value.get(&Atom::from(key)).and_then(Atom::as_integer) {
                let _ = write!(line, " {key}={number}");
            }
        }
        ctx.line(line);
    }
    Ok(())
}
