//! Logical switches.

use super::words::{SWITCH, add_named, delete_named, list_named};
use crate::syntax::{Looks, Mode, Syntax};

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "ls-add",
        min: 0,
        max: 1,
        arguments: "[SWITCH]",
        options: "--may-exist,--add-duplicate",
        mode: Mode::Writes,
        looks: Looks::Named("Logical_Switch#1 name"),
        run: |ctx| add_named(ctx, &SWITCH),
    },
    Syntax {
        name: "ls-del",
        min: 1,
        max: 1,
        arguments: "SWITCH",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::At("Logical_Switch name ports; Logical_Switch_Port name"),
        run: |ctx| delete_named(ctx, &SWITCH, "Logical_Switch_Port"),
    },
    Syntax {
        name: "ls-list",
        min: 0,
        max: 0,
        arguments: "",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At("Logical_Switch name"),
        run: |ctx| {
            let switches = ctx.rows(SWITCH.table);
            list_named(ctx, &switches);
            Ok(())
        },
    },
];
