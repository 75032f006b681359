//! ACLs of switches and port groups.

use super::words::{PORT_GROUP, SWITCH, direction, drop_rules, priority, within};
use crate::context::{Context, Row, fail};
use crate::syntax::{Looks, Mode, Syntax};
use purlin_ovsdb::Datum;
use std::cmp::Reverse;
use std::fmt::Write as _;

const RULES: &str = "Logical_Switch name acls; Port_Group name acls; ACL direction priority match options";
const ACTIONS: [&str; 5] = ["allow", "allow-related", "allow-stateless", "drop", "reject"];
const SEVERITIES: [&str; 5] = ["alert", "warning", "notice", "info", "debug"];

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "acl-add",
        min: 5,
        max: 6,
        arguments: "{SWITCH | PORTGROUP} DIRECTION PRIORITY MATCH ACTION",
        options: "--log,--may-exist,--type=,--name=,--severity=,--meter=,--label=,--apply-after-lb",
        mode: Mode::Writes,
        looks: Looks::At(RULES),
        run: add,
    },
    Syntax {
        name: "acl-del",
        min: 1,
        max: 4,
        arguments: "{SWITCH | PORTGROUP} [DIRECTION [PRIORITY MATCH]]",
        options: "--type=",
        mode: Mode::Writes,
        looks: Looks::At(RULES),
        run: delete,
    },
    Syntax {
        name: "acl-list",
        min: 1,
        max: 1,
        arguments: "{SWITCH | PORTGROUP}",
        options: "--type=",
        mode: Mode::Reads,
        looks: Looks::At(
            "Logical_Switch name acls; Port_Group name acls; \
             ACL direction priority match options action log name severity meter label",
        ),
        run: list,
    },
];

/// The switch or port group that the first argument means.
fn holder(ctx: &Context<'_, '_>) -> Result<Row, String> {
    let id = ctx.arg(1);
    match ctx.option("--type") {
        Some("port-group") => ctx.get(&PORT_GROUP, id),
        Some("switch") => ctx.get(&SWITCH, id),
        Some(other) => fail(format!("Invalid value '{other}' for option --type")),
        None => match (ctx.find(&PORT_GROUP, id)?, ctx.find(&SWITCH, id)?) {
            (Some(_), Some(_)) => fail(format!(
                "Same name '{id}' exists in both port-groups and logical switches. Specify --type=port-group or \
                 switch, or use a UUID."
            )),
            (None, None) => fail(format!("'{id}' is not found for port-group or switch.")),
            (Some(one), None) | (None, Some(one)) => Ok(one),
        },
    }
}

/// In what order rules are listed; two rules of the same key are the same rule.
fn key(ctx: &Context<'_, '_>, acl: Row) -> (String, bool, Reverse<i64>, String) {
    (
        ctx.text(acl, "direction").to_string(),
        ctx.key_is_true(acl, "options", "apply-after-lb"),
        Reverse(ctx.integer(acl, "priority")),
        ctx.text(acl, "match").to_string(),
    )
}

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let holder = holder(ctx)?;
    let direction = direction(ctx.arg(2), "direction")?;
    let priority = priority(ctx.arg(3))?;
    let action = ctx.arg(5);
    if !ACTIONS.contains(&action) {
        return fail(format!(
            "{action}: action must be one of \"allow\", \"allow-related\", \"allow-stateless\", \"drop\", and \"reject\""
        ));
    }
    let acl = ctx.insert("ACL");
    ctx.set(acl, "priority", priority);
    ctx.set(acl, "direction", direction);
    ctx.set(acl, "match", ctx.arg(4));
    ctx.set(acl, "action", action);
    log(ctx, acl)?;
    if let Some(label) = ctx.option("--label") {
        if !matches!(action, "allow" | "allow-related") {
            return fail("label can only be set with actions \"allow\" or \"allow-related\"");
        }
        let value = within(label, 0, u32::MAX.into());
        let value = value.ok_or_else(|| format!("{label}: label must in range 0...4294967295"))?;
        ctx.set(acl, "label", value);
    }
    if direction == "from-lport" && ctx.has("--apply-after-lb") {
        ctx.set(acl, "options", Datum::map([("apply-after-lb", "true")]));
    }
    let wanted = key(ctx, acl);
    let rules = ctx.refs(holder, "acls", "ACL");
    if rules.iter().any(|rule| key(ctx, *rule) == wanted) {
        if ctx.has("--may-exist") {
            return Ok(());
        }
        return fail(format!("Same ACL already existed on the ls {}.", ctx.arg(1)));
    }
    ctx.add_ref(holder, "acls", acl);
    Ok(())
}

fn log(ctx: &mut Context<'_, '_>, acl: Row) -> Result<(), String> {
    let settings = ["--severity", "--name", "--meter"];
    if ctx.has("--log") || settings.iter().any(|option| ctx.has(option)) {
        ctx.set(acl, "log", true);
    }
    if let Some(severity) = ctx.option("--severity").filter(|one| !SEVERITIES.contains(one)) {
        return fail(format!("bad severity: {severity}"));
    }
    for option in settings {
        if let Some(value) = ctx.option(option) {
            ctx.set(acl, &option[2..], value);
        }
    }
    Ok(())
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let holder = holder(ctx)?;
    if ctx.count() == 1 {
        ctx.verify(holder, "acls");
        ctx.set(holder, "acls", Datum::EMPTY);
        return Ok(());
    }
    let direction = direction(ctx.arg(2), "direction")?;
    let mut rules = ctx.refs(holder, "acls", "ACL");
    rules.retain(|rule| &*ctx.text(*rule, "direction") == direction);
    drop_rules(ctx, holder, "acls", rules)
}

fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let holder = holder(ctx)?;
    let mut rules = ctx.refs(holder, "acls", "ACL");
    rules.sort_by_key(|rule| key(ctx, *rule));
    for rule in rules {
        let text = |column| ctx.text(rule, column);
        let mut line = format!(
            "{:>10} {:>5} ({}) {}",
            text("direction"),
            ctx.integer(rule, "priority"),
            text("match"),
            text("action")
        );
        if ctx.truth(rule, "log") == Some(true) {
            let mut parts = Vec::new();
            parts.extend(ctx.maybe_text(rule, "name").map(|name| format!("name={name}")));
            parts.extend(
                ctx.maybe_text(rule, "severity")
                    .map(|one| format!("severity={one}")),
            );
            parts.extend(
                ctx.maybe_text(rule, "meter")
                    .map(|meter| format!("meter=\"{meter}\"")),
            );
            let _ = write!(line, " log({})", parts.join(","));
        }
        let label = ctx.integer(rule, "label");
        if label != 0 {
            let _ = write!(line, " label={label}");
        }
        if ctx.key_is_true(rule, "options", "apply-after-lb") {
            line.push_str(" [after-lb]");
        }
        ctx.line(line);
    }
    Ok(())
}
