//! Words that several commands take, and nouns for what they are about.

use crate::address::leading_integer;
use crate::context::{Context, Noun, Row, fail};

pub(super) const SWITCH: Noun = Noun {
    table: "Logical_Switch",
    one: "switch",
    many: Some("logical switches"),
};
pub(super) const ROUTER: Noun = Noun {
    table: "Logical_Router",
    one: "router",
    many: Some("logical routers"),
};
pub(super) const ADDRESS_SET: Noun = Noun {
    table: "Address_Set",
    one: "Address Set",
    many: Some("Address Sets"),
};
pub(super) const BALANCER: Noun = Noun {
    table: "Load_Balancer",
    one: "load balancer",
    many: Some("load balancers"),
};
pub(super) const PORT_GROUP: Noun = first("Port_Group", "port group");
pub(super) const PORT: Noun = first("Logical_Switch_Port", "port");
pub(super) const ROUTER_PORT: Noun = first("Logical_Router_Port", "port");
pub(super) const MIRROR: Noun = first("Mirror", "mirror");
pub(super) const GATEWAY_CHASSIS: Noun = first("Gateway_Chassis", "gateway chassis");
pub(super) const COPP: Noun = first("Copp", "copp");
pub(super) const HA_GROUP: Noun = first("HA_Chassis_Group", "ha_chassi_group");
pub(super) const FORWARDING_GROUP: Noun = first("Forwarding_Group", "forwarding group");

const fn first(table: &'static str, one: &'static str) -> Noun {
    Noun {
        table,
        one,
        many: None,
    }
}

/// `to-lport` or `from-lport`, of which the first letter is enough.
pub(super) fn direction(text: &str, what: &str) -> Result<&'static str, String> {
    match text.as_bytes().first() {
        Some(b't') => Ok("to-lport"),
        Some(b'f') => Ok("from-lport"),
        _ => fail(format!("{text}: {what} must be \"to-lport\" or \"from-lport\"")),
    }
}

/// A number from 0 to 32767.
pub(super) fn priority(text: &str) -> Result<i64, String> {
    within(text, 0, 32767).ok_or_else(|| format!("{text}: priority must in range 0...32767"))
}

/// A number in a range, letters after it notwithstanding.
pub(super) fn within(text: &str, least: i64, most: i64) -> Option<i64> {
    leading_integer(text).filter(|value| (least..=most).contains(value))
}

/// `enabled` or `disabled`, in any case.
pub(super) fn enabled(text: &str) -> Result<bool, String> {
    match text {
        _ if text.eq_ignore_ascii_case("enabled") => Ok(true),
        _ if text.eq_ignore_ascii_case("disabled") => Ok(false),
        _ => fail(format!("{text}: state must be \"enabled\" or \"disabled\"")),
    }
}

/// Prints `UUID (NAME)` of each row, sorted by name.
pub(super) fn list_named(ctx: &mut Context<'_, '_>, rows: &[Row]) {
    let name = |row: &Row| (ctx.text(*row, "name"), row.uuid);
    let mut named: Vec<_> = rows.iter().map(name).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, uuid) in named {
        ctx.line(format!("{uuid} ({name})"));
    }
}

/// The row's name, or its UUID where it has none.
pub(super) fn called(ctx: &Context<'_, '_>, row: Row) -> String {
    let name = ctx.text(row, "name");
    if name.is_empty() {
        row.uuid.to_string()
    } else {
        name.to_string()
    }
}

/// `[--may-exist | --add-duplicate] X-add [NAME]`: creates a row that other rows of the name may or may not keep out.
pub(super) fn add_named(ctx: &mut Context<'_, '_>, noun: &Noun) -> Result<(), String> {
    let (may_exist, duplicate) = (ctx.has("--may-exist"), ctx.has("--add-duplicate"));
    if may_exist && duplicate {
        return fail("--may-exist and --add-duplicate may not be used together");
    }
    let name = (ctx.count() == 1).then(|| ctx.arg(1));
    match name {
        Some(name) if !duplicate && !ctx.named(noun.table, "name", name).is_empty() => {
            if may_exist {
                return Ok(());
            }
            return fail(format!("{name}: a {} with this name already exists", noun.one));
        }
        None if may_exist => return fail("--may-exist requires specifying a name"),
        None if duplicate => return fail("--add-duplicate requires specifying a name"),
        _ => {}
    }
    let row = ctx.insert(noun.table);
    if let Some(name) = name {
        ctx.set(row, "name", name);
    }
    Ok(())
}

/// `[--if-exists] X-del ID` of a switch or router: its ports go with it.
pub(super) fn delete_named(
    ctx: &mut Context<'_, '_>,
    noun: &Noun,
    ports: &'static str,
) -> Result<(), String> {
    let row = if ctx.has("--if-exists") {
        ctx.find(noun, ctx.arg(1))?
    } else {
        Some(ctx.get(noun, ctx.arg(1))?)
    };
    let Some(row) = row else { return Ok(()) };
    for port in ctx.refs(row, "ports", ports) {
        let name = ctx.text(port, "name");
        ctx.work.note_parent(noun.table, &name, None);
    }
    ctx.delete(row);
    Ok(())
}

/// Says whether an enabled column means that it is.
pub(super) fn state(ctx: &Context<'_, '_>, row: Row) -> &'static str {
    match ctx.truth(row, "enabled") {
        Some(false) => "disabled",
        _ => "enabled",
    }
}

/// Takes rules from their holder's `column`: those of a direction, or the one that its priority and match name too.
/// The third argument and those behind it are `[PRIORITY MATCH]`.
pub(super) fn drop_rules(
    ctx: &mut Context<'_, '_>,
    holder: Row,
    column: &'static str,
    mut rules: Vec<Row>,
) -> Result<(), String> {
    if ctx.count() > 2 {
        let priority = priority(ctx.arg(3))?;
        if ctx.count() == 3 {
            return fail("cannot specify priority without match");
        }
        let wanted = ctx.arg(4);
        rules.retain(|rule| {
            ctx.integer(*rule, "priority") == priority && &*ctx.text(*rule, "match") == wanted
        });
        rules.truncate(1);
    }
    for rule in rules {
        ctx.drop_ref(holder, column, rule);
    }
    Ok(())
}

/// `X-del [NAME]`: the row of that name, or all rows.
pub(super) fn delete_one_or_all(ctx: &mut Context<'_, '_>, table: &'static str) -> Result<(), String> {
    let mut rows = match ctx.count() {
        0 => ctx.rows(table),
        _ => ctx.named(table, "name", ctx.arg(1)),
    };
    if ctx.count() > 0 {
        rows.truncate(1);
    }
    rows.into_iter().for_each(|row| ctx.delete(row));
    Ok(())
}
