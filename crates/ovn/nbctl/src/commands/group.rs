//! Port groups and groups of chassis.

use super::words::{HA_GROUP, PORT, PORT_GROUP, priority};
use crate::context::{Context, Row};
use crate::syntax::{Looks, MANY, Mode, Syntax};
use purlin_ovsdb::{Atom, Datum};

const CHASSIS: &str = "HA_Chassis_Group name ha_chassis; HA_Chassis chassis_name priority";

const fn command(
    name: &'static str,
    counts: (usize, usize),
    looks: &'static str,
    run: fn(&mut Context<'_, '_>) -> Result<(), String>,
) -> Syntax {
    Syntax::new(name, "", counts, Looks::At(looks), run)
}

const fn of_chassis(
    name: &'static str,
    count: usize,
    looks: &'static str,
    run: fn(&mut Context<'_, '_>) -> Result<(), String>,
) -> Syntax {
    Syntax {
        arguments: "[CHASSIS GROUP]",
        ..command(name, (count, count), looks, run)
    }
}

pub(super) static COMMANDS: &[Syntax] = &[
    command("pg-add", (1, MANY), "Logical_Switch_Port name", |ctx| {
        let group = ctx.insert(PORT_GROUP.table);
        ctx.set(group, "name", ctx.arg(1));
        if ctx.count() > 1 {
            set_ports(ctx, group)?;
        }
        Ok(())
    }),
    command(
        "pg-set-ports",
        (2, MANY),
        "Logical_Switch_Port name; Port_Group name ports",
        |ctx| {
            let group = ctx.get(&PORT_GROUP, ctx.arg(1))?;
            set_ports(ctx, group)
        },
    ),
    command("pg-del", (1, 1), "Port_Group name", |ctx| {
        let group = ctx.get(&PORT_GROUP, ctx.arg(1))?;
        ctx.delete(group);
        Ok(())
    }),
    of_chassis("ha-chassis-group-add", 1, "", |ctx| {
        let group = ctx.insert(HA_GROUP.table);
        ctx.set(group, "name", ctx.arg(1));
        Ok(())
    }),
    of_chassis("ha-chassis-group-del", 1, "HA_Chassis_Group name", |ctx| {
        let group = ctx.get(&HA_GROUP, ctx.arg(1))?;
        ctx.delete(group);
        Ok(())
    }),
    Syntax {
        mode: Mode::Reads,
        ..of_chassis("ha-chassis-group-list", 0, CHASSIS, list)
    },
    of_chassis("ha-chassis-group-add-chassis", 3, CHASSIS, add_chassis),
    of_chassis("ha-chassis-group-remove-chassis", 2, CHASSIS, |ctx| {
        let group = ctx.get(&HA_GROUP, ctx.arg(1))?;
        let chassis = must_member(ctx, group)?;
        ctx.drop_ref(group, "ha_chassis", chassis);
        ctx.delete(chassis);
        Ok(())
    }),
    of_chassis("ha-chassis-group-set-chassis-prio", 3, CHASSIS, |ctx| {
        let group = ctx.get(&HA_GROUP, ctx.arg(1))?;
        let priority = priority(ctx.arg(3))?;
        let chassis = must_member(ctx, group)?;
        ctx.set(chassis, "priority", priority);
        Ok(())
    }),
];

fn set_ports(ctx: &mut Context<'_, '_>, group: Row) -> Result<(), String> {
    let ports = ctx.args(2).iter().map(|id| ctx.get(&PORT, id));
    let ports: Vec<Row> = ports.collect::<Result<_, _>>()?;
    ctx.set(
        group,
        "ports",
        Datum::set(ports.into_iter().map(|row| Atom::Uuid(row.uuid))),
    );
    Ok(())
}

fn member(ctx: &Context<'_, '_>, group: Row) -> Option<Row> {
    let name = ctx.arg(2);
    let all = ctx.refs(group, "ha_chassis", "HA_Chassis");
    all.into_iter()
        .find(|row| &*ctx.text(*row, "chassis_name") == name)
}

fn must_member(ctx: &Context<'_, '_>, group: Row) -> Result<Row, String> {
    let missing = || {
        format!(
            "{}: ha chassis not found in {} ha chassis group",
            ctx.arg(2),
            ctx.arg(1)
        )
    };
    member(ctx, group).ok_or_else(missing)
}

fn add_chassis(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let group = ctx.get(&HA_GROUP, ctx.arg(1))?;
    let priority = priority(ctx.arg(3))?;
    if let Some(chassis) = member(ctx, group) {
        ctx.set(chassis, "priority", priority);
        return Ok(());
    }
    let chassis = ctx.insert("HA_Chassis");
    ctx.set(chassis, "chassis_name", ctx.arg(2));
    ctx.set(chassis, "priority", priority);
    ctx.add_ref(group, "ha_chassis", chassis);
    Ok(())
}

fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    for group in ctx.rows(HA_GROUP.table) {
        let name = ctx.text(group, "name");
        ctx.line(format!("{} ({name})", group.uuid));
        for chassis in ctx.refs(group, "ha_chassis", "HA_Chassis") {
            let (name, priority) = (
                ctx.text(chassis, "chassis_name"),
                ctx.integer(chassis, "priority"),
            );
            ctx.line(format!(
                "    {} ({name})\n    priority {priority}\n",
                chassis.uuid
            ));
        }
        ctx.line("");
    }
    Ok(())
}
