//! Policies of routers.

use super::words::{ROUTER, priority};
use crate::address::{normal_address, normal_prefix};
use crate::context::{Context, Row, fail};
use crate::syntax::{Looks, MANY, Mode, Syntax};
use purlin_ovsdb::{Datum, Uuid};
use std::cmp::Reverse;
use std::fmt::Write as _;

const TABLE: &str = "Logical_Router_Policy";
const POLICIES: &str = "Logical_Router name policies; Logical_Router_Policy priority match";

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "lr-policy-add",
        min: 4,
        max: MANY,
        arguments: "ROUTER PRIORITY MATCH ACTION [NEXTHOP] [OPTIONS - KEY=VALUE ...]",
        options: "--may-exist",
        mode: Mode::Writes,
        looks: Looks::At(POLICIES),
        run: add,
    },
    Syntax {
        name: "lr-policy-del",
        min: 1,
        max: 3,
        arguments: "ROUTER [{PRIORITY | UUID} [MATCH]]",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::At(POLICIES),
        run: delete,
    },
    Syntax {
        name: "lr-policy-list",
        min: 1,
        max: 1,
        arguments: "ROUTER",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At(
            "Logical_Router name policies; Logical_Router_Policy priority match nexthops action options",
        ),
        run: list,
    },
];

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    let priority = priority(ctx.arg(2))?;
    let (wanted, action) = (ctx.arg(3), ctx.arg(4));
    if !matches!(action, "allow" | "drop" | "reroute") {
        return fail(format!(
            "{action}: action must be one of \"allow\", \"drop\", and \"reroute\""
        ));
    }
    let reroute = action == "reroute";
    if reroute && ctx.count() < 5 {
        return fail("Nexthop is required when action is reroute.");
    }
    let there = ctx.refs(router, "policies", TABLE).into_iter();
    let mut there = there.filter(|policy| ctx.integer(*policy, "priority") == priority);
    if there.any(|policy| *ctx.text(policy, "match") == *wanted) {
        if ctx.has("--may-exist") {
            return Ok(());
        }
        return fail(format!(
            "Same routing policy already existed on the logical router {}.",
            ctx.arg(1)
        ));
    }
    let policy = ctx.insert(TABLE);
    ctx.set(policy, "priority", priority);
    ctx.set(policy, "match", wanted);
    ctx.set(policy, "action", action);
    if reroute {
        let hops = next_hops(ctx.arg(5))?;
        ctx.set(policy, "nexthops", Datum::set(hops));
    }
    let mut options = Vec::new();
    for word in ctx.args(if reroute { 6 } else { 5 }) {
        match word.split_once('=') {
            Some((key, value)) if !value.is_empty() => options.push((key, value)),
            other => {
                let key = other.map_or(word.as_str(), |(key, _)| key);
                return fail(format!("No value specified for the option : {key}"));
            }
        }
    }
    ctx.set(policy, "options", Datum::map(options));
    ctx.add_ref(router, "policies", policy);
    Ok(())
}

/// Addresses of one family with commas between them.
fn next_hops(text: &str) -> Result<Vec<String>, String> {
    let mut hops: Vec<String> = Vec::new();
    for word in text.split(',').filter(|word| !word.is_empty()) {
        let hop = normal_address(word).ok_or_else(|| format!("bad next hop argument: {text}"))?;
        if hops
            .first()
            .is_some_and(|first| first.contains('.') != hop.contains('.'))
        {
            return fail(format!(
                "bad next hops argument, not in the same addr family : {text}"
            ));
        }
        hops.push(hop);
    }
    Ok(hops)
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    if ctx.count() == 1 {
        ctx.set(router, "policies", Datum::EMPTY);
        return Ok(());
    }
    let mut gone = ctx.refs(router, "policies", TABLE);
    match Uuid::parse(ctx.arg(2)) {
        Some(uuid) if ctx.count() == 2 => {
            gone.retain(|policy| policy.uuid == uuid);
            if gone.is_empty() && !ctx.has("--if-exists") {
                return fail("Logical router policy uuid is not found.");
            }
        }
        // A UUID with a match means the priority 0, as in the known tool.
        id => {
            let priority = if id.is_some() { 0 } else { priority(ctx.arg(2))? };
            gone.retain(|policy| ctx.integer(*policy, "priority") == priority);
        }
    }
    if ctx.count() == 3 {
        let wanted = ctx.arg(3);
        gone.retain(|policy| *ctx.text(*policy, "match") == *wanted);
        gone.truncate(1);
    }
    for policy in gone {
        ctx.drop_ref(router, "policies", policy);
    }
    Ok(())
}

fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    let mut policies = ctx.refs(router, "policies", TABLE);
    policies.sort_by_key(|row| (Reverse(ctx.integer(*row, "priority")), ctx.text(*row, "match")));
    if !policies.is_empty() {
        ctx.line("Routing Policies");
    }
    for policy in policies {
        let text = line(ctx, policy);
        ctx.line(text);
    }
    Ok(())
}

fn line(ctx: &Context<'_, '_>, policy: Row) -> String {
    let mut text = format!(
        "{:>10} {:>50} {:>15}",
        ctx.integer(policy, "priority"),
        ctx.text(policy, "match"),
        ctx.text(policy, "action")
    );
    for (at, hop) in ctx.texts(policy, "nexthops").iter().enumerate() {
        let hop = normal_prefix(hop).unwrap_or_default();
        let _ = match at {
            0 => write!(text, " {hop:>25}"),
            _ => write!(text, ", {hop}"),
        };
    }
    let options = ctx.pairs(policy, "options");
    if !options.is_empty() {
        let options: Vec<String> = options
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let _ = write!(text, "{:>15}{}", "", options.join(","));
    }
    text
}
